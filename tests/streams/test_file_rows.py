"""Rows of files as they come: open quotes, cut files, other encodings, numbers in many notations. Every row is told of."""

import gzip
import io
import os
import threading
import zipfile
from pathlib import Path

import pytest

from streams.importing.rows import MappingError, ReadError, Row, read_rows
from tests.streams.desk import Desk, data, refusal, tally

PERMITS = """
kind = "permit-processed"
source = "/import/test"
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
"""
HEADER = "D,S,C,N,R,E\n"
SPAN = "2026-03-01 08:00:00,2026-03-01 10:00:00"


def row(case: int, note: str = "note") -> str:
    return f"d,s,{case},{note},{SPAN}\n"


def told(rows: list[Row]) -> list[str]:
    """Of each row its case, or that it was refused."""
    return [data(item)["case"] if item.event else "refused" for item in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


BROKEN = '"broken note'
STRAY = [
    (row(2, BROKEN), "never closed"),
    (row(2, '"'), "a quote alone"),
    (f'd,s,"2,note,{SPAN}\n', "in a cell in use"),
    (f"d,s,2,{BROKEN}\nstill,{SPAN}\n", "over two lines"),
]


@pytest.mark.parametrize("fault", [text for text, _ in STRAY], ids=[name for _, name in STRAY])
@pytest.mark.parametrize("last", [row(13, 'note"'), row(13, '"a whole note"'), row(13)])
def test_a_quote_left_open_costs_its_own_row_alone(desk: Desk, fault: str, last: str) -> None:
    """Reading goes on at the next line, also where a later row closes the quote; the refusal says which lines."""
    rows = desk.read(HEADER + row(1) + fault + "".join(map(row, range(3, 13))) + last + row(14), PERMITS)
    fault_count = fault.count("\n")
    assert told(rows) == ["1", *["refused"] * fault_count, *map(str, range(3, 15))]
    assert refusal(rows[1]).startswith("lines 3 to ")
    assert refusal(rows[1]).endswith("; it is refused, and reading goes on at line 4")
    assert [item.number for item in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    "note",
    [
        '"line one\nline two"',
        '"one\nyes, fine"',
        '"one\na, b, c, d"',
        '"one, with a comma\n\nthree"',
        '"he said ""no""\nand left"',
        '6" pipe',
        '"a\r\nb"',
    ],
)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_cell_may_span_lines(desk: Desk, note: str, place: str) -> None:
    """A note over several lines is one cell of one row, wherever its column stands."""
    cells = {"first": f"{note},d,s,{{}},{SPAN}", "middle": f"d,s,{{}},{note},{SPAN}", "last": f"d,s,{{}},{SPAN},{note}"}
    header = {"first": "N,D,S,C,R,E\n", "middle": HEADER, "last": "D,S,C,R,E,N\n"}[place]
    rows = desk.read(header + "".join(cells[place].format(case) + "\n" for case in (1, 2, 3)), PERMITS)
    assert told(rows) == ["1", "2", "3"]


def test_a_long_note_may_look_like_the_cells_after_it(desk: Desk) -> None:
    """Its first line is a whole row without its quote, and yet it is a note: neither a time nor a number stands behind it."""
    rows = desk.read(f'D,S,R,E,N,C\nd,s,{SPAN},"see, also\nthe other one",17\nd,s,{SPAN},note,18\n', PERMITS)
    assert told(rows) == ["17", "18"]


def test_a_quote_that_the_next_rows_note_closes_swallows_nothing(desk: Desk) -> None:
    """The next row's note begins with a line end, so that its quote closes the stray one at the end of a line."""
    text = f'D,S,C,R,E,N\nd,s,1,{SPAN},"note\nd,s,2,{SPAN},"\nlong"\nd,s,3,{SPAN},x\n'
    assert told(desk.read(text, PERMITS)) == ["refused", "2", "3"]


def test_a_stray_quote_in_the_first_column_swallows_nothing(desk: Desk) -> None:
    header, lines = "N,D,S,C,R,E\n", [f"note,d,s,{case},{SPAN}\n" for case in range(1, 5)]
    lines[1], lines[2] = '"' + lines[1], lines[2].replace("note", 'note"')
    assert told(desk.read(header + "".join(lines), PERMITS)) == ["1", "refused", "3", "4"]


def test_rows_that_are_open_cases_are_rows_of_their_own_too(desk: Desk) -> None:
    """A quote that swallows only rows without a completion is found as well."""
    open_case = "d,s,{},note,2026-03-01 08:00:00,\n"
    lines = [row(1), row(2, BROKEN), *(open_case.format(case) for case in (3, 4)), row(5, 'note"')]
    rows = desk.read(HEADER + "".join(lines), 'skip_without = "E"\n' + PERMITS)
    assert tally(rows) == {"event": 2, "refused": 1, "skipped": 2}


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("D,S,C,R,E", f"d,s,1,{SPAN},"),
        ("D,S,C,R,E", f"d,s,1,{SPAN},, ,\t"),
        ("D,S,C,R,E,NOTE", f"d,s,1,{SPAN}"),
        ("D,S,C,R,E,NOTE,,", f"d,s,1,{SPAN}"),
        ("D,S,C,R,E,,", f"d,s,1,{SPAN},,"),
    ],
)
def test_a_comma_that_says_nothing_does_no_harm(desk: Desk, header: str, line: str) -> None:
    assert told(desk.read(f"{header}\n{line}\n", PERMITS)) == ["1"]


