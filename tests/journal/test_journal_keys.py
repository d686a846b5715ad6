"""Keys usable once: a retraction frees one, a correction does not; and the data a decision takes from its file."""

import pytest

from domain.refusal import Refusal
from tests.conftest import Places
from tests.journal.desk import (
    PLACE,
    Event,
    accept,
    answers_to,
    at,
    break_writes,
    corrected,
    decided,
    keys_of,
    lines_of,
    originator,
    outcomes,
    paused,
    rated,
    received,
    resumed,
    retracted,
    rows,
    standard,
    task,
)
from tests.serving import Assembled

pytestmark = pytest.mark.both_databases

HOUR_US = 3_600_000_000
SKM = {"case": "K-1", "service": PLACE["service"]}
DECIDED = {"received_at": at("08:00")}
KEYED = {
    "a receipt": (received("e1", "K-1"), received("e2", "K-1", "09:00")),
    "a decision": (decided("e1", "K-1", **DECIDED), decided("e2", "K-1", "11:00", **DECIDED)),
    "a case's rating": (rated("e1", **SKM), rated("e2", **SKM | {"overall": 3})),
    "a survey's response": (rated("e1", survey="s-1"), rated("e2", survey="s-1", overall=2)),
}
"""Two events of different names that claim one natural key."""
BEFORE_RATINGS = [decided("d0", "K-1", **DECIDED)]
"""The decision that the rating of a case needs."""
UNKEYED = {
    "the same task": (task("e1"), task("e2") | {"data": task("e1")["data"]}),
    "a case's receipt and decision": (received("e1", "K-1"), decided("e2", "K-1")),
    "ids that only look alike": (received("e1", "PWDx"), received("e2", "pwdx")),
    "one case in two services": (received("e1", "K-1"), received("e2", "K-1", service="kia")),
    "a case's rating and a survey's of that name": (*BEFORE_RATINGS, rated("e1", **SKM), rated("e2", survey="K-1")),
}
FREED: list[tuple[str, list[Event | tuple[str, str]], bool]] = [
    ("as it stands", [], False),
    ("retracted", [retracted("x", "e1")], True),
    ("corrected", [("x", "e1")], False),
    ("corrected twice", [("x", "e1"), ("y", "x")], False),
    ("corrected, the correction retracted", [("x", "e1"), retracted("y", "x")], True),
    ("corrected twice, the second correction retracted", [("x", "e1"), ("y", "x"), retracted("z", "y")], True),
]
"""A pair is a correction of the fact under test, by its name and its target."""


@pytest.mark.speed("quick")
@pytest.mark.parametrize("kind", KEYED)
@pytest.mark.parametrize(("history", "free"), [row[1:] for row in FREED], ids=[row[0] for row in FREED])
def test_a_natural_key_is_held_kept_by_a_correction_and_freed_by_a_retraction(
    neraca: Assembled, kind: str, history: list[Event | tuple[str, str]], *, free: bool
) -> None:
    first, second = KEYED[kind]
    accept(neraca, *(BEFORE_RATINGS if kind == "a case's rating" else ()))
    accept(neraca, first, *(corrected(*step, first) if isinstance(step, tuple) else step for step in history))
    assert answers_to(neraca, second) == ["accepted" if free else "natural-key-held"]


@pytest.mark.parametrize("what", UNKEYED)
def test_what_shares_no_natural_key_stands_side_by_side(neraca: Assembled, what: str) -> None:
    accept(neraca, *UNKEYED[what])


def test_a_held_key_names_its_holder(neraca: Assembled) -> None:
    """After a correction, that is the correction; with what became of the case by it, and when."""
    accept(neraca, received("e1", "K-1"), corrected("c1", "e1", received("_", "K-1", "08:30")))
    (refusal,) = outcomes(neraca, received("e2", "K-1"))
    assert isinstance(refusal, Refusal)
    assert refusal.holder == {
        "source": "/loket",
        "id": "c1",
        "position": 3,
        "outcome": "received",
        "time": "2026-11-24T08:30:00+07:00",
    }


REVERSED: list[tuple[str, list[Event], Event, str]] = [
    ("an unknown event", [], retracted("z", "nobody"), "invalid-event"),
    ("a fact twice", [retracted("x", "e1")], retracted("z", "e1"), "already-reversed"),
    ("a retracted fact", [retracted("x", "e1")], corrected("z", "e1", task("e1", "a-3")), "already-reversed"),
    ("a corrected fact", [corrected("x", "e1", task("e1", "a-2"))], retracted("z", "e1"), "already-reversed"),
    (
        "a correction twice",
        [corrected("x", "e1", task("e1", "a-2")), retracted("y", "x")],
        retracted("z", "x"),
        "already-reversed",
    ),
    ("a retraction", [retracted("x", "e1")], retracted("z", "x"), "invalid-event"),
    ("a rule", [standard("x", 5)], retracted("z", "x"), "invalid-event"),
    ("a pause", [received("r", "K-1"), paused("x", "K-1", "09:00")], retracted("z", "x"), "invalid-event"),
    ("into another dinas", [], corrected("z", "e1", task("e1", dinas="dpmptsp")), "invalid-event"),
    ("into another kind", [], corrected("z", "e1", rated("_", survey="s")), "invalid-event"),
]


