"""Replay: a journal's lines folded from zero, and what follows: position, digest, a scorecard of each dinas.

The check for gaps stands: positions of an exported journal are consecutive, and line 1 is its opening.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from domain.events.decoding import UnknownEntry, decoded
from domain.events.entries import (
    DECODER,
    AnyEntry,
    JournalOpened,
    PermitProcessed,
    PlainFact,
    Rule,
)
from domain.fold.casefiles import CaseFile, CaseKey, OpenFile, changes_of, merged, open_file
from domain.fold.digest import digest
from domain.fold.ledger import Ledger, amounts_of, zero
from domain.fold.postings import Posting, postings_of
from domain.rules.rulebook import Rulebook
from domain.score.replayed import StateAt
from domain.score.scorecard import Scorecard, Standing, Subject, scorecard
from domain.score.scoring import score_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from domain.fold.partition import Vector
    from domain.periods import Period


@contextmanager
def uncollected() -> Iterator[None]:
    """A fold makes no cycles, and walking its millions of objects again and again would take longer than the fold."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class ReplayError(Exception):
    """The journal cannot be replayed; the message names the position."""


class Folded:
    """What a run of consecutive entries folds to. Two runs that meet fold to what their whole folds to."""

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self.ledger = Ledger()
        self.decided: dict[tuple[str, str], dict[str, int]] = {}
        """How often each case of a dinas and service was decided; most of them have no file."""
        self.files: dict[CaseKey, CaseFile] = {}
        self.rules: list[tuple[int, bytes]] = []
        self.opened: JournalOpened | None = None

    def fold(
        self, positions: Sequence[int], entries: Sequence[AnyEntry], lines: Callable[[], list[bytes]],
        within: Vector | None = None,
    ) -> None:  # fmt: skip
        """Fold the next entries; their ``lines`` are asked for only when a rule is among them.

        Of a vector, what lies beyond it is checked to be there and left out. Raises: ``ReplayError`` when a position
        does not follow.
        """
        if not entries:
            return
        self._follow(positions)
        if within is not None:
            kept = [number for number, entry in enumerate(entries) if within.holds(positions[number], entry)]
            whole, stored_lines = positions, lines
            positions, entries = [whole[number] for number in kept], [entries[number] for number in kept]
            lines = lambda: [stored_lines()[number] for number in kept]  # noqa: E731 - the same question of fewer
        self.ledger.post(chain.from_iterable(map(postings_of, entries)))
        decided, stored = self.decided, list[bytes]()
        for number, entry in enumerate(entries):
            if isinstance(entry, PermitProcessed):
                data = entry.data
                cases = decided.get((data.dinas, data.service))
                if cases is None:
                    cases = decided[data.dinas, data.service] = {}
                cases[data.case] = cases.get(data.case, 0) + 1
            elif not isinstance(entry, PlainFact):
                for key, change in changes_of(entry):
                    self._file(key, change)
                if isinstance(entry, Rule):
                    stored = stored or lines()
                    self.rules.append((positions[number], stored[number]))
                elif isinstance(entry, JournalOpened):
                    self.opened = entry

    def _follow(self, positions: Sequence[int]) -> None:
        """Positions go on where the last ones ended, one by one."""
        last = self.last or positions[0] - 1
        for position in positions:
            if position != last + 1:
                message = f"position {position} follows position {last}: entries are missing, repeated or out of order"
                raise ReplayError(message)
            last = position
        self.first = self.first or positions[0]
        self.last = last

    def _file(self, key: CaseKey, change: CaseFile) -> None:
        held = self.files.get(key)
        self.files[key] = change if held is None else merged(held, change)

    def join(self, following: Folded) -> None:
        """Append a run that begins where this one ends. Raises: ``ReplayError`` when it does not."""
        if not following.last:
            return
        if self.last and following.first != self.last + 1:
            message = (
                f"position {following.first} follows position {self.last}: "
                "entries are missing, repeated or out of order"
            )
            raise ReplayError(message)
        self.first = self.first or following.first
        self.last = following.last
        self.ledger.merge(following.ledger)
        for service, counts in following.decided.items():
            cases = self.decided.setdefault(service, {})
            for case, count in counts.items():
                cases[case] = cases.get(case, 0) + count
        for key, file in following.files.items():
            self._file(key, file)
        self.rules += following.rules
        self.opened = following.opened or self.opened

    def open_files(self) -> list[OpenFile]:
        """The files open at the end: a receipt stands, and no decision does."""
        none: dict[str, int] = {}
        whole = (
            (key, file, self.decided.get((key[0], key[1]), none).get(key[2], 0)) for key, file in self.files.items()
        )
        opened = (
            open_file(key, merged(file, CaseFile(decisions=decisions)) if decisions else file)
            for key, file, decisions in whole
            if file.decisions + decisions <= 0
        )
        return [file for file in opened if file is not None]


