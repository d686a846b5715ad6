"""Answers are never stale: tags, the clock, the month, and answers between events against the same sums."""

import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.api.facts import RULES, fill, permit, receipt, standings, task
from tests.conftest import Assemble
from tests.serving import Assembled, Clock, event

TAGGED: Final = (
    "/v1/dinas",
    "/v1/dinas/dishub",
    "/v1/dinas/dishub/asn",
    "/v1/dinas/dishub/why",
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/v1/rankings/dinas",
    "/v1/rankings/asn?dinas=dishub",
)


@pytest.mark.parametrize("path", [*TAGGED, "/v1/digest"])
def test_an_entity_tag_holds_until_an_event_is_folded(neraca: Assembled, path: str) -> None:
    """The same tag is 304 without a body; a folded event makes another tag; each scope has its own."""
    fill(neraca, *RULES, task("dishub", on_time=True))
    first = neraca.get(path)
    tag = first.headers["etag"]
    for condition in (tag, f'"other", {tag}', f"W/{tag}"):
        same = neraca.get(path, headers={"if-none-match": condition})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert neraca.get(path, headers={"if-none-match": '"other"'}).content == first.content
    fill(neraca, task("dishub", on_time=False))
    answer = neraca.get(path, headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag
    assert answer.content != first.content


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
    fill(
        neraca,
        RULES[1],
        by_standard,
        by_deadline,
        *(
            event(
                "permit-paused",
                f"z-{of['id']}",
                {
                    **{name: of["data"][name] for name in ("dinas", "service", "case")},
                    "at": "2026-11-24T11:00:00+07:00",
                    "reason": "applicant",
                },
            )
            for of in (by_standard, by_deadline)
        ),
    )
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
    with_period = path + ("&" if "?" in path else "?") + "period=2026-11"
    fill(
        neraca,
        task("dishub", on_time=True),
        event("asn-assigned", "s", {"asn": "a-1", "dinas": "dishub", "effective_from": "2026-01-01"}),
    )
    clock.set("2026-11-30T23:59:59.999999+07:00")
    tag, own_tag = neraca.get(path).headers["etag"], neraca.get(with_period).headers["etag"]
    assert neraca.get(path, headers={"if-none-match": tag}).status_code == 304
    clock.us += 1
    answer = neraca.get(path, headers={"if-none-match": tag})
    assert (answer.status_code, answer.json()["period"]) == (200, "2026-12")
    assert neraca.get(with_period, headers={"if-none-match": own_tag}).status_code == 304


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
    st.tuples(
        st.sampled_from(["d1", "d2", "d3"]), st.sampled_from(["met", "missed", "fast", "slow", "retract", "repeat"])
    ),
    min_size=1,
    max_size=10,
)


@seed(20261124)
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_answers_are_never_stale(steps: list[tuple[str, str]]) -> None:
    """Once an event is folded, every answer rests on it: the ranking asked a moment before is not given again."""
    facts: list[dict[str, Any]] = []
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, Assembled(Path(folder) / "data") as neraca:
        fill(neraca, *RULES)
        for dinas, step in steps:
            neraca.get("/v1/rankings/dinas")
            if step == "repeat" and facts:
                neraca.record(facts[-1])
            elif step == "retract" and facts:
                last = facts.pop()
                neraca.record(
                    event(
                        "event-retracted",
                        f"x-{last['id']}",
                        {"event": {"source": "/loket", "id": last["id"]}, "reason": "typo"},
                    )
                )
                counts[last["data"]["dinas"]]["permit" in last["type"]] -= 1
            else:
                fact = {
                    "met": lambda d: task(d, on_time=True),
                    "missed": lambda d: task(d, on_time=False),
                    "fast": lambda d: permit(d, 1),
                    "slow": lambda d: permit(d, 40),
                }.get(step, lambda d: permit(d, 24))(dinas)
                facts.append(fact)
                neraca.record(fact)
                counts.setdefault(dinas, [0, 0])["permit" in fact["type"]] += 1
            page = neraca.get("/v1/rankings/dinas").json()
            answers = {
                card["subject"]["id"]: [card["counts"]["tasks"], card["counts"]["permits"]] for card in page["items"]
            }
            assert page["position"] == neraca.journal.head()
            assert answers == {dinas: pair for dinas, pair in counts.items() if any(pair)}
            asked_anew = neraca.get("/v1/rankings/dinas?limit=100").json()
            assert page == asked_anew


def test_the_digest_is_of_what_was_said_not_of_when(assemble: Assemble, clock: Clock) -> None:
    """The same events in another journal, recorded later in another order, have the same digest."""
    events = [*RULES, *standings()]
    first, second = assemble("first"), assemble("second")
    fill(first, *events)
    clock.set("2026-11-25T00:00:00+07:00")
    fill(second, *events[:2], *reversed(events[2:]))
    digest, two = first.get("/v1/digest").json(), second.get("/v1/digest").json()
    assert digest == two
    assert (digest["position"], len(digest["digest"])) == (first.journal.head(), 64)
    fill(second, task("a", on_time=True))
    assert second.get("/v1/digest").json()["digest"] != digest["digest"]
