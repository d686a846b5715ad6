"""Times in files: formats and the zones they name, months in words, local hours that occur twice or never, and days."""

import re
from pathlib import Path

import pytest

from domain import clock
from streams.importing.rows import MappingError
from tests.streams.desk import Desk, data, refusal

NEW_YORK = "America/New_York"
PERMITS = """
kind = "permit-processed"
source = "/import/test"
times = {times}
{more}
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
due_at = "DUE"
"""
HEADER = "D;S;C;R;E;DUE\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def permits(*times: str, more: str = "") -> str:
    return PERMITS.format(times=list(times), more='delimiter = ";"\n' + more)


def line(start: str, end: str, due: str = "") -> str:
    return f"{HEADER}d;s;1;{start};{end};{due}\n"


ZONE_LITERALS = [
    ("%Y-%m-%dT%H:%M:%SZ", "Z", "%Y-%m-%dT%H:%M:%S%z"),
    ("%Y-%m-%dT%H:%M:%Sz", "z", "%Y-%m-%dT%H:%M:%S%z"),
    ("%Y-%m-%dT%H:%M:%S.%fZ", "Z", "%Y-%m-%dT%H:%M:%S.%f%z"),
    ("%Y-%m-%dT%H:%M:%S.000Z", "Z", "%Y-%m-%dT%H:%M:%S.000%z"),
    ("%Y-%m-%d'T'%H:%M:%S'Z'", "Z", "%Y-%m-%d'T'%H:%M:%S%z"),
    ("%Y-%m-%d %H:%M:%S UTC", "UTC", "%Y-%m-%d %H:%M:%S %z"),
    ("%Y-%m-%d %H:%M:%S (UTC)", "UTC", "%Y-%m-%d %H:%M:%S %z"),
    ("%a, %d %b %Y %H:%M:%S GMT", "GMT", "%a, %d %b %Y %H:%M:%S %z"),
    ("%d/%m/%Y %H.%M WIB", "WIB", "%d/%m/%Y %H.%M %z"),
    ("%d/%m/%Y %H.%M wita", "wita", "%d/%m/%Y %H.%M %z"),
    ("%d/%m/%Y %H.%M WIT", "WIT", "%d/%m/%Y %H.%M %z"),
    ("%a %b %d %H:%M:%S EST %Y", "EST", "%a %b %d %H:%M:%S %z %Y"),
    ("%Y-%m-%d %H:%M:%S+00:00", "+00:00", "%Y-%m-%d %H:%M:%S%z"),
    ("%Y-%m-%d %H:%M:%S+07", "+07", "%Y-%m-%d %H:%M:%S%z"),
    ("%Y-%m-%d %H:%M:%S -0500", "-0500", "%Y-%m-%d %H:%M:%S %z"),
    ("%Y-%m-%d %H:%M:%S GMT+7", "GMT+7", "%Y-%m-%d %H:%M:%S %z"),
    ("%Y-%m-%d %H:%M:%S AMST", "AMST", "%Y-%m-%d %H:%M:%S %z"),
    ("%Y-%m-%d %H:%M:%S BST", "BST", "%Y-%m-%d %H:%M:%S %z"),
    ("%Y-%m-%d %H:%M Waktu Indonesia Barat", "Waktu Indonesia Barat", "%Y-%m-%d %H:%M %z"),
    ("%Y-%m-%d %H:%M[Asia/Jakarta]", "Asia/Jakarta", "%Y-%m-%d %H:%M%z"),
    ("%Y-%m-%dZ", "Z", "%Y-%m-%d%z"),
    ("UTC %Y-%m-%d %H:%M", "UTC", "%z %Y-%m-%d %H:%M"),
]


@pytest.mark.parametrize(("pattern", "literal", "right"), ZONE_LITERALS)
def test_a_format_that_passes_over_a_zone_is_refused(desk: Desk, pattern: str, literal: str, right: str) -> None:
    """Its times would be hours off without a word; the refusal names the format that reads the zone."""
    with pytest.raises(MappingError) as error:
        desk.mapping(permits("iso").replace("['iso']", f'["iso", "{pattern}"]'))
    assert f"{pattern!r} passes over {literal!r}" in str(error.value)
    assert repr(right) in str(error.value)


@pytest.mark.parametrize(
    "pattern", ["%d-%m-20%y", "%Y-%m-%dT%H:%M", "%d/%m/%Y pukul %H.%M", "%d/%m/%Y jam %H:%M", "tgl %d-%m-%Y", "%Y%m%d"]
)
def test_other_words_and_figures_in_a_format_are_no_zones(desk: Desk, pattern: str) -> None:
    assert desk.mapping(permits(pattern)).times == (pattern,)


