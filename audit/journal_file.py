"""An exported journal, folded on every core: it is cut at line ends, the parts are folded apart and joined in order."""

from __future__ import annotations

import gc
import mmap
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from audit.ends import Until
from audit.folded import Folded, ReplayError
from audit.replay import fold_lines
from domain.events.decoding import UNREADABLE, StoppedAtEntry, entries_of
from domain.events.entries import DECODER, JournalOpened
from domain.intake.unchanged import check, check_exported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


CHUNK: Final = 1 << 16
"""The bytes that are decoded at once: what they become for the check and for the fold fits the processor's cache."""
LEAST_PART: Final = 1 << 24
_NO_POSITION: Final = "position {}: the line there states no position"


class _Placed(msgspec.Struct):
    position: int = 0


def fold_part(path: str, start: int, end: int) -> Folded:
    """Fold the lines that begin in ``[start, end)``. Raises: ``ReplayError``, naming the line's place in the file."""
    run, zone = Folded(), _zone_of(path)
    with open(path, "rb") as file:  # noqa: PTH123 - a plain path crosses to another process
        file.seek(start)
        while (at := file.tell()) < end:
            chunk = file.read(min(CHUNK, end - at))
            if not chunk.endswith(b"\n"):
                chunk += file.readline()
            _fold_chunk(run, chunk, at, zone)
    return run


def _zone_of(path: str | Path) -> ZoneInfo | None:
    """The zone whose months a journal counts, as its first line states it; ``None`` if that is no opening."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            opening = DECODER.decode(next((line for line in file if line.strip()), b""))
        return ZoneInfo(opening.data.zone) if isinstance(opening, JournalOpened) else None
    except (*UNREADABLE, ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _fold_elsewhere(path: str, start: int, end: int) -> Folded:
    """A part folded in another process, and packed to be sent from there."""
    run = fold_part(path, start, end)
    run.pack(compress=False)
    return run


def _fold_chunk(run: Folded, chunk: bytes, at: int, zone: ZoneInfo | None) -> None:
    if chunk.isspace():
        return
    try:
        entries = DECODER.decode_lines(chunk)
    except UNREADABLE:
        entries = []
    positions = [entry.position for entry in entries]
    try:
        if not positions or not all(positions):
            raise _first_bad(chunk, at, run.last, zone)
        run.follow(positions)
        check_exported(chunk, zone)
    except StoppedAtEntry as error:
        raise ReplayError(str(error)) from None
    run.fold(positions, entries, lambda: [line for line in chunk.split(b"\n") if line.strip()])


def _first_bad(chunk: bytes, at: int, last: int, zone: ZoneInfo | None) -> ReplayError:
    """The error about the first line of a chunk that is not as it was recorded; ``last`` is the position before the chunk.

    It names the position that the line states, else the one that is due; if neither is known, the place in the file.
    """
    for line in chunk.split(b"\n"):
        if line.strip():
            position = _position_of(line)
            last = position or (last + 1 if last else 0)
            if not last:
                return ReplayError(f"byte {at}: the line there states no position: {line[:80]!r}")
            try:
                entries_of([(last, line)])
                check([(last, line, None)], zone)
            except StoppedAtEntry as error:
                return ReplayError(str(error))
            if not position:
                return ReplayError(_NO_POSITION.format(last))
        at += len(line) + 1
    return ReplayError(f"byte {at}: unreadable")


def _position_of(line: bytes) -> int:
    """The position that a line states; 0 if it states none."""
    try:
        return max(0, msgspec.json.decode(line, type=_Placed).position)
    except UNREADABLE:
        return 0


def cut(path: Path, parts: int) -> list[tuple[int, int]]:
    """The file in parts that begin at line starts; the first, whose fold need not be sent, is larger by a quarter."""
    size = path.stat().st_size
    if size == 0:
        return []
    bounds = [0]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        for number in range(1, parts):
            newline = view.find(b"\n", max(size * (4 * number + 1) // (4 * parts + 1), bounds[-1]))
            if newline < 0:
                break
            bounds.append(newline + 1)
    bounds.append(size)
    return [(start, end) for start, end in pairwise(bounds) if start < end]


def fold_file(path: Path, until: Until, progress: Callable[[int], None] = lambda _: None) -> Folded:
    """A whole exported journal folded, on all cores unless it ends early. Raises: ``ReplayError``."""
    if until != Until():
        return fold_lines(file_lines(path, until), until.vector)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parts = cut(path, max(1, min(cores, path.stat().st_size // LEAST_PART)))
    if len(parts) < 2:  # noqa: PLR2004 - one part needs no second process
        return fold_part(str(path), *parts[0]) if parts else Folded()
    # On Linux a fork costs nothing here: no thread runs yet. Elsewhere the parts start from a new interpreter.
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    # A fold makes no cycles, and these processes do nothing else: the collector would only walk its objects.
    with ProcessPoolExecutor(len(parts) - 1, mp_context=context, initializer=gc.disable) as pool:
        futures = [pool.submit(_fold_elsewhere, str(path), start, end) for start, end in parts[1:]]
        whole = fold_part(str(path), *parts[0])
        for future in futures:
            whole.join(future.result())
            progress(whole.last)
    return whole


def file_lines(path: Path, until: Until) -> Iterator[tuple[int, bytes]]:
    """The lines of an exported journal with the positions they state, up to an end. Raises: ``ReplayError``."""
    zone, last = _zone_of(path), 0
    with path.open("rb") as file:
        for line in file:
            if line.isspace():
                continue
            position = _position_of(line)
            if not position:
                raise ReplayError(_NO_POSITION.format(last + 1))
            try:
                if position == last + 1 and until.ends_before(position, line):
                    return
                check([(position, line, None)], zone)
            except StoppedAtEntry as error:
                raise ReplayError(str(error)) from None
            yield position, line.rstrip()
            last = position
