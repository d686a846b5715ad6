"""An October that has changed since it was first recorded, and an auditor's desk queried as a browser does."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from domain.clock import HOUR_US, utc_text
from neraca.__main__ import main
from projections.ports import Question
from tests.api.facts import STANDARD, permit, rating, task
from tests.pages.reading import Page, figure
from tests.serving import NDJSON, NOON, Assembled, event, ndjson, until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

OCTOBER: Final = {"received_at": "2026-10-02T08:00:00+07:00", "completed_at": "2026-10-03T08:00:00+07:00"}
DONE_AT: Final = {"completed_at": "2026-10-05T10:00:00+07:00", "due_at": "2026-10-05T10:00:00+07:00"}
CHANGED, QUIET, NEW, FORMULA = "dishub", "dinkes", "disparbud", "=1+1"
NAMES: Final = {CHANGED: "Dinas Perhubungan", QUIET: "Dinas Kesehatan", NEW: "Dinas Pariwisata", FORMULA: "+Rumus"}
THEN: Final = "2026-11-01T00:00"
FIRST: Final = Question("2026-11", "1")


def record(neraca: Assembled, *events: dict[str, Any]) -> None:
    """Record at once, as of an hour ago, and fold."""
    ago = utc_text(neraca.clock() - HOUR_US)
    tally = neraca.post(ndjson({**fact, "time": ago} for fact in events), NDJSON).json()
    assert tally["rejected"] == []
    neraca.settle()


def fair(dinas: str) -> list[dict[str, Any]]:
    """An October with enough of everything."""
    return [
        *(permit(dinas, 24, **OCTOBER) for _ in range(35)),
        *(rating(dinas, 3) for _ in range(35)),
        *(task(dinas, on_time=True, **DONE_AT) for _ in range(20)),
    ]


def remember_october(neraca: Assembled) -> dict[str, Any]:
    """Record an October and what changed of it since, over a journal just opened in it; its scorecards before that."""
    wrong, twice = permit(CHANGED, 24, **OCTOBER), permit(CHANGED, 24, **OCTOBER)
    neraca.clock.set("2026-11-01T00:00:00+07:00")
    record(
        neraca,
        event("standard-set", "std", STANDARD),
        *(event("dinas-registered", f"n-{dinas}", {"dinas": dinas, "name": name}) for dinas, name in NAMES.items()),
    )
    record(
        neraca,
        *fair(CHANGED),
        *fair(QUIET),
        *fair(FORMULA),
        wrong,
        twice,
        *(permit(NEW, 24, **OCTOBER) for _ in range(3)),
    )
    then = cards(neraca)
    neraca.clock.set("2026-11-03T09:00:00+07:00")
    slow = {**OCTOBER, "completed_at": "2026-10-04T20:00:00+07:00"}
    replacement = {**wrong["data"], "completed_at": "2026-10-03T20:00:00+07:00"}
    record(
        neraca,
        *(permit(CHANGED, 60, **slow) for _ in range(4)),
        *(permit(FORMULA, 60, **slow) for _ in range(9)),
        event(
            "event-corrected",
            "k",
            {"event": {"source": "/loket", "id": wrong["id"]}, "reason": "salah-waktu", "replacement": replacement},
        ),
        event("event-retracted", "x", {"event": {"source": "/loket", "id": twice["id"]}, "reason": "ganda"}),
        *(permit(NEW, 24, **OCTOBER) for _ in range(60)),
        *(task(NEW, on_time=True, **DONE_AT) for _ in range(20)),
        permit(QUIET, 24),
    )
    neraca.clock.set(NOON)
    return then


def cards(neraca: Assembled) -> dict[str, Any]:
    """October as the API says it now."""
    items = neraca.get("/v1/dinas?period=2026-10&limit=1000").json()["items"]
    return {card["subject"]["id"]: card for card in items}


def answer(neraca: Assembled, path: str, **options: Any) -> tuple[str, str]:  # noqa: ANN401 - the keywords of ``ask``
    """Press a button of the desk and wait as a browser does, reloading: the address of the answer, and its page."""
    response = neraca.get(path, **options)
    assert response.status_code == 303, response.text
    address = response.headers["location"].partition("#")[0]
    return address, waited(neraca, address, **options)


def waited(neraca: Assembled, address: str, **options: Any) -> str:  # noqa: ANN401 - the keywords of ``ask``
    def told() -> str | None:
        html = neraca.get(address, **options).text
        return None if '<meta http-equiv="refresh" content="2">' in html else html

    return until(told, "the replay has ended")


def told_of(city: Assembled, month: str, lines: Iterable[bytes], pick: str) -> str:
    """The address of the desk's answer about lines, as though they had been served."""
    until = str(city.settle())
    digest = city.replays.keep(until, list(lines), city.clock())
    path = f"/auditor?since=12&until={until}&digest={digest}&pick={pick}"
    waited(city, f"{path}&{month}")
    return path


def served(city: Assembled) -> list[bytes]:
    """The lines of the digest that a city serves."""
    with city.reader.snapshot() as snapshot:
        return list(snapshot.digest_lines())


def lied(line: bytes) -> bytes:
    """The line of an account with one more in each measure; any other as it is."""
    event_line = json.loads(line)
    if "account" not in event_line:
        return line
    more = {name: amount + 1 for name, amount in event_line["measures"].items()}
    return json.dumps({**event_line, "measures": more}, separators=(",", ":")).encode()


def then_and_now(html: str) -> dict[str, list[str]]:
    """The rows of the table of then and now, by the name of the unit."""
    table = html.partition('id="beda"')[2].partition("</table>")[0]
    return {row[0].split(" · ")[0].rpartition(" ")[0] or row[0]: row for row in Page(table).rows[1:] if row}


def row_of(html: str, name: str) -> list[str]:
    return next(row for row in then_and_now(html).values() if row[0].startswith(name))


def said(card: dict[str, Any]) -> str:
    value = card["iku"]["value"]
    return "○ belum cukup data" if value is None else figure(value)


def offline(tmp_path: Path, capsys: pytest.CaptureFixture[str], journal: bytes, command: str) -> dict[str, Any]:
    """Run the command that stands on the page over the downloaded journal, and give its answer."""
    (tmp_path / "jurnal.ndjson").write_bytes(journal)
    words = command.replace("jurnal.ndjson", str(tmp_path / "jurnal.ndjson")).split()
    assert words[0] == "neraca"
    assert main(words[1:]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def sheet(neraca: Assembled, address: str, delimiter: str = ";") -> list[list[str]]:
    """Then and now as they are taken away."""
    response = neraca.get(address.replace("/auditor?", "/auditor/differences.csv?"))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"].startswith('attachment; filename="perbedaan-2026-10-')
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=delimiter))
