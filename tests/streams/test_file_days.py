"""Days in files: a date is due through its end, and done as early as its row allows."""

from pathlib import Path

import pytest

from streams.importing.rows import MappingError
from tests.streams.desk import HEADER, TASKS, Desk, data
from tests.streams.test_file_times import line, permits

END = "2026-03-02T23:59:59.999999+07:00"
TIMES = ("iso", "%Y-%m-%d", "%d/%m/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d%z")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    "due",
    [
        "2026-03-02",
        "2026-03-02 00:00:00",
        "2026-03-02 00:00:00.0",
        "02/03/2026 12:00:00 AM",
        "2026-03-02T00:00:00+07:00",
        "2026-03-02T00:00:00Z",
        "2026-03-02+07:00",
    ],
)
def test_a_date_is_due_through_its_end(desk: Desk, due: str) -> None:
    """Bare, or dressed as midnight in a column that holds days: whatever is done that day is on time."""
    toml = permits(*TIMES, more='dates = ["due_at"]\n')
    (row,) = desk.read(line("2026-03-01 08:00:00", "2026-03-02 10:00:00", due), toml)
    assert data(row)["due_at"] == END


def test_a_time_of_day_in_a_column_of_days_is_itself(desk: Desk) -> None:
    toml = permits("iso", more='dates = ["due_at"]\n')
    (row,) = desk.read(line("2026-03-01 08:00:00", "2026-03-02 10:00:00", "2026-03-02 16:00"), toml)
    assert data(row)["due_at"] == "2026-03-02T16:00:00+07:00"


@pytest.mark.parametrize(
    ("zone", "due", "end"),
    [
        ("America/New_York", "2015-11-01", "2015-11-01T23:59:59.999999-05:00"),  # 25 hours
        ("America/New_York", "2015-03-08", "2015-03-08T23:59:59.999999-04:00"),  # 23 hours
        ("Africa/Cairo", "2010-09-30", "2010-09-30T23:59:59.999999+02:00"),  # its last hour occurs twice
        ("America/Sao_Paulo", "2017-10-14", "2017-10-14T23:59:59.999999-03:00"),  # the next day begins at one
        ("UTC", "2026-12-31", "2026-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_day_ends_where_the_next_one_begins(desk: Desk, zone: str, due: str, end: str) -> None:
    (row,) = desk.read(line("2009-03-01 08:00", "2009-03-01 08:00", due), permits("iso", "%Y-%m-%d"), zone=zone)
    assert data(row)["due_at"] == end


@pytest.mark.parametrize(
    ("start", "finish", "instant"),
    [
        ("2026-03-02 10:15:00", "2026-03-02", "2026-03-02T10:15:00+07:00"),
        ("2026-03-02 10:15:00", "2026-03-02 00:00:00", "2026-03-02T10:15:00+07:00"),
        ("2026-03-01 10:15:00", "2026-03-02", "2026-03-02T00:00:00+07:00"),
        ("2026-03-03 10:15:00", "2026-03-02", "2026-03-02T00:00:00+07:00"),  # the intake refuses it, as it should
        ("2026-03-02", "2026-03-02", "2026-03-02T00:00:00+07:00"),
        ("2026-03-02T01:00:00+00:00", "2026-03-02", "2026-03-02T01:00:00+00:00"),
    ],
)
def test_a_case_closed_on_the_day_it_came_is_closed_after_it_came(
    desk: Desk, start: str, finish: str, instant: str
) -> None:
    """The earliest instant of the day that is not before the receipt; the event's own time is the same."""
    toml = permits("iso", "%Y-%m-%d", more='dates = ["completed_at"]\n')
    (row,) = desk.read(line(start, finish), toml)
    assert data(row)["completed_at"] == instant
    assert row.event is not None
    assert row.event["time"] == instant


def test_a_task_done_on_the_day_it_was_assigned_is_done_after_it_was(desk: Desk) -> None:
    toml = 'times = ["iso", "%Y-%m-%d"]\n' + TASKS.replace('due_at = "Due"', 'assigned_at = "Due"')
    (row,) = desk.read(HEADER + "dlh,a-1,t-1,2026-03-02,2026-03-02 10:15\n", toml)
    assert data(row)["completed_at"] == "2026-03-02T10:15:00+07:00"


def test_the_import_says_so_where_all_times_of_a_column_are_midnight(desk: Desk) -> None:
    """It reads them as the times they are, and names the line of the mapping that reads them as days."""
    rows = (
        line("2026-03-01 08:00", "2026-03-02 10:00", "2026-03-02 00:00") + "d;s;2;2026-03-01 08:00;2026-03-02 10:00;\n"
    )
    desk.read(rows, permits("iso"))
    assert [note.partition(" If")[0] for note in desk.notes] == ["DUE: all times are midnight."]
    assert 'dates = ["due_at"]' in desk.notes[0]
    for quiet in (rows.replace("02 00:00", "02 00:01"), rows.replace("2026-03-02 00:00", "")):
        desk.read(quiet, permits("iso"))
        assert desk.notes == []
    desk.read(rows, permits("iso", more='dates = ["due_at"]\n'))
    assert desk.notes == []


def test_midnights_among_dates_are_dates(desk: Desk) -> None:
    """A column that holds dates and midnights alone holds days; with one other time in it, its midnights are times."""
    cells = ["2026-03-02", "2026-03-02 00:00:00", "2026-03-04"]
    rows = [f"d;s;{n};2026-03-01 08:00;2026-03-02 10:00;{due}\n" for n, due in enumerate(cells)]
    toml = permits("iso", "%Y-%m-%d")
    days = desk.read("D;S;C;R;E;DUE\n" + "".join(rows), toml)
    assert [data(row)["due_at"] for row in days[:2]] == [END, END]
    assert [note.partition(":")[0] for note in desk.notes] == ["DUE"]
    times = desk.read("D;S;C;R;E;DUE\n" + "".join([*rows, rows[0].replace("2026-03-02\n", "2026-03-02 16:00\n")]), toml)
    assert [data(row)["due_at"] for row in times[:2]] == [END, "2026-03-02T00:00:00+07:00"]


@pytest.mark.parametrize("field", ["due", "case", "assigned_at"])
def test_only_a_time_of_the_mapping_holds_days(desk: Desk, field: str) -> None:
    with pytest.raises(MappingError, match="dates: expected fields of this mapping that are times"):
        desk.mapping(permits("iso", more=f'dates = ["{field}"]\n'))


def test_a_rules_date_is_read_by_the_formats(desk: Desk) -> None:
    """The day from which a standard holds is a date; a file may write it as it writes its other dates."""
    toml = 'kind = "standard-set"\nsource = "/x"\ntimes = ["%d/%m/%Y"]\n[fields]\nservice = "S"\namount = "N"\n'
    toml += 'effective_from = "F"\n[fixed]\nunit = "wall_hours"\ntime = "01/01/2026"\n'
    rows = desk.read("S,N,F\ns,24,31/01/2026\ns,24,2026-01-31\n", toml)
    assert [data(row)["effective_from"] for row in rows] == ["2026-01-31", "2026-01-31"]
