"""Scorecards against numbers worked out by hand, and the lists of those who have one."""

import json
from datetime import timedelta
from typing import Final

from tests.api.facts import RECEIVED, RULES, fill, ids, permit, rating, receipt, task
from tests.serving import Assembled, Clock, event

CARD: Final = {
    "subject": {"kind": "dinas", "id": "dishub"},
    "period": "2026-11",
    "scheme": "contoh-2026",
    "registered": True,
    "iku": {"value": 79.81, "state": "ok", "se": None, "lo": None, "hi": None},
    "indicators": [
        {
            "id": "kecepatan",
            "value": 83.33,
            "target": 100.0,
            "capaian": 83.33,
            "weight": 0.4,
            "n": 30,
            "state": "ok",
        },
        {"id": "kepuasan", "value": 75.0, "target": 88.31, "capaian": 84.93, "weight": 0.3, "n": 30, "state": "ok"},
        {
            "id": "ketepatan_waktu",
            "value": 70.0,
            "target": 100.0,
            "capaian": 70.0,
            "weight": 0.3,
            "n": 10,
            "state": "ok",
        },
    ],
    "counts": {
        "permits": 31,
        "permits_with_standard": 30,
        "permits_on_time": 20,
        "permits_rejected": 1,
        "permits_open": 2,
        "permits_open_overdue": 1,
        "tasks": 11,
        "tasks_with_due": 10,
        "tasks_on_time": 7,
        "tasks_self_reported": 1,
        "ratings": 31,
    },
    "overall": {"value": 25.0, "n": 1, "state": "insufficient"},
    "published": False,
    "waiting": {"ratings": 0, "reversals": 0},
}
"""The card that the first test works out by hand."""


def test_a_scorecard_is_what_one_works_out_by_hand(neraca: Assembled) -> None:
    """(20 x 100 + 10 x 50) / 30 = 83.33; IKM 25 x 3 = 75, of 88.31 84.93; 7 of 10 = 70; 0.4, 0.3 and 0.3 of them 79.81."""
    fill(
        neraca,
        event("dinas-registered", "n", {"dinas": "dishub", "name": "Dinas Perhubungan"}),
        RULES[1],
        *(permit("dishub", 24) for _ in range(20)),
        *(permit("dishub", 36) for _ in range(10)),
        permit("dishub", 1, service="lain", outcome="rejected"),
        *(task("dishub", on_time=index < 7) for index in range(10)),
        event(
            "task-completed",
            "self",
            {
                "dinas": "dishub",
                "asn": "a-1",
                "task": "x",
                "reported_by": "self",
                "completed_at": "2026-11-04T10:00:00+07:00",
            },
        ),
        *(rating("dishub", 3) for _ in range(30)),
        event("satisfaction-rated", "overall", {"dinas": "dishub", "survey": "one", "overall": 1}),
        receipt("dishub", "2026-11-24T11:00:00+07:00"),
        receipt("dishub", "2026-11-20T11:00:00+07:00"),
    )
    position = neraca.journal.head()
    assert neraca.get("/v1/dinas/dishub").json() == {**CARD, "position": position}
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
    correction = {**wrong["data"], "completed_at": (RECEIVED + timedelta(hours=12)).isoformat()}
    fill(neraca, event("event-corrected", "k", {**name, "replacement": correction}))
    card = neraca.get("/v1/dinas/dishub").json()
    assert (card["indicators"][1]["value"], card["counts"]["permits"]) == (125.0, 2)
    fill(neraca, event("event-retracted", "x", {"event": {"source": "/loket", "id": "k"}, "reason": "typo"}))
    card = neraca.get("/v1/dinas/dishub").json()
    assert (card["indicators"][1]["value"], card["counts"]["permits"]) == (100.0, 1)


def test_lists_name_whoever_has_a_measure_a_file_or_a_registration(neraca: Assembled, clock: Clock) -> None:
    """Listed are those with facts in the period, an open file or a registration, by id; nobody else."""
    fill(
        neraca,
        event("dinas-registered", "n", {"dinas": "b-registered", "name": "B"}),
        task("c-facts", on_time=True),
        receipt("a-open", "2026-11-20T08:00:00+07:00", asn="x-open"),
        task("Z-capital", on_time=True, asn="other"),
        event("asn-assigned", "s1", {"asn": "x-assigned", "dinas": "c-facts", "effective_from": "2026-11-24"}),
        event(
            "asn-assigned",
            "s2",
            {"asn": "x-gone", "dinas": "c-facts", "effective_from": "2025-01-01", "effective_to": "2026-10-31"},
        ),
    )
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
    fact = task("dishub", on_time=True, asn="a-gone")
    fill(
        neraca,
        event("asn-registered", "n", {"asn": "a-new"}),
        fact,
        event("event-retracted", "x", {"event": {"source": "/loket", "id": fact["id"]}, "reason": "typo"}),
    )
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
        "id": "tepat",
        "value": 66.67,
        "target": 100.0,
        "capaian": 66.67,
        "weight": 0.6,
        "n": 3,
        "state": "ok",
    }
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


def test_numbers_are_plain_json_numbers(neraca: Assembled) -> None:
    """Percentages are numbers of two decimals at most, never strings, never exponents."""
    fill(neraca, *RULES, *(task("dishub", on_time=index < 2) for index in range(3)))
    text = neraca.get("/v1/dinas/dishub").text
    assert '"value":66.67' in text
    assert json.loads(text)["indicators"][0]["value"] == 66.67
