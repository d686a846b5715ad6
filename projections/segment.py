"""A segment: consecutive entries of one source, as a reader hands them to the fold."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from msgspec import Struct

from domain.events.entries import AnyEntry

JOURNAL: Final = "journal"
"""The source of a fold of the whole journal."""
RULEBOOK: Final = "rulebook"
"""The source of the rules where partitions are folded apart; a partition's source is ``layout/number``."""


class At(NamedTuple):
    """The position up to which balances are folded.

    If partitions are folded apart, it is the least position of a partition or of the rulebook.
    """

    position: int
    partitions: tuple[int, ...] = ()
    rulebook: int = 0

    def is_behind(self, other: "At") -> bool:
        """True if it is a former state than another in any part."""
        parts = zip((self.position, *self.partitions), (other.position, *other.partitions), strict=False)
        return any(own < theirs for own, theirs in parts)

    @property
    def vector(self) -> dict[str, object] | None:
        """The position of each partition and of the rulebook, as served; ``None`` where all is folded as one."""
        return {"partitions": list(self.partitions), "rulebook": self.rulebook} if self.partitions else None


class Segment(Struct, frozen=True):
    """The entries of ``(after, last]`` of a source, each with its position, line and decoded form.

    ``last_hash`` identifies the entry at ``last``; a resumed reader is checked against it. In ``zone`` lie the journal's
    months and their closes.
    """

    source: str
    journal: str
    after: int
    last: int
    last_hash: str
    entries: Sequence[tuple[int, bytes, AnyEntry]]
    zone: tzinfo


class Gap(Exception):  # noqa: N818 - a state of the stream, not a fault of the program
    """A segment lies ahead of the stored position: applying it would lose the entries between."""


class WrongJournal(Exception):  # noqa: N818 - a state of the data, not a fault of the program
    """The balances were folded from another journal, or from one that was later restored to an older state."""


class NotWritten(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """The balances' disk is full, or they are locked: nothing of a fold was applied, and it may be tried again."""


class NotFoldable(Exception):  # noqa: N818 - a state of the data, not a fault of the machine
    """Entries that cannot be added to the balances, now or later; nothing of their fold was applied."""


class Superseded(Exception):  # noqa: N818 - a state of the store, not a fault of the program
    """Another generation is served now: nothing was applied, and the fold goes on there."""


class Moved(Struct, frozen=True):
    """The result of a fold: the position reached, and the dinas whose balances or files changed.

    ``facts``: those of them that something else than ratings changed.
    """

    position: int
    dinas: frozenset[str] = frozenset()
    rules: bool = False
    facts: frozenset[str] = frozenset()
