"""Workbooks of Excel: dates by their style, ids as text, errors by the name of their cell, and bounds on all of it."""

import zipfile
from pathlib import Path

import pytest

from streams.importing import sheet
from streams.importing import workbook as package
from streams.importing.rows import MappingError, ReadError
from tests.streams.desk import Desk, data, refusal
from tests.streams.workbooks import number, text, workbook

PERMITS = """
kind = "permit-processed"
source = "/import/test"
times = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
{more}
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
due_at = "DUE"
[values.due_at]
"#N/A" = ""
"""
HEADINGS = "".join(
    text(name, f"{letter}1") for letter, name in zip("ABCDEF", ("D", "S", "C", "R", "E", "DUE"), strict=True)
)
NAMES = text("d", "A2") + text("s", "B2")
MOMENT = "dd/mm/yyyy\\ hh:mm"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def permits(more: str = "") -> str:
    return PERMITS.format(more=more)


def cells(case: str = text("0017", "C2"), start: str = "", end: str = "", due: str = "") -> str:
    start = start or number("46082.333333333336", "D2", MOMENT)
    return NAMES + case + start + (end or number("46083.4375", "E2", MOMENT)) + due


def test_dates_are_read_by_their_style_and_ids_stay_text(desk: Desk) -> None:
    """A date cell needs no format of the mapping; a date without a time of day is a day; zeros before an id stay."""
    (row,) = desk.read(workbook(HEADINGS, cells(due=number("46083", "F2", "m/d/yyyy"))), permits(), "rows.xlsx")
    assert data(row) == {
        "dinas": "d",
        "service": "s",
        "case": "0017",
        "received_at": "2026-03-01T08:00:00+07:00",
        "completed_at": "2026-03-02T10:30:00+07:00",
        "due_at": "2026-03-02T23:59:59.999999+07:00",
    }


@pytest.mark.parametrize(
    ("style", "serial", "book", "day"),
    [
        ("m/d/yyyy", "1", "", "1900-01-01"),
        ("m/d/yyyy", "59", "", "1900-02-28"),
        ("m/d/yyyy", "61", "", "1900-03-01"),
        ("[$-421]dd\\ mmmm\\ yyyy;@", "46083", "", "2026-03-02"),
        ("m/d/yyyy", "44621", '<workbookPr date1904="1"/>', "2026-03-02"),
        ("m/d/yyyy", "0", '<workbookPr date1904="true"/>', "1904-01-01"),
        ("m/d/yyyy", "2958465", "", "9999-12-31"),
    ],
)
def test_a_days_number_is_a_day_of_the_workbooks_calendar(
    desk: Desk, style: str, serial: str, book: str, day: str
) -> None:
    (row,) = desk.read(workbook(HEADINGS, cells(due=number(serial, "F2", style)), book=book), permits(), "rows.xlsx")
    assert data(row)["due_at"][:10] == day


@pytest.mark.parametrize(
    ("due", "says"),
    [
        (number("60", "F2", "m/d/yyyy"), "due_at: cell F2: 60 is no day of Excel's calendar"),
        (number("0", "F2", "m/d/yyyy"), "due_at: cell F2: 0 is no day of Excel's calendar"),
        (number("2958466", "F2", "m/d/yyyy"), "due_at: cell F2: 2958466 is no day of Excel's calendar"),
        (number("0.5", "F2", "h:mm"), "due_at: cell F2: a time of day without a date"),
        (number("1.5", "F2", "[h]:mm"), "due_at: cell F2: a time of day without a date"),
        (number("46083", "F2"), "due_at: '46083' is not a time"),
        (number("46083", "F2", '0 "hari"'), "due_at: '46083' is not a time"),
        ('<c r="F2" t="e"><v>#REF!</v></c>', "due_at: cell F2: #REF!"),
        ('<c r="F2"><f>D2+1</f></c>', "due_at: cell F2: a formula whose value is not stored"),
        ('<c r="F2" t="s"><v>7</v></c>', "due_at: cell F2: no such text"),
        (text("besok", "F2"), "due_at: 'besok' is not a time"),
    ],
)
def test_a_cell_that_is_no_value_is_named(desk: Desk, due: str, says: str) -> None:
    first, second = desk.read(workbook(HEADINGS, cells(due=due), cells().replace('2"', '3"')), permits(), "rows.xlsx")
    assert refusal(first).startswith(says)
    assert data(second)["case"] == "0017"


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ('<c r="F2" t="e"><v>#N/A</v></c>', None),
        ('<c r="F2" s="1"><f>D2+1</f><v>46083</v></c>', "2026-03-02T23:59:59.999999+07:00"),
        ('<c r="F2" t="str"><f>TEXT(D2,"x")</f><v>02/03/2026 09:00</v></c>', "2026-03-02T09:00:00+07:00"),
        ('<c r="F2" t="d"><v>2026-03-02T09:00:00</v></c>', "2026-03-02T09:00:00+07:00"),
        (text("02/03/2026", "F2"), "2026-03-02T23:59:59.999999+07:00"),
        ('<c r="F2" s="1"/>', None),
    ],
)
def test_a_cell_holds_a_value_in_many_ways(desk: Desk, due: str, day: str | None) -> None:
    """The stored value of a formula counts; an error may be blank by `[values]`."""
    (row,) = desk.read(workbook(HEADINGS, cells(due=due)), permits(), "rows.xlsx")
    assert data(row).get("due_at") == day


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (number("17", "C2"), "case: cell C2 holds a number, of which Excel keeps 15 digits"),
        (number("3.67401010119E+15", "C2"), "case: cell C2 holds a number"),
        (number("46083", "C2", "m/d/yyyy"), "case: cell C2 holds a date, not a text"),
        ('<c r="C2" t="b"><v>1</v></c>', "case: cell C2 holds a number"),
        ("", "case: required, and empty in C; of merged cells only the first holds a text"),
    ],
)
def test_an_id_in_a_numeric_cell_is_refused(desk: Desk, case: str, says: str) -> None:
    """Its leading zeros and its digits after the fifteenth are gone before the file is read."""
    (row,) = desk.read(workbook(HEADINGS, cells(case=case)), permits(), "rows.xlsx")
    assert refusal(row).startswith(says)


