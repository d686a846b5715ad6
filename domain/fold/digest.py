"""The digest: one SHA-256 for everything concluded from a journal. Layout: `docs/reference/digest.md`."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final

import msgspec
from msgspec import Struct, defstruct

from domain.canonical import canonical
from domain.fold.casefiles import OpenFile
from domain.fold.ledger import Balance
from domain.fold.postings import Account
from domain.measures import MEASURES

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


def digest_lines(
    accounts: Iterable[tuple[Account, Balance]], rules: Iterable[bytes], files: Iterable[OpenFile]
) -> list[bytes]:
    """The lines of accounts, rulebook and open files, each group sorted bytewise, in this order."""
    lines = sorted(line for account, balance in accounts if (line := account_line(account, balance)))
    return [*lines, *sorted(rules), *sorted(file_line(file) for file in files)]


def digest_of(lines: Sequence[bytes]) -> str:
    """Lower-case hex over lines in their order, each ended by a newline."""
    hasher = hashlib.sha256()
    for start in range(0, len(lines), _AT_ONCE):
        hasher.update(b"\n".join(lines[start : start + _AT_ONCE]) + b"\n")
    return hasher.hexdigest()


def digest(accounts: Iterable[tuple[Account, Balance]], rules: Iterable[bytes], files: Iterable[OpenFile]) -> str:
    """The digest of everything concluded."""
    return digest_of(digest_lines(accounts, rules, files))
