"""Partitions that stand still, and how they go on: the relay is told to send again from where each of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.store.generations_postgres import schema_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.places.database import Database


def _schema(database: Database) -> str:
    number = database.generations().serving()
    return schema_of(number if number is not None else 0)


def stopped(database: Database) -> dict[str, str]:
    """Every partition that stands still, ``layout/number``, and why."""
    with database.connected("stopped") as db:
        rows = db.execute(
            f"SELECT source, stopped FROM {_schema(database)}.sources WHERE stopped IS NOT NULL ORDER BY source".encode()
        ).fetchall()
    return {row[0]: row[1] for row in rows}


def resumed(database: Database, sources: Sequence[str]) -> list[str]:
    """Let these go on: forget their gaps, have the relay send again from their positions, then clear why they stood."""
    done = []
    schema = _schema(database)
    for source in sources:
        number, _, partition = source.partition("/")
        with database.connected("resume") as db, db.transaction():
            row = db.execute(
                f"SELECT position FROM {schema}.sources WHERE source = %s AND stopped IS NOT NULL FOR UPDATE".encode(),
                (source,),
            ).fetchone()
            if row is None:
                continue
            db.execute("DELETE FROM neraca.gaps WHERE source = %s", (source,))
            # Also where nothing seems to have been sent since: a relay that just sent something has not moved its cursors yet.
            db.execute(
                "UPDATE neraca.relays SET again[%s] = %s WHERE layout = %s",
                (int(partition) + 1, row[0], int(number)),
            )
            db.execute(f"UPDATE {schema}.sources SET stopped = NULL WHERE source = %s".encode(), (source,))
        done.append(source)
    return done