def test_the_first_visible_sheet_is_read_or_the_one_that_is_named(desk: Desk) -> None:
    sheets = '<sheet name="Lama" sheetId="1" state="hidden" r:id="rId9"/><sheet name="Data" sheetId="2" r:id="rId1"/>'
    book = workbook(HEADINGS, cells(), sheets=sheets)
    assert data(desk.read(book, permits(), "rows.xlsx")[0])["case"] == "0017"
    assert data(desk.read(book, permits('sheet = "Data"'), "rows.xlsx")[0])["case"] == "0017"
    with pytest.raises(ReadError, match="it has no sheet 'Baru'"):
        desk.read(book, permits('sheet = "Baru"'), "rows.xlsx")
    with pytest.raises(ReadError, match="it has no visible sheet"):
        desk.read(workbook(HEADINGS, sheets='<sheet name="x" state="veryHidden" r:id="rId1"/>'), permits(), "rows.xlsx")


def test_headings_may_stand_below_a_title(desk: Desk) -> None:
    rows = [text("Laporan Maret", "A1"), "", HEADINGS.replace('1"', '3"'), cells().replace('2"', '4"')]
    (row,) = desk.read(workbook(*rows), permits(), "rows.xlsx")
    assert (row.number, data(row)["case"]) == (1, "0017")
    with pytest.raises(MappingError, match=r"no column 'D', expected one for fields\.dinas"):
        desk.read(workbook(text("x", "A1"), cells()), permits(), "rows.xlsx")
    with pytest.raises(ReadError, match="no headings: the sheet is empty"):
        desk.read(workbook(), permits(), "rows.xlsx")


def test_a_shared_text_is_put_together_of_its_runs(desk: Desk) -> None:
    """Formatted text comes in runs; what is only a reading aid is no part of it."""
    runs = "<r><t>00</t></r><r><rPr><b/></rPr><t>17 é</t></r><rPh><t>aid</t></rPh>"
    book = workbook(HEADINGS, cells(case='<c r="C2" t="s"><v>1</v></c>'), texts=("<t>first</t>", runs))
    (row,) = desk.read(book, permits(), "rows.xlsx")
    assert data(row)["case"] == "0017 é"


def test_blank_rows_are_no_rows_and_cells_without_a_place_follow_each_other(desk: Desk) -> None:
    plain = cells().replace(' r="A2"', "").replace(' r="B2"', "").replace(' r="C2"', "")
    rows = desk.read(
        workbook(HEADINGS, "", plain, text(" ", "A4"), cells().replace('2"', '5"')), permits(), "rows.xlsx"
    )
    assert [(row.number, data(row)["case"]) for row in rows] == [(1, "0017"), (2, "0017")]


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet><sheetData>&b;</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a workbook"),
        (b"PK\x03\x04 and nothing", "not a workbook"),
        (workbook(HEADINGS)[:-30], "not a workbook"),
        (
            workbook(HEADINGS, parts={"xl/worksheets/sheet1.xml": LAUGHS}),
            "damaged at xl/worksheets/sheet1.xml: it declares",
        ),
        (
            workbook(HEADINGS, parts={"xl/worksheets/sheet1.xml": "<worksheet><row>"}),
            "damaged at xl/worksheets/sheet1.xml",
        ),
        (workbook(HEADINGS, parts={"xl/sharedStrings.xml": "<sst>"}), "damaged at xl/sharedStrings.xml"),
        (workbook(HEADINGS, parts={"_rels/.rels": "<x/>"}), "not a workbook of Excel"),
        (workbook(HEADINGS, sheets='<sheet name="x" r:id="rId8"/>'), "not a workbook: it has no part"),
        (workbook('<c r="XFE1"><v>1</v></c>'), "more than 16,384 columns"),
    ],
)
def test_a_damaged_or_hostile_workbook_is_refused(desk: Desk, content: bytes, says: str) -> None:
    with pytest.raises(ReadError, match=says):
        desk.read(content, permits(), "rows.xlsx")


def test_a_workbook_has_bounds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes as packed and as unpacked, however well it is packed; in rows; in texts."""
    bomb = workbook(HEADINGS, text("x" * 51 * 2**20, "A2"))
    assert len(bomb) < 2**18
    with pytest.raises(ReadError, match="it unpacks to more than 52,428,800 bytes"):
        desk.read(bomb, permits(), "rows.xlsx")
    path = desk.write(b"", "big.xlsx")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", bytes(5 * 2**20))
    with pytest.raises(ReadError, match="at most 5,242,880 are read"):
        desk.read(path.read_bytes(), permits(), "rows.xlsx")
    monkeypatch.setattr(sheet, "ROWS_MOST", 2)
    with pytest.raises(ReadError, match="cannot be read after row 2: more than 2 rows"):
        desk.read(workbook(HEADINGS, cells(), cells().replace('2"', '3"')), permits(), "rows.xlsx")
    monkeypatch.setattr(package, "TEXTS_MOST", 1)
    with pytest.raises(ReadError, match="more than 1 texts"):
        desk.read(workbook(HEADINGS, texts=("<t>a</t>", "<t>b</t>")), permits(), "rows.xlsx")
