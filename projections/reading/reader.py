"""Reading: standings, scorecards, rankings and their reasons, all of one snapshot of what is served."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from domain.canonical import canonical
from domain.clock import local_month
from domain.events.entries import decode
from domain.fold.digest import digest, digest_lines
from domain.fold.ledger import Balance, zero
from domain.periods import Period, parse_period
from domain.rules.rulebook import Rulebook
from domain.score.scorecard import Kind, Scorecard, Standing, Subject, ranked, scorecard
from domain.score.scoring import Score, score_of
from projections.store import queries
from projections.store.queries import NONE_OPEN, Open
from projections.store.version import PROJECTION_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from sqlalchemy import Connection

    from domain.fold.casefiles import CaseFile, OpenFile
    from domain.rules.scheme import Scheme
    from projections.live import At, Live
    from projections.store.queries import Ahead, Leaf, ListedFile


class Version(NamedTuple):
    """What a reading rests on; it changes exactly when a served figure may. ``until_us``: when a file turns overdue."""

    journal: str
    generation: int
    at: At
    overdue: int
    until_us: int | None

    @property
    def position(self) -> int:
        """Up to which position everything is folded."""
        return self.at.position

    def tag(self, *scope: str) -> str:
        """An entity tag for one scope of reading."""
        parts = (self.journal, self.generation, PROJECTION_VERSION, self.at, self.overdue, *scope)
        return hashlib.sha256(canonical(parts)).hexdigest()[:32]


class Snapshot:
    """One consistent reading: every figure is of the same position."""

    def __init__(self, db: Connection, version: Version, rulebook: Rulebook, now_us: int) -> None:
        self._db = db
        self.version = version
        self.position = version.position
        self.rulebook = rulebook
        self._now_us = now_us
        self._held: dict[tuple[str, str], list[Leaf]] = {}

    def scheme(self, period: Period) -> Scheme:
        """The scheme in force on a period's last day scores all of it."""
        return self.rulebook.scheme(period.last_day)

    def dinas(self, period: Period) -> list[Standing]:
        """Every dinas with a non-zero measure in the period, an open file, or a registration, by id."""
        balances = queries.dinas_balances(self._db, period.months)
        opened = queries.open_by_dinas(self._db, self._now_us)
        registered = self.rulebook.dinas()
        return _standings("dinas", balances, opened, registered, set(registered).__contains__)

    def one_dinas(self, dinas: str, period: Period) -> Standing | None:
        """A dinas's standing; ``None`` when nothing ever named it."""
        registered = self.rulebook.dinas_name(dinas) is not None
        if not registered and not queries.known_dinas(self._db, dinas):
            return None
        balance = queries.dinas_balances(self._db, period.months, dinas).get(dinas) or zero()
        opened = queries.open_by_dinas(self._db, self._now_us, dinas).get(dinas, NONE_OPEN)
        return Standing(Subject("dinas", dinas), registered, balance, *opened)

    def asn_of(self, dinas: str, period: Period) -> list[Standing] | None:
        """The ASN of a dinas, by id, that dinas's facts alone counted; ``None`` when nothing ever named the dinas."""
        if self.rulebook.dinas_name(dinas) is None and not queries.known_dinas(self._db, dinas):
            return None
        balances = queries.asn_balances(self._leaves(dinas, period))
        opened = queries.open_by_asn(self._db, self._now_us, dinas=dinas)
        assigned = self.rulebook.assigned(dinas, period.first_day, period.last_day)
        return _standings("asn", balances, opened, assigned, self.rulebook.knows_asn)

    def one_asn(self, asn: str, period: Period) -> Standing | None:
        """An ASN's standing over all dinas; ``None`` when nothing ever named them."""
        registered = self.rulebook.knows_asn(asn)
        if not registered and not queries.known_asn(self._db, asn):
            return None
        balance = queries.asn_balance(self._db, period.months, asn)
        opened = queries.open_by_asn(self._db, self._now_us, asn=asn).get(asn, NONE_OPEN)
        return Standing(Subject("asn", asn), registered, balance, *opened)

    def services(self, dinas: str, period: Period) -> dict[str, Balance]:
        """The balance of each service of a dinas."""
        return queries.service_balances(self._leaves(dinas, period))

    def _leaves(self, dinas: str, period: Period) -> list[Leaf]:
        """The leaf accounts of a dinas in a period, read once for all that is summed of them."""
        held = self._held.get((dinas, period.name))
        if held is None:
            held = self._held[dinas, period.name] = queries.leaves(self._db, dinas, period.months)
        return held

    def months(self) -> list[str]:
        """Every month that holds a balance, oldest first."""
        return queries.months_known(self._db)

    def score(self, standing: Standing, period: Period) -> Score:
        """A standing's score under the period's scheme, exact."""
        return score_of(standing.balance, self.scheme(period))

    def card(self, standing: Standing, period: Period) -> Scorecard:
        """A standing as served."""
        scheme = self.scheme(period)
        score = score_of(standing.balance, scheme)
        return scorecard(standing, score, period=period.name, position=self.position, scheme=scheme.id)

    def ranking(
        self, standings: Sequence[Standing], period: Period, start: int = 0, limit: int | None = None
    ) -> list[Scorecard]:  # fmt: skip
        """Standings as served, ranked; of a long ranking only so many from one on."""
        places = ranked(standings, self.scheme(period))[start : None if limit is None else start + limit]
        return [replace(self.card(standing, period), rank=rank) for standing, rank in places]

    def positions(
        self, subject: Subject, period: Period, after: int, limit: int, *, newest: bool = False,
        service: str | None = None,
    ) -> list[int]:  # fmt: skip
        """The entries that moved a subject's balance in a period, in order; ``newest``: backwards from ``after``."""
        of = {subject.kind: subject.id} | ({"service": service} if service else {})
        return queries.positions(self._db, period.months, after, limit, of, newest=newest)

    def series(self, standing: Standing, months: Sequence[Period]) -> list[Scorecard]:
        """A subject month by month, each scored under the scheme of its month; open files are those of now."""
        subject, names = standing.subject, [name for month in months for name in month.months]
        if subject.kind == "dinas":
            found = queries.months_of_dinas(self._db, names, subject.id)
            held = {month: balance for (_, month), balance in found.items()}
        else:
            held = queries.months_of_asn(self._db, names, subject.id)
        return [self.card(replace(standing, balance=held.get(month.name) or zero()), month) for month in months]

    def months_of_dinas(self, months: Sequence[Period]) -> dict[str, dict[str, Balance]]:
        """The balances of every dinas in some months, by dinas and month."""
        names = [name for month in months for name in month.months]
        found: dict[str, dict[str, Balance]] = {}
        for (dinas, month), balance in queries.months_of_dinas(self._db, names).items():
            found.setdefault(dinas, {})[month] = balance
        return found

    def open_by_service(self, dinas: str) -> dict[str, Open]:
        """How many files of each service of a dinas are open, and overdue."""
        return queries.open_by_service(self._db, self._now_us, dinas)

    def ahead(self, dinas: str, until_us: int) -> Ahead:
        """How many open files of a dinas are due before an instant, and how many are paused."""
        return queries.ahead(self._db, self._now_us, until_us, dinas)

    def files(self, dinas: str, after: tuple[int, str, str] | None, limit: int) -> list[ListedFile]:
        """Open files of a dinas, what is due first first."""
        return queries.files_of(self._db, dinas, after, limit)

    def files_of_asn(self, asn: str, limit: int) -> list[ListedFile]:
        """The first open files of an ASN over all dinas, what is due first first."""
        return queries.files_of_asn(self._db, asn, limit)

    def case_file(self, dinas: str, service: str, case: str) -> CaseFile | None:
        """All that was said of one case; ``None`` when nothing ever named it."""
        return queries.case_file(self._db, dinas, service, case)

    def services_known(self, dinas: str) -> set[str]:
        """Every service that a fact or a file of a dinas ever named."""
        return queries.services_known(self._db, dinas)

    def is_overdue(self, file: OpenFile) -> bool:
        """Whether a file is past what was promised, at the instant of this reading."""
        return file.overdue_at(self._now_us)

    def digest(self) -> str:
        """The digest of everything folded up to this position."""
        return digest(queries.accounts(self._db), self.rulebook.lines(), queries.open_files(self._db))

    def digest_lines(self) -> list[bytes]:
        """The lines that the digest covers."""
        return digest_lines(queries.accounts(self._db), self.rulebook.lines(), queries.open_files(self._db))


