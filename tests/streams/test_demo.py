"""The demo city's laws: same seed, same events; every event valid, in order, of the past; every reference met."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from domain.events.kinds import KINDS
from domain.events.names import kind_of
from streams.demo.history import City, history, live, rules

Event = dict[str, Any]

FILE: Final = Path(__file__).parents[2] / "examples" / "tangsel" / "city.toml"
CITY: Final = City.load(FILE)
SEED: Final = 7
END: Final = datetime.fromisoformat("2027-06-30T23:59:59+07:00")
MID_MONTH: Final = datetime.fromisoformat("2026-11-24T10:41:07+07:00")
SMALL: Final = ("dispar", "dp3ap2kb", "dsdabmbk")
INTERNAL: Final = ("bkpsdm", "diskominfo")
"""Units that serve other units: nobody rates them."""
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+07:00")
INSTANT_FIELDS: Final = ("received_at", "completed_at", "assigned_at", "due_at", "at", "from", "to")

CASE_BEFORE: Final = {
    "permit-received": None,
    "permit-paused": "open",
    "permit-resumed": "paused",
    "permit-processed": "open",
}
CASE_AFTER: Final = {
    "permit-received": "open",
    "permit-paused": "paused",
    "permit-resumed": "open",
    "permit-processed": "decided",
}

each_stream = pytest.mark.parametrize("name", ["rules", "full", "cut", "live"])
each_stream_of_facts = pytest.mark.parametrize("name", ["full", "cut", "live"])


@cache
def stream(name: str) -> list[Event]:
    """One of four streams: the rules, November seen from its end or from its 24th, and the live stream on that day."""
    if name == "rules":
        return list(rules(CITY, date(2026, 11, 1)))
    if name == "live":
        return [event for _, event in emitted()]
    return list(history(CITY, SEED, "2026-11", END if name == "full" else MID_MONTH))


@cache
def emitted() -> list[tuple[datetime, Event]]:
    """The beginning of a live stream with the moments of emission."""
    return list(islice(live(CITY, SEED, MID_MONTH, 5.0), 10_000))


def kind(event: Event) -> str:
    """The kind of an event, by the product's own list."""
    return KINDS[kind_of(event["type"])].name


def of_kind(events: Iterable[Event], *kinds: str) -> list[Event]:
    """The events of some kinds, in their order."""
    return [event for event in events if kind(event) in kinds]


def instants(value: object) -> Iterable[str]:
    """Every instant anywhere in an event's data."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in INSTANT_FIELDS and isinstance(inner, str):
                yield inner
            else:
                yield from instants(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from instants(inner)


@pytest.mark.parametrize("month", ["2026-02", "2026-11", "2026-12"])
def test_same_seed_same_events_other_seed_others(month: str) -> None:
    """A month is a pure function of city, seed and month."""
    again = [list(history(CITY, SEED, month, END)) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != list(history(CITY, SEED + 1, month, END))


def test_live_is_a_pure_function_of_seed_and_start() -> None:
    """The live stream repeats under its seed and start, and under no others."""
    assert list(islice(live(CITY, SEED, MID_MONTH, 5.0), 500)) == emitted()[:500]
    assert list(islice(live(CITY, SEED + 1, MID_MONTH, 5.0), 500)) != emitted()[:500]


@pytest.mark.parametrize(
    "until",
    [
        "2026-10-31T23:59:59+07:00",
        "2026-11-01T03:00:00+07:00",
        "2026-11-24T10:41:07+07:00",
        "2026-11-24T03:41:07+00:00",
        "2026-12-02T12:00:00+07:00",
    ],
)
def test_an_earlier_until_gives_exactly_what_had_happened(until: str) -> None:
    """The events do not depend on the time or the zone from which one looks."""
    moment = datetime.fromisoformat(until)
    events = list(history(CITY, SEED, "2026-11", moment))
    assert events == [event for event in stream("full") if datetime.fromisoformat(event["time"]) <= moment]


@each_stream
def test_ids_are_unique_and_impersonal(name: str) -> None:
    """No id is used twice, none looks like a NIK or NIP, and ASN and case ids have the form the demo promises."""
    events = stream(name)
    assert len({(e["source"], e["id"]) for e in events}) == len({e["id"] for e in events}) == len(events)
    for event in events:
        data = event["data"]
        assert event["source"].startswith("/simulasi/")
        assert re.fullmatch(r"a-\d{5}", data.get("asn", "a-00000"))
        assert re.fullmatch(r"[a-z0-9]+-2026-11(-\d\dT\d{6})?-\d{6}", data.get("case", "ktp-2026-11-000001"))
        assert not re.search(r"\d{16}", msgspec.json.encode(event).decode())


def test_ids_differ_between_months_rules_and_live_starts() -> None:
    """Histories, live streams of other starts and rules of other starts can share one journal."""
    later = [event for _, event in islice(live(CITY, SEED, MID_MONTH + timedelta(seconds=1), 5.0), 2000)]
    december = list(history(CITY, SEED, "2026-12", END))
    anew = list(rules(CITY, date(2026, 12, 1)))
    parts = [stream("rules"), stream("full"), stream("live"), later, december, anew]
    assert len({(e["source"], e["id"]) for part in parts for e in part}) == sum(map(len, parts))


@each_stream
def test_every_event_is_a_cloudevent_of_its_kind(name: str) -> None:
    """Data have the fields of their kind and no others, and every instant carries the city's offset."""
    events = stream(name)
    for event in events:
        assert set(event) == {"specversion", "type", "source", "id", "time", "data"}
        msgspec.convert(event["data"], KINDS[kind(event)].submitted)
        assert INSTANT.fullmatch(event["time"])
        assert all(INSTANT.fullmatch(text) for text in instants(event["data"]))
    facts = {event["id"]: event for event in events}
    for event in of_kind(events, "event-corrected"):
        fact = facts[event["data"]["event"]["id"]]
        msgspec.convert(event["data"]["replacement"], KINDS[kind(fact)].submitted)


