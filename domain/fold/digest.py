"""The digest: one SHA-256 for everything concluded from a journal. Layout: `docs/reference/digest.md`.

Its lines are made group by group, so that a digest of any size takes the memory of its largest group.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Final

import msgspec
from msgspec import Struct, defstruct

from domain.canonical import canonical
from domain.fold.casefiles import OpenFile
from domain.fold.ledger import Balance
from domain.fold.postings import Account
from domain.measures import MEASURES

Accounts = Iterable[tuple[Account, Balance]]

_SORTED: Final = sorted(MEASURES)
_IN_ORDER: Final = itemgetter(*(MEASURES.index(name) for name in _SORTED))
_MEASURES: Final[Callable[..., Struct]] = defstruct(
    "_Measures", [(name, int, 0) for name in _SORTED], omit_defaults=True, gc=False
)
"""The measures in the order of canonical JSON, zeros left out: the lines of accounts need no sorting of keys."""


class _Line(Struct, gc=False):
    account: Account
    measures: Struct


_ENCODER: Final = msgspec.json.Encoder()
_AT_ONCE: Final = 1000


def account_line(account: Account, balance: Balance) -> bytes | None:
    """An account's line, or ``None`` while all its measures are zero."""
    return _ENCODER.encode(_Line(account, _MEASURES(*_IN_ORDER(balance)))) if any(balance) else None


def file_line(file: OpenFile) -> bytes:
    """An open file's line."""
    return canonical(
        {
            "asn": file.asn,
            "due_us": file.due_us,
            "file": (file.dinas, file.service, file.case),
            "kind": file.kind,
            "paused_us": file.paused_us,
            "received_us": file.received_us,
        }
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the order of the lines that begin with them: of dinas those of accounts, of ASN those of open files."""
    return sorted(names, key=canonical)


def by_dinas(accounts: Mapping[Account, Balance]) -> Iterator[Accounts]:
    """Accounts in the groups in which ``digest_lines`` takes them."""
    groups: dict[str, list[Account]] = {}
    for account in accounts:
        groups.setdefault(account[0], []).append(account)
    for dinas in in_order(groups):
        yield ((account, accounts[account]) for account in groups[dinas])


def digest_lines(
    accounts: Iterable[Accounts], rules: Iterable[bytes], files: Iterable[Iterable[OpenFile]]
) -> Iterator[bytes]:
    """The lines of accounts, rulebook and open files, each sorted bytewise, in this order.

    Accounts come one dinas after another, and files those of some ASN after those of others, both ``in_order``; one group
    is in memory at a time. Raises: ``ValueError`` for groups in another order.
    """
    yield from _in_turn([line for pair in group if (line := account_line(*pair))] for group in accounts)
    yield from sorted(rules)
    yield from _in_turn(list(map(file_line, group)) for group in files)


def _in_turn(groups: Iterable[list[bytes]]) -> Iterator[bytes]:
    last = b""
    for lines in groups:
        lines.sort()
        if lines and lines[0] < last:
            message = "lines of a digest come in groups that are out of order"
            raise ValueError(message)
        last = lines[-1] if lines else last
        yield from lines


def digest_of(lines: Iterable[bytes]) -> str:
    """Lower-case hex over lines in their order, each ended by a newline."""
    hasher, supply = hashlib.sha256(), iter(lines)
    while some := list(islice(supply, _AT_ONCE)):
        hasher.update(b"\n".join(some) + b"\n")
    return hasher.hexdigest()


def digest(accounts: Iterable[Accounts], rules: Iterable[bytes], files: Iterable[Iterable[OpenFile]]) -> str:
    """The digest of everything concluded, from groups as ``digest_lines`` takes them."""
    return digest_of(digest_lines(accounts, rules, files))
