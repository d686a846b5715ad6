"""The fold of a run of consecutive entries: balances, case files and rules, in memory that grows little with the run."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from audit.parcel import Decision, Parcel, Part, packed, packed_decisions, unpacked, unpacked_decisions
from domain.events.entries import PLAIN_KINDS, RULE_KINDS, JournalOpened, PermitProcessed
from domain.fold.casefiles import CaseFile, CaseKey, OpenFile, changes_of, merged, open_file
from domain.fold.digest import in_order
from domain.fold.ledger import Balance, Ledger, amounts_of, interned
from domain.fold.postings import Account, Posting, postings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from domain.events.entries import AnyEntry

_Key = TypeVar("_Key", Account, CaseKey)

ACCOUNTS_MOST: Final = 1 << 18
"""The most accounts that are objects at once, some 200 MB; beyond it those of idle months are packed."""
FILES_MOST: Final = 1 << 15
"""The most case files that are objects at once, some 20 MB; beyond it all are packed."""
DECISIONS_MOST: Final = 1 << 15
"""The most decisions that are objects at once, some 6 MB; beyond it all are packed."""


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

    def __init__(self, accounts_most: int = ACCOUNTS_MOST, files_most: int = FILES_MOST) -> None:
        self.first = 0
        self.last = 0
        self.rules: list[tuple[int, bytes]] = []
        self.opened: JournalOpened | None = None
        self._accounts_most = accounts_most
        self._files_most = files_most
        self._ledger = Ledger()
        self._files: dict[CaseKey, CaseFile] = {}
        self._decided: dict[str, list[Decision]] = {}
        """By dinas. Most decided cases have no file, so they are looked at only where one is."""
        self._decisions = 0
        self._parcels: dict[str, list[Parcel]] = {}

    def fold(self, positions: Sequence[int], entries: Sequence[AnyEntry], lines: Callable[[], list[bytes]]) -> None:
        """Fold entries; ``lines`` is called only when a rule is among them."""
        self._ledger.post(chain.from_iterable(map(postings_of, entries)), interned)
        by_dinas, rule_lines = self._decided, list[bytes]()
        for number, entry in enumerate(entries):
            if isinstance(entry, PermitProcessed):
                data = entry.data
                decisions = by_dinas.get(data.dinas)
                if decisions is None:
                    decisions = by_dinas[data.dinas] = []
                decisions.append((data.service, data.case))
                self._decisions += 1
            elif type(entry) not in PLAIN_KINDS:
                for key, change in changes_of(entry):
                    self._file(key, change)
                if type(entry) in RULE_KINDS:
                    rule_lines = rule_lines or lines()
                    self.rules.append((positions[number], rule_lines[number]))
                elif isinstance(entry, JournalOpened):
                    self.opened = entry
        if len(self._ledger.accounts) > self._accounts_most:
            self._pack_idle({posting.account[3] for entry in entries for posting in postings_of(entry)})
        if len(self._files) > self._files_most or self._decisions > DECISIONS_MOST:
            self._pack({})

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
        accounts, self._ledger = self._ledger.accounts, Ledger()
        self._pack(accounts, compress=compress)

    def _pack_idle(self, busy: set[str]) -> None:
        """Pack the accounts of all months but the busy ones, which the next entries will move again."""
        accounts, self._ledger = self._ledger.accounts, Ledger()
        idle = {account: balance for account, balance in accounts.items() if account[3] not in busy}
        if 2 * len(idle) < len(accounts):
            idle = accounts
        else:
            self._ledger.accounts = {key: balance for key, balance in accounts.items() if key[3] in busy}
        self._pack(idle)

    def _pack(self, balances: Mapping[Account, Balance], *, compress: bool = True) -> None:
        """Pack accounts, and all files and decisions, dinas by dinas."""
        accounts, files = _by_dinas(balances), _by_dinas(self._files)
        for dinas in {*accounts, *files, *self._decided}:
            part = Part(
                [account[1:] for account in accounts.get(dinas, ())],
                [balances[account] for account in accounts.get(dinas, ())],
                [(key, self._files[key]) for key in files.get(dinas, ())],
                [packed_decisions(self._decided[dinas])] if dinas in self._decided else [],
            )
            self._parcels.setdefault(dinas, []).append(packed(part, compress=compress))
        self._files, self._decided, self._decisions = {}, {}, 0

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
        self._decisions += following._decisions
        for dinas, parcels in following._parcels.items():
            self._parcels.setdefault(dinas, []).extend(parcels)
        self.rules += following.rules
        self.opened = following.opened or self.opened

    def by_dinas(self) -> Iterator[OfDinas]:
        """The result of the run, one dinas after another, in the order of a digest's lines; one is in memory at a time."""
        accounts, files = _by_dinas(self._ledger.accounts), _by_dinas(self._files)
        for dinas in in_order({*accounts, *files, *self._parcels}):
            yield self._of(dinas, accounts.get(dinas, []), files.get(dinas, []))

    def _of(self, dinas: str, accounts: list[Account], keys: list[CaseKey]) -> OfDinas:
        result, ledger, files, packs = OfDinas(dinas), Ledger(), dict[CaseKey, CaseFile](), list[bytes]()
        for parcel in self._parcels.get(dinas, ()):
            part = unpacked(parcel)
            for name, balance in zip(part.accounts, part.balances, strict=True):
                _add(ledger, (dinas, *name), balance)
            for key, file in part.files:
                files[key] = merged(files[key], file) if key in files else file
            packs += part.decided
        balances = self._ledger.accounts
        if ledger.accounts:
            for account in accounts:
                _add(ledger, account, balances[account])
        else:
            ledger.accounts = {account: balances[account] for account in accounts}
        for key in keys:
            files[key] = merged(files[key], self._files[key]) if key in files else self._files[key]
        decisions = chain(unpacked_decisions(packs), self._decided.get(dinas, ()))
        result.accounts, result.open_files = ledger.accounts, list(_opened(files, decisions))
        return result

    def accounts(self) -> dict[Account, Balance]:
        """Every account, all in memory at once."""
        return {account: balance for part in self.by_dinas() for account, balance in part.accounts.items()}

    def open_files(self) -> list[OpenFile]:
        """The files open at the end: a receipt stands, and no decision does."""
        return [file for part in self.by_dinas() for file in part.open_files]


def _by_dinas(keys: Iterable[_Key]) -> dict[str, list[_Key]]:
    """Accounts or cases by the first of their names."""
    groups: dict[str, list[_Key]] = {}
    for key in keys:
        groups.setdefault(key[0], []).append(key)
    return groups


def _add(ledger: Ledger, account: Account, balance: Balance) -> None:
    """Add a balance to an account. One that is the first stays as it is, and is not copied: the last is added to none."""
    if ledger.accounts.setdefault(account, balance) is not balance:
        ledger.post([Posting(account, amounts_of(balance))])


def _opened(files: dict[CaseKey, CaseFile], decisions: Iterable[Decision]) -> Iterator[OpenFile]:
    """The open ones among the files of a dinas, with the decisions that are kept apart from them."""
    if not files:
        return
    with_file = {(service, case) for _, service, case in files}
    counts = Counter(filter(with_file.__contains__, decisions))
    for key, file in files.items():
        count = counts[key[1:]]
        open_state = open_file(key, merged(file, CaseFile(decisions=count)) if count else file)
        if open_state is not None:
            yield open_state


def _out_of_order(position: int, last: int) -> ReplayError:
    return ReplayError(f"position {position} follows position {last}: entries are missing, repeated or out of order")