@each_stream
def test_events_come_in_order_and_never_speak_of_the_future(name: str) -> None:
    """Occurrences never run backward; only due times may lie ahead of the event that names them."""
    events = stream(name)
    assert all(a["time"] <= b["time"] for a, b in pairwise(events))
    for event in events:
        data = event["data"].get("replacement", event["data"])
        assert all(text <= event["time"] for text in instants({**data, "due_at": None}))


def test_live_events_occurred_just_before_they_are_emitted() -> None:
    """The moment of emission moves forward and lies at most ten seconds after the occurrence, never before it."""
    for (before, _), (moment, event) in pairwise(emitted()):
        assert before <= moment
        assert timedelta() <= moment - datetime.fromisoformat(event["time"]) < timedelta(seconds=10)


@pytest.mark.parametrize("start", ["2026-11-24T08:00", "2026-11-24T23:00", "2026-11-29T02:00", "2026-12-25T12:00"])
def test_live_is_never_silent(start: str) -> None:
    """At any hour of any day the stream moves at no less than a fifth of its rate."""
    rate = 4.0
    begin = datetime.fromisoformat(f"{start}:00+07:00")
    moments = [begin, *(moment for moment, _ in islice(live(CITY, SEED, begin, rate), 3000))]
    assert max(b - a for a, b in pairwise(moments)) <= timedelta(seconds=1.5 / (rate / 5))
    assert (moments[-1] - begin).total_seconds() <= 3000 / (rate / 5)


def test_live_goes_through_the_turn_of_a_month() -> None:
    """A stream started on the last evening goes on in the new month, with ids never used before."""
    begin = datetime.fromisoformat("2026-11-30T23:50:00+07:00")
    events = [event for _, event in islice(live(CITY, SEED, begin, 5.0), 3000)]
    assert {event["time"][:7] for event in events} == {"2026-11", "2026-12"}
    assert len({event["id"] for event in events}) == len(events)


def test_the_city_has_its_size_and_units() -> None:
    """Ten thousand ASN in thirty perangkat daerah, seven of them kecamatan, each ASN registered and assigned once."""
    counts = Counter(kind(event) for event in stream("rules"))
    assert counts["dinas-registered"] == len(CITY.dinas) == 30
    assert sum(dinas.kind == "Kecamatan" for dinas in CITY.dinas) == 7
    assert sum(dinas.asn for dinas in CITY.dinas) == 10_000
    assert counts["asn-registered"] == counts["asn-assigned"] == 10_000
    assert len({event["data"]["asn"] for event in of_kind(stream("rules"), "asn-assigned")}) == 10_000
    assert sum(20 <= dinas.asn <= 40 for dinas in CITY.dinas) >= 3
    assert all("contoh" in service.name for service in CITY.services)


@pytest.mark.parametrize(
    ("service", "hours"), [("ktp-el", 24), ("kartu-keluarga", 72), ("akta-kelahiran", 24), ("pbg", 672)]
)
def test_the_example_standards(service: str, hours: int) -> None:
    """The four named services have the standards the design gives them, in force before any case."""
    (standard,) = (e["data"] for e in of_kind(stream("rules"), "standard-set") if e["data"]["service"] == service)
    assert (standard["amount"], standard["unit"]) == (hours, "wall_hours")
    assert standard["effective_from"] < "2026-08-01"