def rulebook_of(folded: Folded) -> Rulebook:
    """The rules that stand at the end of a run."""
    rulebook = Rulebook()
    for position, line in folded.rules:
        rulebook.apply(position, DECODER.decode(line))
    return rulebook


def concluded(folded: Folded, period: Period, now_us: int, within: Vector | None = None) -> StateAt:
    """The state at the end of a run from the first entry on. Its digest must equal the one served at the same position."""
    rulebook, files = rulebook_of(folded), folded.open_files()
    folded.last = within.position if within else folded.last
    return StateAt(
        position=folded.last,
        digest=digest(folded.ledger.accounts.items(), rulebook.lines(), files),
        dinas=_scorecards(folded, rulebook, files, period, now_us),
    )


def _scorecards(
    folded: Folded, rulebook: Rulebook, files: list[OpenFile], period: Period, now_us: int
) -> dict[str, Scorecard]:
    sums, months = Ledger(), period.months
    sums.post(
        Posting((account[0], "", "", ""), amounts_of(balance))
        for account, balance in folded.ledger.accounts.items()
        if account[3] in months
    )
    balances = {account[0]: balance for account, balance in sums.accounts.items()}
    scheme = rulebook.scheme(period.last_day)
    subjects = {dinas for dinas, balance in balances.items() if any(balance)} | {file.dinas for file in files}
    cards = {}
    for dinas in sorted(subjects | set(rulebook.dinas())):
        mine = [file for file in files if file.dinas == dinas]
        standing = Standing(
            Subject("dinas", dinas), rulebook.dinas_name(dinas) is not None, balances.get(dinas) or zero(),
            len(mine), sum(file.overdue_at(now_us) for file in mine),
        )  # fmt: skip
        score = score_of(standing.balance, scheme)
        cards[dinas] = scorecard(standing, score, period=period.name, position=folded.last, scheme=scheme.id)
    return cards


PAGE: Final = 1000


def fold_lines(
    lines: Iterable[tuple[int, bytes]], within: Vector | None = None, seen: Callable[[AnyEntry], None] | None = None
) -> Folded:
    """Stored lines with their positions, folded in order, those of a vector alone; ``seen`` is told of each that counts.

    Raises: ``ReplayError``.
    """
    folded, supply = Folded(), iter(lines)
    while page := list(islice(supply, PAGE)):
        try:
            entries = [entry for _, _, entry in decoded(page)]
        except UnknownEntry as error:
            raise ReplayError(str(error)) from error
        if seen is not None:
            for (position, _), entry in zip(page, entries, strict=True):
                if within is None or within.holds(position, entry):
                    seen(entry)
        stored = [line for _, line in page]
        folded.fold([position for position, _ in page], entries, lambda stored=stored: stored, within)  # type: ignore[misc]
    return folded


OPENING: Final = 1


def checked(folded: Folded) -> Folded:
    """A run that begins with the journal's opening. Raises: ``ReplayError`` for any other."""
    if folded.first != OPENING or folded.opened is None:
        message = "the first line is not the journal's opening at position 1: this is not a whole journal"
        raise ReplayError(message)
    return folded
