"""The journal: every fact and every rule, in one order, never changed. The only room for the event store's library.

Refuses to open a journal of another zone, one that is not durable, or one whose first entry is not its opening.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, Mapper, OperationalError, PersistenceError, StoredEvent
from msgspec import Struct

from domain.canonical import content_hash
from domain.clock import utc_text
from domain.events import own
from domain.events.decoding import UNREADABLE, entries_of, unreadable
from domain.events.entries import JournalOpened, decode
from domain.events.kinds import OPENED_TYPE
from domain.intake.recorded import Recorded, line_of, read_line
from domain.intake.unchanged import check_stored
from projections.ports import FoundLines
from streams.journal import searching, tracing
from streams.journal.appending import Appending, Recorder
from streams.journal.naming import originator_of
from streams.journal.salt import random_salt
from streams.journal.searching import is_rare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.ports import LineSearch
    from streams.journal.appending import StoredRow
    from streams.journal.salt import Salts

__all__ = [
    "Appending",
    "IntegrityError",
    "Journal",
    "JournalError",
    "OperationalError",
    "PersistenceError",
    "originator_of",
]


class JournalError(Exception):
    """The journal cannot be used as requested; the message gives the reason and the remedy."""


class JournalEvent(Struct, frozen=True):
    """A journal line as the library's domain event: one event an originator, hence version 1."""

    originator_id: uuid.UUID
    originator_version: int
    recorded: Recorded


class JournalLocation(Protocol):
    """The storage of a journal: a file, or a database."""

    @property
    def label(self) -> str:
        """Its name for people; no secret."""
        ...

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which the event store's library finds it."""
        ...

    def exists(self) -> bool:
        """True if there may be a journal."""
        ...


class LineMapper(Mapper[uuid.UUID]):
    """Stores an event as its line, under its versioned CloudEvents type: never a module path."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:  # noqa: ANN401 - the library's protocol is wider
        """An event's topic is its type, its state its line."""
        event: JournalEvent = domain_event
        return StoredEvent(event.originator_id, event.originator_version, event.recorded.type, line_of(event.recorded))

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401 - the library's protocol is wider
        """A stored line read back. Raises: ``msgspec.ValidationError`` for a type or version unknown here."""
        decode(stored_event.state)
        originator = stored_event.originator_id
        identity = originator if isinstance(originator, uuid.UUID) else uuid.UUID(originator)
        return JournalEvent(identity, stored_event.originator_version, read_line(stored_event.state))


STRICT: Final = "strict"
"""The word of an opening for a journal that refuses events of unregistered names."""


class JournalApplication(Application[uuid.UUID]):
    """The library's application around the journal's recorder and mapper."""

    name = "neraca"
    env = {"MAPPER_TOPIC": "streams.journal.journal:LineMapper"}  # noqa: RUF012 - the library reads it from the class


