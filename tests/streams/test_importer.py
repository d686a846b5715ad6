"""The importer: the event a row states, its id, and the refusal of a row that states none."""

import codecs
import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest

from domain import clock
from domain.events import submitted as events
from domain.events.kinds import KINDS
from streams.importing.rows import Mapping, MappingError, ReadError, Row, read_rows
from tests.streams.desk import HEADER, ROW, TASKS, Desk, data, ids, refusal, tally

EXAMPLES = Path(__file__).parents[2] / "examples"
PROCESSES = (Path(__file__).parents[2] / "../shared/data/processes").resolve()
NEW_YORK = "America/New_York"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_row_is_a_cloudevent(desk: Desk) -> None:
    """The event of a row is what its mapping names; its id is the hash of what the row is about, and of nothing else."""
    (row,) = desk.read(HEADER + "dlh,a-1,t-1,2026-11-24 10:41:07.5,2026-11-25T00:00:00Z\n")
    statement = {
        "asn": "a-1",
        "completed_at": "2026-11-24T10:41:07.500000+07:00",
        "dinas": "dlh",
        "due_at": "2026-11-25T00:00:00+00:00",
        "task": "t-1",
    }
    about = {"asn": "a-1", "completed_at": 1_795_491_667_500_000, "dinas": "dlh", "task": "t-1"}
    assert row.event == {
        "specversion": "1.0",
        "type": "neraca.task-completed.v1",
        "source": "/import/test",
        "id": hashed({"kind": "task-completed", "about": about, "named": {}}),
        "time": statement["completed_at"],
        "data": statement,
    }
    assert row.former == hashed({"kind": "task-completed", "data": statement, "time": statement["completed_at"]})
    assert (row.number, row.refusal, row.skipped) == (1, None, None)


def hashed(content: dict[str, object]) -> str:
    json_text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(json_text).hexdigest()[:32] + "-1"


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2015-11-01 00:59:59", NEW_YORK, "2015-11-01T00:59:59-04:00"),
        ("2015-11-01 01:30:00", NEW_YORK, "2015-11-01T01:30:00-04:00"),  # twice: the first
        ("2015-11-01 02:00:00", NEW_YORK, "2015-11-01T02:00:00-05:00"),
        ("2015-03-08 01:59:59", NEW_YORK, "2015-03-08T01:59:59-05:00"),
        ("2015-03-08 02:30:00", NEW_YORK, "2015-03-08T02:30:00-05:00"),  # never: as before the gap
        ("2015-03-08 03:00:00", NEW_YORK, "2015-03-08T03:00:00-04:00"),
        ("2015-11-01T01:30:00-05:00", NEW_YORK, "2015-11-01T01:30:00-05:00"),  # its own offset: the second
        ("2026-11-24T03:00:00z", "Asia/Jakarta", "2026-11-24T03:00:00+00:00"),
        ("2026-11-24T10:41", "Asia/Jakarta", "2026-11-24T10:41:00+07:00"),
        (" 2026-11-24 10:41:07.1234567 ", "Asia/Jakarta", "2026-11-24T10:41:07.123456+07:00"),
        ("11/24/2026 12:05:00 AM", "Asia/Jakarta", "2026-11-24T00:05:00+07:00"),
        ("11/24/2026 12:05:00 PM", "Asia/Jakarta", "2026-11-24T12:05:00+07:00"),
        ("24.11.2026", "Asia/Jakarta", "2026-11-24T00:00:00+07:00"),
    ],
)
def test_a_time_is_written_with_an_offset(desk: Desk, text: str, zone: str, instant: str) -> None:
    """A time without an offset is local: the first where it occurs twice, by the offset before a gap it falls into."""
    toml = 'times = ["iso", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y"]\n' + TASKS
    (row,) = desk.read(f"{HEADER}dlh,a-1,t-1,{text},\n", toml, zone=zone)
    assert data(row)["completed_at"] == instant
    assert row.event is not None
    assert row.event["time"] == instant
    clock.parse_instant(instant)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-11-24", "20261124T104107", "2026-02-30 10:00:00", "2026-11-24 24:30:00"]
)
def test_a_time_that_cannot_be_read_is_refused(desk: Desk, text: str) -> None:
    """A bare date is no moment either, unless the mapping has a format for it."""
    first, second = desk.read(HEADER + f"dlh,a-1,t-1,{text},\n" + ROW)
    assert refusal(first) == f"completed_at: {text!r} is not a time of the form iso"
    assert data(second)["task"] == "t-1"


