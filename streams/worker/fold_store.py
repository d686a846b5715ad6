"""The port of the fold: a store of balances and positions that several partitions move in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from domain.events.entries import AnyEntry
    from projections.store.partitions import Advance, StoredPartition


class FoldTransaction(Protocol):
    """One transaction over some partitions."""

    stored: dict[int, StoredPartition]

    def apply(self, entries: Sequence[tuple[int, bytes, AnyEntry]], advances: Mapping[int, Advance]) -> None:
        """Add entries, and move partitions to where these bring them. Raises: ``NotFoldable``."""
        ...


class FoldStore(Protocol):
    """The store of balances and positions."""

    def folding(self, partitions: Sequence[int]) -> AbstractContextManager[FoldTransaction]:
        """A transaction in which some partitions are this worker's alone. Raises: ``NotWritten``, ``Overtaken``."""
        ...

    def count_gap(self, partition: int, position: int) -> int:
        """Count one more gap of a partition at a position; the number of them."""
        ...

    def stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        """Stop a partition where it is, until it is resumed."""
        ...
