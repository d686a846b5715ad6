"""The simulated store: balances and positions in transactions that commit whole, not at all, or without saying so."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from domain.fold.ledger import Ledger
from domain.fold.partition import dinas_of, partition_of
from domain.fold.postings import negated, postings_of
from projections.segment import NotFoldable, NotWritten
from projections.store.generations_postgres import IDLE_MS
from projections.store.partitions import Overtaken, StoredPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from domain.events.entries import AnyEntry
    from projections.store.partitions import Advance
    from tests.soak.simulation.journal import SimulatedJournal
    from tests.soak.simulation.world import Process, World

IDLE_S: Final = IDLE_MS / 1000


class Balances:
    """The stored balances and positions, shared by all processes."""

    def __init__(self, world: World, journal: SimulatedJournal, partitions: int, *, by_number: bool = False) -> None:
        self.world = world
        self._journal = journal
        self._numbered = by_number
        self.stored = {partition: StoredPartition(journal.id, 0, 0, None) for partition in range(partitions)}
        self.applied: list[list[int]] = [[] for _ in range(partitions)]
        self.ledger = Ledger()
        self.gaps: dict[tuple[int, int], int] = {}
        """The number of times a gap was met, by partition and position."""
        self.epochs: dict[str, int] = {}
        self.locks: dict[int, Transaction] = {}
        self.generation = 1
        self.away_until = 0.0
        self.poison: set[int] = set()
        """Positions that no process can fold now."""
        self._unflushed: list[Transaction] = []

    def begin(self, partitions: Sequence[int]) -> Transaction:
        """A transaction that holds these partitions' rows. Raises: ``NotWritten`` while another does."""
        for partition in partitions:
            if (holder := self.locks.get(partition)) is not None and not holder.idle():
                self.world.seen["a fold had to wait for another's transaction"] += 1
                message = f"partition {partition} is locked"
                raise NotWritten(message)
        transaction = Transaction(self, {partition: self.stored[partition] for partition in partitions})
        for partition in partitions:
            self.locks[partition] = transaction
        return transaction

    def place_of(self, entry: AnyEntry) -> int:
        """The partition an entry belongs to; its segment does not matter."""
        dinas = dinas_of(entry)
        if dinas is None:
            self.world.wrong(f"an entry of the rulebook was relayed: {entry}")
            return 0
        return partition_of(dinas, len(self.applied))

    def release(self, transaction: Transaction) -> None:
        """End a transaction, committed or not."""
        self.locks = {partition: holder for partition, holder in self.locks.items() if holder is not transaction}

    def add(self, transaction: Transaction) -> None:
        """Add its entries to the balances."""
        for position, partition, entry in transaction.entries:
            self.applied[partition].append(position)
            self.ledger.post(postings_of(entry))

    def move(self, transaction: Transaction) -> None:
        """Move its partitions."""
        for partition, to in transaction.advances.items():
            if to.position < self.stored[partition].position or to.read_next < self.stored[partition].read_next:
                self.world.wrong(f"partition {partition} goes back from {self.stored[partition]} to {to}")
            name = to.last_hash or self.stored[partition].journal if self._numbered else self._journal.id
            self.stored[partition] = self.stored[partition]._replace(
                position=to.position, read_next=to.read_next, journal=name
            )
            self.world.say(f"    partition {partition} stands at {to.position}, reads {to.read_next} next")

    def committed(self, transaction: Transaction) -> None:
        """Note a commit; it is on the disk only with the next one that waits for the disk."""
        self._unflushed.append(transaction)

    def flush(self) -> None:
        """Write all earlier commits to the disk, as any commit that waits for the disk does."""
        self._unflushed.clear()

    def crash(self) -> None:
        """Restart the database without the folds that were not on the disk; open transactions are undone."""
        for holder in self.locks.values():
            holder.undone = True
        self.locks = {}
        for transaction in reversed(self._unflushed):
            self.world.seen["a fold was lost in a crash of the database"] += 1
            for position, partition, entry in reversed(transaction.entries):
                self.applied[partition].remove(position)
                self.ledger.post(negated(posting) for posting in postings_of(entry))
            for number in transaction.advances:
                self.stored[number] = transaction.stored[number]
                self.world.say(f"    partition {number} is back at {self.stored[number]}")
        self._unflushed.clear()

    def verify(self, when: str) -> None:
        """Check that each partition applied its entries of the journal up to its position, each of them once, and no other."""
        for partition, row in self.stored.items():
            due = [position for position in self._journal.of_partition[partition] if position <= row.position]
            positions = sorted(self.applied[partition])
            if positions != due:
                twice = sorted(position for position, times in Counter(positions).items() if times > 1)
                self.world.wrong(
                    f"{when}: partition {partition} at {row.position}: lost {sorted(set(due) - set(positions))[:9]}, "
                    f"doubled {twice[:9]}, beyond or misplaced {sorted(set(positions) - set(due))[:9]}"
                )

    def rebuild(self) -> None:
        """Serve a new generation, folded from the whole journal; not while a fold is open."""
        if any(not holder.idle() for holder in self.locks.values()):
            return
        self.locks = {}
        self.verify("before a rebuild")
        head = self._journal.head()
        self.flush()
        self.generation += 1
        self.ledger = self._journal.counted(head)
        for partition, row in self.stored.items():
            self.applied[partition] = list(self._journal.of_partition[partition])
            self.stored[partition] = row._replace(position=head, stopped=None)
        self.world.say(f"rebuilt up to {head}")


