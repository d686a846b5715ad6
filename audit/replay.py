"""Replay: a journal's lines folded from zero, and what follows from them: position, digest, a scorecard of each dinas.

Gaps are checked for: positions of an exported journal are consecutive, and line 1 is its opening.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from itertools import compress, islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from audit.folded import Folded, ReplayError
from domain.clock import local_date
from domain.events.decoding import UnknownEntry, entries_of
from domain.events.entries import JournalOpened
from domain.fold.blocks import added, without_ratings
from domain.fold.cells import Waiting
from domain.fold.digest import digest
from domain.fold.disclosed import Month
from domain.fold.ledger import Balance, add, total, zero
from domain.fold.ratings import RATING_KINDS, MonthKey, changes_of_ratings, closes_at, closes_us, follow
from domain.rules.rulebook import Rulebook
from domain.score.replayed import StateAt
from domain.score.scorecard import Standing, Subject, scorecard
from domain.score.scoring import score_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import tzinfo

    from domain.events.entries import AnyEntry
    from domain.fold.casefiles import OpenFile
    from domain.fold.digest import Accounts
    from domain.fold.partition import Vector
    from domain.fold.postings import Amounts
    from domain.periods import Period

NOTHING: Final[tuple[Amounts, Waiting]] = ((), Waiting())
PAGE: Final = 200
"""Lines that are decoded and folded at once: what they become fits the processor's cache."""
OPENING: Final = 1


def fold_lines(
    lines: Iterable[tuple[int, bytes]], within: Vector | None = None, visit: Callable[[AnyEntry], None] | None = None
) -> Folded:
    """Stored lines with their positions, folded in order, those of a vector alone; ``visit`` gets each entry that counts.

    Raises: ``ReplayError``.
    """
    run, supply = Folded(), iter(lines)
    while page := list(islice(supply, PAGE)):
        try:
            entries = entries_of(page)
        except UnknownEntry as error:
            raise ReplayError(str(error)) from error
        positions = [position for position, _ in page]
        run.follow(positions)
        if within is not None:
            counts = [within.holds(position, entry) for (position, _), entry in zip(page, entries, strict=True)]
            page, entries = list(compress(page, counts)), list(compress(entries, counts))
            positions = [position for position, _ in page]
        if visit is not None:
            for entry in entries:
                visit(entry)
        run.fold(positions, entries, lambda page=page: [line for _, line in page])  # type: ignore[misc]
    return run


class PublishedRatings:
    """The ratings of every dinas's month as the entries come, and what is published of them: ``visit`` of a fold."""

    def __init__(self) -> None:
        self._zone: tzinfo = UTC
        self._months: dict[MonthKey, Month] = {}

    def __call__(self, entry: AnyEntry) -> None:
        """Add one more entry."""
        if isinstance(entry, JournalOpened):
            self._zone = ZoneInfo(entry.data.zone)
        if type(entry) not in RATING_KINDS:
            return
        for key, change in changes_of_ratings(entry):
            month = self._months.get(key)
            if month is None:
                month = self._months[key] = Month()
            follow(month, key[1], change, entry.recordedtime, self._zone)  # type: ignore[union-attr] # by its kind

    def of_dinas(self, period: Period, now_us: int) -> dict[str, tuple[Amounts, Waiting]]:
        """The published sum of each dinas in a period at an instant, and the ratings that waited at the midnight before."""
        sums: dict[str, tuple[Amounts, Waiting]] = {}
        today = local_date(now_us, self._zone).isoformat()
        for (dinas, name), month in self._months.items():
            if name not in period.months:
                continue
            if closes_us(name, self._zone) <= now_us:
                month.close(closes_at(name, self._zone))
            waiting = month.state.then if month.state.day >= today else month.waiting()
            amounts, former = sums.get(dinas, NOTHING)
            sums[dinas] = added([amounts, month.published()]), former + waiting
        return sums


def checked(run: Folded) -> Folded:
    """A run that begins with the journal's opening. Raises: ``ReplayError`` for any other."""
    if run.first != OPENING or run.opened is None:
        message = "the first line is not the journal's opening at position 1: this is not a whole journal"
        raise ReplayError(message)
    return run


def rulebook_of(run: Folded) -> Rulebook:
    """The rules in force at the end of a run."""
    rulebook = Rulebook()
    rulebook.read(run.rules)
    return rulebook


def concluded(
    run: Folded, period: Period, now_us: int, within: Vector | None = None, ratings: PublishedRatings | None = None
) -> StateAt:
    """The state at the end of a run from the first entry on. Its digest must equal the one served at the same position.

    With ``ratings`` the scorecards are of what is published; the digest is that of the exact balances all the same.
    """
    rulebook, position = rulebook_of(run), within.position if within else run.last
    balances, months = dict[str, Balance](), period.months
    files: list[OpenFile] = []

    def accounts() -> Iterator[Accounts]:
        """The digest's accounts, dinas by dinas; the balances and files to be scored are collected on the way."""
        for part in run.by_dinas():
            balances[part.dinas] = total(balance for account, balance in part.accounts.items() if account[3] in months)
            files.extend(part.open_files)
            yield part.accounts.items()

    digest_text, scheme = digest(accounts(), rulebook.lines(), [files]), rulebook.scheme(period.last_day)
    cards, published = {}, None if ratings is None else ratings.of_dinas(period, now_us)
    for standing in _standings(balances, rulebook, files, now_us, published):
        score = score_of(standing.balance, scheme)
        cards[standing.subject.id] = scorecard(standing, score, period=period.name, position=position, scheme=scheme.id)
    return StateAt(position, digest_text, cards)


def _standings(
    balances: dict[str, Balance],
    rulebook: Rulebook,
    files: list[OpenFile],
    now_us: int,
    published: Mapping[str, tuple[Amounts, Waiting]] | None,
) -> Iterator[Standing]:
    """Every dinas with a non-zero measure, an open file or a registration, by id."""
    if published is not None:
        balances = {dinas: _published(balance, published.get(dinas, NOTHING)[0]) for dinas, balance in balances.items()}
    open_counts = Counter(file.dinas for file in files)
    overdue = Counter(file.dinas for file in files if file.overdue_at(now_us))
    names = {dinas for dinas, balance in balances.items() if any(balance)}
    for dinas in sorted(names.union(open_counts, rulebook.dinas())):
        has_name = rulebook.dinas_name(dinas) is not None
        balance = balances.get(dinas) or zero()
        waiting = None if published is None else published.get(dinas, NOTHING)[1]
        yield Standing(Subject("dinas", dinas), has_name, balance, open_counts[dinas], overdue[dinas], waiting)


def _published(balance: Balance, amounts: Amounts) -> Balance:
    """A balance with the published ratings in the place of all."""
    rest = without_ratings(balance)
    add(rest, amounts)
    return rest