@pytest.mark.parametrize(
    ("pattern", "text", "instant"),
    [
        ("%Y-%m-%dT%H:%M:%S%z", "2026-03-31T16:00:00Z", "2026-03-31T16:00:00+00:00"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-03-31 16:00:00 UTC", "2026-03-31T16:00:00+00:00"),
        ("%a, %d %b %Y %H:%M:%S %z", "Tue, 31 Mar 2026 16:00:00 GMT", "2026-03-31T16:00:00+00:00"),
        ("%a, %d %b %Y %H:%M:%S %z", "Selasa, 31 Maret 2026 23:00:00 WIB", "2026-03-31T23:00:00+07:00"),
        ("%d/%m/%Y %H.%M %z", "31/03/2026 23.00 wita", "2026-03-31T23:00:00+08:00"),
        ("%d/%m/%Y %H.%M %z", "31/03/2026 23.00 WIT", "2026-03-31T23:00:00+09:00"),
        ("%d/%m/%Y %H.%M %z", "31/03/2026 23.00 EST", "2026-03-31T23:00:00-05:00"),
        ("%d/%m/%Y %H.%M %z", "31/03/2026 23.00 GMT+7", "2026-03-31T23:00:00+07:00"),
        ("%d/%m/%Y %H.%M %z", "31/03/2026 23.00 -0330", "2026-03-31T23:00:00-03:30"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2026-03-31T16:00:00.123456789Z", "2026-03-31T16:00:00.123456+00:00"),
        ("%d %B %Y %H:%M", "3 Agustus 2026 08:00", "2026-08-03T08:00:00+07:00"),
        ("%d %B %Y %H:%M", "3 Mei 2026 08:00", "2026-05-03T08:00:00+07:00"),
        ("%d %B %Y %H:%M", "3 oktober 2026 08:00", "2026-10-03T08:00:00+07:00"),
        ("%d %B %Y %H:%M", "3 August 2026 08:00", "2026-08-03T08:00:00+07:00"),
        ("%A, %d %B %Y pukul %H.%M", "Jum'at, 7 Agustus 2026 pukul 08.05", "2026-08-07T08:05:00+07:00"),
        ("%d %b %Y", "3 Peb 2026", "2026-02-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-Agu-26", "2026-08-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-AGT-26", "2026-08-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-Ags-26", "2026-08-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-Okt-26", "2026-10-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-Nop-25", "2025-11-03T00:00:00+07:00"),
        ("%d-%b-%y", "3-Des-25", "2025-12-03T00:00:00+07:00"),
        ("%d %b. %Y", "3 Sept. 2026", "2026-09-03T00:00:00+07:00"),
        ("%d/%m/%Y %H.%M.%S", "03/08/2026 08.00.07", "2026-08-03T08:00:07+07:00"),
        ("%m/%d/%Y %I:%M %p", "08/03/2026 12:30 AM", "2026-08-03T00:30:00+07:00"),
        ("%m/%d/%Y %I:%M %p", "08/03/2026 1:30 p.m.", "2026-08-03T13:30:00+07:00"),
        ("%Y-%j", "2026-060", "2026-03-01T00:00:00+07:00"),
        ("%G-W%V-%u", "2026-W10-1", "2026-03-02T00:00:00+07:00"),
        ("%c", "Tue Mar  3 08:00:00 2026", "2026-03-03T08:00:00+07:00"),
        ("%a %b %d %Y %H:%M:%S GMT%z (WIB)", "Tue Mar 03 2026 08:00:00 GMT+0700 (WIB)", "2026-03-03T08:00:00+07:00"),
    ],
)
def test_a_format_reads_words_and_zones(desk: Desk, pattern: str, text: str, instant: str) -> None:
    """Months and weekdays in Indonesian and English, zones by abbreviation and offset, in either case."""
    (row,) = desk.read(line(text, "2027-01-01 00:00"), permits(pattern, "iso"))
    assert data(row)["received_at"] == instant


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d %B %Y", "3 Agosto 2026"),
        ("%d %B %Y", "31 Februari 2026"),
        ("%d/%m/%Y %H:%M %z", "31/03/2026 23:00 BST"),
        ("%d/%m/%Y %H:%M %z", "31/03/2026 23:00 +07:60"),
        ("%d/%m/%Y %H:%M %z", "31/03/2026 23:00 +24:00"),
        ("%d/%m/%Y %H:%M", "31/03/2026 24:00"),
        ("%d/%m/%Y %H:%M %p", "31/03/2026 02:00 PM"),
        ("%Y-%j", "2026-366"),
        ("%Y%m%d %H%M", "2026111 0800"),
        ("%Y%m%d %H%M%S", "20260331 2129"),
        ("iso", "2026-03-31T23:00:00+07:60"),
        ("iso", "2026-03-31T23:00:00+24:00"),
        ("iso", "2026-03-31T24:00:00"),
        ("iso", "2026-W14-2T10:00:00"),
        ("iso", "2026-03-31T23"),
    ],
)
def test_a_time_of_another_form_is_refused(desk: Desk, pattern: str, text: str) -> None:
    """Nothing is left to the tolerance of a library: what no format reads is no time."""
    (row,) = desk.read(line(text, "2027-01-01"), permits(pattern, "%Y-%m-%d"))
    assert refusal(row).startswith(f"received_at: {text!r} is not a time of the form ")


