"""Replay: a journal's lines folded from zero, and what follows: position, digest, a scorecard of each dinas.

The check for gaps stands: positions of an exported journal are consecutive, and line 1 is its opening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from domain.casefiles import EMPTY, CaseFile, CaseKey, OpenFile, changes_of, merged, open_file
from domain.digest import digest
from domain.entries import DECODER, AnyEntry, JournalOpened, PermitProcessed, Rule, TaskCompleted
from domain.ledger import Ledger, zero
from domain.postings import Posting, postings_of
from domain.rulebook import Rulebook
from domain.scorecard import Scorecard, Standing, Subject, scorecard
from domain.scoring import score_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.periods import Period


class ReplayError(Exception):
    """The journal cannot be replayed; the message names the position."""


class Folded:
    """What a run of consecutive entries folds to. Two runs that meet fold to what their whole folds to."""

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self.ledger = Ledger()
        self.decided: dict[CaseKey, int] = {}
        self.files: dict[CaseKey, CaseFile] = {}
        self.rules: list[tuple[int, bytes]] = []
        self.opened: JournalOpened | None = None

    def fold(self, position: int, line: bytes, entry: AnyEntry) -> None:
        """Fold the next entry. Raises: ``ReplayError`` when its position does not follow."""
        if self.last and position != self.last + 1:
            message = f"position {position} follows position {self.last}: entries are missing, repeated or out of order"
            raise ReplayError(message)
        self.first = self.first or position
        self.last = position
        self.ledger.post(postings_of(entry))
        if isinstance(entry, PermitProcessed):
            data = entry.data
            key = (data.dinas, data.service, data.case)
            self.decided[key] = self.decided.get(key, 0) + 1
        elif not isinstance(entry, TaskCompleted):
            self._rare(position, line, entry)

    def _rare(self, position: int, line: bytes, entry: AnyEntry) -> None:
        for key, change in changes_of(entry):
            self.files[key] = merged(self.files.get(key, EMPTY), change)
        if isinstance(entry, Rule):
            self.rules.append((position, line))
        elif isinstance(entry, JournalOpened):
            self.opened = entry

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
        for key, count in following.decided.items():
            self.decided[key] = self.decided.get(key, 0) + count
        for key, file in following.files.items():
            self.files[key] = merged(self.files.get(key, EMPTY), file)
        self.rules += following.rules
        self.opened = following.opened or self.opened

    def open_files(self) -> list[OpenFile]:
        """The files open at the end: a receipt stands, and no decision does."""
        whole = (
            (key, merged(file, CaseFile(decisions=self.decided[key])) if key in self.decided else file)
            for key, file in self.files.items()
        )
        return [opened for key, file in whole if (opened := open_file(key, file)) is not None]


class Replay(msgspec.Struct, frozen=True):
    """What an auditor concludes from a journal: compare the digest with the one served at the same position."""

    position: int
    digest: str
    dinas: dict[str, Scorecard]


def rulebook_of(folded: Folded) -> Rulebook:
    """The rules that stand at the end of a run."""
    rulebook = Rulebook()
    for position, line in folded.rules:
        rulebook.apply(position, DECODER.decode(line))
    return rulebook


def concluded(folded: Folded, period: Period, now_us: int) -> Replay:
    """The digest of a run from the first entry on, and its scorecards of a period."""
    rulebook, files = rulebook_of(folded), folded.open_files()
    return Replay(
        position=folded.last,
        digest=digest(folded.ledger.accounts.items(), rulebook.lines(), files),
        dinas=_scorecards(folded, rulebook, files, period, now_us),
    )


def _scorecards(
    folded: Folded, rulebook: Rulebook, files: list[OpenFile], period: Period, now_us: int
) -> dict[str, Scorecard]:
    sums = Ledger()
    sums.post(
        Posting((account[0], "", "", ""), tuple(enumerate(balance)))
        for account, balance in folded.ledger.accounts.items()
        if account[3] in period.months
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


def fold_lines(lines: Iterable[tuple[int, bytes]]) -> Folded:
    """Stored lines with their positions, folded in order. Raises: ``ReplayError``."""
    folded = Folded()
    for position, line in lines:
        try:
            entry = DECODER.decode(line)
        except msgspec.DecodeError as error:
            message = f"position {position}: this version cannot read the entry there: {error}"
            raise ReplayError(message) from error
        folded.fold(position, line, entry)
    return folded


OPENING: Final = 1


def checked(folded: Folded) -> Folded:
    """A run that begins with the journal's opening. Raises: ``ReplayError`` for any other."""
    if folded.first != OPENING or folded.opened is None:
        message = "the first line is not the journal's opening at position 1: this is not a whole journal"
        raise ReplayError(message)
    return folded
