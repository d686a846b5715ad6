"""Public files through the command line: figures counted from the files themselves, and one digest by every way.

Sources and licences: the heads of ``examples/*.toml``. The figures, and how to repeat them: ``docs/guides/real-figures.md``.
"""

import json
from collections import Counter
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.fold.ledger import amounts_by_measure
from domain.measures import INDEX
from domain.periods import parse_period
from tests.equivalence.cities import BOSTON, BPIC_1, BPIC_3, NOW, RECEIPT, ROOT, City, as_json, neraca, rows
from tests.oracle import Oracle

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def boston(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Requests to the city of Boston, on Boston's clock."""
    city = City(tmp_path_factory.mktemp("city") / "boston", "America/New_York")
    line = city.take(BOSTON, "boston311.toml")
    assert line == "accepted=49126 duplicates=0 refused=0 skipped=8993"
    return city


@pytest.fixture(scope="module")
def receipts(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, str, Path]:
    """The receipt phase of a Dutch municipality: its permits, the import's output, and the refusals it wrote."""
    folder = tmp_path_factory.mktemp("city")
    city, refusals = City(folder / "receipt", "Europe/Amsterdam"), folder / "refused.ndjson"
    return city, city.take(RECEIPT, "receipt-permits.toml", "--refused", refusals), refusals


@pytest.fixture(scope="module")
def municipalities(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Building permits of two Dutch municipalities, in one journal."""
    city = City(tmp_path_factory.mktemp("city") / "bpic15", "Europe/Amsterdam")
    for path, dinas, count in ((BPIC_1, "gemeente-1", 52_217), (BPIC_3, "gemeente-3", 59_681)):
        line = city.take(path, "bpic15-tasks.toml", "--set", f"dinas={dinas}")
        assert line == f"accepted={count} duplicates=0 refused=0 skipped=0"
    return city


def _sums(city: City, *periods: str) -> Counter[str]:
    with city.serving() as snapshot:
        standings = [standing for text in periods for standing in snapshot.dinas(parse_period(text))]
    return sum((Counter(amounts_by_measure(standing.balance)) for standing in standings), Counter())


def test_boston_is_what_the_file_says(boston: City) -> None:
    """Closed requests, those with a target, and those closed by it; opened in 2015, closed in 2015 or 2016."""
    sums = _sums(boston, "2015", "2016")
    assert (sums["permits"], sums["permits_with_standard"], sums["permits_on_time"]) == (49_126, 37_320, 27_295)


def test_bostons_departments_are_on_time_as_often_as_the_city_itself_says(boston: City) -> None:
    """Against ``OnTime_Status``, which no mapping reads: of requests closed with a target, per department."""
    closed_rows = [row for row in rows(BOSTON) if row["CLOSED_DT"]]
    rows_with_target = [row for row in closed_rows if row["TARGET_DT"]]
    expected_counts = Counter(row["Department"] for row in rows_with_target if row["OnTime_Status"] == "ONTIME")
    counts = Counter[str]()
    with boston.serving() as snapshot:
        for text in ("2015", "2016"):
            for standing in snapshot.dinas(parse_period(text)):
                counts[standing.subject.id] += standing.balance[INDEX["permits_on_time"]]
    assert +counts == +expected_counts
    assert len({row["Department"] for row in rows_with_target}) > 10


def _local(text: str) -> int:
    """A time of the file in seconds; where the clock shows it twice, the first."""
    return int(datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=ZoneInfo("America/New_York")).timestamp())


def test_bostons_speed_is_floored_then_capped_case_by_case(boston: City) -> None:
    """Public works: 95.2 floored and capped per case, 135.5 floored only, -692.5 with neither, 144.3 by sums."""
    raw: dict[str, list[Fraction]] = {}
    sums = [0, 0]
    for row in rows(BOSTON):
        if row["CLOSED_DT"] and row["TARGET_DT"] and _local(row["TARGET_DT"]) > _local(row["OPEN_DT"]):
            promise_us = _local(row["TARGET_DT"]) - _local(row["OPEN_DT"])
            elapsed_us = max(_local(row["CLOSED_DT"]) - _local(row["OPEN_DT"]), 0)
            raw.setdefault(row["Department"], []).append(Fraction(2 * promise_us - elapsed_us, promise_us) * 10_000)
            if row["Department"] == "PWDx":
                sums = [sums[0] + 2 * promise_us - elapsed_us, sums[1] + promise_us]
    floors = {department: [int(max(bp, Fraction(0)) + Fraction(1, 2)) for bp in bps] for department, bps in raw.items()}
    counts: dict[str, Counter[str]] = {}
    with boston.serving() as snapshot:
        for text in ("2015", "2016"):
            for standing in snapshot.dinas(parse_period(text)):
                counts.setdefault(standing.subject.id, Counter()).update(amounts_by_measure(standing.balance))
    for department, bps in floors.items():
        mine = counts[department]
        assert mine["capaian_n"] == len(bps)
        assert mine["capaian_sum_none"] == sum(bps)
        assert mine["capaian_sum_120"] == sum(min(bp, 12_000) for bp in bps)
    works = floors["PWDx"]
    ways = [sum(min(bp, 12_000) for bp in works), sum(works), sum(raw["PWDx"])]
    assert [round(float(way) / len(works) / 100, 1) for way in ways] == [95.2, 135.5, -692.5]
    assert round(100 * sums[0] / sums[1], 1) == 144.3


def test_the_month_of_a_request_is_the_one_on_the_citys_clock(boston: City) -> None:
    """Requests per month of closing, counted from the local times of the file; not one is moved by UTC."""
    texts = [row["CLOSED_DT"] for row in rows(BOSTON) if row["CLOSED_DT"]]
    expected_counts = Counter(f"{text[6:10]}-{text[:2]}" for text in texts)
    with boston.serving() as snapshot:
        counts = {
            month: sum(standing.balance[INDEX["permits"]] for standing in snapshot.dinas(parse_period(month)))
            for month in snapshot.months()
        }
    assert counts == expected_counts


def test_two_receipts_that_end_before_they_begin_are_refused_by_row(receipts: tuple[City, str, Path]) -> None:
    """The last line counts them, the file of refusals names them: rows counted from 1, the first of each case."""
    _, line, refusals = receipts
    assert line == "accepted=1327 duplicates=0 refused=2 skipped=105"
    backwards, cases = [], set[str]()
    for number, row in enumerate(rows(RECEIPT), 1):
        case, start, end = row["case:concept:name"], row["case:startdate"], row["case:enddate"]
        if case not in cases and end and datetime.fromisoformat(end) < datetime.fromisoformat(start):
            backwards.append(number)
        cases.add(case)
    written_rows = [json.loads(line) for line in refusals.read_text(encoding="utf-8").splitlines()]
    assert [row["row"] for row in written_rows] == backwards == [909, 6533]
    assert all(row["problem"]["errors"][0]["pointer"] == "/data/completed_at" for row in written_rows)


def test_nine_hundred_fifty_receipts_were_in_time(receipts: tuple[City, str, Path]) -> None:
    """950 of 1,327 are served; the file says 952 of 1,329, the two refused among them."""
    cases = {row["case:concept:name"]: row for row in reversed(rows(RECEIPT)) if row["case:enddate"]}
    in_time = [
        row
        for row in cases.values()
        if row["case:deadline"]
        and datetime.fromisoformat(row["case:enddate"]) <= datetime.fromisoformat(row["case:deadline"])
    ]
    assert (len(in_time), len(cases)) == (952, 1_329)
    sums = _sums(receipts[0], "2010", "2011", "2012")
    assert (sums["permits_on_time"], sums["permits"]) == (950, 1_327)


def _years(city: City) -> list[str]:
    with city.serving() as snapshot:
        return sorted({month[:4] for month in snapshot.months()})


def test_tasks_per_employee_are_the_rows_of_the_file(municipalities: City) -> None:
    """Per municipality and employee, though case ids repeat between the two and some people work in both."""
    expected_counts = {
        (dinas, who): n
        for dinas, path in (("gemeente-1", BPIC_1), ("gemeente-3", BPIC_3))
        for who, n in Counter(row["org:resource"] for row in rows(path)).items()
    }
    ids = [{row["case:concept:name"] for row in rows(path)} for path in (BPIC_1, BPIC_3)]
    counts = Counter[tuple[str, str]]()
    years = _years(municipalities)
    with municipalities.serving() as snapshot:
        for text in years:
            for dinas in ("gemeente-1", "gemeente-3"):
                for member in snapshot.asn_of(dinas, parse_period(text)) or ():
                    counts[dinas, member.subject.id] += member.balance[INDEX["tasks"]]
        both = Counter[str]()
        for text in years:
            for asn in {asn for _, asn in expected_counts}:
                standing = snapshot.one_asn(asn, parse_period(text))
                both[asn] += standing.balance[INDEX["tasks"]] if standing else 0
    assert counts == expected_counts
    assert both == sum((Counter({who: n}) for (_, who), n in expected_counts.items()), Counter())
    assert ids[0] & ids[1]


def test_a_second_import_changes_nothing(municipalities: City) -> None:
    """Every row is known already, rows that say the same twice included; the digest stays."""
    before = municipalities.digest()
    line = municipalities.take(BPIC_1, "bpic15-tasks.toml", "--set", "dinas=gemeente-1")
    assert line == "accepted=0 duplicates=52217 refused=0 skipped=0"
    assert municipalities.digest() == before


@pytest.mark.parametrize("name", ["boston", "receipts", "municipalities"])
def test_one_digest_by_every_way(name: str, request: pytest.FixtureRequest) -> None:
    """Served, replayed from the data, replayed from the export, rebuilt and served again: one digest, at one position.

    The oracle, which shares no code with the project, comes to the same balances, digest and scorecards.
    """
    fixture = request.getfixturevalue(name)
    city: City = fixture if isinstance(fixture, City) else fixture[0]
    digest, path = city.digest(), city.export()
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    replays = [city.replayed(), city.replayed("--journal", path)]
    rebuilt = json.loads(neraca("rebuild", "--data", city.folder))
    assert [replay["digest"] for replay in (*replays, rebuilt)] == [digest] * 3
    assert [replay["position"] for replay in (*replays, rebuilt)] == [len(lines)] * 3
    assert city.digest() == digest
    oracle = Oracle(lines)
    assert oracle.digest() == digest
    assert digest in (ROOT / "docs" / "guides" / "real-figures.md").read_text(encoding="utf-8"), (
        "the guide to real figures says another"
    )
    _agrees(city, oracle, path)


def _agrees(city: City, oracle: Oracle, export: Path) -> None:
    with city.serving() as snapshot:
        months = snapshot.months()
        periods = [
            months[len(months) // 2],
            f"{months[-1][:4]}-Q1",
            f"{months[0][:4]}-S2",
            *sorted({month[:4] for month in months})[-3:],
        ]
        for text in periods:
            period = parse_period(text)
            standings = snapshot.dinas(period)
            for standing in standings:
                assert as_json(snapshot.card(standing, period)) == oracle.scorecard(
                    "dinas", standing.subject.id, text, NOW
                )
                for member in snapshot.asn_of(standing.subject.id, period) or ():
                    assert as_json(snapshot.card(member, period)) == oracle.scorecard(
                        "asn", member.subject.id, text, NOW, standing.subject.id
                    )
            ranks = [
                (card.subject.id, card.rank.best if card.rank else None) for card in snapshot.ranking(standings, period)
            ]
            assert ranks == oracle.ranking_dinas(text, NOW)
            replay = city.replayed("--journal", export, "--period", text)
            assert replay["dinas"] == {
                standing.subject.id: as_json(snapshot.card(standing, period)) for standing in standings
            }


def test_the_balances_served_are_the_oracles(municipalities: City) -> None:
    """Leaf by leaf, of the largest of the journals."""
    lines = [msgspec.json.decode(line) for line in municipalities.export().read_bytes().splitlines()]
    with municipalities.serving() as snapshot:
        accounts = {
            account: measures
            for account, balance in snapshot._queries.accounts()
            if (measures := amounts_by_measure(balance))
        }
    assert accounts == Oracle(lines).balances
