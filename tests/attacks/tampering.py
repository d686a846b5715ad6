"""Rows of a journal changed behind its back, by somebody who may do anything to its database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from neraca.__main__ import main
from streams.places.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.places.location import Location


def _data(name: str, value: object) -> Callable[[bytes], bytes]:
    def change(line: bytes) -> bytes:
        content = json.loads(line)
        content["data"][name] = value
        return json.dumps(content, separators=(",", ":")).encode()

    return change


def _resolved(name: str, value: object) -> Callable[[bytes], bytes]:
    def change(line: bytes) -> bytes:
        content = json.loads(line)
        content["data"].setdefault("resolved", {})[name] = value
        return json.dumps(content, separators=(",", ":")).encode()

    return change


def _envelope(name: str, value: object) -> Callable[[bytes], bytes]:
    def change(line: bytes) -> bytes:
        return json.dumps({**json.loads(line), name: value}, separators=(",", ":")).encode()

    return change


CHANGES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "a field of the data": _data("completed_at", "2026-11-24T09:00:00+07:00"),
    "a field that was not given": _data("outcome", "rejected"),
    "the time": _envelope("time", "2026-11-24T11:00:01+07:00"),
    "the type": lambda line: line.replace(b"permit-processed", b"permit-received").replace(b"completed", b"received"),
    "the month": _resolved("month", "2026-10"),
    "the service time": _resolved("elapsed_us", 1),
    "the verdict": _resolved("on_time", value=True),
    "no verdict": _resolved("on_time", None),
    "the promise": _resolved("promise_us", 10**12),
    "no hash": _envelope("contenthash", ""),
}
"""What a hand may do to the line of a decision that came late."""


def _without(name: str) -> Callable[[bytes], bytes]:
    def change(line: bytes) -> bytes:
        content = json.loads(line)
        del content[name]
        return json.dumps(content, separators=(",", ":")).encode()

    return change


VALUES: Final[tuple[object, ...]] = (None, [], {}, 5, "x")
SHAPES: Final[dict[str, Callable[[bytes], bytes]]] = {
    **{f"data {value}": _envelope("data", value) for value in VALUES},
    **{f"resolved {value}": _data("resolved", value) for value in VALUES},
    **{f"time {value}": _envelope("time", value) for value in VALUES},
    **{f"type {value}": _envelope("type", value) for value in VALUES},
    "an unknown type": _envelope("type", "neraca.permit-dreamt.v1"),
    "one more field": _data("catatan", "x"),
    "no data": _without("data"),
    "no time": _without("time"),
    "resolved values of text": _resolved("month", 5),
    "another value than an object": lambda _: b"[]",
    "no JSON": lambda _: b"\0",
    "no UTF-8": lambda line: line.replace(b'"data":{', b'"data":{"\xff":0,'),
    "arrays without end": lambda line: line.replace(b'"data":', b'"more":' + b"[" * 9999 + b',"data":'),
}
"""Other shapes that a hand may give to a line: many cannot be read at all."""


def change_row(place: Location, position: int, change: Callable[[bytes], bytes]) -> None:
    """Change the line at a position, past every trigger."""
    if isinstance(place, DataDirectory):
        with closing(sqlite3.connect(place.journal.path)) as db, db:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            ((line,),) = db.execute("SELECT state FROM stored_events WHERE rowid = ?", [position]).fetchall()
            db.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", [change(line), position])
        return
    database: Any = place
    with database.connected("hand") as db, db.transaction():
        db.execute("ALTER TABLE neraca.neraca_events DISABLE TRIGGER USER")
        query = "SELECT state FROM neraca.neraca_events WHERE notification_id = %s"
        ((line,),) = db.execute(query, (position,)).fetchall()
        db.execute(
            "UPDATE neraca.neraca_events SET state = %s WHERE notification_id = %s", (change(bytes(line)), position)
        )


def as_of_a_former_version(place: Location) -> None:
    """Take salts and leaves away, as if a former version had recorded every line."""

    def unsalted(line: bytes) -> bytes:
        content = json.loads(line)
        content.pop("salt", None)
        return json.dumps(content, separators=(",", ":")).encode()

    if isinstance(place, DataDirectory):
        with closing(sqlite3.connect(place.journal.path)) as db, db:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            db.execute("DELETE FROM leaves")
            for position, line in db.execute("SELECT rowid, state FROM stored_events").fetchall():
                db.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", [unsalted(line), position])
        return
    database: Any = place
    with database.connected("hand") as db, db.transaction():
        db.execute("ALTER TABLE neraca.neraca_events DISABLE TRIGGER USER")
        for position, line in db.execute("SELECT notification_id, state FROM neraca.neraca_events").fetchall():
            values = (unsalted(bytes(line)), position)
            db.execute("UPDATE neraca.neraca_events SET state = %s, leaf = NULL WHERE notification_id = %s", values)
        db.execute("ALTER TABLE neraca.neraca_events ENABLE TRIGGER USER")


def changed_export(location: list[str], folder: Path, at: int, change: Callable[[bytes], bytes]) -> Path:
    """An exported journal whose line at a position was changed; ``location``: the options that name where it is kept."""
    path = folder / "journal.ndjson"
    assert main(["export", *location, "--journal", str(path)]) == 0
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines[: at - 1], change(lines[at - 1]) + b"\n", *lines[at:])))
    return path
