"""A snapshot: standings, scorecards and rankings of one position of the served balances, exact or as published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from domain.fold.cells import Waiting
from domain.fold.digest import digest_lines, digest_of
from domain.fold.half_years import half_years
from domain.fold.ledger import Balance, add, total, zero
from domain.fold.partition import partition_of
from domain.periods import parse_period
from domain.score.scorecard import Scorecard, Standing, Subject, ranked, scorecard
from domain.score.scoring import Score, score_of
from projections.reading.cache import VersionCache, cache_for
from projections.reading.public import PublicQueries
from projections.reading.published import PublishedQueries
from projections.reading.standings import served_of, standings_of
from projections.store.open_files import Choice, Open

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from domain.fold.casefiles import CaseFile, OpenFile
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from projections.store.open_files import Ahead, ListedFile
    from projections.store.queries import Queries


class Snapshot:
    """One consistent reading: every figure is of the same position."""

    def __init__(self, queries: Queries, cache: VersionCache, now_us: int) -> None:
        self._queries = queries
        self._cache = cache
        self.published = isinstance(queries, PublishedQueries)
        """True if ratings count as far as they are published."""
        self.version = cache.version
        self.position = cache.version.position
        self.rulebook = cache.rulebook
        self.now_us = now_us

    def scheme(self, period: Period) -> Scheme:
        """The scheme in force on a period's last day scores all of it."""
        return self.rulebook.scheme(period.last_day)

    def dinas(self, period: Period) -> list[Standing]:
        """Every dinas with a non-zero measure in the period, an open file, or a registration, by id."""
        if (standings := self._cache.standings.get(period.name)) is None:
            balances, names = self._queries.dinas_balances(period.months), self.rulebook.dinas()
            open_counts = {dinas: counts.open for dinas, counts in self._cache.open_files.items()}
            standings = standings_of("dinas", balances, open_counts, names, set(names).__contains__)
            waiting = self.waiting(period)
            if waiting is not None:
                standings = [replace(row, waiting=waiting.get(row.subject.id, Waiting())) for row in standings]
            left_out = self.services_left_out(period)
            standings = [self._as_shown(row, period, left_out) for row in standings]
            cache_for(period, self._cache.standings, standings)
        return standings

    def one_dinas(self, dinas: str, period: Period) -> Standing | None:
        """A dinas's standing; ``None`` when nothing ever named it."""
        return self._standing(Subject("dinas", dinas), period)

    def one_asn(self, asn: str, period: Period) -> Standing | None:
        """An ASN's standing over all dinas; ``None`` when nothing ever named them."""
        return self._standing(Subject("asn", asn), period)

    def waiting(self, period: Period, dinas: str = "") -> dict[str, Waiting] | None:
        """The ratings of each dinas, or of one, that wait to be published in a period; ``None`` where each counts."""
        if not isinstance(self._queries, PublishedQueries):
            return None
        return self._queries.waiting(period.months, [dinas] if dinas else ())

    def _waiting_of(self, subject: Subject, period: Period) -> Waiting | None:
        """The same of one subject; of the ratings that name an ASN nobody is told how many wait."""
        waiting = self.waiting(period, subject.id) if subject.kind == "dinas" else {}
        return None if waiting is None or not self.published else waiting.get(subject.id, Waiting())

    def services_left_out(self, period: Period, dinas: str = "") -> dict[str, set[str]]:
        """The services of each dinas, or of one, that this reading leaves out in a period, ``""`` for the tasks."""
        if not isinstance(self._queries, PublicQueries):
            return {}
        return self._queries.services_left_out(period.months, [dinas] if dinas else ())

    def is_left_out(self, dinas: str, service: str, month: str) -> bool:
        """True if this reading leaves out permits of a cell, or the tasks of a dinas's month where ``service`` is empty."""
        return service in self.services_left_out(parse_period(month), dinas).get(dinas, ())

    def shows_all(self, dinas: str) -> bool:
        """True if this reading shows the small cells of a dinas too."""
        return not isinstance(self._queries, PublicQueries) or dinas in self._queries.own

    def shows_rejected(self, dinas: str, period: Period) -> bool:
        """True if it shows how many permits of a dinas were rejected in a period: of every dinas once the period has ended."""
        return self.shows_all(dinas) or period.last_day.isoformat() < self.version.day

    def _as_shown(
        self, standing: Standing, period: Period, services: Mapping[str, Collection[str]] | None = None
    ) -> Standing:
        """A standing with the number of services that are left out of it; ``services``: those of each dinas, if known."""
        dinas = standing.subject.id
        if standing.subject.kind != "dinas" or self.shows_all(dinas):
            return standing
        left_out = (self.services_left_out(period, dinas) if services is None else services).get(dinas, ())
        return replace(standing, left_out=len(left_out), hides_rejected=not self.shows_rejected(dinas, period))

    def _standing(self, subject: Subject, period: Period) -> Standing | None:
        return self.standing_of(subject, period, self.months_of(subject, period.months).values())

    def standing_of(self, subject: Subject, period: Period, balances: Iterable[Balance]) -> Standing | None:
        """A subject's standing from its balances in a period's months; ``None`` when nothing ever named the subject."""
        balance = total(balances)
        self._add_served(balance, subject, period)
        if subject.kind == "dinas":
            is_registered = self.rulebook.dinas_name(subject.id) is not None
            open_counts = self._cache.open_of(subject.id)
        else:
            is_registered = self.rulebook.knows_asn(subject.id)
            open_counts = self._queries.files.of_asn(self.now_us, subject.id)
        is_known = is_registered or any(balance) or open_counts.files or self._queries.knows(subject)
        waiting = self._waiting_of(subject, period)
        if not is_known:
            return None
        return self._as_shown(Standing(subject, is_registered, balance, *open_counts, waiting), period)

    def _add_served(self, balance: Balance, subject: Subject, period: Period) -> None:
        """Add the ratings of an ASN that are served of half-years, over all dinas, to a balance of what is published."""
        queries = self._queries
        if subject.kind == "asn" and isinstance(queries, PublishedQueries) and half_years(period):
            for dinas in sorted(queries.dinas_of_asn(subject.id, period.months)):
                add(balance, self._cache.served(queries, dinas, period).get(subject.id, ()))

    def months_of(self, subject: Subject, months: Sequence[str]) -> dict[str, Balance]:
        """A subject's balance in each of some months that has one, read in one statement."""
        query = self._queries.months_of_dinas if subject.kind == "dinas" else self._queries.months_of_asn
        return query(subject.id, months)

    def asn_of(self, dinas: str, period: Period) -> list[Standing] | None:
        """The ASN of a dinas, by id, counting only that dinas's facts; ``None`` when nothing ever named the dinas."""
        balances = self.asn_balances(dinas, period)
        if (
            self.rulebook.dinas_name(dinas) is None
            and not balances
            and not self._queries.knows(Subject("dinas", dinas))
        ):
            return None
        open_counts = self._queries.files.by_asn(self.now_us, dinas)
        staff = self.rulebook.assigned(dinas, period.first_day, period.last_day)
        if not isinstance(self._queries, PublishedQueries):
            return standings_of("asn", balances, open_counts, staff, self.rulebook.knows_asn)
        amounts = self._cache.served(self._queries, dinas, period)
        standings = standings_of("asn", balances, open_counts, {*staff, *amounts}, self.rulebook.knows_asn)
        return [served_of(row, amounts.get(row.subject.id, ())) for row in standings]

    def dinas_of_asn(self, asn: str, period: Period) -> frozenset[str]:
        """The dinas at which an ASN has facts in a period."""
        return self._queries.dinas_of_asn(asn, period.months)

    def naming(self, asn: str, months: Sequence[str]) -> dict[str, int]:
        """The number of published ratings that name an ASN in each of some months; none where each rating counts."""
        queries = self._queries
        return queries.naming(asn, months) if isinstance(queries, PublishedQueries) else dict.fromkeys(months, 0)

    @property
    def parts(self) -> tuple[Queries, VersionCache, int]:
        """The parts that a reading of the same moment, made for one caller, is made of again."""
        return self._queries, self._cache, self.now_us

    def asn_balances(self, dinas: str, period: Period) -> dict[str, Balance]:
        """The balance of each ASN of a dinas, counting only that dinas's facts."""
        return self._cache.sums(self._queries, [dinas], period)[dinas].asn

    def services(self, dinas: str, period: Period) -> dict[str, Balance]:
        """The balance of each service of a dinas; ``""`` holds what has no service."""
        return self._cache.sums(self._queries, [dinas], period)[dinas].services

    def services_of_every(self, dinas: Sequence[str], period: Period) -> dict[str, dict[str, Balance]]:
        """The balances by service of several dinas, read in one statement."""
        return {name: sums.services for name, sums in self._cache.sums(self._queries, dinas, period).items()}

    def months(self) -> list[str]:
        """Every month that has a balance, oldest first."""
        if self._cache.months is None:
            self._cache.months = self._queries.months()
        return self._cache.months

    def score(self, standing: Standing, period: Period) -> Score:
        """A standing's score under the period's scheme, exact."""
        return score_of(standing.balance, self.scheme(period))

    def card(self, standing: Standing, period: Period, score: Score | None = None) -> Scorecard:
        """A standing as served; ``score`` if it is known already."""
        scheme = self.scheme(period)
        score = score or score_of(standing.balance, scheme)
        return scorecard(standing, score, period=period.name, position=self.position, scheme=scheme.id)

    def ranking(
        self, standings: Sequence[Standing], period: Period, start: int = 0, limit: int | None = None
    ) -> list[Scorecard]:
        """Standings as served, ranked; of a long ranking only ``limit`` places from ``start`` on."""
        places = ranked(standings, self.scheme(period))[start : None if limit is None else start + limit]
        return [replace(self.card(standing, period), rank=rank) for standing, rank in places]

    def ranking_of_dinas(self, period: Period) -> list[Scorecard]:
        """Every dinas as served, ranked; made once a version."""
        if (cards := self._cache.rankings.get(period.name)) is None:
            cards = self.ranking(self.dinas(period), period)
            cache_for(period, self._cache.rankings, cards)
        return cards

    def positions(
        self,
        subject: Subject,
        period: Period,
        after: int,
        limit: int,
        *,
        newest: bool = False,
        service: str | None = None,
    ) -> list[int]:
        """The entries that moved a subject's balance in a period, in order; ``newest``: backwards from ``after``."""
        columns = {subject.kind: subject.id} | ({"service": service} if service else {})
        return self._queries.positions(period.months, after, limit, columns, newest=newest)

    def series(self, standing: Standing, months: Sequence[Period]) -> list[Scorecard]:
        """A subject month by month, each scored under the scheme of its month; open files are those of now."""
        balances = self.months_of(standing.subject, [month.name for month in months])
        return [self.card(self.in_month(standing, month, balances.get(month.name)), month) for month in months]

    def in_month(self, standing: Standing, month: Period, balance: Balance | None) -> Standing:
        """A subject's standing in another month, from its balance there; open files are those of now."""
        then = replace(standing, balance=balance or zero(), waiting=self._waiting_of(standing.subject, month))
        return self._as_shown(then, month)

    def months_of_dinas(self, months: Sequence[Period]) -> dict[str, dict[str, Balance]]:
        """The balances of every dinas in some months, by dinas and month."""
        balances: dict[str, dict[str, Balance]] = {}
        for (dinas, month), balance in self._queries.months_of_every_dinas([month.name for month in months]).items():
            balances.setdefault(dinas, {})[month] = balance
        return balances

    def open_by_service(self, dinas: str) -> dict[str, Open]:
        """The numbers of open and of overdue files of each service of a dinas."""
        return self._queries.files.by_service(self.now_us, dinas)

    def ahead(self, dinas: str, until_us: int) -> Ahead:
        """The numbers of open files of a dinas that are due before an instant, and that are paused."""
        return self._queries.files.ahead(self.now_us, until_us, dinas)

    def files(
        self, dinas: str, after: tuple[int, str, str] | None, limit: int, *, overdue: bool = False, service: str = ""
    ) -> list[ListedFile]:
        """Open files of a dinas, earliest deadline first; the overdue ones alone, or those of a service, where asked."""
        return self._queries.files.page(dinas, after, limit, Choice(self.now_us if overdue else None, service))

    def files_of_asn(self, asn: str, limit: int) -> list[ListedFile]:
        """The first open files of an ASN over all dinas, earliest deadline first."""
        return self._queries.files.listed_of_asn(asn, limit)

    def case_file(self, dinas: str, service: str, case: str) -> CaseFile | None:
        """Everything recorded about one case; ``None`` when nothing ever named it."""
        return self._queries.files.case_file(dinas, service, case)

    def asn_alike(self, asn: str) -> list[str]:
        """The ids of ASN, registered or in any fact, that differ from a text by capitals at most, in order."""
        alike = {*self._queries.asn_alike(asn), *self.rulebook.asn_alike(asn)}
        return sorted(row for row in alike if row.casefold() == asn.casefold())

    def services_known(self, dinas: str) -> set[str]:
        """Every service that a fact or a file of a dinas ever named."""
        return self._queries.services_known(dinas)

    def is_overdue(self, file: OpenFile) -> bool:
        """True if a file is overdue, at the instant of this reading."""
        return file.overdue_at(self.now_us)

    def folded(self, dinas: str) -> int:
        """The position up to which the entries of a dinas are folded: that of all entries, or of its partition."""
        partitions = self.version.at.partitions
        return partitions[partition_of(dinas, len(partitions))] if partitions else self.position

    def digest(self) -> str:
        """The digest of everything folded up to this position."""
        return digest_of(self.digest_lines())

    def digest_lines(self) -> Iterator[bytes]:
        """The lines that the digest covers, read dinas by dinas while the snapshot is open."""
        accounts, files = self._queries.accounts_by_dinas(), self._queries.files.by_name_of_asn()
        return digest_lines(accounts, self.rulebook.lines(), files)
