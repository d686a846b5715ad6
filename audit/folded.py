"""The fold of a run of consecutive entries: balances, case files and rules, in memory that grows little with the run."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final

from audit.parcel import Decision, Parcel, Part, packed, packed_decisions, unpacked, unpacked_decisions
from domain.events.entries import JournalOpened, PermitProcessed, PlainFact, Rule
from domain.fold.casefiles import CaseFile, CaseKey, OpenFile, changes_of, merged, open_file
from domain.fold.digest import in_order
from domain.fold.ledger import Balance, Ledger, amounts_of
from domain.fold.postings import Account, Posting, postings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from domain.events.entries import AnyEntry

UNPACKED_MOST: Final = 1 << 18
"""The most accounts and case files that are objects at once, some 200 MB; beyond it they are packed."""


class ReplayError(Exception):
    """The journal cannot be replayed; the message names the position."""


class OfDinas:
    """The result of a run in one dinas."""

    def __init__(self, dinas: str) -> None:
        self.dinas = dinas
        self.accounts: dict[Account, Balance] = {}
        self.open_files: list[OpenFile] = []


class Folded:
    """The result of a run. Two adjacent runs add up to the result of the whole."""

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self.rules: list[tuple[int, bytes]] = []
        self.opened: JournalOpened | None = None
        self._ledger = Ledger()
        self._files: dict[CaseKey, CaseFile] = {}
        self._decided: dict[str, list[bytes]] = {}
        """By dinas. Most decided cases have no file, so they are looked at only where one is."""
        self._parcels: dict[str, list[Parcel]] = {}

    def fold(self, positions: Sequence[int], entries: Sequence[AnyEntry], lines: Callable[[], list[bytes]]) -> None:
        """Fold entries; ``lines`` is called only when a rule is among them."""
        self._ledger.post(chain.from_iterable(map(postings_of, entries)))
        by_dinas, rule_lines = dict[str, list[Decision]](), list[bytes]()
        for number, entry in enumerate(entries):
            if isinstance(entry, PermitProcessed):
                data = entry.data
                decisions = by_dinas.get(data.dinas)
                if decisions is None:
                    decisions = by_dinas[data.dinas] = []
                decisions.append((data.service, data.case))
            elif not isinstance(entry, PlainFact):
                for key, change in changes_of(entry):
                    self._file(key, change)
                if isinstance(entry, Rule):
                    rule_lines = rule_lines or lines()
                    self.rules.append((positions[number], rule_lines[number]))
                elif isinstance(entry, JournalOpened):
                    self.opened = entry
        for dinas, decisions in by_dinas.items():
            self._decided.setdefault(dinas, []).append(packed_decisions(decisions))
        if len(self._ledger.accounts) + len(self._files) > UNPACKED_MOST:
            self.pack(compress=True)

    def follow(self, positions: Sequence[int]) -> None:
        """Check that positions go on, one by one, where the last ones ended. Raises: ``ReplayError``."""
        last = self.last or positions[0] - 1
        for position in positions:
            if position != last + 1:
                raise _out_of_order(position, last)
            last = position
        self.first = self.first or positions[0]
        self.last = last

    def _file(self, key: CaseKey, change: CaseFile) -> None:
        former = self._files.get(key)
        self._files[key] = change if former is None else merged(former, change)

    def pack(self, *, compress: bool) -> None:
        """Pack all that is unpacked, dinas by dinas."""
        accounts, files = self._by_dinas()
        balances = self._ledger.accounts
        for dinas in {*accounts, *files, *self._decided}:
            mine = accounts.get(dinas, [])
            part = Part(
                [account[1:] for account in mine],
                [balances[account] for account in mine],
                [(key, self._files[key]) for key in files.get(dinas, ())],
                self._decided.get(dinas, []),
            )
            self._parcels.setdefault(dinas, []).append(packed(part, compress=compress))
        self._ledger, self._files, self._decided = Ledger(), {}, {}

    def _by_dinas(self) -> tuple[dict[str, list[Account]], dict[str, list[CaseKey]]]:
        accounts, files = dict[str, list[Account]](), dict[str, list[CaseKey]]()
        for account in self._ledger.accounts:
            accounts.setdefault(account[0], []).append(account)
        for key in self._files:
            files.setdefault(key[0], []).append(key)
        return accounts, files

    def join(self, following: Folded) -> None:
        """Append a run that begins where this one ends. Raises: ``ReplayError`` when it does not."""
        if not following.last:
            return
        if self.last and following.first != self.last + 1:
            raise _out_of_order(following.first, self.last)
        self.first = self.first or following.first
        self.last = following.last
        self._ledger.merge(following._ledger)
        for key, file in following._files.items():
            self._file(key, file)
        for dinas, decisions in following._decided.items():
            self._decided.setdefault(dinas, []).extend(decisions)
        for dinas, parcels in following._parcels.items():
            self._parcels.setdefault(dinas, []).extend(parcels)
        self.rules += following.rules
        self.opened = following.opened or self.opened

    def by_dinas(self) -> Iterator[OfDinas]:
        """The result of the run, one dinas after another, in the order of a digest's lines; one is in memory at a time."""
        accounts, files = self._by_dinas()
        for dinas in in_order({*accounts, *files, *self._parcels}):
            yield self._of(dinas, accounts.get(dinas, []), files.get(dinas, []))

    def _of(self, dinas: str, accounts: list[Account], keys: list[CaseKey]) -> OfDinas:
        result, ledger = OfDinas(dinas), Ledger()
        files, packs = dict[CaseKey, CaseFile](), list[bytes](self._decided.get(dinas, ()))
        for parcel in self._parcels.get(dinas, ()):
            part = unpacked(parcel)
            for name, balance in zip(part.accounts, part.balances, strict=True):
                _add(ledger, (dinas, *name), balance)
            for key, file in part.files:
                files[key] = merged(files[key], file) if key in files else file
            packs += part.decided
        for account in accounts:
            _add(ledger, account, self._ledger.accounts[account])
        for key in keys:
            files[key] = merged(files[key], self._files[key]) if key in files else self._files[key]
        result.accounts, result.open_files = ledger.accounts, list(_opened(dinas, files, packs))
        return result

    def accounts(self) -> dict[Account, Balance]:
        """Every account, all in memory at once."""
        return {account: balance for part in self.by_dinas() for account, balance in part.accounts.items()}

    def open_files(self) -> list[OpenFile]:
        """The files open at the end: a receipt stands, and no decision does."""
        return [file for part in self.by_dinas() for file in part.open_files]


def _add(ledger: Ledger, account: Account, balance: Balance) -> None:
    """Add a balance to an account. One that is the first stays as it is, and is not copied: the last is added to none."""
    if account in ledger.accounts:
        ledger.post([Posting(account, amounts_of(balance))])
    else:
        ledger.accounts[account] = balance


def _opened(dinas: str, files: dict[CaseKey, CaseFile], packs: list[bytes]) -> Iterator[OpenFile]:
    """The open ones among the files of a dinas, with the decisions that are kept apart from them."""
    if not files:
        return
    decisions = Counter(key for service, case in unpacked_decisions(packs) if (key := (dinas, service, case)) in files)
    for key, file in files.items():
        count = decisions[key]
        open_state = open_file(key, merged(file, CaseFile(decisions=count)) if count else file)
        if open_state is not None:
            yield open_state


def _out_of_order(position: int, last: int) -> ReplayError:
    return ReplayError(f"position {position} follows position {last}: entries are missing, repeated or out of order")
