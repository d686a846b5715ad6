"""The digest: one SHA-256 for everything concluded from a journal. Layout: `docs/digest.md`."""

import hashlib
from collections.abc import Iterable

from domain.canonical import canonical
from domain.casefiles import OpenFile
from domain.ledger import Balance, named
from domain.postings import Account


def account_line(account: Account, balance: Balance) -> bytes | None:
    """An account's line, or ``None`` while all its measures are zero."""
    measures = named(balance)
    return canonical({"account": account, "measures": measures}) if measures else None


def file_line(file: OpenFile) -> bytes:
    """An open file's line."""
    return canonical({
        "asn": file.asn, "due_us": file.due_us, "file": (file.dinas, file.service, file.case), "kind": file.kind,
        "paused_us": file.paused_us, "received_us": file.received_us,
    })  # fmt: skip


def digest(accounts: Iterable[tuple[Account, Balance]], rules: Iterable[bytes], files: Iterable[OpenFile]) -> str:
    """Lower-case hex over the lines of accounts, rulebook and open files, each group sorted bytewise."""
    lines = sorted(line for account, balance in accounts if (line := account_line(account, balance)))
    hasher = hashlib.sha256()
    for group in (lines, sorted(rules), sorted(file_line(file) for file in files)):
        for line in group:
            hasher.update(line + b"\n")
    return hasher.hexdigest()
