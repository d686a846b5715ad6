"""Persons: which ASN a caller is shown, by which accounts, and who is left out of the lists of a dinas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from domain.access.policy import allowed
from domain.access.subjects import Person, Unit
from domain.refusal import Refusal
from domain.score.scorecard import Subject
from projections.reading.persons import LimitedSnapshot, OwnSnapshot, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.access.grant import Grant
    from domain.access.policy import Action
    from domain.access.subjects import Subject as Wanted
    from domain.periods import Period
    from domain.score.scorecard import Standing
    from projections.reading.reader import Snapshot
    from projections.reading.why import Behind


def never_named(subject: str) -> Refusal:
    """The refusal of a subject that nothing ever named, and of one that the caller is not shown: nobody tells them apart."""
    return Refusal("not-found", f"nothing ever named {subject}")


def shown_to(grant: Grant | None, snapshot: Snapshot, asn: str, period: Period) -> Snapshot:
    """The reading of an ASN as far as a caller is shown it. Raises: ``Refusal`` as if nothing ever named the ASN."""
    if allowed(grant, "read-person", Person(asn), snapshot.now_us):
        is_own = snapshot.published and allowed(grant, "own-page", Person(asn), snapshot.now_us)
        return OwnSnapshot(snapshot, asn) if is_own else snapshot
    here = frozenset(
        place
        for place in places_of(snapshot, asn, period)
        if allowed(grant, "read-person", Person(asn, frozenset({place})), snapshot.now_us)
    )
    if not here:
        raise never_named(asn)
    return LimitedSnapshot(snapshot, period, here)


def dinas_shown(snapshot: Snapshot) -> list[str]:
    """The dinas whose accounts alone a reading shows an ASN by; none where all count."""
    return sorted(snapshot.within) if isinstance(snapshot, LimitedSnapshot) else []


class Faces:
    """The ASN whom a caller is shown among the facts and files of a dinas, or of another ASN, in a period."""

    def __init__(self, grant: Grant | None, snapshot: Snapshot, subject: Subject, period: Period) -> None:
        self._grant = grant
        self._snapshot = snapshot
        self._subject = subject
        self._period = period
        is_own_dinas = subject.kind == "dinas" and self._allows("vouch", Unit(subject.id))
        # A counter of the dinas records for its persons, and is shown their names in its files, though no page of theirs.
        self.shows_all = is_own_dinas or self._allows("read-person", Person(""))
        self._known: dict[str, bool] = {}

    def _allows(self, action: Action, subject: Wanted) -> bool:
        return allowed(self._grant, action, subject, self._snapshot.now_us)

    def shows(self, asn: str) -> bool:
        """True if the caller is shown an ASN whom such a fact or file names."""
        if self.shows_all:
            return True
        if asn not in self._known:
            self._known[asn] = self._is_shown(asn)
        return self._known[asn]

    def among(self, standings: list[Standing]) -> list[Standing]:
        """Those standings of ASN that the caller is shown."""
        return standings if self.shows_all else [row for row in standings if self.shows(row.subject.id)]

    def _is_shown(self, asn: str) -> bool:
        if self._subject.kind == "asn" and asn == self._subject.id:
            return True  # or the caller would not be shown this page
        stays = self._snapshot.rulebook.places(asn, self._period.first_day, self._period.last_day)
        return self._allows("read-person", Person(asn, self._places_of_fact() if stays is None else stays))

    def _places_of_fact(self) -> frozenset[str]:
        """The dinas at which an ASN without assignments has the fact that names them."""
        if self._subject.kind == "dinas":
            return frozenset({self._subject.id})
        return self._snapshot.within if isinstance(self._snapshot, LimitedSnapshot) else frozenset()


def shown_at(
    grant: Grant | None, snapshot: Snapshot, path: Mapping[str, str], period: Period
) -> tuple[Snapshot, Faces | None]:
    """The reading of the subject that an address names, and the ASN in it, as far as a caller is shown them."""
    if "asn" in path:
        reading = shown_to(grant, snapshot, path["asn"], period)
        return reading, Faces(grant, reading, Subject("asn", path["asn"]), period)
    if "dinas" in path:
        return snapshot, Faces(grant, snapshot, Subject("dinas", path["dinas"]), period)
    return snapshot, None


def masked(event: Behind, shows: Callable[[str], bool]) -> Behind:
    """An event behind a score without the ASN whom the caller is not shown."""
    postings = [
        {**posting, "account": (dinas, asn if asn and shows(asn) else "", service, month)}
        for posting in event.postings
        for dinas, asn, service, month in (posting["account"],)
    ]
    return replace(event, data=_without(event.data, shows), postings=postings)


def _without(data: Mapping[str, Any], shows: Callable[[str], bool]) -> dict[str, Any]:
    """Data without an ASN who is not shown; a reversal holds those of the facts that it takes out and puts in too."""
    return {
        name: _without(value, shows) if isinstance(value, dict) else value
        for name, value in data.items()
        if name != "asn" or (isinstance(value, str) and shows(value))
    }
