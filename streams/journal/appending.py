"""One append: the reads within it, and the rows it adds. A database reads and writes them under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from domain.events.kinds import FACT_TYPES, OPENED_TYPE, RULE_TYPES
from domain.intake.recorded import leaf_of, salted
from domain.intake.unchanged import check_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from projections.ports import LineSearch
    from streams.journal.salt import Salts

RULE_LIST: Final = ", ".join(f"'{topic}'" for topic in sorted({*RULE_TYPES, OPENED_TYPE}))
FACT_LIST: Final = ", ".join(f"'{topic}'" for topic in sorted(FACT_TYPES))


StoredRow = tuple[int, bytes, bytes | None]
"""A position, the line there, and the leaf beside it; lines of former versions have none."""


def hex_of(originator_id: UUID | str) -> str:
    """An originator as the journal spells it."""
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


class AppendedRows(NamedTuple):
    """The rows of one append: entries, natural keys now held and now free, and the notes of cases."""

    rows: list[tuple[int, str, int, str, bytes, bytes | None]]
    """Position, originator, version, type, line, leaf."""
    held_keys: list[tuple[str, str]]
    free_keys: list[str]
    notes: list[tuple[str, int]]


class JournalTables(Protocol):
    """The journal's tables within one transaction; to append, it holds the write lock."""

    def head(self) -> int:
        """The position of the last entry; 0 before the first."""
        ...

    def events(self, originators: Sequence[str]) -> Iterable[tuple[str, int, bytes]]:
        """Originator, position and line of each event in the journal."""
        ...

    def holders(self, keys: Sequence[str]) -> Iterable[tuple[str, str]]:
        """Each natural key that is held, and the originator that holds it."""
        ...

    def notes(self, cases: Sequence[str]) -> Iterable[tuple[str, int, bytes]]:
        """Case, position and line of each pause and resumption, in order."""
        ...

    def rules(self, after: int) -> Iterable[StoredRow]:
        """Position, line and leaf of the rule entries after a position, in order."""
        ...

    def holds_facts(self) -> bool:
        """True if any fact is in the journal."""
        ...

    def write(self, batch: AppendedRows) -> None:
        """Write the rows of the transaction; it commits afterwards."""
        ...


class Appending:
    """One append transaction: reads see the journal and what this transaction has added; writes go at its end."""

    def __init__(self, tables: JournalTables, salts: Salts) -> None:
        self._tables = tables
        self._salts = salts
        self._rows: list[tuple[int, str, int, str, bytes, bytes | None]] = []
        self._by_originator: dict[str, tuple[int, bytes] | None] = {}
        self._keys: dict[str, str | None] = {}
        self._keys_changed: set[str] = set()
        self._notes: list[tuple[str, int]] = []
        self._noted: dict[str, list[bytes]] = {}
        self.head = tables.head()

    def prefetch(self, originators: Iterable[str], keys: Iterable[str]) -> None:
        """Look up in one query all events and keys for later calls of ``find`` and ``holder``."""
        names = list(dict.fromkeys(originators))
        if names:
            self._by_originator.update(dict.fromkeys(names))
            self._by_originator.update((name, (position, line)) for name, position, line in self._tables.events(names))
        natural_keys = list(dict.fromkeys(keys))
        if natural_keys:
            self._keys.update(dict.fromkeys(natural_keys))
            self._keys.update(self._tables.holders(natural_keys))

    def find(self, originator: str) -> tuple[int, bytes] | None:
        """The position and line of an event, if the journal holds it."""
        if originator not in self._by_originator:
            self.prefetch([originator], [])
        return self._by_originator[originator]

    def holder(self, key: str) -> str | None:
        """The originator that holds a natural key."""
        if key not in self._keys:
            self.prefetch([], [key])
        return self._keys[key]

    def prefetch_notes(self, cases: Iterable[str]) -> None:
        """Look up in one query all cases for later calls of ``notes``."""
        missing = [case for case in dict.fromkeys(cases) if case not in self._noted]
        self._noted.update((case, []) for case in missing)
        if missing:
            for case, _, line in self._tables.notes(missing):
                self._noted[case].append(line)

    def notes(self, case: str) -> list[bytes]:
        """The lines of a case's pauses and resumptions, in order, those of this transaction included."""
        if case not in self._noted:
            self.prefetch_notes([case])
        return self._noted[case]

    def rules_since(self, position: int) -> Iterable[tuple[int, bytes]]:
        """Rule entries after a position that were in the journal when this append began. Raises: ``StoppedAtEntry``."""
        rows = list(self._tables.rules(position))
        check_stored(rows, None)  # a rule has no month
        return [(position, line) for position, line, _ in rows]

    def holds_facts(self) -> bool:
        """True if any fact is in the journal, or about to be."""
        return self._tables.holds_facts() or any(row[3] in FACT_TYPES for row in self._rows)

    def add(self, originator: str, topic: str, line: bytes, *, note: str | None = None) -> int:
        """Add one event to the journal: its line gets a salt, and a leaf beside it. Returns its position."""
        self.head += 1
        salted_line = salted(line, self._salts())
        self._rows.append((self.head, originator, 1, topic, salted_line, leaf_of(salted_line, self.head)))
        self._by_originator[originator] = (self.head, salted_line)
        if note is not None:
            self.notes(note).append(salted_line)
            self._notes.append((note, self.head))
        return self.head

    def set_key(self, key: str, holder: str | None) -> None:
        """Give a natural key to an originator, or free it."""
        self._keys[key] = holder
        self._keys_changed.add(key)

    def flush(self) -> None:
        """Write the rows added; the transaction commits them."""
        changes = [(key, self._keys[key]) for key in sorted(self._keys_changed)]
        held_keys = [(key, holder) for key, holder in changes if holder is not None]
        self._tables.write(
            AppendedRows(self._rows, held_keys, [key for key, holder in changes if holder is None], self._notes)
        )


@runtime_checkable
class Recorder(Protocol):
    """The operations that the journal needs of a database beside the library's own recorder."""

    def appending(self, salts: Salts) -> AbstractContextManager[Appending]:
        """One append: the write lock first, then all reads and writes, then one commit."""
        ...

    def looking(self) -> AbstractContextManager[JournalTables]:
        """The journal's tables, to read and not to write: all that is read is of one moment."""
        ...

    def max_notification_id(self) -> int | None:
        """The position of the last entry."""
        ...

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[StoredRow]:
        """Positions, lines and leaves after a position, in order."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        ...

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> list[tuple[int, bytes]]:
        """The newest lines of ``(after, until]`` that match, up to ``limit``, the newest first."""
        ...

    def rule_lines(self, after: int = 0) -> list[StoredRow]:
        """Every rule entry and every opening after a position, in order."""
        ...

    def is_transient(self, error: BaseException) -> bool:
        """True if a failure to read is transient, as when a server is away; a file does not mend by itself."""
        ...

    def durability_fault(self) -> str | None:
        """The reason why an acknowledged event would not survive a power cut; ``None`` if it would."""
        ...
