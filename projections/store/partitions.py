"""The store of balances as partitions fold it: several of them in one transaction, with the offsets they were read from.

The stored position is the truth: a worker locks its partitions' rows, reads position and epoch, then writes. A newer process of
the same name raises the epoch, and so ends the older one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text
from sqlalchemy.exc import DBAPIError

from domain.fold.partition import partition_of
from projections.segment import RULEBOOK, NotFoldable, NotWritten, Superseded
from projections.store.statements import is_transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from sqlalchemy import Connection

    from domain.events.entries import AnyEntry
    from projections.store.store import Store

_SOON_DURABLE: Final = text("SELECT set_config('synchronous_commit', 'off', true)")
"""A fold's commit need not wait for the disk, for the length of its transaction.

If the server crashes, the last folds are lost together with their positions, and are folded again from the journal's
entries, whose commits did wait.
"""
_LOCKED: Final = text(
    "SELECT source, journal, position, read_next, stopped FROM sources WHERE source = ANY(:names) ORDER BY source FOR UPDATE"
).bindparams(bindparam("names", type_=ARRAY(Text)))
_STANDING: Final = text("SELECT source, journal, position, read_next, stopped FROM sources")
_RULEBOOK: Final = text("SELECT position FROM sources WHERE source = :source FOR UPDATE SKIP LOCKED")
_MOVE_RULEBOOK: Final = text("UPDATE sources SET position = :position, hash = :hash WHERE source = :source")
_EPOCH: Final = text("SELECT epoch FROM workers WHERE name = :name")
_ADVANCE: Final = text(
    "UPDATE sources SET position = now.position, read_next = now.read_next, "
    "hash = CASE WHEN now.hash = '' THEN sources.hash ELSE now.hash END, "
    "recorded = CASE WHEN now.recorded = '' THEN sources.recorded ELSE now.recorded END "
    "FROM unnest(:sources, :positions, :hashes, :offsets, :recorded) AS now(source, position, hash, read_next, recorded) "
    "WHERE sources.source = now.source"
).bindparams(
    bindparam("sources", type_=ARRAY(Text)),
    bindparam("positions", type_=ARRAY(BigInteger)),
    bindparam("hashes", type_=ARRAY(Text)),
    bindparam("offsets", type_=ARRAY(BigInteger)),
    bindparam("recorded", type_=ARRAY(Text)),
)
_COUNT_GAP: Final = text(
    "INSERT INTO gaps AS held VALUES (:source, :position, 1) "
    "ON CONFLICT (source, position) DO UPDATE SET times = held.times + 1 RETURNING times"
)
_STOP: Final = text(
    "UPDATE sources SET stopped = :why, read_next = greatest(read_next, :skip) "
    "WHERE source = :source AND position = :position"
)


class StoredPartition(NamedTuple):
    """The stored state of a partition: its position, the first record not yet applied, and why it stopped, if it did."""

    journal: str
    position: int
    read_next: int
    stopped: str | None


class Advance(NamedTuple):
    """The state of a partition after a fold; an empty hash or time of recording leaves the stored one."""

    position: int
    last_hash: str
    read_next: int
    recorded: str


class Overtaken(Exception):  # noqa: N818 - a state of the cluster, not a fault of the program
    """A newer process of this worker's name folds; this one has to end."""


class PartitionTransaction:
    """One transaction over some partitions, their rows locked."""

    def __init__(self, db: Connection, store: Store, layout: int, partitions: int, zone: tzinfo) -> None:
        self._db = db
        self._zone = zone
        self._store = store
        self._layout = layout
        self._partitions = partitions
        self.stored: dict[int, StoredPartition] = {}

    def apply(self, entries: Sequence[tuple[int, bytes, AnyEntry]], advances: Mapping[int, Advance]) -> None:
        """Add entries, and advance partitions accordingly. Raises: ``NotFoldable``."""
        try:
            move = self._store.apply(self._db, entries, self._zone)
        except DBAPIError as error:
            if is_transient(error):
                raise
            raise NotFoldable(str(error.orig).strip()) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise NotFoldable(repr(error)) from error
        positions = {name: advances[partition_of(name, self._partitions)].position for name in move.dinas}
        self._store.tell(self._db, {name: (position, name in move.facts) for name, position in positions.items()})
        moves = sorted(advances.items())
        columns = {
            "sources": [source_of(self._layout, partition) for partition, _ in moves],
            "positions": [move.position for _, move in moves],
            "hashes": [move.last_hash for _, move in moves],
            "offsets": [move.read_next for _, move in moves],
            "recorded": [move.recorded for _, move in moves],
        }
        self._db.execute(_ADVANCE, columns)