@pytest.mark.parametrize("line", [f"d,s,1,{SPAN},x", "d,s,1,2026-03-01 08:00:00", "d"])
def test_a_cell_too_many_that_says_something_is_refused(desk: Desk, line: str) -> None:
    (item,) = desk.read(f"D,S,C,R,E\n{line}\n", PERMITS)
    assert refusal(item).endswith("cells, and 5 in the header")


@pytest.mark.parametrize("cut", [1, 7, 30, 400, 2000])
@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.ndjson.gz"])
def test_what_was_read_of_a_file_cut_short_is_told(desk: Desk, name: str, cut: int) -> None:
    """Every row before the cut, and the row that the cut goes through as refused; then the fault, with the last number."""
    text = HEADER + "".join(map(row, range(1, 901)))
    if "ndjson" in name:
        text = "".join(
            f'{{"D":"d","S":"s","C":"{n}","R":"2026-03-01 08:00","E":"2026-03-01 10:00"}}\n' for n in range(900)
        )
    path = desk.write(text, name)
    path.write_bytes(path.read_bytes()[:-cut])
    rows_read, error = until_it_breaks(path, desk)
    assert error.row == len(rows_read)
    readable = len(_unpacked(path.read_bytes()).splitlines()) - ("csv" in name)
    assert readable - 1 <= len(rows_read) <= readable
    assert tally(rows_read)["refused"] <= 1


def until_it_breaks(path: Path, desk: Desk) -> tuple[list[Row], ReadError]:
    rows_read: list[Row] = []
    rows = read_rows(path, desk.mapping(PERMITS), "UTC")
    while True:
        try:
            rows_read.append(next(rows))
        except ReadError as error:
            return rows_read, error


def _unpacked(data: bytes) -> bytes:
    reader, rows_read = gzip.GzipFile(fileobj=io.BytesIO(data)), b""
    try:
        while piece := reader.read1(100):
            rows_read += piece
    except EOFError:
        pass
    return rows_read


def test_a_pipe_is_read_as_a_file_is(desk: Desk, tmp_path: Path) -> None:
    """A file is read twice, and a pipe can be read once: it is kept in the meantime."""
    pipe = tmp_path / "rows.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(HEADER + row(1) + row(2),))
    writer.start()
    assert told(list(read_rows(pipe, desk.mapping(PERMITS), "UTC"))) == ["1", "2"]
    writer.join()