@each_stream_of_facts
def test_facts_stay_within_the_roster(name: str) -> None:
    """The official of an event belongs to its dinas, and the dinas offers its service."""
    events = stream(name)
    home = {e["data"]["asn"]: e["data"]["dinas"] for e in of_kind(stream("rules"), "asn-assigned")}
    offers = {dinas.slug: set(dinas.services) for dinas in CITY.dinas}
    for event in events:
        data = event["data"].get("replacement", event["data"])
        assert home.get(data.get("asn"), data.get("dinas")) == data.get("dinas")
        assert data.get("service") is None or data["service"] in offers[data["dinas"]]


@each_stream_of_facts
def test_cases_follow_their_file(name: str) -> None:
    """A case is received once, paused only while open, resumed only while paused, decided only while open, rated after."""
    events = stream(name)
    state: dict[tuple[str, str, str], str] = {}
    names: dict[tuple[str, str], Event] = {}
    for event in events:
        data, what = event["data"], kind(event)
        names[event["source"], event["id"]] = event
        if what == "event-retracted":
            fact = names[data["event"]["source"], data["event"]["id"]]
            if kind(fact) in ("permit-received", "permit-processed"):
                withdrawn = kind(fact) == "permit-received"
                state[_key(fact["data"])] = "withdrawn" if withdrawn else "open"
        if what == "satisfaction-rated" and "case" in data:
            assert state[_key(data)] == CASE_AFTER["permit-processed"], event["id"]
        if not what.startswith("permit-"):
            continue
        before = state.get(_key(data))
        if what == "permit-processed" and name == "live":
            before = before or "open"  # a case of before the stream: its decision alone says when it came in
        assert before == CASE_BEFORE[what]
        state[_key(data)] = CASE_AFTER[what]


def _key(data: Event) -> tuple[str, str, str]:
    return data["dinas"], data["service"], data["case"]


@each_stream_of_facts
def test_reversals_name_an_event_emitted_before_once(name: str) -> None:
    """A reversal follows its fact, is its only one, and a correction changes something but neither dinas nor key."""
    events = stream(name)
    events_before: dict[tuple[str, str], Event] = {}
    reversed_names = set()
    for event in events:
        events_before[event["source"], event["id"]] = event
        if kind(event) in ("event-corrected", "event-retracted"):
            fact_name = event["data"]["event"]["source"], event["data"]["event"]["id"]
            fact = events_before[fact_name]
            assert fact_name not in reversed_names
            reversed_names.add(fact_name)
            assert re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", event["data"]["reason"])
            if replacement := event["data"].get("replacement"):
                assert replacement != fact["data"]
                keys = ("dinas", "service", "case", "survey", "task")
                assert all(replacement.get(key) == fact["data"].get(key) for key in keys)
    assert {kind(events_before[each]) for each in reversed_names} >= {"task-completed", "satisfaction-rated"}


def test_volume_and_variety_of_a_month() -> None:
    """A month has about 45,000 events, mostly tasks, with some of everything that can happen."""
    full = stream("full")
    counts = Counter(kind(event) for event in full)
    assert 42_000 <= len(full) <= 48_000
    assert counts["task-completed"] > len(full) / 2
    facts = counts["task-completed"] + counts["permit-processed"] + counts["satisfaction-rated"]
    assert 0.003 < counts["event-corrected"] / facts < 0.007
    assert 0.001 < counts["event-retracted"] / facts < 0.004
    assert {e["data"]["reason"] for e in of_kind(full, "permit-paused")} == {
        "applicant",
        "payment",
        "blank_stock",
        "system_outage",
        "other_agency",
    }
    assert {e["data"]["outcome"] for e in of_kind(full, "permit-processed")} == {"issued", "rejected"}
    tasks = [e["data"] for e in of_kind(full, "task-completed") if "due_at" in e["data"]]
    assert 0.02 < sum(task["completed_at"] > task["due_at"] for task in tasks) / len(tasks) < 0.05
    decided_cases = {_key(e["data"]) for e in of_kind(full, "permit-processed")}
    assert any(e["time"] > "2026-12" for e in of_kind(full, "permit-processed"))
    still_open = [e for e in of_kind(full, "permit-received") if _key(e["data"]) not in decided_cases]
    assert 0 < len(still_open) < 80