@pytest.mark.parametrize(
    "pattern",
    ["%H:%M", "%d/%m %H:%M", "%Y-%m-%d %M", "%Y-%m-%d %H", "%Y-%m-%d %H:%M:%S %S", "%Y-%m-%d %U", "%Y %y-%m-%d"],
)
def test_a_format_that_names_no_moment_is_refused(desk: Desk, pattern: str) -> None:
    with pytest.raises(MappingError, match=re.escape("times: expected 'iso', or a strptime format")):
        desk.mapping(permits(pattern))


def test_a_mapping_says_in_which_zone_its_times_are(desk: Desk) -> None:
    """Times without an offset are in the mapping's zone, else in the journal's; the journal's zone stays as it is."""
    (row,) = desk.read(line("2026-03-31 16:00", "2026-03-31T18:00:00+07:00"), permits("iso", more='zone = "UTC"\n'))
    assert data(row)["received_at"] == "2026-03-31T16:00:00+00:00"
    assert data(row)["completed_at"] == "2026-03-31T18:00:00+07:00"
    with pytest.raises(MappingError, match=r"mapping\.toml: zone: expected a name such as Asia/Jakarta; got 'WIB'"):
        desk.mapping(permits("iso", more='zone = "WIB"\n'))


BOTH = permits("%d/%m/%Y", "%m/%d/%Y")


@pytest.mark.parametrize(("other", "month"), [("25/12/2026", "04"), ("12/25/2026", "03")])
def test_a_column_shows_which_of_two_formats_it_has(desk: Desk, other: str, month: str) -> None:
    """A cell that both read is read as the cells are that only one reads, whether they come before it or after."""
    for order in (1, -1):
        cells = [f"d;s;{n};{text};{text};\n" for n, text in enumerate(["03/04/2026", other][::order])]
        rows = desk.read(HEADER + "".join(cells), BOTH)
        assert data(rows[0 if order == 1 else 1])["received_at"][5:7] == month


def test_a_cell_that_two_formats_read_otherwise_is_refused(desk: Desk) -> None:
    """Where the column does not show which is meant, only cells that come to one day are taken."""
    rows = desk.read(HEADER + "d;s;1;03/04/2026;05/05/2026;\nd;s;2;04/04/2026;05/05/2026;\n", BOTH)
    assert refusal(rows[0]).startswith("received_at: '03/04/2026' is one time by %d/%m/%Y and %m/%d/%Y")
    assert data(rows[1])["received_at"] == "2026-04-04T00:00:00+07:00"
    content = HEADER + "".join(
        f"d;s;{n};{day};25/12/2026;\n" for n, day in enumerate(["25/12/2026", "12/25/2026", "03/04/2026"])
    )
    assert [row.refusal is None for row in desk.read(content, BOTH)] == [True, True, False]


@pytest.mark.parametrize(
    ("start", "end", "instants"),
    [
        # The hour from 01:00 occurs twice on 1 November 2015, the one from 02:00 never on 8 March.
        ("2015-11-01 01:30", "2015-11-01 01:10", ("01:30:00-04:00", "01:10:00-05:00")),
        ("2015-11-01 01:30", "2015-11-01 01:40", ("01:30:00-04:00", "01:40:00-04:00")),
        ("2015-11-01T01:30:00-05:00", "2015-11-01 01:40", ("01:30:00-05:00", "01:40:00-05:00")),
        ("2015-03-08 02:30", "2015-03-08 03:10", ("02:30:00-04:00", "03:10:00-04:00")),
        ("2015-03-08 01:50", "2015-03-08 02:10", ("01:50:00-05:00", "02:10:00-05:00")),
        ("2015-11-01 01:30", "2015-10-31 10:00", ("01:30:00-04:00", "10:00:00-04:00")),  # no reading makes sense
    ],
)
def test_of_two_readings_the_row_takes_the_one_that_makes_sense(
    desk: Desk, start: str, end: str, instants: tuple[str, str]
) -> None:
    """A case is not completed before it is received, if its clock allows for another reading."""
    (row,) = desk.read(line(start, end), permits("iso"), zone=NEW_YORK)
    assert (data(row)["received_at"][11:], data(row)["completed_at"][11:]) == instants


def test_an_old_offset_with_seconds_is_an_instant(desk: Desk) -> None:
    """Jakarta's clocks were 7:07:12 ahead of Greenwich until 1924; the wire knows no such offset."""
    (row,) = desk.read(line("1900-01-01 08:00:00", "1900-01-02 08:00:00"), permits("iso"))
    assert data(row)["received_at"] == "1900-01-01T00:52:48+00:00"
    clock.parse_instant(data(row)["received_at"])


def test_a_time_beyond_the_calendar_is_refused(desk: Desk) -> None:
    toml = permits("iso", "%Y-%m-%d")
    (row,) = desk.read(line("0001-01-01 00:00", "0001-01-01 00:00"), toml)
    assert "outside the calendar" in refusal(row)
    (row,) = desk.read(line("2026-01-01 00:00", "2026-01-01 00:00", "9999-12-31"), toml)
    assert data(row)["due_at"] == "9999-12-31T23:59:59.999999+07:00"