def test_the_row_that_a_cut_goes_through_is_refused_though_it_can_be_read(desk: Desk) -> None:
    """Its last time has lost a digit, and its note spans lines: what is left of it reads as a row, and is none."""
    whole = "N,D,S,C,R,E\n" + "".join(f"note {n},d,s,{n},{SPAN}\n" for n in range(2000))
    text = whole + f'"long\nnote",d,s,x,{SPAN[:-1]}'
    path = desk.write(text, "rows.csv.gz")
    path.write_bytes(path.read_bytes()[:-8])
    rows, _ = until_it_breaks(path, desk)
    assert told(rows[-2:]) == ["1999", "refused"]


def test_a_plain_file_cut_within_a_row_has_one_row_less(desk: Desk) -> None:
    text = HEADER + row(1) + row(2, '"a note')
    assert told(desk.read(text[:-30], PERMITS)) == ["1", "refused"]


WHOLE = (HEADER + row(1)).encode()
_ZIP = io.BytesIO()
with zipfile.ZipFile(_ZIP, "w") as archive:
    archive.writestr("rows.csv", WHOLE)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (WHOLE.decode().encode("utf-16"), "UTF-16 text"),
        (WHOLE.decode().encode("utf-16-le"), "UTF-16 text"),
        (WHOLE.decode().encode("utf-16-be"), "UTF-16 text"),
        (WHOLE.decode().encode("utf-32"), "UTF-32 text"),
        (gzip.compress(WHOLE, mtime=0), "gzip data under another name"),
        (_ZIP.getvalue(), "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Excel workbook"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\n<!DOCTYPE html><html><table>", "a page of HTML"),
        (b"PAR1" + WHOLE, "a Parquet file"),
        (bytes(100) + WHOLE, "UTF-16 text"),
        (WHOLE + b"\0", "binary data"),
    ],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.ndjson"])
def test_a_file_of_another_kind_is_told_by_its_name(desk: Desk, content: bytes, says: str, name: str) -> None:
    """It cannot be read, whatever the mapping: the fault is the file's, and says what to do."""
    with pytest.raises(ReadError, match=f"cannot be read after row 0: {says}"):
        desk.read(content, PERMITS, name=name)


def test_a_header_of_another_encoding_says_so(desk: Desk) -> None:
    with pytest.raises(ReadError, match="cannot be read after row 0: its header is not UTF-8"):
        desk.read("D,S,C,N,R,Größe\n".encode("cp1252"), PERMITS)


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252"])
def test_a_mapping_may_name_the_encoding(desk: Desk, encoding: str) -> None:
    text = (HEADER + row(1)).replace("d,s,1", "Größe,s,1")
    (item,) = desk.read(text.encode("cp1252" if "w" in encoding else encoding), f'encoding = "{encoding}"\n' + PERMITS)
    assert data(item)["dinas"] == "Größe"


def test_a_header_that_is_one_cell_names_its_delimiter(desk: Desk) -> None:
    with pytest.raises(MappingError, match=r"no column 'D', .*; its cells seem to be parted by ';'"):
        desk.read((HEADER + row(1)).replace(",", ";"), PERMITS)
    rows = desk.read("sep=;\n" + (HEADER + row(1)).replace(",", ";"), 'delimiter = ";"\n' + PERMITS)
    assert told(rows) == ["1"]


@pytest.mark.parametrize("blank", ["NULL", "-", "", "  ", "0000-00-00", "null "])
def test_a_cell_that_the_mapping_blanks_is_not_there(desk: Desk, blank: str) -> None:
    """`skip_without` looks after `[values]`, and after `blank`, which holds for all columns."""
    text = "D,S,C,R,E\n" + f"d,s,1,2026-03-01 08:00:00,{blank}\n" + f"d,s,2,{SPAN}\n"
    blanks = '"NULL" = ""\n"-" = ""\n"0000-00-00" = ""\n"null" = ""\n'
    for toml in (
        f"{PERMITS}[values.completed_at]\n{blanks}",
        'blank = ["NULL", "-", "0000-00-00", "null"]\n' + PERMITS,
    ):
        rows = desk.read(text, 'skip_without = "E"\n' + toml)
        assert rows[0] == Row(1, None, None, "E: empty")
        assert told(rows[1:]) == ["2"]