@pytest.mark.parametrize("name", ["rows.csv", "rows.CSV", "rows.csv.gz", "rows.v2.csv.gz", "rows"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_comes_in_many_coats(desk: Desk, name: str, mark: bytes, end: str) -> None:
    """The same rows are the same events, gzipped or not, with or without a byte order mark, with any line ending."""
    plain = desk.read(HEADER + ROW)
    content = mark + (HEADER + ROW).replace("\n", end).encode()
    assert desk.read(content.replace(b".gz", b""), name=name) == plain


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl.gz"])
def test_ndjson_states_the_same_as_csv(desk: Desk, name: str) -> None:
    """A key that is absent or null is an empty cell, a whole number is its digits; a blank line is no row."""
    lines = [
        {"Dinas": "dlh", "Who": "a-1", "Task": "t-1", "Done": "2026-11-24T10:00:00+07:00", "other": [1.5, {}]},
        {"Dinas": "dlh", "Who": 1042, "Task": "t-1", "Done": "2026-11-24T10:00:00+07:00", "Due": None},
    ]
    text = "\ufeff" + json.dumps(lines[0]) + "\n\n" + json.dumps(lines[1])
    assert [row._replace(number=0) for row in desk.read(text, name=name)] == [
        row._replace(number=0) for row in desk.read(HEADER + ROW + ROW.replace("a-1", "1042"))
    ]
    assert [row.number for row in desk.read(text, name=name)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not a JSON object: "),
        (b"[1]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"[" * 100_000, "not a JSON object: "),
        (b'{"Dinas": "\xff"}', "not a JSON object: "),
        (b'{"Dinas": "dlh", "Dinas": "dlh"}', "not a JSON object: a key occurs twice"),
        (b'{"other": NaN}', "not a JSON object: NaN is no JSON number"),
        (b'{"Task": 1.5}', "Task: neither text nor a whole number"),
        (b'{"Task": true}', "Task: neither text nor a whole number"),
        (b'{"Task": ["t-1"]}', "Task: neither text nor a whole number"),
        (b"{}", "dinas: required, and empty in Dinas"),
    ],
)
def test_a_bad_line_is_refused_under_its_number(desk: Desk, line: bytes, reason: str) -> None:
    """A line that is no object, or not of text and whole numbers, is refused; the next one is read."""
    good = b'{"Dinas": "dlh", "Who": "a-1", "Task": "t-1", "Done": "2026-11-24T10:00:00+07:00"}'
    first, second, third = desk.read(b"\n".join([good, line, good]), name="rows.ndjson")
    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert refusal(second).startswith(reason)
    assert third.event is not None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("dlh,a-1,t-1", "3 cells, and 5 in the header"),
        ("dlh,a-1,t-1,2026-11-24T10:00:00+07:00,,x", "6 cells, and 5 in the header"),
        ('dlh,"a-1"x,t-1,2026-11-24T10:00:00+07:00,', "line 3: "),
        ("dlh,a-1," + "x" * 200_000 + ",2026-11-24T10:00:00+07:00,", "line 3: "),
        ("dlh,,t-1,2026-11-24T10:00:00+07:00,", "asn: required, and empty in Who"),
        ("dlh,a-1,  ,2026-11-24T10:00:00+07:00,", "task: required, and empty in Task"),
        ("dlh,a-1,t-1,,", "completed_at: required, and empty in Done"),
        ("dlh,a-1,t-1,2026-11-24T10:00:00+07:00,soon", "due_at: 'soon' is not a time of the form iso"),
    ],
)
def test_a_bad_row_is_refused_under_its_number(desk: Desk, line: str, reason: str) -> None:
    """A row too short or too long, badly quoted, or without what is required is refused; the next one is read."""
    first, second, third = desk.read(HEADER + ROW + line + "\n" + ROW)
    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert refusal(second).startswith(reason)
    assert third.event is not None


def test_blank_lines_are_no_rows_and_quoted_ones_are(desk: Desk) -> None:
    rows = desk.read(HEADER + ROW + "\n\n" + ROW.replace("t-1", '"t\n1, ""x"""') + ROW.replace("a-1", ""))
    assert [row.number for row in rows] == [1, 2, 3]
    assert data(rows[1])["task"] == 't\n1, "x"'


def test_bytes_that_are_not_utf8_hurt_only_where_they_are_used(desk: Desk) -> None:
    """A column nobody maps may be in any encoding; a mapped cell that is not UTF-8 is refused."""
    toml = TASKS.replace('due_at = "Due"\n', "")
    line = ROW.encode()
    bad_value, bad_note = line.replace(b"t-1", b"caf\xe9"), line.replace(b",\n", b",caf\xe9\n")
    first, second = desk.read(HEADER.encode() + bad_value + bad_note, toml)
    assert refusal(first) == "a cell that the mapping uses is not UTF-8"
    assert second.event is not None


def test_text_is_verbatim(desk: Desk) -> None:
    """Ids are recorded unchanged: no case folding, no trimming, no other form of the same letter."""
    (row,) = desk.read(HEADER + "PWDx, a/é ,e\u0301\u2028/\x7f,2026-11-24T10:00:00+07:00,\n")
    assert data(row) | {"completed_at": ""} == {
        "dinas": "PWDx",
        "asn": " a/é ",
        "task": "e\u0301\u2028/\x7f",
        "completed_at": "",
    }


def test_identical_rows_are_separate_facts(desk: Desk) -> None:
    """Equal rows are distinguished by their number; a file with more of them adds only the new ones."""
    other = ROW.replace("t-1", "t-2")
    twice = ids(desk.read(HEADER + ROW + other + ROW))
    again = ids(desk.read(HEADER + ROW + other + ROW, name="copy.csv.gz"))
    thrice = ids(desk.read(HEADER + other + ROW + ROW + ROW))
    assert twice == again
    assert [str(name)[-2:] for name in twice] == ["-1", "-1", "-2"]
    assert len(set(twice)) == 3
    assert set(twice) < set(thrice)
    assert len(thrice) == len(set(thrice)) == 4


def test_what_is_not_mapped_is_not_said(desk: Desk) -> None:
    """Columns that the mapping does not name change no id, and neither does the order of columns or of fields."""
    text = "Note,Due,Done,Task,Who,Dinas\nx,,2026-11-24T10:00:00+07:00,t-1,a-1,dlh\n"
    head, fields = TASKS.split("[fields]\n")
    back = head + "[fields]\n" + "\n".join(reversed(fields.splitlines()))
    assert ids(desk.read(text, back)) == ids(desk.read(HEADER + ROW))


def test_set_enters_the_data_and_so_the_id(desk: Desk) -> None:
    """The same row of two municipalities is two facts; a column that is set need not be in the file."""
    file = "Who,Task,Done,Due\na-1,t-1,2026-11-24T10:00:00+07:00,\n"
    names = [ids(desk.read(file, dinas=name)) for name in ("dlh", "Dlh", "dishub")]
    assert names[0] == ids(desk.read(HEADER + ROW))
    assert len({str(name) for name in names}) == 3
    (row,) = desk.read(file, dinas="dlh", source="/import/other", reported_by="self")
    assert row.event is not None
    assert row.event["source"] == "/import/other"
    assert data(row)["reported_by"] == "self"


PERMITS = """
kind = "permit-processed"
source = "/import/test"
skip_without = "End"
one_per = "Case"
[fields]
dinas = "Dinas"
case = "Case"
received_at = "Start"
completed_at = "End"
outcome = "Result"
[fixed]
service = "ktp-el"
[values.outcome]
"Afgewezen" = "rejected"
"?" = ""
"""


def test_one_event_for_each_case(desk: Desk) -> None:
    """Only the first row of a case is reported: as an event, as skipped, or as refused; each case once."""
    start, end = "2026-11-23 08:00:00", "2026-11-24 08:00:00"
    lines = [
        f"d,k-1,{start},{end},Afgewezen",
        f"d,k-2,{start},,",
        f"d,k-1,{start},,",
        f"d,k-3,{start},nonsense,",
        f"d,k-2,{start},{end},",
        f"d,k-3,{start},{end},",
        f"d,,{start},{end},",
        f"d,k-4,{start},{end},?",
        f"d,,{start},{end},",
    ]
    rows = desk.read("Dinas,Case,Start,End,Result\n" + "\n".join(lines), PERMITS)
    assert [row.number for row in rows] == [1, 2, 4, 7, 8, 9]
    assert data(rows[0]) == {
        "dinas": "d",
        "service": "ktp-el",
        "case": "k-1",
        "received_at": "2026-11-23T08:00:00+07:00",
        "completed_at": "2026-11-24T08:00:00+07:00",
        "outcome": "rejected",
    }
    assert rows[1] == Row(2, None, None, "End: empty")
    assert refusal(rows[2]).startswith("completed_at: 'nonsense'")
    assert refusal(rows[3]) == refusal(rows[5]) == "Case: empty, and one event is made of each"
    assert "outcome" not in data(rows[4])


def test_columns_are_joined(desk: Desk) -> None:
    """A field may be made of several columns; it is empty where one of them is."""
    toml = (
        TASKS.replace('"Task"', '["Task", "Due"]')
        .replace('due_at = "Due"\n', "")
        .replace("[fields]", 'join = "#"\n[fields]')
    )
    first, second = desk.read(HEADER + ROW.replace(",\n", ",A\n") + ROW, toml)
    assert data(first)["task"] == "t-1#A"
    assert refusal(second) == "task: required, and empty in Task or Due"


RATINGS = """
kind = "satisfaction-rated"
source = "/import/skm"
delimiter = ";"
[fields]
survey = "resp"
[fields.unsur]
waktu = "u3"
biaya = "u4"
[fixed]
dinas = "dlh"
time = "2019-06-30T12:00:00+07:00"
[values.unsur]
"9" = ""
"""


def test_ratings_are_whole_numbers_in_a_table(desk: Desk) -> None:
    """An unsur nobody answered is left out; the event's own time may be fixed, and is no part of the data."""
    rows = desk.read("resp;u3;u4\n1;4;9\n2;3; 2 \n3;3,5;2\n4;9;9\n", RATINGS)
    assert [data(rows[0])["unsur"], data(rows[1])["unsur"]] == [{"waktu": 4}, {"waktu": 3, "biaya": 2}]
    assert data(rows[0]).keys() == {"dinas", "survey", "unsur"}
    assert refusal(rows[2]) == "unsur.waktu: '3,5' is not a whole number"
    assert "unsur" not in data(rows[3])
    assert rows[0].event is not None
    assert rows[0].event["time"] == "2019-06-30T12:00:00+07:00"


def test_a_fixed_value_and_the_zone_are_checked_before_the_first_row(desk: Desk) -> None:
    with pytest.raises(
        MappingError, match=r"mapping\.toml: due_at: 'soon' is not a time of the form iso, as a fixed value"
    ):
        desk.read(HEADER + ROW, due_at="soon")
    for zone in ("Asia/Atlantis", "../etc", "America", ""):
        with pytest.raises(MappingError, match="zone: expected a name"):
            desk.read(HEADER + ROW, zone=zone)


def test_the_time_of_the_event_is_not_always_in_its_data(desk: Desk) -> None:
    (row,) = desk.read(
        HEADER + ROW, 'kind = "asn-registered"\nsource = "/x"\nfields.asn = "Who"\nfields.time = "Done"\n'
    )
    assert data(row) == {"asn": "a-1"}
    assert row.event is not None
    assert row.event["time"] == "2026-11-24T10:00:00+07:00"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Dinas,Who,Task,Done", "no column 'Due', expected one for fields.due_at of "),
        ("Dinas,Who,task,Done,Due", "no column 'Task', expected one for fields.task of "),
        ("Dinas,Who,Task,Done,Due,Who", "2 columns 'Who', expected one for fields.asn of "),
        ("", "no column 'Dinas', expected one for fields.dinas of "),
    ],
)
def test_a_column_the_file_lacks_is_named(desk: Desk, header: str, message: str) -> None:
    """Before the first row: an import by the wrong mapping does nothing at all."""
    with pytest.raises(MappingError, match=re.escape(message)):
        desk.read(header + "\n" + ROW)
    for key in ("skip_without", "one_per"):
        with pytest.raises(MappingError, match=f"no column 'Gone', expected one for {key} of "):
            desk.read(HEADER + ROW, f'{key} = "Gone"\n{TASKS}')