class Transaction:
    """One transaction over some partitions."""

    def __init__(self, balances: Balances, rows: dict[int, StoredPartition]) -> None:
        self._balances = balances
        self._began = balances.world.now
        self.undone = False
        self.stored = rows
        self.entries: list[tuple[int, int, AnyEntry]] = []
        self.advances: Mapping[int, Advance] = {}

    def idle(self) -> bool:
        """True if the database has ended it, because its process was idle for too long, or by a crash."""
        return self.undone or self._balances.world.now - self._began > IDLE_S

    def apply(self, entries: Sequence[tuple[int, bytes, AnyEntry]], advances: Mapping[int, Advance]) -> None:
        """Add entries, and move partitions. Raises: ``NotFoldable``."""
        poisonous = [position for position, _, _ in entries if position in self._balances.poison]
        if poisonous:
            message = f"positions {poisonous}"
            raise NotFoldable(message)
        self.entries = [(position, self._balances.place_of(entry), entry) for position, _, entry in entries]
        self.advances = advances


class ProcessStore:
    """The store as one process of a worker sees it."""

    def __init__(
        self,
        balances: Balances,
        process: Process,
        epoch: int,
        suspect: Callable[[int, int], None],
        *,
        torn_at: str = "",
    ) -> None:
        self._balances = balances
        self._process = process
        self._epoch = epoch
        self._torn = torn_at
        self._generation = balances.generation
        self._suspect = suspect

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[Transaction]:
        """A transaction over some partitions. Raises: ``NotWritten``, ``Overtaken``."""
        self._ask()
        transaction = self._balances.begin(partitions)
        try:
            if self._balances.epochs[self._process.name] != self._epoch:
                raise Overtaken(self._process.name)
            self._process.outside()
            yield transaction
            self._process.outside()
            self._commit(transaction)
        finally:
            self._balances.release(transaction)
        self._process.outside()

    def _ask(self) -> None:
        """A request: it fails while the database is away, and in a generation that is served no more."""
        self._process.outside()
        world, balances = self._balances.world, self._balances
        if world.now < balances.away_until or world.happens("store away"):
            message = "away"
            raise NotWritten(message)
        if self._generation != balances.generation:
            self._generation = balances.generation
            message = "superseded"
            raise NotWritten(message)

    def _commit(self, transaction: Transaction) -> None:
        balances, steps = self._balances, [self._balances.add, self._balances.move]
        if self._torn == "position first":
            steps.reverse()
        self._may_fail(transaction)
        steps[0](transaction)
        if self._torn:
            self._process.outside()
            self._may_fail(transaction)
        steps[1](transaction)
        balances.committed(transaction)
        if balances.world.happens("commit done but unseen"):
            message = "the connection ended with the commit"
            raise NotWritten(message)

    def _may_fail(self, transaction: Transaction) -> None:
        if transaction.idle():
            self._balances.world.seen["a transaction was idle for too long"] += 1
        elif not self._balances.world.happens("commit undone"):
            return
        message = "undone"
        raise NotWritten(message)

    def standing(self) -> dict[int, StoredPartition]:
        """The stored state of every partition. Raises: ``NotWritten``."""
        self._ask()
        return dict(self._balances.stored)

    def count_gap(self, partition: int, position: int) -> int:
        """Count one more gap of a partition at a position; the number of them. Raises: ``NotWritten``."""
        self._ask()
        self._suspect(partition, position)
        self._balances.flush()
        times = self._balances.gaps[partition, position] = self._balances.gaps.get((partition, position), 0) + 1
        self._balances.world.seen["a gap was met"] += 1
        self._process.outside()
        return times

    def stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        """Stop a partition, if it is at this position. Raises: ``NotWritten``."""
        self._ask()
        row = self._balances.stored[partition]
        self._balances.flush()
        if row.position == position:
            self._balances.world.say(f"    {self._process.name} stops partition {partition}: {why}")
            self._balances.world.seen["a partition stopped"] += 1
            self._balances.stored[partition] = row._replace(stopped=why, read_next=max(row.read_next, skip_to))
        self._process.outside()
