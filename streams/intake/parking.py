"""The parking place: events that are refused for now wait here, and survive the end of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.places.database import Database


class Parked(Struct, frozen=True):
    """A waiting event: its key, the record as it came, and the instant at which it is refused for good."""

    key: str
    record: bytes
    until_us: int


class ParkingPlace(Protocol):
    """Keeps waiting events durably."""

    def put(self, records: Sequence[Parked]) -> None:
        """Keep some; one whose key is kept already stays as it is."""
        ...

    def all(self) -> list[Parked]:
        """Every waiting event, in the order in which they expire."""
        ...

    def keys(self) -> set[str]:
        """The key of every waiting event."""
        ...

    def remove(self, keys: Sequence[str]) -> None:
        """Drop some, since they wait no longer."""
        ...


class ParkedInDatabase:
    """Keeps waiting events in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, records: Sequence[Parked]) -> None:
        """Keep some; one whose key is kept already stays as it is."""
        with self._database.connected("parking") as db, db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO neraca.parked VALUES (%s, %s, %s) ON CONFLICT (key) DO NOTHING",
                [(event.key, event.record, event.until_us) for event in records],
            )

    def all(self) -> list[Parked]:
        """Every waiting event, in the order in which they expire."""
        with self._database.connected("parking") as db:
            rows = db.execute("SELECT key, record, until_us FROM neraca.parked ORDER BY until_us, key").fetchall()
        return [Parked(key, bytes(record), until_us) for key, record, until_us in rows]

    def keys(self) -> set[str]:
        """The key of every waiting event."""
        with self._database.connected("parking") as db:
            return {key for (key,) in db.execute("SELECT key FROM neraca.parked").fetchall()}

    def remove(self, keys: Sequence[str]) -> None:
        """Drop some, since they wait no longer."""
        with self._database.connected("parking") as db:
            db.execute("DELETE FROM neraca.parked WHERE key = ANY(%s)", (list(keys),))