def _standings(
    kind: Kind, balances: dict[str, Balance], opened: dict[str, Open], registered: Iterable[str],
    is_registered: Callable[[str], bool],
) -> list[Standing]:  # fmt: skip
    measured = {subject for subject, balance in balances.items() if any(balance)}
    return [
        Standing(
            Subject(kind, subject), is_registered(subject),
            balances.get(subject) or zero(), *opened.get(subject, NONE_OPEN),
        )
        for subject in sorted(measured.union(opened, registered))
    ]  # fmt: skip


class Reader:
    """Opens snapshots of what is served, and knows when an earlier reading is out of date."""

    def __init__(self, live: Live, zone: tzinfo, now_us: Callable[[], int]) -> None:
        self.live = live
        self.zone = zone
        self.now_us = now_us
        self._lock = threading.Lock()
        self._rulebook: tuple[int, Rulebook] = (-1, Rulebook())
        self._version: Version | None = None

    def period(self, text: str | None) -> Period:
        """The period asked for; the current month in the zone by default. Raises: ``ValueError``."""
        return parse_period(text if text is not None else local_month(self.now_us(), self.zone))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One consistent reading."""
        (generation, store), now_us = self.live.served, self.now_us()
        with store.snapshot() as db:
            version = self._version_in(db, generation, now_us)
            yield Snapshot(db, version, self._rules(db, generation), now_us)

    def version(self) -> Version:
        """What a reading made now would rest on."""
        held, live, now_us = self._version, self.live, self.now_us()
        generation, store = live.served
        if held is not None and held.at == live.at and _holds(held, generation, now_us):
            return held
        with store.snapshot() as db:
            return self._version_in(db, generation, now_us)

    def is_current(self, version: Version) -> bool:
        """Whether a reading that rests on ``version`` would come out the same now."""
        live = self.live
        return version.at == live.at and _holds(version, live.generation, self.now_us())

    def _version_in(self, db: Connection, generation: int, now_us: int) -> Version:
        """The version of a snapshot; counting what is overdue again only when that may have changed."""
        at, held = queries.reached(db), self._version
        if held is not None and held.at == at and _holds(held, generation, now_us):
            return held
        version = Version(self.live.journal, generation, at, *queries.overdue(db, now_us))
        self._version = version
        return version

    def _rules(self, db: Connection, generation: int) -> Rulebook:
        """The rulebook as of a snapshot. A new object whenever a rule is added: readers in flight keep theirs."""
        with self._lock:
            held_generation, rulebook = self._rulebook
            if held_generation == generation and queries.last_rule(db) == rulebook.position:
                return rulebook
            fresh = rulebook.copy() if held_generation == generation else Rulebook()
            for position, line in queries.rule_lines(db, fresh.position):
                fresh.apply(position, decode(line))
            self._rulebook = (generation, fresh)
            return fresh


def _holds(version: Version, generation: int, now_us: int) -> bool:
    """Whether a version of this position still says how many files are overdue."""
    return version.generation == generation and (version.until_us is None or now_us <= version.until_us)