def test_samples_per_dinas() -> None:
    """Larger units have clearly more than 30 respondents with all nine unsur a month, small ones fewer than 30."""
    full = stream("full")
    raters, complete = Counter[str](), Counter[str]()
    for event in of_kind(full, "satisfaction-rated"):
        if event["time"] < "2026-12" and "unsur" in event["data"]:
            raters[event["data"]["dinas"]] += 1
            complete[event["data"]["dinas"]] += len(event["data"]["unsur"]) == 9
    permits = Counter(event["data"]["dinas"] for event in of_kind(full, "permit-processed"))
    for dinas in CITY.dinas:
        if dinas.slug in SMALL:
            assert raters[dinas.slug] < 30
            assert permits[dinas.slug] < 30
        elif dinas.slug in INTERNAL:
            assert raters[dinas.slug] == 0
        else:
            assert complete[dinas.slug] > 40
    assert all(
        e["data"]["dinas"] not in SMALL for e in of_kind(stream("live"), "satisfaction-rated", "permit-received")
    )


def test_taps_are_as_many_as_surveys_are() -> None:
    """A dinas that surveys has clearly more than 30 taps a month, and a small or internal one fewer or none."""
    taps = Counter(e["data"]["dinas"] for e in of_kind(stream("full"), "satisfaction-rated") if "overall" in e["data"])
    for dinas in CITY.dinas:
        if dinas.slug in (*SMALL, *INTERNAL):
            assert taps[dinas.slug] < 30
        else:
            assert taps[dinas.slug] > 35


def test_the_city_adopts_a_scheme_that_weighs_taps() -> None:
    (scheme,) = of_kind(stream("rules"), "scheme-adopted")
    assert scheme["data"]["scheme"] == "contoh-2027"
    assert {item["id"]: item["weight"] for item in scheme["data"]["indicators"]}["kesan"] == "0.1"


def test_samples_per_asn() -> None:
    """Counters reach 30 decisions a month; many ASN reach 10 tasks with a due time, most do not."""
    full = stream("full")
    permits, tasks = Counter[str](), Counter[str]()
    for event in of_kind(full, "permit-processed"):
        permits[event["data"]["asn"]] += 1
    for event in of_kind(full, "task-completed"):
        tasks[event["data"]["asn"]] += "due_at" in event["data"]
    assert sum(n >= 30 for n in permits.values()) > 80
    assert 500 < sum(n >= 10 for n in tasks.values()) < 2000
    assert len(tasks) > 5000


def test_offices_rest_on_weekends_and_rush_in_the_morning() -> None:
    """On weekends only RSUD and Damkar act; on working days the rush hours hold more than half of what happens."""
    full = stream("full")
    by_hour: dict[bool, Counter[int]] = defaultdict(Counter)
    always = {dinas.slug for dinas in CITY.dinas if dinas.open == "always"}
    assert always == {"rsud", "damkar"}
    for event in full:
        moment = datetime.fromisoformat(event["time"])
        slug = event["source"].split("/")[2]
        by_hour[slug in always][moment.hour] += 1
        assert slug in always or moment.weekday() < 5
    office = by_hour[False]
    assert sum(office[hour] for hour in (8, 9, 10, 13, 14)) > 0.6 * office.total()
    assert by_hour[True][3] > 0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("asn_total = 10000", "asn_total = 9999", "10000 ASN together"),
        ('slug = "pbg"', 'slug = "imb"', "services nobody defined"),
        ("hours = 672", "hours = 6720", "outlast the calendar"),
        ("counters = 20", "counters = 200", "an ASN for each"),
        ("tempo = ", "tempi = ", "unknown field"),
    ],
)
def test_a_wrong_city_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """Figures that disagree, and fields nobody reads, are refused with the reason."""
    wrong = tmp_path / "city.toml"
    wrong.write_text(FILE.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=complaint):
        City.load(wrong)


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "November"])
def test_a_month_that_is_none_is_refused(month: str) -> None:
    """A month is written `YYYY-MM`."""
    with pytest.raises(ValueError, match=r"isoformat|month"):
        next(history(CITY, SEED, month, END))


def test_times_without_an_offset_and_rates_of_nothing_are_refused() -> None:
    """A naive time names no instant, and a stream that never moves is none."""
    naive = MID_MONTH.replace(tzinfo=None)
    with pytest.raises(ValueError, match="offset"):
        next(history(CITY, SEED, "2026-11", naive))
    with pytest.raises(ValueError, match="offset"):
        next(live(CITY, SEED, naive, 5.0))
    with pytest.raises(ValueError, match="positive"):
        next(live(CITY, SEED, MID_MONTH, 0.0))
