"""The program that is simulated: as it is, or with one bug planted into the text of its modules, or into its store.

A broken module is loaded beside the real one, under another name; the real one stays as it is.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.abc import InspectLoader
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from projections.store.partitions import Advance
from streams.kafka.segment_record import packed, unpacked
from streams.relay import layout_relay
from streams.worker import fold as partition_fold
from streams.worker.advance import Advanced, Memory
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projections.store.partitions import StoredPartition
    from streams.kafka.segment_record import SegmentRecord

Row = tuple[Any, ...]


def unnumbered(record: Row, _numbers: list[int]) -> Row:
    """A record as the relay sends it."""
    return record


class Program(NamedTuple):
    """The program that the processes run."""

    name: str
    fold: Any = partition_fold
    relay: Any = layout_relay
    torn: str = ""
    numbered: bool = False

    @property
    def numbering(self) -> Callable[[Row, list[int]], Row]:
        """The function that changes a record before it is sent."""
        return with_number if self.numbered else unnumbered


TRUE: Final = Program("the program as it is")
Edits = dict[str, tuple[str, str]]
MODULES: Final = (
    "streams.worker.advance",
    "streams.relay.cutting",
    "streams.relay.layout_relay",
    "streams.worker.fold",
)
EDITS: Final[dict[str, Edits]] = {
    "a gap is applied": {
        "streams.worker.advance": ("            if segment.after > at:\n                continue\n", "")
    },
    "an overlap is not trimmed": {
        "streams.worker.advance": (" for entry in segment.entries if entry[0] > at]", " for entry in segment.entries]"),
    },
    "the offset to read next passes a record that is ahead": {
        "streams.worker.advance": (
            "    while read_next in done_offsets:",
            "    while read_next in done_offsets or read_next in ahead:",
        ),
    },
    "cursors move before the acknowledgement": {
        "streams.relay.layout_relay": (
            "            self._deliver(segments, page if self._events else ())\n            self._move(after)\n",
            "            self._move(after)\n            self._deliver(segments, page if self._events else ())\n",
        ),
    },
    "an order to resume is seen only when the journal grows": {
        "streams.relay.layout_relay": ("        self._cursors = self._stored.load()  # an", "        # an"),
    },
    "a record lost for good hides the gap it left": {
        "streams.worker.fold": (
            "bool(memory.handled) and not memory.ahead",
            "bool(memory.handled) and result.to.read_next not in memory.ahead",
        ),
    },
}


class _Text(InspectLoader):
    """Loads a module from a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - the loader's protocol
        """The text."""
        return self._text


def _beside(prefix: str, module: str) -> str:
    """The name under which a broken module is loaded beside the real one."""
    return f"{prefix}{module.replace('.', '_')}"


def _loaded(name: str, edits: Edits) -> Program:
    prefix = f"_planted_{sum(name.encode())}_"
    modules: dict[str, Any] = {}
    for module in MODULES:
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        if module in edits:
            old, new = edits[module]
            assert text.count(old) == 1, f"{module} has changed: plant {name!r} anew"
            text = text.replace(old, new)
        for other in modules:
            text = text.replace(f"from {other} import", f"from {_beside(prefix, other)} import")
        spec = importlib.util.spec_from_loader(_beside(prefix, module), _Text(text))
        assert spec is not None
        assert spec.loader is not None
        modules[module] = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[module])
    return Program(name, modules["streams.worker.fold"], modules["streams.relay.layout_relay"])


def planted() -> tuple[Program, ...]:
    """Every broken variant."""
    import_by_number = (
        "from tests.soak.simulation.planted import by_number as advance\nfrom streams.worker.advance import Memory"
    )
    trusting = _loaded(
        "segments are told apart by number",
        {"streams.worker.fold": ("from streams.worker.advance import Memory, advance", import_by_number)},
    )
    return (
        Program("the position is written after the balances, apart", torn="balances first"),
        Program("the position is written before the balances, apart", torn="position first"),
        trusting._replace(numbered=True),
        *(_loaded(name, edits) for name, edits in EDITS.items()),
    )


def with_number(record: Row, numbers: list[int]) -> Row:
    """A segment that carries its number within its partition in the place of its hash; a new relay counts on from its cursors."""
    segment = unpacked(record[3])
    numbers[segment.partition] += 1
    with_number_of = msgspec.structs.replace(segment, last_hash=f"{numbers[segment.partition]}")
    return (*record[:3], packed(with_number_of), *record[4:])


def by_number(row: StoredPartition, memory: Memory, arrivals: Mapping[int, SegmentRecord]) -> Advanced:
    """An advance that looks right and is wrong: it applies the next number and drops earlier ones, whatever entries they hold."""
    ahead, fresh, done_offsets = (
        dict(sorted({**memory.ahead, **arrivals}.items())),
        list[tuple[int, bytes]](),
        set(memory.handled),
    )
    at, last_number = row.position, int(row.journal) if row.journal.isdigit() else 0
    for offset, segment in list(ahead.items()):
        number = int(segment.last_hash)
        if number <= last_number + 1:
            del ahead[offset]
            done_offsets.add(offset)
        if number == last_number + 1:
            fresh += segment.entries
            at, last_number = max(at, segment.last), number
    read_next = row.read_next
    while read_next in done_offsets:
        read_next += 1
    beyond = frozenset(offset for offset in done_offsets if offset > read_next)
    return Advanced(fresh, Advance(at, f"{last_number}", read_next, ""), Memory(ahead, beyond, read=True), 0)
