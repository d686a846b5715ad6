"""Reasons: the formula of a score and the events behind it, withheld while they would give a rating away."""

import pytest

from tests.api.facts import RULES, fill, permit, rating, task
from tests.pages.messages import ID
from tests.pages.reading import FAR
from tests.serving import Assembled, event


def test_why_names_its_formula_and_its_events(neraca: Assembled) -> None:
    """The reasons of a score: the balance, the formula with its numbers, and each event with what it posted to the subject."""
    on_time, late = task("dishub", on_time=True), task("dishub", on_time=False)
    fast = permit("dishub", 12, asn="a-1")
    fill(neraca, *RULES, on_time, late, fast, task("dishub", on_time=True, asn="a-2"))
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
        {"measure": "tasks_on_time", "balance": 1},
        {"measure": "tasks_with_due", "balance": 2},
    )
    assert tepat["expression"].startswith("1 / 2 × 100 = 50.00")
    assert cepat["expression"].startswith("15000 / 1 / 100 = 150.00")
    assert why["formula"]["iku"] == "(0.6 × 50.00 + 0.4 × 150.00) / 1 = 90.00"
    assert [(event["position"], event["id"], event["source"]) for event in why["events"]] == [
        (4, on_time["id"], "/loket"),
        (5, late["id"], "/loket"),
        (6, fast["id"], "/loket"),
    ]
    resolutions = [event["data"].pop("resolved") for event in why["events"]]
    assert [event["data"] for event in why["events"]] == [on_time["data"], late["data"], fast["data"]]
    assert [(resolution["month"], resolution["on_time"]) for resolution in resolutions] == [
        ("2026-11", True),
        ("2026-11", False),
        ("2026-11", True),
    ]
    sums: dict[str, int] = {}
    for posting in (posting for reason in why["events"] for posting in reason["postings"]):
        assert posting["account"][:2] == ["dishub", "a-1"]
        for measure, amount in posting["amounts"].items():
            sums[measure] = sums.get(measure, 0) + amount
    assert sums == balance


def test_why_shows_both_sides_of_a_reversal(neraca: Assembled) -> None:
    """A correction's postings are the old fact taken out and the new one put in; summed over the events they are the balance."""
    wrong = task("dishub", on_time=False)
    replacement = {**wrong["data"], "completed_at": "2026-11-03T09:00:00+07:00", "asn": "a-2"}
    name = {"event": {"source": "/loket", "id": wrong["id"]}, "reason": "typo", "replacement": replacement}
    fill(neraca, wrong, event("event-corrected", "k", name))
    before, after = neraca.get("/v1/asn/a-1/why").json(), neraca.get("/v1/asn/a-2/why").json()
    assert not any(before["balance"].values())
    assert [event["type"] for event in before["events"]] == ["neraca.task-completed.v1", "neraca.event-corrected.v1"]
    assert [event["postings"][0]["amounts"]["tasks"] for event in before["events"]] == [1, -1]
    assert [event["postings"][0]["amounts"]["tasks_on_time"] for event in after["events"]] == [1]


@pytest.mark.parametrize("ratings", [1, 30, 60])
def test_an_asns_satisfaction_is_no_live_figure_but_to_auditors(neraca: Assembled, ratings: int) -> None:
    """To a leader no value, number, sum or single answer of one ASN is shown; an auditor sees each from the first."""
    fill(neraca, task("dishub", on_time=True), *(rating("dishub", 2, asn="a-1") for _ in range(ratings)))
    leader, auditor = neraca.token("r", "read"), neraca.token("p", "read", "audit")
    for token, exact in ((leader, False), (auditor, True)):
        headers = {"authorization": token}
        why = neraca.get("/v1/asn/a-1/why", headers=headers).json()
        cards = [
            neraca.get("/v1/asn/a-1", headers=headers).json(),
            neraca.get("/v1/dinas/dishub/asn", headers=headers).json()["items"][0],
            neraca.get("/v1/rankings/asn?dinas=dishub", headers=headers).json()["items"][0],
            why["scorecard"],
        ]
        for card in cards:
            line = card["indicators"][1]
            assert (line["n"], line["value"], card["published"]) == (
                (ratings, 50.0, False) if exact else (None, None, True)
            )
        formula = why["formula"]["indicators"][1]
        assert (formula["value"] is not None, bool(formula["unsur"]), "unsur_sum_waktu" in why["balance"]) == (
            exact,
        ) * 3
        assert len(why["events"]) == (ratings + 1 if exact else 1)


@pytest.mark.parametrize(("ratings", "number"), [(19, 0), (20, 10), (35, 20)])
def test_an_asn_is_told_how_many_published_ratings_name_them_and_no_more(
    neraca: Assembled, ratings: int, number: int
) -> None:
    """In their card, their reasons, each month, a longer period and on their page; nobody else is told the number."""
    fill(neraca, task("dishub", on_time=True), *(rating("dishub", 2, asn="a-1") for _ in range(ratings)))
    own, leader = neraca.token("s", "asn", asn="a-1"), neraca.token("r", "read")
    for token, count in ((own, number), (leader, None)):
        headers = {"authorization": token}
        cards = [
            neraca.get("/v1/asn/a-1", headers=headers).json(),
            neraca.get("/v1/asn/a-1?period=2026", headers=headers).json(),
            neraca.get("/v1/asn/a-1/series", headers=headers).json()["items"][-1],
            neraca.get("/v1/asn/a-1/why", headers=headers).json()["scorecard"],
        ]
        for card in cards:
            line = card["indicators"][1]
            assert card["counts"]["ratings"] == count
            assert (line["n"], line["value"], card["overall"]["n"]) == (None, None, None)
        table = neraca.get("/asn/a-1?csv=counts", headers=headers).text
        assert f"{ID('count.ratings')};{'' if count is None else count}\r\n" in table
    series = neraca.get("/v1/asn/a-1/series", headers={"authorization": own}).json()["items"]
    assert [card["counts"]["ratings"] for card in series] == [0] * 11 + [number]


@pytest.mark.parametrize(("ratings", "number"), [(19, 0), (20, 10), (35, 20)])
def test_the_public_is_served_whole_blocks_of_ratings(neraca: Assembled, ratings: int, number: int) -> None:
    fill(neraca, *(rating("dishub", 2) for _ in range(ratings)))
    card = neraca.get("/v1/dinas/dishub", **FAR).json()
    assert (card["published"], card["counts"]["ratings"], card["indicators"][1]["n"]) == (True, number, number)
    assert neraca.get("/v1/dinas/dishub").json()["counts"]["ratings"] == ratings
