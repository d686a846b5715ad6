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
    found = stack.topics.read(topic)
    records = chance.sample(found, min(COPIES, len(found)))
    copies: list[Any] = []
    for record in records:
        values = _overlapping(unpacked(record.value), chance) if chance.random() < 0.5 else [record.value]
        copies += [(topic, record.partition, None, value, []) for value in values]
    _send(stack, copies)


def _overlapping(sent: SegmentRecord, chance: random.Random) -> list[bytes]:
    """A segment as two that share an entry, the later one first."""
    if len(sent.entries) < 2:
        return [packed(sent), packed(sent)]
    middle = chance.randrange(1, len(sent.entries))
    position, line = sent.entries[middle]
    first = replace(sent, last=position, last_hash=line_hash(line), entries=sent.entries[: middle + 1])
    second = replace(sent, after=sent.entries[middle - 1][0], entries=sent.entries[middle:])
    return [packed(second), packed(first)]


class Unkept:
    """Cursors that are forgotten: another relay will send all of it again."""

    def __init__(self, kept: StoredCursors) -> None:
        self._now = kept.load()

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
    kept: list[Any] = []
    _relayed(stack, Unkept, kept.extend)
    records = [*reversed(kept), *chance.sample(kept, len(kept))]
    _send(stack, records)
    for name in RELAYS:
        stack.scaled.begin(name)


class Withheld:
    """Segments that a relay did not send although its cursors have passed them."""

    def __init__(self, stack: Stack, missing: list[SegmentRecord]) -> None:
        self._stack = stack
        self._missing = {f"{sent.layout}/{sent.partition}": sent for sent in missing}

    @classmethod
    def from_workers(cls, stack: Stack, chance: random.Random, number: int) -> Withheld:
        """Withhold from each of so many workers one of the segments that a relay sends next."""
        folded: dict[int, str] = {}

        def shared() -> bool:
            folded.update(stack.folded())
            return len(set(folded.values())) >= number

        until(shared, f"{number} workers fold", within_s=60)
        workers = chance.sample(sorted(set(folded.values())), number)
        _without_relays(stack)
        kept: list[Any] = []
        _relayed(stack, lambda cursors: cursors, kept.extend)
        filled = [one for one in kept if unpacked(one[3]).entries]
        held = [chance.choice([one for one in filled if folded.get(one[1]) == worker]) for worker in workers]
        _send(stack, [one for one in kept if all(one is not other for other in held)])
        for name in RELAYS:
            stack.scaled.begin(name)
        return cls(stack, [unpacked(one[3]) for one in held])

    def seen_to_stand(self) -> None:
        """Check that their partitions stop after the third read, in the database and in the metrics, and that all others go on."""
        stack, sources = self._stack, self._missing.keys()
        until(lambda: sources <= self._standing().keys(), f"{sources} stand still", within_s=STANDS_WITHIN_S)
        assert self._standing().keys() == sources, self._standing()
        for source, sent in self._missing.items():
            assert "are missing from the topic" in self._standing()[source], self._standing()
            times = stack.scaled.sql("SELECT times FROM neraca.gaps WHERE source = %s", source)
            assert times == [(3,)], times
            metric = f'neraca_partition_stopped{{partition="{sent.partition}"}}'
            until(lambda metric=metric: stack.scaled.metric(metric) == 1.0, f"{metric} is 1", within_s=10)  # type: ignore[misc]
        stack.recovery_s(time.monotonic())
        for source, sent in self._missing.items():
            assert self._seen().positions[source] <= sent.after, f"{source} went on beyond what never came"

    def seen_to_go_on(self) -> None:
        """Check that their partitions go on, and that the withheld entries are folded."""
        until(lambda: not self._standing(), "nothing stands still", within_s=10)
        assert all(self._seen().positions[source] >= sent.last for source, sent in self._missing.items())

    def _seen(self) -> Seen:
        seen = self._stack.watch.last
        assert seen is not None, "the watch has looked"
        return seen

    def _standing(self) -> dict[str, str]:
        return self._seen().stopped


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
        layout = Layouts(database, journal).every(db)[-1]
        LayoutRelay(journal, layout, cursors(DatabaseCursors(db, layout)), send, RelayState()).step()


def _send(stack: Stack, records: list[Any]) -> None:
    with closing(Sender(KafkaSettings.of(stack.scaled.environment))) as sender:
        sender.send(records)