def source_of(layout: int, partition: int) -> str:
    """The name under which a partition's position is stored."""
    return f"{layout}/{partition}"


class PartitionStore:
    """The partitions of one layout, as one worker folds them."""

    def __init__(
        self,
        reopen: Callable[[], Store | None],
        layout: int,
        partitions: int,
        name: str,
        epoch: int,
        zone: tzinfo,
    ) -> None:
        self._reopen = reopen
        self._zone = zone
        self._store = reopen()
        self._layout = layout
        self._partitions = partitions
        self._name = name
        self._epoch = epoch

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[PartitionTransaction]:
        """A transaction in which some partitions are this worker's alone.

        Raises: ``Overtaken``; ``NotWritten`` when nothing was written and it may be tried again.
        """
        with self._writing() as db:
            transaction = PartitionTransaction(db, self._current(), self._layout, self._partitions, self._zone)
            names = sorted(source_of(self._layout, partition) for partition in partitions)
            db.execute(_SOON_DURABLE)
            for row in db.execute(_LOCKED, {"names": names}):
                transaction.stored[int(row[0].partition("/")[2])] = StoredPartition(row[1], row[2], row[3], row[4])
            self._check_epoch(db)
            yield transaction

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A fold's transaction; its transient errors become ``NotWritten``."""
        with self._translated(), self._current().guarded() as db:
            yield db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Superseded as error:
            self._store = self._reopen()
            raise NotWritten(str(error)) from error
        except DBAPIError as error:
            if is_transient(error):
                raise NotWritten(str(error.orig).strip()) from error
            raise

    def _current(self) -> Store:
        if self._store is None:
            self._store = self._reopen()
        if self._store is None:
            message = "no generation of this version is served"
            raise NotWritten(message)
        return self._store

    def _check_epoch(self, db: Connection) -> None:
        epoch = db.execute(_EPOCH, {"name": self._name}).scalar()
        if epoch != self._epoch:
            message = f"worker {self._name}: a newer process has this name (epoch {epoch}, mine {self._epoch})"
            raise Overtaken(message)

    def fold_rules(
        self, last: int, last_hash: str, entries: Callable[[int], Sequence[tuple[int, bytes, AnyEntry]]]
    ) -> bool:
        """Fold the rules up to ``last``; false while another worker does. ``entries(after)`` reads those after a position.

        Raises: ``NotWritten``.
        """
        with self._writing() as db:
            at = db.execute(_RULEBOOK, {"source": RULEBOOK}).scalar()
            if at is None or at >= last:
                return at is not None
            fresh = [entry for entry in entries(at) if entry[0] <= last]
            if fresh:
                self._current().apply(db, fresh, self._zone)
            db.execute(_MOVE_RULEBOOK, {"source": RULEBOOK, "position": last, "hash": last_hash})
            self._current().tell(db, {})
        return True

    def standing(self) -> dict[int, StoredPartition]:
        """The stored state of every partition of the layout. Raises: ``NotWritten``."""
        with self._writing() as db:
            prefix = f"{self._layout}/"
            return {
                int(row[0].removeprefix(prefix)): StoredPartition(row[1], row[2], row[3], row[4])
                for row in db.execute(_STANDING)
                if row[0].startswith(prefix)
            }

    def count_gap(self, partition: int, position: int) -> int:
        """Count one more gap of a partition at a position; the number of them. Raises: ``NotWritten``."""
        gap = {"source": source_of(self._layout, partition), "position": position}
        with self._writing() as db:
            return int(db.execute(_COUNT_GAP, gap).scalar_one())

    def stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        """Stop a partition if it is at a position, visibly, until it is resumed. Raises: ``NotWritten``."""
        source = source_of(self._layout, partition)
        with self._writing() as db:
            db.execute(_STOP, {"why": why, "skip": skip_to, "source": source, "position": position})
