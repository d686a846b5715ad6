"""Then and now: one fold told at two ends, what lies between them by what it bears on, and a digest's lines beside others.

It is told what is served as bytes, and knows nothing of where these come from.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from audit.folded import Folded, ReplayError
from audit.replay import Replay, checked, concluded, fold_lines, rulebook_of
from domain.fold.affected import EVERY, touched
from domain.fold.digest import digest_lines, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from audit.ends import Until
    from domain.events.entries import AnyEntry
    from domain.fold.casefiles import OpenFile
    from domain.fold.digest import Accounts
    from domain.periods import Period

FIRST: Final = 20
"""How many differences are told; the others are counted."""


class Between(msgspec.Struct, frozen=True):
    """How many entries of each kind were recorded after the first end that bear on a dinas, and on every one."""

    dinas: dict[str, dict[str, int]]
    every: dict[str, int]


class Difference(msgspec.Struct, frozen=True):
    """A line of one side whose like the other does not have; of an account or a file, that of the other side with it."""

    kept: str | None
    replayed: str | None


class Against(msgspec.Struct, frozen=True):
    """The digest of the lines compared with, how many differ, and the first of these in the order of the digest."""

    digest: str
    differs: int
    first: tuple[Difference, ...]


class Compared(Replay, frozen=True, kw_only=True):
    """A replay, what the same journal led to at an earlier end, what lies between, and how a digest's lines compare."""

    then: Replay | UnsetType = UNSET
    between: Between | UnsetType = UNSET
    against: Against | UnsetType = UNSET


class Bearing:
    """Counts entries by what they bear on in a period."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._dinas: dict[str, Counter[str]] = {}
        self._every: Counter[str] = Counter()

    def __call__(self, entry: AnyEntry) -> None:
        """One more entry."""
        kind = str(entry.__struct_config__.tag).removeprefix("neraca.").removesuffix(".v1")
        found = touched(entry, self._period)
        if found is EVERY:
            self._every[kind] += 1
            return
        for dinas in found:
            self._dinas.setdefault(dinas, Counter())[kind] += 1

    def told(self) -> Between:
        """All of them."""
        return Between({dinas: dict(kinds) for dinas, kinds in sorted(self._dinas.items())}, dict(self._every))


def folded_apart(
    lines: Iterable[tuple[int, bytes]], since: Until, until: Until, period_in: Callable[[str], Period], now_us: int
) -> tuple[Folded, Replay, Between]:
    """A journal folded to its end, what it led to at ``since``, and what lies between. Raises: ``ReplayError``.

    ``period_in`` gives the period to score, by the zone of the journal.
    """
    supply, beyond = iter(lines), list[tuple[int, bytes]]()

    def earlier() -> Iterator[tuple[int, bytes]]:
        for position, line in supply:
            if since.ends_before(position, line):
                beyond.append((position, line))
                return
            yield position, line

    folded = fold_lines(earlier(), until.vector)
    if not folded.last:
        message = "nothing was recorded by then: the journal begins later"
        raise ReplayError(message)
    opened = checked(folded).opened
    period = period_in(opened.data.zone if opened else "")
    then, bearing = concluded(folded, period, now_us), Bearing(period)
    folded.join(fold_lines(chain(beyond, supply), until.vector, bearing))
    return folded, then, bearing.told()


def lines_of(folded: Folded) -> Iterator[bytes]:
    """The lines of a run's digest."""
    files: list[OpenFile] = []

    def accounts() -> Iterator[Accounts]:
        for one in folded.by_dinas():
            files.extend(one.open_files)
            yield one.accounts.items()

    return digest_lines(accounts(), rulebook_of(folded).lines(), [files])


def against(folded: Folded, path: Path) -> Against:
    """A run's lines beside those of a file, in which a digest's lines lie each ended by a newline."""
    body = path.read_bytes()
    kept = [line for line in body.split(b"\n") if line]
    replayed = list(lines_of(folded))
    told = hashlib.sha256(body).hexdigest()
    if told == digest_of(replayed):
        return Against(told, 0, ())
    lacking, beyond = set(replayed), set(kept)
    sides = (
        [(line, True) for line in kept if line not in lacking],
        [(line, False) for line in replayed if line not in beyond],
    )
    pairs: dict[object, dict[bool, str]] = {}
    for line, is_kept in chain(*sides):
        pairs.setdefault(_subject(line), {})[is_kept] = line.decode(errors="replace")
    first = tuple(
        Difference(pair.get(True), pair.get(False)) for _, pair in sorted(pairs.items(), key=lambda one: str(one[0]))
    )
    return Against(told, len(pairs), first[:FIRST])


def _subject(line: bytes) -> object:
    """What a line is about: an account or a file by its names, a rule by all it says."""
    try:
        said: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return (2, line.decode(errors="replace"))
    named = next(
        (("0" if name == "account" else "1", *said[name]) for name in ("account", "file") if name in said), None
    )
    return named or ("2", line.decode())
