"""A real database as workers find it: a journal, layouts, the relay's segments on a topic in memory, and folds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from domain.intake.wire import read_submission
from neraca.cluster import watched_balances
from projections.ports import LOCAL, Accepted
from projections.store.partitions import PartitionStore
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.layouts import Layouts
from streams.relay.cursors import DatabaseCursors
from streams.relay.layout_relay import LayoutRelay, RelayState
from streams.worker.fold import Letter, PartitionFold, Record, Trust
from streams.worker.lease import next_epoch
from streams.worker.parts import reopener
from tests.journal.desk import task
from tests.serving import ZONE, Clock, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import ExitStack

    from streams.layouts import Layout
    from streams.places.database import Database
    from tests.journal.desk import Event

CLOCK: Final = Clock()
OTHER: Final = "dpmptsp"
"""Of partition 0 of two; the desk's dinas is of partition 1."""


def epoch_of(database: Database, name: str) -> int:
    """The epoch of a process that was just started under a name."""
    with database.connected("epoch") as db:
        return next_epoch(db, name, "a test")


class Setup:
    """A database, its journal, and its layouts; all is given back when ``ending`` does."""

    def __init__(self, database: Database, ending: ExitStack) -> None:
        self.database = database
        self.ending = ending
        self.journal = Journal.open(database.journal, ZONE, CLOCK())
        ending.callback(self.journal.close)
        self.intake = IntakeService(self.journal, Policy(ZoneInfo(ZONE)), CLOCK)
        ending.callback(self.intake.close)
        watched_balances(database, self.journal)
        self.layouts = Layouts(database, self.journal)
        self.letters: list[Letter] = []

    def record(self, *events: Event) -> int:
        """Events in the journal; its head."""
        outcomes = self.intake.submit([read_submission(event) for event in events], LOCAL)
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
        return self.journal.head()

    def store(self, layout: Layout, name: str = "w", epoch: int | None = None) -> PartitionStore:
        """The partitions as a process that was just started under a name folds them."""
        mine = epoch_of(self.database, name) if epoch is None else epoch
        return PartitionStore(
            reopener(self.database), layout.number, layout.partitions, name, mine, ZoneInfo(self.journal.zone)
        )

    def fold(
        self,
        layout: Layout,
        store: PartitionStore | None = None,
        fold_type: type[PartitionFold] = PartitionFold,
        **more: Any,  # noqa: ANN401 - a clock
    ) -> PartitionFold:
        """The fold of a process that was just started."""
        trust = Trust(self.layouts.key_of(layout.number), ZoneInfo(self.journal.zone))
        return fold_type(
            store or self.store(layout), self.journal.id, layout.number, self.letters.append, trust, **more
        )

    def relay(self, layout: Layout, send: Callable[[Iterable[Any]], None]) -> None:
        """Relay what is in the journal, and the watermarks."""
        with self.database.connected("relay") as db:
            key = self.layouts.key_of(layout.number)
            run = LayoutRelay(self.journal, layout, DatabaseCursors(db, layout), send, RelayState(), key=key)
            while run.step():
                pass

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database; names without a schema are of the generation served."""
        with self.database.connected("test") as db:
            db.execute("SET search_path = neraca_1, neraca")
            return db.execute(query.encode(), values or None).fetchall()

    def sources(self) -> dict[str, int]:
        """The position of each source."""
        return dict(self.sql("SELECT source, position FROM sources"))


class Topic:
    """A topic in memory: offsets are contiguous, and any record may be read again."""

    def __init__(self) -> None:
        self.held: dict[int, list[bytes]] = {}

    def send(self, records: Iterable[tuple[str, int, None, bytes, object]]) -> None:
        """Keep records."""
        for _, partition, _, value, _ in records:
            self.held.setdefault(partition, []).append(value)

    def records(self, after: Callable[[int], int] = lambda _: 0) -> list[Record]:
        """Every record, from ``after(partition)`` on."""
        return [
            Record(partition, offset, value)
            for partition, values in sorted(self.held.items())
            for offset, value in enumerate(values)
            if offset >= after(partition)
        ]


class Partitions(Setup):
    """A journal in two partitions, relayed; its balances are to be folded."""

    def __init__(self, database: Database, ending: ExitStack) -> None:
        super().__init__(database, ending)
        self.layout = self.layouts.current(2)
        self.topic = Topic()
        for number in range(3):
            self.record(task(f"t{number}"), task(f"u{number}"), task(f"o{number}", dinas=OTHER))
            self.relay(self.layout, self.topic.send)

    def planted(self, fold_type: type[PartitionStore], name: str = "w") -> PartitionStore:
        """A store as a process just started has it, of another make."""
        epoch = epoch_of(self.database, name)
        return fold_type(
            reopener(self.database), self.layout.number, self.layout.partitions, name, epoch, ZoneInfo(ZONE)
        )

    def of(self, partition: int) -> list[Record]:
        """The records of a partition."""
        return [record for record in self.topic.records() if record.partition == partition]

    def at(self, partition: int) -> tuple[int, int, str | None]:
        """Position, next offset to read, and the reason it has stopped."""
        row = self.store(self.layout, "reader").standing()[partition]
        return row.position, row.read_next, row.stopped

    def counted(self) -> list[tuple[Any, ...]]:
        """Positions that are in the index of reasons more than once, with their counts."""
        return self.sql("SELECT position, count(*) FROM why GROUP BY position HAVING count(*) > 1")

    def waiting(self) -> None:
        """Wait until somebody waits for a lock."""
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until(lambda: self.sql(query), "a fold waits for a lock")