class Journal:
    """The journal of one city, open for appending and reading."""

    def __init__(self, application: JournalApplication, salts: Salts = random_salt) -> None:
        if not isinstance(application.recorder, Recorder):
            message = f"no recorder of the journal: {application.recorder!r}"
            raise TypeError(message)
        self._application = application
        self._recorder: Recorder = application.recorder
        self._salts = salts
        openings = self._openings()
        self.id: str = openings[-1].data.journal if openings else ""
        self.zone: str = openings[-1].data.zone if openings else ""
        self.is_strict = bool(openings) and openings[-1].data.unknown == STRICT
        """True if it was begun to refuse events of unregistered names."""

    @classmethod
    def open(
        cls, location: JournalLocation, zone: str, now_us: int, salts: Salts = random_salt, *, strict: bool = False
    ) -> Journal:
        """Open a journal for appending, and begin it if it is new; ``strict`` is then a property of it.

        ``salts`` gives each new line its salt.

        Raises: ``JournalError`` when it was begun in another zone or its database would not survive a power cut.
        """
        journal = cls(JournalApplication(location.environment), salts)
        fault = journal._recorder.durability_fault()
        if fault is not None:
            message = f"{location.label}: {fault} and would lose acknowledged events"
            raise JournalError(message)
        if not journal.id:
            journal.begin(zone, now_us, strict=strict)
        _check_zone(journal.zone, zone, location)
        return journal

    @classmethod
    def begun(cls, location: JournalLocation, zone: str) -> Journal | None:
        """A journal to which others append; ``None`` until one of them has begun it. Raises: ``JournalError``, as ``open``."""
        journal = cls(JournalApplication(location.environment))
        if not journal.id:
            journal.close()
            return None
        _check_zone(journal.zone, zone, location)
        return journal

    @classmethod
    def read_only(cls, location: JournalLocation, zone: str | None = None) -> Journal:
        """Open an existing journal to read it. Raises: ``JournalError`` when there is none, or none of the zone."""
        journal = cls(JournalApplication(location.environment)) if location.exists() else None
        if journal is None or not journal.id:
            message = f"{location.label}: there is no journal here"
            raise JournalError(message)
        if zone is not None:
            _check_zone(journal.zone, zone, location)
        return journal

    def begin(self, zone: str, now_us: int, *, strict: bool) -> None:
        """Write an opening: the first entry, and one more with a new id after a restore from backup."""
        self.id, self.zone, self.is_strict = str(uuid.uuid4()), zone, strict
        time = utc_text(now_us)
        data = {"journal": self.id, "zone": zone} | ({"unknown": STRICT} if strict else {})
        content = content_hash(OPENED_TYPE, time, data)
        opening = Recorded(OPENED_TYPE, own.SOURCE, self.id, time, data, {}, time, "local", content)
        with self.appending() as append:
            append.add(originator_of(opening.source, opening.id), opening.type, line_of(opening))

    def _openings(self) -> list[JournalOpened]:
        """The openings, as they were recorded. Raises: ``StoppedAtEntry``."""
        openings = list[JournalOpened]()
        for position, line, leaf in self._recorder.rule_lines():
            (entry,) = entries_of([(position, line)])
            if isinstance(entry, JournalOpened):
                check_stored([(position, line, leaf)], None)  # its zone is believed only then
                openings.append(entry)
        return openings

    @contextmanager
    def appending(self) -> Iterator[Appending]:
        """One append transaction, under the journal's write lock."""
        with self._recorder.appending(self._salts) as append:
            yield append

    @contextmanager
    def trying(self) -> Iterator[Appending]:
        """An append that is never written: it reads the journal as it is now, holds no lock, and leaves no trace."""
        with self._recorder.looking() as tables:
            yield Appending(tables, self._salts)

    def head(self) -> int:
        """The position of the last entry; 0 before the first."""
        return self._recorder.max_notification_id() or 0

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position, in order, as they were recorded.

        Raises: ``StoppedAtEntry`` at the first that is not.
        """
        return self._checked(self._recorder.lines(after, limit, stop))

    def stored_lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """The same as they are stored, unchecked: to be shown, not to be folded."""
        return [(position, line) for position, line, _ in self._recorder.lines(after, limit, stop)]

    def _checked(self, rows: Sequence[StoredRow]) -> list[tuple[int, bytes]]:
        check_stored(rows, ZoneInfo(self.zone) if self.zone else None)
        return [(position, line) for position, line, _ in rows]

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        return self._recorder.lines_at(positions)

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> FoundLines:
        """The newest lines of ``(after, until]`` that match: of rare types in all of it, of others in its last positions."""
        low = after if is_rare(search) else max(after, until - searching.RUN)
        lines = self._recorder.newest(search, low, until, limit)
        return FoundLines(lines, lines[-1][0] - 1 if len(lines) == limit else low)

    def of_case(self, dinas: str, service: str, case: str) -> list[tuple[int, bytes]]:
        """Every line about the file of one case, in order: receipt, pauses, decision, and the reversals of these."""
        return tracing.of_case(self._recorder, (dinas, service, case), self.head())

    def course_of(self, position: int) -> list[tuple[int, bytes]]:
        """The course of a fact, in order: the fact, and every reversal of it. ``position`` is that of any of these."""
        return tracing.course_of(self._recorder, position)

    def events(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, bytes]]:
        """The position and line of each event that the journal holds, of some named by source and id."""
        return tracing.events(self._recorder, names)

    def reversed_at(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The position of the reversal of each event that has one; events are named by source and id."""
        return tracing.reversed_at(self._recorder, names)

    def rule_lines(self, after: int) -> list[tuple[int, bytes]]:
        """Positions and lines of the rules, and of openings, after a position. Raises: ``StoppedAtEntry``."""
        return self._checked(self._recorder.rule_lines(after))

    def is_transient(self, error: BaseException) -> bool:
        """True if a failure to read is transient."""
        return self._recorder.is_transient(error)

    def hash_at(self, position: int) -> str | None:
        """The identity of the entry at a position: its content hash, or an opening's id; ``None`` past the end.

        Raises: ``UnknownEntry`` if it has none that can be read.
        """
        line = self.lines_at([position]).get(position)
        try:
            return None if line is None else line_hash(line)
        except UNREADABLE as error:
            raise unreadable(position, error) from error

    def close(self) -> None:
        """Release the database."""
        self._application.close()


def _check_zone(zone: str, setting: str, location: JournalLocation) -> None:
    """A journal counts its months in the zone that is configured. Raises: ``JournalError``."""
    if zone != setting:
        message = (
            f"{location.label}: this journal counts its months in {zone}, but {setting} is configured. "
            f"Set NERACA_ZONE={zone}, or use another --data."
        )
        raise JournalError(message)


class _Hashed(Struct):
    id: str
    contenthash: str


_HASHED: Final = msgspec.json.Decoder(_Hashed)


def line_hash(line: bytes) -> str:
    """The identity of a line: its content hash, or its id if it has none."""
    parts = _HASHED.decode(line)
    return parts.contenthash or parts.id
