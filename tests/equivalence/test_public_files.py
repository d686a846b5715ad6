"""More public files through the command line: days dressed as midnight, requests told twice, and a survey of residents."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import pytest

from domain.fold.ledger import amounts_by_measure
from domain.periods import parse_period
from tests.equivalence.cities import ROOT, City

ST_LOUIS: Final = Path(__file__).parents[1] / "data" / "stlouis"
SURVEYS: Final = (ROOT / "../shared/data/satisfaction").resolve()
GUIDE: Final = (ROOT / "docs" / "guides" / "real-figures.md").read_text(encoding="utf-8")


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cases_of(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """The first row of each request that was done, unless that was more than 60 seconds before it was opened."""
    cases = set[tuple[str, ...]]()
    for row in rows:
        name = (row["SUBMITTO"], row["PROBLEMCODE"], row["REQUESTID"])
        start, end = (datetime.fromisoformat(row[key].partition(".")[0]) for key in ("DATETIMEINIT", "DATEINVTDONE"))
        same_day = end.date() == start.date() and end.time() == datetime.min.time()
        if name not in cases and (same_day or end >= start - timedelta(seconds=60)):
            cases.add(name)
            yield row


@pytest.mark.parametrize(
    ("year", "line"),
    [
        ("2009", "accepted=727 duplicates=50 refused=2 skipped=23"),
        ("2012", "accepted=3462 duplicates=231 refused=25 skipped=197"),
    ],
)
def test_st_louis_is_what_the_file_says(tmp_path: Path, year: str, line: str) -> None:
    """Every row is told of; what was done on its planned day is on time, whatever the hour; each request counts once."""
    path = ST_LOUIS / f"{year}.csv.gz"
    city, rows = City(tmp_path / "city", "America/Chicago"), rows_of(path)
    assert city.take(path, "stlouis-csb.toml") == line
    assert sum(int(word.partition("=")[2]) for word in line.split()) == len(rows)
    cases = list(cases_of([row for row in rows if row["DATEINVTDONE"]]))
    due = [row for row in cases if row["PRJCOMPLETEDATE"]]
    on_time = sum(row["DATEINVTDONE"][:10] <= row["PRJCOMPLETEDATE"][:10] for row in due)
    sums = Counter[str]()
    with city.serving() as snapshot:
        for text in sorted({month[:4] for month in snapshot.months()}):
            for standing in snapshot.dinas(parse_period(text)):
                sums.update(amounts_by_measure(standing.balance))
    figures = sums["permits"], sums["permits_with_standard"], sums["permits_on_time"]
    assert figures == (len(cases), len(due), on_time)
    assert f"| {year} | {len(rows):,} | `{line}` | {len(due):,} | {on_time:,} |" in GUIDE
    assert city.take(path, "stlouis-csb.toml").startswith("accepted=0 ")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "day", "line"),
    [
        ("kcmo_survey_aug2021.csv.gz", "2021-09-15", "accepted=1026 duplicates=0 refused=0 skipped=7"),
        ("kcmo_survey_mar2022.csv.gz", "2022-03-15", "accepted=981 duplicates=0 refused=0 skipped=3"),
    ],
)
def test_kansas_city_is_what_the_file_says(tmp_path: Path, file: str, day: str, line: str) -> None:
    """Each respondent who answered is one rating; the answers are as often as in the file; "don't know" is none."""
    city = City(tmp_path / "city", "America/Chicago")
    options = ("--set", f"time={day}T12:00:00-05:00")
    assert city.take(SURVEYS / file, "kcmo-survey.toml", *options) == line
    lines = [msgspec.json.decode(text) for text in city.export().read_bytes().splitlines()]
    answers = Counter(str(event["data"]["overall"]) for event in lines if "overall" in event["data"])
    assert answers == Counter(row["q1_01"] for row in rows_of(SURVEYS / file) if row["q1_01"] != "9")
    assert f"`{line}`" in GUIDE