def test_an_unreadable_file_says_how_far_it_was_read(desk: Desk, tmp_path: Path) -> None:
    """Rows read before the error remain valid; the error has the number of the last one."""
    rows = HEADER + "".join(ROW.replace("t-1", f"t-{i * 7919}") for i in range(20_000))
    whole = desk.write(rows, "rows.csv.gz").read_bytes()
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    rows_read: list[Row] = []
    with pytest.raises(ReadError) as error:
        rows_read.extend(read_rows(cut, desk.mapping(), "UTC"))
    assert error.value.row > 0
    assert f"cannot be read after row {error.value.row}: " in str(error.value)
    for path in (tmp_path / "absent.csv", tmp_path, desk.write("", "empty.csv")):
        with pytest.raises(ReadError, match="cannot be read after row 0: "):
            list(read_rows(path, desk.mapping(), "UTC"))
    plain = tmp_path / "plain.csv.gz"
    plain.write_text(HEADER)
    with pytest.raises(ReadError, match="cannot be read after row 0: "):
        list(read_rows(plain, desk.mapping(), "UTC"))


REAL: list[tuple[str, str, str, dict[str, str], dict[str, int]]] = [
    ("boston311_2015H1_dev.csv.gz", "boston311.toml", NEW_YORK, {}, {"event": 49_126, "skipped": 8_993}),
    ("receipt.csv.gz", "receipt-permits.toml", "Europe/Amsterdam", {}, {"event": 1_329, "skipped": 105}),
    ("receipt.csv.gz", "receipt-tasks.toml", "Europe/Amsterdam", {}, {"event": 8_577}),
    ("BPIC15_1.csv.gz", "bpic15-tasks.toml", "Europe/Amsterdam", {"dinas": "gemeente-1"}, {"event": 52_217}),
    ("BPIC15_3.csv.gz", "bpic15-tasks.toml", "Europe/Amsterdam", {"dinas": "gemeente-3"}, {"event": 59_681}),
]
ON_TIME = {"boston311.toml": (37_320, 27_295), "receipt-permits.toml": (1_329, 952)}


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "example", "zone", "overrides", "counts"), REAL, ids=[f"{r[0]}-{r[1]}" for r in REAL])
def test_the_examples_read_the_files_they_are_for(
    file: str, example: str, zone: str, overrides: dict[str, str], counts: dict[str, int]
) -> None:
    """Each row or case is reported once, under its own id; names are such as §7 allows; deadlines come through."""
    if not (PROCESSES / file).is_file():
        pytest.skip(f"public data is not here: {PROCESSES / file}")
    mapping = Mapping.load(EXAMPLES / example, overrides)
    rows = list(read_rows(PROCESSES / file, mapping, zone))
    assert tally(rows) == counts
    assert len(set(ids(rows))) == counts["event"]
    due = on_time = 0
    for row in rows:
        if row.event is not None:
            facts = msgspec.convert(row.event["data"], KINDS[mapping.kind].submitted)
            assert isinstance(facts, events.PermitProcessed | events.TaskCompleted)
            names = [facts.dinas, facts.asn] if isinstance(facts.asn, str) else [facts.dinas]
            names += [facts.service, facts.case] if isinstance(facts, events.PermitProcessed) else [facts.task]
            assert all(1 <= len(name) <= 200 and name.isprintable() for name in names)
            assert "/" not in facts.dinas
            assert "/" not in str(facts.asn)
            completed_us = clock.parse_instant(facts.completed_at)
            if isinstance(facts.due_at, str):
                due += 1
                on_time += completed_us <= clock.parse_instant(facts.due_at)
    assert (due, on_time) == ON_TIME.get(example, (due, on_time))
