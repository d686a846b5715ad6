"""A token with a limit sends no more events an hour, whatever their number in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.access.limits import Limits
from domain.clock import utc_text
from tests.serving import BATCH, ELSEWHERE, event

if TYPE_CHECKING:
    import httpx

    from tests.serving import Assembled

TASK: Final = {"dinas": "d", "asn": "a-1", "completed_at": "2026-11-24T10:00:00+07:00"}


def test_a_token_that_sent_its_events_is_told_when_to_come_again(neraca: Assembled) -> None:
    limits = Limits(frozenset({"d"}), frozenset({"/loket"}), events_hour=10)
    secret = neraca.tokens.make("loket-1", ["counter"], utc_text(neraca.clock()), limits)

    def send(first: int, number: int) -> httpx.Response:
        tasks = [event("task-completed", f"t{n}", {**TASK, "task": f"T-{n}"}) for n in range(first, first + number)]
        return neraca.post(tasks, BATCH, caller=ELSEWHERE, headers={"authorization": f"Bearer {secret}"})

    assert send(0, 8).json()["accepted"] == 8
    late = send(8, 4)
    assert (late.status_code, late.json()["type"]) == (429, "urn:neraca:problem:too-many")
    assert 300 < int(late.headers["retry-after"]) <= 720
    assert send(8, 2).json()["accepted"] == 2
    assert send(10, 11).status_code == 413, "its sender halves it"
    assert neraca.journal.head() == 11
