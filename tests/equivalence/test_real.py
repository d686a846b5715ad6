"""Real municipal logs: what is served is what their publishers say, what replay says, and what the independent oracle says."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import neraca
from audit.journal_file import Until, fold_file
from domain.measures import INDEX
from tests.oracle import Oracle

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "processes"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.exists(), reason="the public data files are not beside this checkout"),
]


def run(*words: str | Path) -> str:
    """A command's standard output; it must end well."""
    out = io.StringIO()
    out.buffer = io.BytesIO()  # type: ignore[misc]  # export writes bytes
    with redirect_stdout(out):
        assert neraca.main([str(word) for word in words]) == 0
    return out.getvalue()


def replayed(*words: str | Path) -> dict[str, Any]:
    """What replay prints."""
    answer: dict[str, Any] = json.loads(run("replay", *words))
    return answer


def total(answers: list[dict[str, Any]], name: str) -> int:
    """A count summed over dinas and periods."""
    return sum(card["counts"][name] for answer in answers for card in answer["dinas"].values())


def oracle_agrees(journal: Path, zone: str, periods: list[str]) -> None:
    """The oracle's scorecards equal replay's, to the last digit."""
    oracle = Oracle([json.loads(line) for line in journal.read_text().splitlines()], zone)
    for period in periods:
        cards = replayed("--journal", journal, "--period", period)["dinas"]
        assert cards
        for dinas, card in cards.items():
            theirs = json.loads(json.dumps(oracle.scorecard("dinas", dinas, period, datetime.now(UTC)), default=float))
            assert {key: theirs[key] for key in ("iku", "indicators", "counts")} == {
                key: card[key] for key in ("iku", "indicators", "counts")
            }


def test_boston_is_on_time_where_the_city_says_so(tmp_path: Path) -> None:
    """Per department, permits with a deadline and on time equal the city's own flags; all ways of folding agree."""
    file, data, journal = DATA / "boston311_2015H1_dev.csv.gz", tmp_path / "data", tmp_path / "journal.ndjson"
    said = run(
        "import", file, "--map", ROOT / "examples" / "boston311.toml", "--data", data, "--zone", "America/New_York"
    )
    assert said.splitlines()[-1] == "accepted=49126 duplicates=0 refused=0 skipped=8993"
    years = [replayed("--data", data, "--period", year) for year in ("2015", "2016")]
    assert [total(years, name) for name in ("permits", "permits_with_standard", "permits_on_time")] == [
        49_126,
        37_320,
        27_295,
    ]
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["CLOSED_DT"] and row["TARGET_DT"]]
    flagged = Counter(row["Department"] for row in rows if row["OnTime_Status"] == "ONTIME")
    served: Counter[str] = Counter()
    for answer in years:
        served.update({dinas: card["counts"]["permits_on_time"] for dinas, card in answer["dinas"].items()})
    assert +served == +flagged
    run("export", "--data", data, "--journal", journal)
    rebuilt = json.loads(run("rebuild", "--data", data))
    assert rebuilt["digest"] == years[0]["digest"] == replayed("--journal", journal)["digest"]
    oracle_agrees(journal, "America/New_York", ["2015-03", "2015"])


def test_receipt_is_served_but_for_two_impossible_cases(tmp_path: Path) -> None:
    """The file says 952 of 1,329 by their deadline; two end before they start and are refused with their row: 950 of 1,327."""
    data, refused, journal = tmp_path / "data", tmp_path / "refused.ndjson", tmp_path / "journal.ndjson"
    file, mapping = DATA / "receipt.csv.gz", ROOT / "examples" / "receipt-permits.toml"
    said = run("import", file, "--map", mapping, "--data", data, "--refused", refused)
    assert said.splitlines()[-1] == "accepted=1327 duplicates=0 refused=2 skipped=105"
    rows = [json.loads(line) for line in refused.read_text().splitlines()]
    assert len(rows) == 2
    assert all(row["row"] > 0 and "completed_at" in row["detail"] for row in rows)
    years = [replayed("--data", data, "--period", year) for year in ("2010", "2011", "2012")]
    assert [total(years, name) for name in ("permits", "permits_with_standard", "permits_on_time")] == [1327, 1327, 950]
    run("export", "--data", data, "--journal", journal)
    oracle_agrees(journal, "Asia/Jakarta", ["2011"])


def test_bpic_tasks_are_counted_row_by_row(tmp_path: Path) -> None:
    """Tasks per employee are a plain count of rows, municipalities stay apart, and a second import changes nothing."""
    data = tmp_path / "data"
    for name, dinas, rows in (("BPIC15_1.csv.gz", "m1", 52_217), ("BPIC15_3.csv.gz", "m3", 59_681)):
        words = (
            "import",
            DATA / name,
            "--map",
            ROOT / "examples" / "bpic15-tasks.toml",
            "--data",
            data,
            "--set",
            f"dinas={dinas}",
        )
        assert run(*words).splitlines()[-1] == f"accepted={rows} duplicates=0 refused=0 skipped=0"
    before = replayed("--data", data)["digest"]
    assert run(*words).splitlines()[-1] == f"accepted=0 duplicates={rows} refused=0 skipped=0"
    assert replayed("--data", data)["digest"] == before
    journal = tmp_path / "journal.ndjson"
    run("export", "--data", data, "--journal", journal)
    folded = fold_file(journal, Until())
    counted: Counter[tuple[str, str]] = Counter()
    for account, balance in folded.ledger.accounts.items():
        counted[account[0], account[1]] += balance[INDEX["tasks"]]
    for name, dinas in (("BPIC15_1.csv.gz", "m1"), ("BPIC15_3.csv.gz", "m3")):
        with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as opened:
            plain = Counter(row["org:resource"] for row in csv.DictReader(opened))
        assert {asn: n for (owner, asn), n in counted.items() if owner == dinas} == dict(plain)
