"""Segments as no relay should send them: twice, cut otherwise, out of order, too early, or one of them never.

They are made by the product's own relay over cursors and a ``send`` of ours, or are copies of what lies on the topic.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from streams.journal.journal import Journal, line_hash
from streams.kafka.broker import Sender
from streams.kafka.segment_record import SegmentRecord, packed, unpacked
from streams.kafka.settings import KafkaSettings
from streams.layouts import TOPIC, Layouts
from streams.places.database import Database
from streams.relay.cursors import DatabaseCursors
from streams.relay.layout_relay import LayoutRelay, RelayState
from tests.serving import until
from tests.soak.chaos.stack import RELAYS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from streams.relay.cursors import Cursors, StoredCursors
    from tests.soak.chaos.stack import Stack
    from tests.soak.chaos.watch import Seen

COPIES: Final = 150
GATHERED: Final = 150
"""The number of events acknowledged while no relay runs."""
STANDS_WITHIN_S: Final = 120.0
"""Three reads of 8 s each, and the starts between them."""


def again(stack: Stack, chance: random.Random) -> None:
    """Copies of records that lie on the topic, in any order, half of them cut into two that overlap."""
    topic = _layout_topic(stack)
    sent_before = stack.topics.read(topic)
    records = chance.sample(sent_before, min(COPIES, len(sent_before)))
    copies: list[Any] = []
    key = _key(stack)
    for record in records:
        values = _overlapping(unpacked(record.value), chance, key) if chance.random() < 0.5 else [record.value]
        copies += [(topic, record.partition, None, value, []) for value in values]
    _send(stack, copies)


def _overlapping(segment: SegmentRecord, chance: random.Random, key: bytes | None) -> list[bytes]:
    """A segment as two that share an entry, the later one first."""
    if len(segment.entries) < 2:
        return [packed(segment, key), packed(segment, key)]
    middle = chance.randrange(1, len(segment.entries))
    position, line = segment.entries[middle]
    first = replace(segment, last=position, last_hash=line_hash(line), entries=segment.entries[: middle + 1])
    second = replace(segment, after=segment.entries[middle - 1][0], entries=segment.entries[middle:])
    return [packed(second, key), packed(first, key)]


class Unkept:
    """Cursors that are forgotten: another relay will send all of it again."""

    def __init__(self, cursors: StoredCursors) -> None:
        self._now = cursors.load()

    def load(self) -> Cursors:
        """The cursors as this relay has moved them."""
        return self._now

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Move them, for this relay alone."""
        assert before == self._now
        self._now = after
        return True


def ahead(stack: Stack, chance: random.Random) -> None:
    """Send the next segments backwards and twice; then the relays send them in order."""
    _without_relays(stack)
    next_records: list[Any] = []
    _relayed(stack, Unkept, next_records.extend)
    records = [*reversed(next_records), *chance.sample(next_records, len(next_records))]
    _send(stack, records)
    for name in RELAYS:
        stack.scaled.begin(name)


class Withheld:
    """Segments that a relay did not send although its cursors have passed them."""

    def __init__(self, stack: Stack, missing: list[SegmentRecord]) -> None:
        self._stack = stack
        self._missing = {f"{segment.layout}/{segment.partition}": segment for segment in missing}

    @classmethod
    def from_workers(cls, stack: Stack, chance: random.Random, number: int) -> Withheld:
        """Withhold from each of so many workers one of the segments that a relay sends next."""
        worker_of: dict[int, str] = {}

        def shared() -> bool:
            worker_of.update(stack.folded())
            return len(set(worker_of.values())) >= number

        until(shared, f"{number} workers fold", within_s=60)
        workers = chance.sample(sorted(set(worker_of.values())), number)
        _without_relays(stack)
        records: list[Any] = []
        _relayed(stack, lambda cursors: cursors, records.extend)
        full_records = [record for record in records if unpacked(record[3]).entries]
        late_records = [
            chance.choice([record for record in full_records if worker_of.get(record[1]) == worker])
            for worker in workers
        ]
        _send(stack, [record for record in records if all(record is not other for other in late_records)])
        for name in RELAYS:
            stack.scaled.begin(name)
        return cls(stack, [unpacked(record[3]) for record in late_records])

    def seen_to_stand(self) -> None:
        """Check that their partitions stop after the third read, in the database and in the metrics, and that all others go on."""
        stack, sources = self._stack, self._missing.keys()
        until(lambda: sources <= self._standing().keys(), f"{sources} stand still", within_s=STANDS_WITHIN_S)
        assert self._standing().keys() == sources, self._standing()
        for source, segment in self._missing.items():
            assert "are missing from the topic" in self._standing()[source], self._standing()
            times = stack.scaled.sql("SELECT times FROM neraca.gaps WHERE source = %s", source)
            assert times == [(3,)], times
            metric = f'neraca_partition_stopped{{partition="{segment.partition}"}}'
            until(lambda metric=metric: stack.scaled.metric(metric) == 1.0, f"{metric} is 1", within_s=10)  # type: ignore[misc]
        stack.recovery_s(time.monotonic())
        for source, segment in self._missing.items():
            assert self._seen().positions[source] <= segment.after, f"{source} went on beyond what never came"

    def seen_to_go_on(self) -> None:
        """Check that their partitions go on, and that the withheld entries are folded."""
        until(lambda: not self._standing(), "nothing stands still", within_s=10)
        assert all(self._seen().positions[source] >= segment.last for source, segment in self._missing.items())

    def _seen(self) -> Seen:
        sight = self._stack.watch.last
        assert sight is not None, "the watch has looked"
        return sight

    def _standing(self) -> dict[str, str]:
        return self._seen().stopped


def _key(stack: Stack) -> bytes | None:
    """The key of the newest layout."""
    rows = stack.scaled.sql("SELECT key FROM neraca.segment_keys ORDER BY layout DESC LIMIT 1")
    return bytes(rows[0][0]) if rows else None


def _layout_topic(stack: Stack) -> str:
    (newest,) = stack.scaled.sql("SELECT max(layout) FROM neraca.layouts")
    return f"{TOPIC}.{newest[0]}"


def _without_relays(stack: Stack) -> None:
    """End the relays, and let some events gather that nobody has sent."""
    for name in RELAYS:
        stack.scaled.stop(name)
    stack.city.more(GATHERED)


def _relayed(
    stack: Stack, cursors: Callable[[StoredCursors], StoredCursors], send: Callable[[Iterable[Any]], None]
) -> None:
    """One step of a relay of the last layout, over these cursors, into this ``send``."""
    database = Database(stack.scaled.database_url)
    with closing(Journal.read_only(database.journal)) as journal, database.connected("chaos relay") as db:
        layouts = Layouts(database, journal)
        layout = layouts.every(db)[-1]
        key = layouts.key_of(layout.number)
        LayoutRelay(journal, layout, cursors(DatabaseCursors(db, layout)), send, RelayState(), key=key).step()


def _send(stack: Stack, records: list[Any]) -> None:
    with closing(Sender(KafkaSettings.of(stack.scaled.environment))) as sender:
        sender.send(records)
