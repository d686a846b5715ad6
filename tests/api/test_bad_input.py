"""Refused requests, one a row, with the exact status, problem type and pointers; the journal does not change."""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from tests.api.bad_events import DECISION, EXTENSION, FORMS, HISTORY, RATING, RECEIPT, SCHEME, STANDARD, TASK, Refused
from tests.api.bad_meanings import MEANINGS
from tests.api.bad_requests import REQUESTS, Request
from tests.serving import BATCH, NDJSON, Assembled, event, ndjson

PROBLEM: Final = "application/problem+json"
EVENTS: Final = (*FORMS, *MEANINGS)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """A journal with one of everything that may conflict with an event."""
    with Assembled(tmp_path_factory.mktemp("bad") / "data", extensions=[EXTENSION]) as neraca:
        neraca.record(*HISTORY)
        yield neraca


def must_be(
    problem: dict[str, Any], status: int, slug: str, pointers: tuple[str, ...], holder: str | None = None
) -> None:
    """A problem says exactly this."""
    assert problem["type"] == f"urn:neraca:problem:{slug}", problem
    assert problem["status"] == status
    assert all((problem["title"], problem["detail"]))
    assert [fault["pointer"] for fault in problem.get("errors", [])] == list(pointers), problem
    assert ("errors" in problem) == (status == 422)
    assert all(fault["detail"] for fault in problem.get("errors", []))
    if holder is None:
        assert "holder" not in problem
    else:
        assert problem["holder"]["id"] == holder
        assert problem["holder"]["source"] == "/loket"
        assert problem["holder"]["position"] >= 1


def must_refuse(
    response: httpx.Response, status: int, slug: str, pointers: tuple[str, ...], holder: str | None = None
) -> None:
    """A response is this problem."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    must_be(response.json(), status, slug, pointers, holder)


@pytest.mark.parametrize("row", EVENTS, ids=lambda row: row.name)
def test_a_bad_event_is_refused_by_name_and_leaves_no_trace(city: Assembled, row: Refused) -> None:
    """A bad event gets one exact status and problem type, a pointer to every faulty field, and moves nothing."""
    head = city.journal.head()
    must_refuse(city.post(row.event), row.status, row.slug, row.pointers, row.holder)
    assert city.journal.head() == head


@pytest.mark.parametrize("media", [BATCH, NDJSON])
def test_a_bad_event_among_others_is_refused_as_it_is_alone(city: Assembled, media: str) -> None:
    """Each mode refuses an event with the same problem; in a batch and in lines the index says which event it is."""
    readable = [
        row for row in EVENTS if isinstance(row.event, dict) and "levels" not in row.name
    ]  # a batch is one level more
    rows = readable if media == BATCH else EVENTS
    lines = [row.event if isinstance(row.event, bytes) else ndjson([row.event]) for row in rows]
    head = city.journal.head()
    response = city.post(b"[" + b",".join(lines) + b"]" if media == BATCH else b"\n".join(lines), media)
    assert response.status_code == 200, response.text
    tally = response.json()
    assert (tally["accepted"], tally["duplicates"]) == (0, 0)
    assert [rejection["index"] for rejection in tally["rejected"]] == list(range(len(rows)))
    for row, rejection in zip(rows, tally["rejected"], strict=True):
        must_be(rejection["problem"], row.status, row.slug, row.pointers, row.holder)
    assert city.journal.head() == head


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: row.name)
def test_a_bad_request_is_refused_whole(city: Assembled, row: Request) -> None:
    """A request that cannot be read gets one exact status and problem type, and moves nothing."""
    head = city.journal.head()
    response = city.ask(row.method, row.path, content=row.content, headers=row.headers)
    must_refuse(response, row.status, row.slug, row.pointers)
    assert ("allow" in response.headers) == (row.status == 405)
    if row.status == 405:
        assert response.headers["allow"] == ("POST" if row.path == "/v1/events" else "GET")
    assert city.journal.head() == head


def test_what_lies_just_inside_the_limits_is_taken(neraca: Assembled) -> None:
    """Each limit is the last value that is taken: 200 characters, 5 minutes ahead, 60 s of skew, a deadline of any day."""
    limit = "2026-11-24T12:05:00+07:00"
    events = [
        event("task-completed", "x" * 500, {**TASK, "task": "t" * 200, "completed_at": limit}, time=limit),
        event("task-completed", "15 digits", {**TASK, "asn": "123456789012345"}),
        event("task-completed", "17 digits", {**TASK, "asn": "12345678901234567"}),
        event("task-completed", "slash", {**TASK, "task": "a/b"}),
        event("permit-received", "late", {**RECEIPT, "due_at": "2099-01-01T00:00:00+07:00"}),
        event("permit-processed", "skew", {**RECEIPT, "case": "K-10", "completed_at": "2026-11-20T07:59:00+07:00"}),
        event("permit-processed", "mikro", {**DECISION, "case": "K-11", "completed_at": "2026-11-20T10:00:00.123456Z"}),
        event("standard-set", "ahead", {**STANDARD, "effective_from": "2030-01-01"}),
        event("scheme-adopted", "scheme", SCHEME),
        event(
            "satisfaction-rated",
            "ten",
            {**RATING, "overall": 10, "scale": 10},
            sequence="2147483647",
            sequencetype="Integer",
        ),
        event(
            "task-completed",
            "old",
            {**TASK, "completed_at": "1999-01-01T00:00:00+07:00"},
            time="1999-01-01T00:00:00+07:00",
        ),
    ]
    assert neraca.post([*events], BATCH).json() == {"accepted": len(events), "duplicates": 0, "rejected": []}