@pytest.mark.parametrize(("before", "reversal", "slug"), [row[1:] for row in REVERSED], ids=[r[0] for r in REVERSED])
def test_what_cannot_be_reversed(neraca: Assembled, before: list[Event], reversal: Event, slug: str) -> None:
    accept(neraca, task("e1"), *before)
    assert answers_to(neraca, reversal) == [slug]


KEPT: list[tuple[str, Event, Event, str]] = [
    ("a task's name", task("e1"), task("e2"), "accepted"),
    ("a receipt's case", received("e1", "K-1"), received("_", "K-2"), "invalid-event"),
    ("a receipt's service", received("e1", "K-1"), received("_", "K-1", service="kia"), "invalid-event"),
    ("a response's survey", rated("e1", survey="s"), rated("_", survey="t"), "invalid-event"),
    (
        "a response's service",
        rated("e1", survey="s", service="kia"),
        rated("_", survey="s", service="siup"),
        "accepted",
    ),
    ("a response into a case's rating", rated("e1", survey="s"), rated("_", **SKM), "invalid-event"),
    ("a case's rating into a response", rated("e1", **SKM), rated("_", survey="s"), "invalid-event"),
]


@pytest.mark.parametrize(("fact", "by", "answer"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_correction_keeps_dinas_and_natural_key_and_nothing_else(
    neraca: Assembled, fact: Event, by: Event, answer: str
) -> None:
    accept(neraca, *BEFORE_RATINGS, fact)
    assert answers_to(neraca, corrected("c", "e1", by)) == [answer]


CHAIN = [corrected("r1", "e", task("e", "a-2")), corrected("r2", "r1", task("e", "a-3")), retracted("x", "r2")]
STANDS: list[tuple[int, dict[str, int]]] = [(0, {"a-1": 1}), (1, {"a-2": 1}), (2, {"a-3": 1}), (3, {})]


@pytest.mark.speed("quick")
@pytest.mark.parametrize(("steps", "tasks"), STANDS)
def test_a_chain_of_corrections_leaves_its_last_word(neraca: Assembled, steps: int, tasks: dict[str, int]) -> None:
    """E, corrected by R1, that by R2, which is retracted: the fact of the last one is in force, or none."""
    accept(neraca, task("e"), *CHAIN[:steps])
    neraca.settle()
    cards = neraca.get("/v1/dinas/disdukcapil/asn?period=2026-11").json()["items"]
    assert {card["subject"]["id"]: card["counts"]["tasks"] for card in cards} == tasks


def test_a_correction_moves_the_month_and_keeps_the_time_of_a_rating(neraca: Assembled) -> None:
    """The replacing fact counts in its own month; a rating's month is that of its first ``time``."""
    july = corrected("c1", "t", task("t", clock="2026-07-31T23:59:59+07:00"))
    again = corrected("c2", "q", rated("_", survey="s", overall=1)) | {"time": "2026-11-24T11:30:00+07:00"}
    accept(neraca, task("t"), rated("q", survey="s") | {"time": "2026-10-31T23:00:00+07:00"}, july, again)
    months = [line["data"]["resolved"]["adds"]["data"]["resolved"]["month"] for line in lines_of(neraca)[-2:]]
    assert months == ["2026-07", "2026-10"]


BATCHES: list[tuple[str, list[Event], list[str]]] = [
    ("a repeat", [task("t"), task("t")], ["accepted", "repeated"]),
    ("a conflict", [task("t"), task("t", "a-2")], ["accepted", "content-conflict"]),
    ("a held key", [received("a", "K"), received("b", "K")], ["accepted", "natural-key-held"]),
    ("a key freed", [received("a", "K"), retracted("x", "a"), received("b", "K")], ["accepted"] * 3),
    ("a correction of a correction", [task("e"), *CHAIN], ["accepted"] * 4),
    ("a reversal twice", [task("e"), CHAIN[0], retracted("x", "e")], ["accepted", "accepted", "already-reversed"]),
    (
        "a case from receipt to decision",
        [
            received("a", "K"),
            paused("p", "K", "08:30"),
            paused("q", "K", "08:40"),
            resumed("s", "K", "09:00"),
            decided("d", "K"),
            paused("l", "K", "11:00"),
        ],
        ["accepted", "accepted", "invalid-event", "accepted", "accepted", "invalid-event"],
    ),
    ("a decision before its receipt", [decided("d", "K"), received("a", "K")], ["invalid-event", "accepted"]),
]


@pytest.mark.parametrize(("events", "answers"), [row[1:] for row in BATCHES], ids=[row[0] for row in BATCHES])
@pytest.mark.parametrize("at_once", [True, False], ids=["one request", "a request each"])
def test_earlier_events_of_a_request_count(
    neraca: Assembled, events: list[Event], answers: list[str], *, at_once: bool
) -> None:
    """One request has the same result as a request for each event."""
    groups = [events] if at_once else [[fact] for fact in events]
    assert [word for group in groups for word in answers_to(neraca, *group)] == answers


def test_a_rule_holds_from_the_next_event_of_its_request_on(neraca: Assembled) -> None:
    """The rulebook moves within a request; what is recorded never moves again."""
    facts = [decided(f"d{n}", f"K-{n}", **DECIDED) for n in range(3)]
    assert set(answers_to(neraca, facts[0], standard("s1", 1), facts[1], standard("s2", 3), facts[2])) == {"accepted"}
    resolutions = [line["data"]["resolved"] for line in lines_of(neraca) if "resolved" in line["data"]]
    assert [resolution.get("on_time") for resolution in resolutions] == [None, False, True]
    assert [resolution["rulebook"] for resolution in resolutions] == [0, 3, 5]


def test_a_rolled_back_request_leaves_no_rule_behind(neraca: Assembled, places: Places) -> None:
    """The intake's rulebook is the journal's, also after a transaction that failed at its end."""
    mend = break_writes(places("data"), "stored_events", "INSERT", "guarded")
    with pytest.raises(Exception, match="guarded"):
        answers_to(neraca, standard("s1", 1))
    mend()
    accept(neraca, decided("d", "K-1", **DECIDED))
    assert "standard" not in lines_of(neraca)[-1]["data"]["resolved"]


FILES: list[tuple[str, list[Event], Event, dict[str, object]]] = [
    (
        "the receipt",
        [received("r", "K", due_at=at("20:00"))],
        decided("d", "K"),
        {"elapsed_us": 2 * HOUR_US, "promise_us": 12 * HOUR_US},
    ),
    (
        "the receipt as corrected",
        [received("r", "K", due_at=at("20:00")), corrected("c", "r", received("_", "K", "09:00", due_at=at("09:30")))],
        decided("d", "K"),
        {"elapsed_us": HOUR_US, "promise_us": HOUR_US // 2, "on_time": False},
    ),
    (
        "the receipt recorded anew",
        [received("r", "K"), retracted("x", "r"), received("s", "K", "09:30")],
        decided("d", "K"),
        {"elapsed_us": HOUR_US // 2},
    ),
    (
        "the pauses",
        [received("r", "K"), paused("p", "K", "08:30"), resumed("q", "K", "09:00")],
        decided("d", "K"),
        {"elapsed_us": 3 * HOUR_US // 2},
    ),
    ("a pause that runs", [received("r", "K"), paused("p", "K", "09:00")], decided("d", "K"), {"elapsed_us": HOUR_US}),
    (
        "the pauses, before a receipt corrected to lie within one",
        [
            received("r", "K"),
            paused("p", "K", "08:30"),
            resumed("q", "K", "09:00"),
            corrected("c", "r", received("_", "K", "08:45")),
        ],
        decided("d", "K"),
        {"elapsed_us": HOUR_US},
    ),
    (
        "nothing that the decision states itself",
        [received("r", "K", due_at=at("20:00")), paused("p", "K", "09:00")],
        decided("d", "K", received_at=at("07:00"), due_at=at("08:00"), pauses=[]),
        {"elapsed_us": 3 * HOUR_US, "promise_us": HOUR_US, "on_time": False},
    ),
]


@pytest.mark.parametrize(("before", "decision", "values"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_decision_takes_from_its_file(
    neraca: Assembled, before: list[Event], decision: Event, values: dict[str, object]
) -> None:
    accept(neraca, *before, decision)
    resolution = lines_of(neraca)[-1]["data"]["resolved"]
    assert {name: resolution.get(name) for name in values} == values


def test_natural_keys_can_be_rebuilt_from_the_lines(neraca: Assembled, places: Places) -> None:
    """The table beside the journal says nothing the journal does not."""
    for number, (first, second) in enumerate(KEYED.values()):
        events = [fact | {"source": f"/loket/{number}"} for fact in (first, second)]
        fix = corrected("c", "e1", first)
        undo = retracted("x", "c")
        for fact in (fix, undo):
            fact["source"] = f"/loket/{number}"
            fact["data"]["event"]["source"] = events[0]["source"] if fact is fix else fix["source"]
        accept(neraca, events[0], *([fix] if number > 0 else []), *([undo, events[1]] if number > 1 else []))
    accept(neraca, *[task("e"), *CHAIN])
    holders = dict(rows(places("data"), "SELECT key, holder FROM natural_keys"))
    assert holders == keys_of(lines_of(neraca))
    assert len(holders) == 4 + 3 + 2 + 3
    assert originator("/loket", "e") not in holders.values()
