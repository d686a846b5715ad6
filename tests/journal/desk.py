"""A counter's desk: short forms for one service's events, the intake's answers, and the journal's content."""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from domain.intake.recorded import exported
from domain.intake.wire import read_submission
from projections.ports import LOCAL, Accepted, Outcome
from projections.store.store import Store
from streams.places.directory import DataDirectory
from streams.places.location import Location
from tests.serving import Assembled, event

Event = dict[str, Any]
NAMESPACE: Final = uuid.UUID("6f1c2d7e-1d0b-5f0a-9b52-6e6572616361")
PLACE: Final = {"dinas": "disdukcapil", "service": "ktp-el"}
DAY: Final = "2026-11-24T"


def at(clock: str) -> str:
    """An instant of the day, or as given when it names a day itself."""
    return clock if "T" in clock else f"{DAY}{clock}:00+07:00"


def received(name: str, case: str, clock: str = "08:00", **data: object) -> Event:
    return event("permit-received", name, {**PLACE, "case": case, "received_at": at(clock), **data})


def decided(name: str, case: str, clock: str = "10:00", **data: object) -> Event:
    return event("permit-processed", name, {**PLACE, "case": case, "completed_at": at(clock), **data})


def paused(name: str, case: str, clock: str) -> Event:
    return event("permit-paused", name, {**PLACE, "case": case, "at": at(clock), "reason": "applicant"})


def resumed(name: str, case: str, clock: str) -> Event:
    return event("permit-resumed", name, {**PLACE, "case": case, "at": at(clock)})


def task(name: str, asn: str = "a-1", clock: str = "09:00", **data: object) -> Event:
    fields = {"dinas": PLACE["dinas"], "asn": asn, "task": name, "completed_at": at(clock), **data}
    return event("task-completed", name, fields)


def rated(name: str, **data: object) -> Event:
    return event("satisfaction-rated", name, {"dinas": PLACE["dinas"], "overall": 4, **data})


def standard(name: str, hours: int, since: str = "2026-01-01") -> Event:
    data = {"service": PLACE["service"], "amount": hours, "unit": "wall_hours", "effective_from": since}
    return event("standard-set", name, data)


def retracted(name: str, target: str) -> Event:
    return event("event-retracted", name, {"event": {"source": "/loket", "id": target}, "reason": "mistake"})


def corrected(name: str, target: str, by: Event) -> Event:
    """A correction of ``target`` that puts the data of ``by`` in its place."""
    data = {"event": {"source": "/loket", "id": target}, "reason": "mistake", "replacement": by["data"]}
    return event("event-corrected", name, data)


def outcomes(neraca: Assembled, *events: Event) -> list[Outcome]:
    """The intake's answers to one request with some events."""
    return neraca.intake.submit([read_submission(event) for event in events], LOCAL)


def answers_to(neraca: Assembled, *events: Event) -> list[str]:
    """The same in words: ``accepted``, ``repeated``, or the slug of the refusal."""
    return [
        ("repeated" if outcome.repeated else "accepted") if isinstance(outcome, Accepted) else outcome.slug
        for outcome in outcomes(neraca, *events)
    ]


def accept(neraca: Assembled, *events: Event) -> None:
    """Each event, a request each, is accepted."""
    for submission in events:
        assert answers_to(neraca, submission) == ["accepted"], submission


def lines_of(neraca: Assembled) -> list[Event]:
    """The journal as exported."""
    return [json.loads(exported(line, position)) for position, line in neraca.journal.lines(0, 10_000)]


def rows(place: Path | Location, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows a statement in SQLite's dialect returns from a journal's database, on its own connection."""
    if not isinstance(place, Path | DataDirectory):
        return _rows_of_database(place, statement)
    db = sqlite3.connect(place if isinstance(place, Path) else place.journal.path)
    try:
        with db:
            return db.execute(statement, values).fetchall()
    finally:
        db.close()


def _rows_of_database(place: Any, statement: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a database, an extra
    with place.connected("test") as db:
        query = statement.replace("rowid", "notification_id").replace("stored_events", "neraca_events")
        cursor = db.execute(f"SET search_path = neraca; {query}".encode())
        while cursor.nextset():
            pass
        return list(cursor.fetchall()) if cursor.description else []


def rows_alone(place: Any, statement: str) -> None:  # noqa: ANN401 - a database, an extra
    """One statement on a database that must run outside any transaction."""
    with place.connected("test") as db:
        db.execute(statement.encode())


def url_of(place: Any) -> str:  # noqa: ANN401 - a database, an extra
    """The address by which a command finds a database."""
    return str(place._url.render_as_string(hide_password=False))


def break_writes(place: Any, table: str, write: str, word: str) -> Callable[[], None]:  # noqa: ANN401 - a store, or a place
    """Make every write to a table fail with a word; the function returned repairs it."""
    if isinstance(place, Store):

        def run(statement: str) -> None:
            with place.engine.begin() as db:
                db.exec_driver_sql(statement)

        on_sqlite = place.engine.dialect.name == "sqlite"
    else:

        def run(statement: str) -> None:
            rows(place, statement)

        on_sqlite = isinstance(place, DataDirectory)
    if on_sqlite:
        run(f"CREATE TRIGGER fault BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, '{word}'); END")
        return lambda: run("DROP TRIGGER fault")
    run(f"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{word}'; END $$")
    run(f"CREATE TRIGGER fault BEFORE {write} ON {table} FOR EACH ROW EXECUTE FUNCTION fault()")
    return lambda: run(f"DROP TRIGGER fault ON {table}")


def json_array(*parts: str) -> str:
    """Strings as a canonical JSON array."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def originator(source: str, name: str) -> str:
    """The identity an event must have."""
    return uuid.uuid5(NAMESPACE, json_array(source, name)).hex


def _key(kind: str, data: Event) -> str | None:
    match kind:
        case "permit-received":
            return json_array("receipt", data["dinas"], data["service"], data["case"])
        case "permit-processed":
            return json_array("decision", data["dinas"], data["service"], data["case"])
        case "satisfaction-rated" if "case" in data:
            return json_array("rating", data["dinas"], data["service"], data["case"])
        case "satisfaction-rated":
            return json_array("survey", data["dinas"], data["survey"])
        case _:
            return None


def keys_of(lines: Iterable[Event]) -> dict[str, str]:
    """The natural keys and their holders, worked out anew from nothing but the lines."""
    holders: dict[str, str] = {}
    standing: dict[tuple[str, str], str | None] = {}
    for line in lines:
        kind, data, name = line["type"].split(".")[1], line["data"], (line["source"], line["id"])
        if kind in {"event-retracted", "event-corrected"}:
            target = (data["event"]["source"], data["event"]["id"])
            key = standing.pop(target)
            holders[json_array("reversed", *target)] = originator(*name)
            if kind == "event-corrected":
                standing[name] = key
            elif key is not None:
                del holders[key]
        else:
            key = standing[name] = _key(kind, data)
        if key is not None and kind != "event-retracted":
            holders[key] = originator(*name)
    return holders
