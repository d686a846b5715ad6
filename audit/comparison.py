"""Then and now: one fold looked at from two ends, the entries recorded between them, and a digest's lines beside others.

Served lines arrive as the bytes of a file; where they come from is not known here.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from audit.folded import Folded, ReplayError
from audit.replay import checked, concluded, fold_lines, rulebook_of
from domain.events.names import kind_of
from domain.fold.affected import affected_dinas
from domain.fold.digest import digest_lines, digest_of
from domain.score.replayed import Difference, DigestComparison, RecordedBetween

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from audit.ends import Until
    from domain.events.entries import AnyEntry
    from domain.fold.casefiles import OpenFile
    from domain.fold.digest import Accounts
    from domain.periods import Period
    from domain.score.replayed import StateAt

FIRST: Final = 20
"""The number of differences that are listed; all of them are counted."""


class AffectedCounts:
    """Counts entries by the dinas whose figures of a period they affect."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._dinas: dict[str, Counter[str]] = {}
        self._every: Counter[str] = Counter()

    def __call__(self, entry: AnyEntry) -> None:
        """Count one more entry."""
        kind = kind_of(str(entry.__struct_config__.tag))
        names = affected_dinas(entry, self._period)
        if names is None:
            self._every[kind] += 1
            return
        for dinas in names:
            self._dinas.setdefault(dinas, Counter())[kind] += 1

    def counts(self) -> RecordedBetween:
        """The counts so far."""
        return RecordedBetween({dinas: dict(kinds) for dinas, kinds in sorted(self._dinas.items())}, dict(self._every))


def folded_apart(
    lines: Iterable[tuple[int, bytes]], since: Until, until: Until, period_in: Callable[[str], Period], now_us: int
) -> tuple[Folded, StateAt, RecordedBetween]:
    """A journal folded to its end, its state at ``since``, and the entries between. Raises: ``ReplayError``.

    ``period_in`` gives the period to score, by the zone of the journal.
    """
    supply, beyond = iter(lines), list[tuple[int, bytes]]()

    def earlier() -> Iterator[tuple[int, bytes]]:
        for position, line in supply:
            if since.ends_before(position, line):
                beyond.append((position, line))
                return
            yield position, line

    run = fold_lines(earlier(), until.vector)
    if not run.last:
        message = "nothing was recorded by then: the journal begins later"
        raise ReplayError(message)
    opening = checked(run).opened
    period = period_in(opening.data.zone if opening else "")
    then, counts = concluded(run, period, now_us), AffectedCounts(period)
    run.join(fold_lines(chain(beyond, supply), until.vector, counts))
    return run, then, counts.counts()


def lines_of(run: Folded) -> Iterator[bytes]:
    """The lines of a run's digest."""
    files: list[OpenFile] = []

    def accounts() -> Iterator[Accounts]:
        for part in run.by_dinas():
            files.extend(part.open_files)
            yield part.accounts.items()

    return digest_lines(accounts(), rulebook_of(run).lines(), [files])


def compared(run: Folded, path: Path) -> DigestComparison:
    """A run's digest lines beside those in a file, where a newline ends each line."""
    body = path.read_bytes()
    served_lines = [line for line in body.split(b"\n") if line]
    fresh = list(lines_of(run))
    digest = hashlib.sha256(body).hexdigest()
    if digest == digest_of(fresh):
        return DigestComparison(digest, 0, ())
    replayed_lines, kept_lines = set(fresh), set(served_lines)
    sides = (
        [(line, True) for line in served_lines if line not in replayed_lines],
        [(line, False) for line in fresh if line not in kept_lines],
    )
    pairs: dict[object, dict[bool, str]] = {}
    for line, is_kept in chain(*sides):
        pairs.setdefault(_subject(line), {})[is_kept] = line.decode(errors="replace")
    differences = tuple(
        Difference(pair.get(True), pair.get(False)) for _, pair in sorted(pairs.items(), key=lambda item: str(item[0]))
    )
    return DigestComparison(digest, len(pairs), differences[:FIRST])


def _subject(line: bytes) -> object:
    """The subject of a line: an account or a file by its names, a rule by its whole text."""
    try:
        content: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return (2, line.decode(errors="replace"))
    names = next(
        (("0" if name == "account" else "1", *content[name]) for name in ("account", "file") if name in content), None
    )
    return names or ("2", line.decode())
