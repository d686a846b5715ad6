"""Reads, never stale: scorecards against numbers worked out by hand, lists, rankings, reasons, entity tags."""

import itertools
import json
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.conftest import Assemble
from tests.serving import BATCH, Assembled, Clock, event

UNSUR: Final = (
    "persyaratan", "prosedur", "waktu", "biaya", "produk", "kompetensi", "perilaku", "pengaduan", "sarana",
)  # fmt: skip
STANDARD: Final = {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
RECEIVED: Final = datetime.fromisoformat("2026-11-02T08:00:00+07:00")
TEPAT: Final = {
    "id": "tepat", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "direction": "higher",
    "target": "100", "cap": None, "min_n": 1, "weight": "0.6",
}  # fmt: skip
CEPAT: Final = {**TEPAT, "id": "cepat", "numerator": "capaian_sum_none", "denominator": "capaian_n", "weight": "0.4"}
SCHEME: Final = {
    "scheme": "kecil", "effective_from": "2026-11-01", "indicators": [TEPAT, CEPAT], "skm_weight": "1/9",
    "min_coverage": "0.4",
}  # fmt: skip
RULES: Final = (event("scheme-adopted", "scheme", SCHEME), event("standard-set", "std", STANDARD))
_number: Final = itertools.count()


def permit(dinas: str, hours: float, **data: object) -> dict[str, Any]:
    """A decision so many hours after its receipt."""
    case = f"K-{next(_number)}"
    said = {
        "dinas": dinas, "service": "kir", "case": case, "received_at": RECEIVED.isoformat(),
        "completed_at": (RECEIVED + timedelta(hours=hours)).isoformat(), **data,
    }  # fmt: skip
    return event("permit-processed", case, said)


def task(dinas: str, *, on_time: bool, asn: str = "a-1", **data: object) -> dict[str, Any]:
    """A task with a due time, met or missed by a second."""
    name = f"T-{next(_number)}"
    done = "2026-11-03T10:00:00+07:00" if on_time else "2026-11-03T10:00:01+07:00"
    said = {
        "dinas": dinas,
        "asn": asn,
        "task": name,
        "completed_at": done,
        "due_at": "2026-11-03T10:00:00+07:00",
        **data,
    }
    return event("task-completed", name, said)


def rating(dinas: str, answer: int, **data: object) -> dict[str, Any]:
    """A survey response with the same answer for all nine unsur."""
    name = f"S-{next(_number)}"
    return event(
        "satisfaction-rated", name, {"dinas": dinas, "survey": name, "unsur": dict.fromkeys(UNSUR, answer), **data}
    )


def receipt(dinas: str, received_at: str, **data: object) -> dict[str, Any]:
    """An application that is open."""
    case = f"K-{next(_number)}"
    return event(
        "permit-received", case, {"dinas": dinas, "service": "kir", "case": case, "received_at": received_at, **data}
    )


def fill(neraca: Assembled, *events: dict[str, Any]) -> None:
    """Record many at once, and fold them."""
    tally = neraca.post(list(events), BATCH).json()
    assert (tally["accepted"], tally["rejected"]) == (len(events), [])
    neraca.settle()


def ids(page: dict[str, Any]) -> list[str]:
    """Whom a page lists."""
    return [card["subject"]["id"] for card in page["items"]]


def test_a_scorecard_is_what_one_works_out_by_hand(neraca: Assembled) -> None:
    """(20 x 100 + 10 x 50) / 30 = 83.33; IKM 25 x 3 = 75, of 88.31 84.93; 7 of 10 = 70; 0.4, 0.3 and 0.3 of them 79.81."""
    fill(
        neraca, event("dinas-registered", "n", {"dinas": "dishub", "name": "Dinas Perhubungan"}), RULES[1],
        *(permit("dishub", 24) for _ in range(20)), *(permit("dishub", 36) for _ in range(10)),
        permit("dishub", 1, service="lain", outcome="rejected"),
        *(task("dishub", on_time=index < 7) for index in range(10)),
        event("task-completed", "self", {"dinas": "dishub", "asn": "a-1", "task": "x", "reported_by": "self",
                                         "completed_at": "2026-11-04T10:00:00+07:00"}),
        *(rating("dishub", 3) for _ in range(30)),
        event("satisfaction-rated", "overall", {"dinas": "dishub", "survey": "one", "overall": 1}),
        receipt("dishub", "2026-11-24T11:00:00+07:00"), receipt("dishub", "2026-11-20T11:00:00+07:00"),
    )  # fmt: skip
    position = neraca.journal.head()
    assert neraca.get("/v1/dinas/dishub").json() == {
        "subject": {"kind": "dinas", "id": "dishub"}, "period": "2026-11", "position": position, "scheme": "contoh-2026",
        "registered": True,
        "iku": {"value": 79.81, "state": "ok", "se": None, "lo": None, "hi": None},
        "indicators": [
            {"id": "kecepatan", "value": 83.33, "target": 100.0, "capaian": 83.33, "weight": 0.4, "n": 30, "state": "ok"},
            {"id": "kepuasan", "value": 75.0, "target": 88.31, "capaian": 84.93, "weight": 0.3, "n": 30, "state": "ok"},
            {"id": "ketepatan_waktu", "value": 70.0, "target": 100.0, "capaian": 70.0, "weight": 0.3, "n": 10, "state": "ok"},
        ],
        "counts": {
            "permits": 31, "permits_with_standard": 30, "permits_on_time": 20, "permits_rejected": 1, "permits_open": 2,
            "permits_open_overdue": 1, "tasks": 11, "tasks_with_due": 10, "tasks_on_time": 7, "tasks_self_reported": 1,
            "ratings": 31,
        },
    }  # fmt: skip
    for period in ("2026-11", "2026-Q4", "2026-S2", "2026"):
        card = neraca.get(f"/v1/dinas/dishub?period={period}").json()
        assert (card["period"], card["iku"]["value"]) == (period, 79.81)
    empty = neraca.get("/v1/dinas/dishub?period=2026-10").json()
    assert (empty["iku"]["value"], empty["iku"]["state"], empty["counts"]["permits"]) == (None, "insufficient", 0)
    assert [(line["value"], line["n"]) for line in empty["indicators"]] == [(None, 0)] * 3


def test_a_scorecard_follows_corrections_and_retractions(neraca: Assembled) -> None:
    """A retracted fact counts as never recorded, a corrected one as recorded so from the start."""
    good, wrong = permit("dishub", 24), permit("dishub", 48)
    fill(neraca, *RULES, good, wrong)
    assert neraca.get("/v1/dinas/dishub").json()["indicators"][1]["value"] == 50.0
    name = {"event": {"source": "/loket", "id": wrong["id"]}, "reason": "typo"}
    mended = {**wrong["data"], "completed_at": (RECEIVED + timedelta(hours=12)).isoformat()}
    fill(neraca, event("event-corrected", "k", {**name, "replacement": mended}))
    card = neraca.get("/v1/dinas/dishub").json()
    assert (card["indicators"][1]["value"], card["counts"]["permits"]) == (125.0, 2)
    fill(neraca, event("event-retracted", "x", {"event": {"source": "/loket", "id": "k"}, "reason": "typo"}))
    card = neraca.get("/v1/dinas/dishub").json()
    assert (card["indicators"][1]["value"], card["counts"]["permits"]) == (100.0, 1)


def test_lists_name_whoever_has_a_measure_a_file_or_a_registration(neraca: Assembled, clock: Clock) -> None:
    """Listed are those with facts in the period, an open file or a registration, by id; nobody else."""
    fill(
        neraca, event("dinas-registered", "n", {"dinas": "b-registered", "name": "B"}), task("c-facts", on_time=True),
        receipt("a-open", "2026-11-20T08:00:00+07:00", asn="x-open"), task("Z-capital", on_time=True, asn="other"),
        event("asn-assigned", "s1", {"asn": "x-assigned", "dinas": "c-facts", "effective_from": "2026-11-24"}),
        event("asn-assigned", "s2", {
            "asn": "x-gone", "dinas": "c-facts", "effective_from": "2025-01-01", "effective_to": "2026-10-31"}),
    )  # fmt: skip
    page = neraca.get("/v1/dinas").json()
    assert (page["period"], page["position"], page["next"]) == ("2026-11", neraca.journal.head(), None)
    assert ids(page) == ["Z-capital", "a-open", "b-registered", "c-facts"]
    assert [card["registered"] for card in page["items"]] == [False, False, True, False]
    assert ids(neraca.get("/v1/dinas?period=2026-10").json()) == ["a-open", "b-registered"]
    assert ids(neraca.get("/v1/dinas/c-facts/asn").json()) == ["a-1", "x-assigned"]
    assert ids(neraca.get("/v1/dinas/c-facts/asn?period=2026-Q3").json()) == ["x-gone"]
    assert ids(neraca.get("/v1/dinas/a-open/asn").json()) == ["x-open"]
    assert ids(neraca.get("/v1/dinas/b-registered/asn").json()) == []
    clock.set("2026-12-01T00:00:00+07:00")
    assert ids(neraca.get("/v1/dinas").json()) == ["a-open", "b-registered"]


def test_known_without_facts_is_zeros(neraca: Assembled) -> None:
    """A subject that was ever named is known: 200 and zeros in any period; one never named is 404."""
    gone = task("dishub", on_time=True, asn="a-gone")
    fill(neraca, event("asn-registered", "n", {"asn": "a-new"}), gone,
         event("event-retracted", "x", {"event": {"source": "/loket", "id": gone["id"]}, "reason": "typo"}))  # fmt: skip
    for path in (
        "/v1/asn/a-new",
        "/v1/asn/a-gone",
        "/v1/dinas/dishub",
        "/v1/dinas/dishub?period=1999",
        "/v1/asn/a-new?period=9999",
    ):
        answer = neraca.get(path)
        assert answer.status_code == 200, path
        assert set(answer.json()["counts"].values()) == {0}, path
    assert neraca.get("/v1/asn/a-never").status_code == 404


def test_under_a_dinas_only_its_own_facts_count(neraca: Assembled) -> None:
    """An ASN of two dinas has one scorecard over both, and in each dinas's list and ranking only what was done there."""
    fill(neraca, RULES[0], task("here", on_time=True), task("here", on_time=True), task("there", on_time=False))
    assert neraca.get("/v1/asn/a-1").json()["indicators"][0] | {"n": 3} == {
        "id": "tepat", "value": 66.67, "target": 100.0, "capaian": 66.67, "weight": 0.6, "n": 3, "state": "ok",
    }  # fmt: skip
    for path in ("/v1/dinas/{}/asn", "/v1/rankings/asn?dinas={}"):
        values = [
            neraca.get(path.format(dinas)).json()["items"][0]["indicators"][0]["value"] for dinas in ("here", "there")
        ]
        assert values == [100.0, 0.0]


ODD_IDS: Final = (
    "PWDx",
    "pwdx",
    "Dinas Pekerjaan Umum",
    "dinas?x=1&y",
    "100%",
    "a#b",
    "é",
    "...",
    "+",
    "%2e",
    "a%2Fb",
    "名",
)


def test_ids_are_verbatim(neraca: Assembled) -> None:
    """An id comes back letter for letter, and is found under its percent-encoding and no other spelling."""
    fill(neraca, *(task(odd, on_time=True, asn=odd) for odd in ODD_IDS))
    assert ids(neraca.get("/v1/dinas").json()) == sorted(ODD_IDS)
    for odd in ODD_IDS:
        path = "".join(f"%{byte:02X}" for byte in odd.encode())
        for kind in ("dinas", "asn"):
            assert neraca.get(f"/v1/{kind}/{path}").json()["subject"] == {"kind": kind, "id": odd}


def standings() -> Iterator[dict[str, Any]]:
    """Seven dinas: three over both indicators, two of them equal; one over tasks, one over permits; two not ranked."""
    for dinas in ("b", "a"):
        yield from (task(dinas, on_time=True), task(dinas, on_time=False), permit(dinas, 24))
    yield from (task("c", on_time=True), permit("c", 24))
    yield task("d", on_time=True)
    yield permit("e", 12)
    yield event("dinas-registered", "n", {"dinas": "f", "name": "F"})
    yield receipt("g", "2026-11-20T08:00:00+07:00")


RANKED: Final = [
    ("c", 100.0, {"best": 1, "worst": 1}), ("a", 70.0, {"best": 2, "worst": 3}), ("b", 70.0, {"best": 2, "worst": 3}),
    ("d", 100.0, {"best": 1, "worst": 1}), ("e", 150.0, {"best": 1, "worst": 1}), ("f", None, None), ("g", None, None),
]  # fmt: skip


def test_a_ranking_compares_only_the_comparable(neraca: Assembled) -> None:
    """One covered set is ranked among itself, larger covered weight first, ties share ranks by id, unranked last."""
    fill(neraca, *RULES, *standings())
    page = neraca.get("/v1/rankings/dinas").json()
    assert [(card["subject"]["id"], card["iku"]["value"], card["rank"]) for card in page["items"]] == RANKED
    assert "rank" not in neraca.get("/v1/dinas").json()["items"][0]
    assert "rank" not in neraca.get("/v1/dinas/a").json()


def test_nobody_is_ranked_beyond_their_own_dinas(neraca: Assembled) -> None:
    """The ranking of ASN is of one dinas."""
    fill(
        neraca,
        *RULES,
        task("d1", on_time=True, asn="x"),
        task("d1", on_time=False, asn="y"),
        task("d2", on_time=True, asn="z"),
    )
    page = neraca.get("/v1/rankings/asn?dinas=d1").json()
    assert [(card["subject"]["id"], card["rank"]["best"]) for card in page["items"]] == [("x", 1), ("y", 2)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
@pytest.mark.parametrize(("path", "key"), [
    ("/v1/dinas?", "items"), ("/v1/rankings/dinas?", "items"), ("/v1/dinas/hub/asn?", "items"),
    ("/v1/rankings/asn?dinas=hub&", "items"), ("/v1/dinas/hub/why?", "events"), ("/v1/asn/p0/why?", "events"),
])  # fmt: skip
def test_pages_joined_are_the_whole(paged: Assembled, path: str, key: str, limit: int) -> None:
    """Following `next` from page to page gives the whole list once, in its order, whatever the limit."""
    whole = paged.get(path).json()
    assert whole["next"] is None
    assert len(whole[key]) == 7
    joined: list[object] = []
    cursor: str | None = ""
    while cursor is not None:
        page = paged.get(f"{path}limit={limit}{f'&cursor={cursor}' if cursor else ''}").json()
        assert 1 <= len(page[key]) <= limit
        joined += page[key]
        cursor = page["next"]
    assert joined == whole[key]


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """Seven of everything: dinas, ASN of one dinas, events behind that dinas and behind one ASN."""
    with Assembled(tmp_path_factory.mktemp("paged") / "data") as assembled:
        fill(
            assembled, *RULES, *(task(f"d{index}", on_time=True, asn="p0") for index in range(6)),
            task("hub", on_time=True, asn="p0"), *(task("hub", on_time=False, asn=f"p{index}") for index in range(1, 7)),
        )  # fmt: skip
        yield assembled


def test_why_names_its_formula_and_its_events(neraca: Assembled) -> None:
    """The reasons of a score: the balance, the formula with its numbers, and each event with what it posted to the subject."""
    met, missed = task("dishub", on_time=True), task("dishub", on_time=False)
    fast = permit("dishub", 12, asn="a-1")
    fill(neraca, *RULES, met, missed, fast, task("dishub", on_time=True, asn="a-2"))
    why = neraca.get("/v1/asn/a-1/why").json()
    assert (why["subject"], why["period"], why["scheme"], why["position"]) == (
        {"kind": "asn", "id": "a-1"},
        "2026-11",
        "kecil",
        7,
    )
    assert why["scorecard"] == neraca.get("/v1/asn/a-1").json()
    assert why["scorecard"]["iku"]["value"] == 90.0
    balance = {name: amount for name, amount in why["balance"].items() if amount}
    assert (balance["tasks"], balance["tasks_on_time"], balance["permits"], balance["capaian_sum_none"]) == (
        2,
        1,
        1,
        15000,
    )
    tepat, cepat = why["formula"]["indicators"]
    assert (tepat["numerator"], tepat["denominator"]) == (
        {"measure": "tasks_on_time", "balance": 1}, {"measure": "tasks_with_due", "balance": 2},
    )  # fmt: skip
    assert tepat["expression"].startswith("1 / 2 × 100 = 50.00")
    assert cepat["expression"].startswith("15000 / 1 / 100 = 150.00")
    assert why["formula"]["iku"] == "(0.6 × 50.00 + 0.4 × 150.00) / 1 = 90.00"
    assert [(one["position"], one["id"], one["source"]) for one in why["events"]] == [
        (4, met["id"], "/loket"), (5, missed["id"], "/loket"), (6, fast["id"], "/loket"),
    ]  # fmt: skip
    resolved = [one["data"].pop("resolved") for one in why["events"]]
    assert [one["data"] for one in why["events"]] == [met["data"], missed["data"], fast["data"]]
    assert [(one["month"], one["on_time"]) for one in resolved] == [
        ("2026-11", True),
        ("2026-11", False),
        ("2026-11", True),
    ]
    sums: dict[str, int] = {}
    for posting in (posting for one in why["events"] for posting in one["postings"]):
        assert posting["account"][:2] == ["dishub", "a-1"]
        for measure, amount in posting["amounts"].items():
            sums[measure] = sums.get(measure, 0) + amount
    assert sums == balance


def test_why_shows_both_sides_of_a_reversal(neraca: Assembled) -> None:
    """A correction's postings are the old fact taken out and the new one put in; summed over the events they are the balance."""
    wrong = task("dishub", on_time=False)
    mended = {**wrong["data"], "completed_at": "2026-11-03T09:00:00+07:00", "asn": "a-2"}
    name = {"event": {"source": "/loket", "id": wrong["id"]}, "reason": "typo", "replacement": mended}
    fill(neraca, wrong, event("event-corrected", "k", name))
    before, after = neraca.get("/v1/asn/a-1/why").json(), neraca.get("/v1/asn/a-2/why").json()
    assert not any(before["balance"].values())
    assert [one["type"] for one in before["events"]] == ["neraca.task-completed.v1", "neraca.event-corrected.v1"]
    assert [one["postings"][0]["amounts"]["tasks"] for one in before["events"]] == [1, -1]
    assert [one["postings"][0]["amounts"]["tasks_on_time"] for one in after["events"]] == [1]


@pytest.mark.parametrize("ratings", [1, 29, 30])
def test_an_asn_below_the_sample_keeps_its_satisfaction_withheld(neraca: Assembled, ratings: int) -> None:
    """Below the minimum sample no value, sums or single answers of one ASN are shown; from it on they are."""
    told = [rating("dishub", 2, asn="a-1") for _ in range(ratings)]
    fill(neraca, *told)
    enough = ratings >= 30
    cards = [
        neraca.get("/v1/asn/a-1").json(), neraca.get("/v1/dinas/dishub/asn").json()["items"][0],
        neraca.get("/v1/rankings/asn?dinas=dishub").json()["items"][0], neraca.get("/v1/asn/a-1/why").json()["scorecard"],
    ]  # fmt: skip
    for card in cards:
        line = card["indicators"][1]
        assert (line["n"], line["value"], line["state"]) == (
            ratings,
            50.0 if enough else None,
            "ok" if enough else "insufficient",
        )
    why = neraca.get("/v1/asn/a-1/why").json()
    formula = why["formula"]["indicators"][1]
    assert (formula["value"] is not None, bool(formula["unsur"]), "unsur_sum_waktu" in why["balance"]) == (enough,) * 3
    assert {one["suppressed"] for one in why["events"]} == {not enough}
    assert all((one["data"] is not None, bool(one["postings"])) == (enough, enough) for one in why["events"])
    assert neraca.get("/v1/dinas/dishub").json()["indicators"][1]["value"] == 50.0


TAGGED: Final = (
    "/v1/dinas", "/v1/dinas/dishub", "/v1/dinas/dishub/asn", "/v1/dinas/dishub/why", "/v1/asn/a-1", "/v1/asn/a-1/why",
    "/v1/rankings/dinas", "/v1/rankings/asn?dinas=dishub",
)  # fmt: skip


@pytest.mark.parametrize("path", [*TAGGED, "/v1/digest"])
def test_an_entity_tag_holds_until_an_event_is_folded(neraca: Assembled, path: str) -> None:
    """The same tag is 304 without a body; a folded event makes another tag; each scope has its own."""
    fill(neraca, *RULES, task("dishub", on_time=True))
    first = neraca.get(path)
    tag = first.headers["etag"]
    for asked in (tag, f'"other", {tag}', f"W/{tag}"):
        same = neraca.get(path, headers={"if-none-match": asked})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert neraca.get(path, headers={"if-none-match": '"other"'}).content == first.content
    fill(neraca, task("dishub", on_time=False))
    moved = neraca.get(path, headers={"if-none-match": tag})
    assert moved.status_code == 200
    assert moved.headers["etag"] != tag
    assert moved.content != first.content


@pytest.mark.parametrize("path", TAGGED)
def test_a_file_that_becomes_overdue_changes_the_answer_and_its_tag(neraca: Assembled, clock: Clock, path: str) -> None:
    """No event is needed: the clock passing a promise is news, at the microsecond it passes."""
    fill(neraca, RULES[1], task("dishub", on_time=True), receipt("dishub", "2026-11-24T10:00:00+07:00", asn="a-1"))
    clock.set("2026-11-25T10:00:00+07:00")
    before = neraca.get(path)
    tag = before.headers["etag"]
    assert '"permits_open_overdue":0' in before.text
    assert neraca.get(path, headers={"if-none-match": tag}).status_code == 304
    clock.us += 1
    after = neraca.get(path, headers={"if-none-match": tag})
    assert after.status_code == 200
    assert after.headers["etag"] != tag
    assert '"permits_open_overdue":1' in after.text


def test_a_paused_file_does_not_become_overdue(neraca: Assembled, clock: Clock) -> None:
    """A pause stops the clock of a case's standard; it does not move a deadline of the case's own."""
    by_standard = receipt("dishub", "2026-11-24T10:00:00+07:00")
    by_deadline = receipt("dinkes", "2026-11-24T10:00:00+07:00", due_at="2026-11-25T10:00:00+07:00")
    fill(neraca, RULES[1], by_standard, by_deadline, *(
        event("permit-paused", f"z-{of['id']}", {
            **{name: of["data"][name] for name in ("dinas", "service", "case")}, "at": "2026-11-24T11:00:00+07:00",
            "reason": "applicant"})
        for of in (by_standard, by_deadline)))  # fmt: skip
    assert [card["counts"]["permits_open_overdue"] for card in neraca.get("/v1/dinas").json()["items"]] == [0, 0]
    clock.set("2026-11-29T10:00:00+07:00")
    counts = {
        card["subject"]["id"]: card["counts"]["permits_open_overdue"]
        for card in neraca.get("/v1/dinas").json()["items"]
    }
    assert counts == {"dinkes": 1, "dishub": 0}


@pytest.mark.parametrize("path", TAGGED)
def test_the_default_period_turns_with_the_month_of_the_zone(neraca: Assembled, clock: Clock, path: str) -> None:
    """At local midnight the default period is the next month, also for readers with a tag; a named period stays."""
    named = path + ("&" if "?" in path else "?") + "period=2026-11"
    fill(
        neraca,
        task("dishub", on_time=True),
        event("asn-assigned", "s", {"asn": "a-1", "dinas": "dishub", "effective_from": "2026-01-01"}),
    )
    clock.set("2026-11-30T23:59:59.999999+07:00")
    tag, kept = neraca.get(path).headers["etag"], neraca.get(named).headers["etag"]
    assert neraca.get(path, headers={"if-none-match": tag}).status_code == 304
    clock.us += 1
    turned = neraca.get(path, headers={"if-none-match": tag})
    assert (turned.status_code, turned.json()["period"]) == (200, "2026-12")
    assert neraca.get(named, headers={"if-none-match": kept}).status_code == 304


@pytest.mark.parametrize(
    "path", [*TAGGED, "/v1/digest", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/v1/nothing"]
)
def test_head_is_get_without_a_body(neraca: Assembled, path: str) -> None:
    """HEAD answers with GET's status and headers, asked for the first time or again, and with no body."""
    fill(neraca, task("dishub", on_time=True))
    for _ in range(2):
        head, get = neraca.ask("HEAD", path), neraca.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        if path != "/metrics":
            assert dict(head.headers) == dict(get.headers)


STEPS: Final = st.lists(
    st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.sampled_from(["met", "missed", "fast", "slow", "retract", "repeat"])),
    min_size=1, max_size=10,
)  # fmt: skip


@seed(20261124)
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_answers_are_never_stale(steps: list[tuple[str, str]]) -> None:
    """Once an event is folded, every answer rests on it: the ranking asked a moment before is not given again."""
    made: list[dict[str, Any]] = []
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, Assembled(Path(folder) / "data") as neraca:
        fill(neraca, *RULES)
        for dinas, step in steps:
            neraca.get("/v1/rankings/dinas")
            if step == "repeat" and made:
                neraca.record(made[-1])
            elif step == "retract" and made:
                gone = made.pop()
                neraca.record(event("event-retracted", f"x-{gone['id']}", {
                    "event": {"source": "/loket", "id": gone["id"]}, "reason": "typo"}))  # fmt: skip
                counts[gone["data"]["dinas"]]["permit" in gone["type"]] -= 1
            else:
                fact = {
                    "met": lambda d: task(d, on_time=True), "missed": lambda d: task(d, on_time=False),
                    "fast": lambda d: permit(d, 1), "slow": lambda d: permit(d, 40),
                }.get(step, lambda d: permit(d, 24))(dinas)  # fmt: skip
                made.append(fact)
                neraca.record(fact)
                counts.setdefault(dinas, [0, 0])["permit" in fact["type"]] += 1
            page = neraca.get("/v1/rankings/dinas").json()
            served = {
                card["subject"]["id"]: [card["counts"]["tasks"], card["counts"]["permits"]] for card in page["items"]
            }
            assert page["position"] == neraca.journal.head()
            assert served == {dinas: pair for dinas, pair in counts.items() if any(pair)}
            asked_anew = neraca.get("/v1/rankings/dinas?limit=100").json()
            assert page == asked_anew


def test_the_digest_is_of_what_was_said_not_of_when(assemble: Assemble, clock: Clock) -> None:
    """The same events in another journal, recorded later in another order, have the same digest."""
    events = [*RULES, *standings()]
    first, second = assemble("first"), assemble("second")
    fill(first, *events)
    clock.set("2026-11-25T00:00:00+07:00")
    fill(second, *events[:2], *reversed(events[2:]))
    one, two = first.get("/v1/digest").json(), second.get("/v1/digest").json()
    assert one == two
    assert (one["position"], len(one["digest"])) == (first.journal.head(), 64)
    fill(second, task("a", on_time=True))
    assert second.get("/v1/digest").json()["digest"] != one["digest"]


def test_numbers_are_plain_json_numbers(neraca: Assembled) -> None:
    """Percentages are numbers of two decimals at most, never strings, never exponents."""
    fill(neraca, *RULES, *(task("dishub", on_time=index < 2) for index in range(3)))
    text = neraca.get("/v1/dinas/dishub").text
    assert '"value":66.67' in text
    assert json.loads(text)["indicators"][0]["value"] == 66.67
