"""Findings H1 and H4: no figure, list or message that is served gives a single citizen's answer away."""

from __future__ import annotations

import base64
import json
import random
import re
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.pages.public import PublicPage
from domain.measures import UNSUR
from tests.pages.reading import FAR
from tests.serving import Assembled, Clock, Listening, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from projections.segment import Moved

PUBLIC: Final = (
    "/v1/dinas",
    "/v1/dinas/dishub",
    "/v1/dinas/dishub/series",
    "/v1/rankings/dinas",
    "/",
    "/publik",
    "/publik?csv=public",
    "/dinas/dishub",
    "/?csv=board",
)
DINAS: Final = (
    "/v1/dinas/dishub/why",
    "/v1/dinas/dishub/events",
    "/v1/dinas/dishub/asn",
    "/v1/rankings/asn?dinas=dishub",
    "/dinas/dishub/why",
    "/dinas/dishub/events",
    "/dinas/dishub/events?csv=events",
    "/dinas/dishub/late",
    "/dinas/dishub?csv=services",
)
PERSON: Final = (
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/v1/asn/a-1/series",
    "/v1/asn/a-1/events",
    "/asn/a-1",
    "/asn/a-1/why",
    "/asn/a-1/events",
    "/asn/a-1/events?csv=events",
)
LEADER: Final = (*PUBLIC, *DINAS, *PERSON)
WIDE: Final = (
    "/v1/dinas/dishub",
    "/v1/dinas/dishub/why",
    "/dinas/dishub",
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/asn/a-1",
)
"""The addresses that are also asked for a quarter, a half-year and a year."""
PERIODS: Final = ("2026-Q4", "2026-S2", "2026")
CALLERS: Final[dict[str, tuple[str, dict[str, Any], tuple[str, ...]]]] = {
    "public": ("", {}, PUBLIC),
    "leader": ("leader", {"dinas": ["dishub"]}, LEADER),
    "leader of another dinas": ("leader", {"dinas": ["dinkes"]}, DINAS),
    "leader of all": ("leader", {}, DINAS),
    "asn": ("asn", {"asn": "a-1"}, (*PUBLIC[:2], *PERSON)),
    "personnel": ("personnel", {}, (*DINAS, *PERSON)),
}
"""The role and the limits of each caller, and the addresses that are looked at."""
CLOSED, HALF_CLOSED = "2026-12-30T00:00:00+07:00", "2027-02-01T00:00:00+07:00"
"""The close of November, and an instant after that of the half-year."""
DONE: Final = {"completed_at": "2026-11-03T10:00:00+07:00", "due_at": "2026-11-03T10:00:00+07:00"}


def rated(number: int, answer: int, service: str = "ktp-el") -> dict[str, Any]:
    """A survey about a-1 in which all nine answers are the same."""
    data = {"dinas": "dishub", "service": service, "survey": f"s{number}", "asn": "a-1"}
    return event("satisfaction-rated", f"r{number}", data | {"unsur": dict.fromkeys(UNSUR, answer)})


def reversal(number: int) -> dict[str, Any]:
    """The rating of a number is taken back."""
    return event(
        "event-retracted", f"x{number}", {"event": {"source": "/loket", "id": f"r{number}"}, "reason": "salah"}
    )


def day(answers: Sequence[int]) -> list[dict[str, Any]]:
    """Thirty-four citizens of one day, with reversals among them; the last ten of a whole block are numbers 10 to 19."""
    ratings = [rated(number, answer) for number, answer in enumerate(answers)]
    return [*ratings[:22], reversal(1), reversal(3), *ratings[22:27], reversal(20), *ratings[27:]]


@pytest.fixture(autouse=True)
def _fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is a copy of the second before: two cities are looked at one after the other."""
    monkeypatch.setattr(PublicPage, "lifetime_s", 0.0)


class Spy:
    """A city, and the answers of it that its callers get; ``folder`` holds a journal that has begun, or nothing."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.city = Assembled(folder, clock=self.clock)
        self.city.record(
            event("asn-assigned", "as", {"asn": "a-1", "dinas": "dishub", "effective_from": "2026-01-01"}),
            event("dinas-registered", "dn", {"dinas": "dishub", "name": "Dinas Perhubungan"}),
        )
        self._headers = {
            name: {"authorization": self.city.token(name, role, **limits)} if role else {}
            for name, (role, limits, _) in CALLERS.items()
        }

    def sees(self, paths: Sequence[str], caller: str) -> dict[str, tuple[int, str, str]]:
        """The status, the entity tag and the body of some answers to a caller."""
        self.city.settle()
        answers = {path: self.city.get(path, headers=self._headers[caller], **FAR) for path in paths}
        return {
            path: (answer.status_code, answer.headers.get("etag", ""), answer.text) for path, answer in answers.items()
        }

    def is_told(self, url: str) -> list[str]:
        """The messages that a stranger's stream has for the last event."""
        head = self.city.settle()
        movement = self.city.live.movement
        until(lambda: movement.since(head - 1, head), "the movement is told")
        headers = {"x-forwarded-for": FAR["caller"], "last-event-id": f"{self.city.journal.id}:{head - 1}"}
        lines = []
        with httpx.stream("GET", f"{url}/v1/stream", headers=headers, timeout=30) as stream:
            for line in stream.iter_lines():
                lines.append(line)
                if line.startswith("data:") and json.loads(line[5:])["position"] == head:
                    break
        return lines


@pytest.fixture
def spies(tmp_path: Path) -> Iterator[tuple[Spy, Spy]]:
    """Two cities with journals of one name: nothing but their events tells them apart."""
    Assembled(tmp_path / "a").close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    first, second = Spy(tmp_path / "a"), Spy(tmp_path / "b")
    yield first, second
    first.city.close()
    second.city.close()


def of_period(path: str, period: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}period={period}"


def two_days() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of two cities that differ in who of each ten said what."""
    dice = random.Random(20261201)  # noqa: S311 - a repeatable day
    answers = [dice.randint(1, 4) for _ in range(34)]
    others = list(answers)
    for block in ([0, 2, 4, 5, 6, 7, 8, 9], list(range(10, 20)), [21, 22, 23, 24, 25, 26]):
        values = [answers[number] for number in block]
        dice.shuffle(values)
        for number, value in zip(block, values, strict=True):
            others[number] = value
    assert sum(a != b for a, b in zip(answers, others, strict=True)) > 10
    return day(answers), day(others)


def test_two_cities_that_differ_in_who_of_ten_said_what_look_alike(spies: tuple[Spy, Spy]) -> None:
    """To the public and on the stream after each event, to every caller now and then: figures, lists, pages, tables and tags."""
    first, second = spies
    with Listening(first.city) as here, Listening(second.city) as there:
        for number, events in enumerate(zip(*two_days(), strict=True)):
            for spy, content in zip(spies, events, strict=True):
                spy.city.record(content)
            messages = first.is_told(here.url)
            assert messages == second.is_told(there.url), number
            assert "event: position" in messages
            assert "event: moved" not in messages, "a rating, or its reversal, moves nothing on the stream"
            assert first.sees(PUBLIC[:4], "public") == second.sees(PUBLIC[:4], "public"), number
            for caller, (_, _, paths) in CALLERS.items() if number in (20, 36) else ():
                assert first.sees(paths, caller) == second.sees(paths, caller), (number, caller)
        first.city.record(event("task-completed", "t", {"dinas": "dishub", "asn": "a-1", "task": "t"} | DONE))
        assert "event: moved" in first.is_told(here.url)


def test_two_such_cities_look_alike_once_their_month_and_half_year_have_closed(spies: tuple[Spy, Spy]) -> None:
    """In the month, the quarter, the half-year and the year; by then the ASN's own satisfaction is served to some."""
    first, second = spies
    for spy, events in zip(spies, two_days(), strict=True):
        spy.city.record(*events)
    for instant in (CLOSED, HALF_CLOSED):
        for spy in spies:
            spy.clock.set(instant)
        for caller, (_, _, paths) in CALLERS.items():
            addresses = [of_period(path, "2026-11") for path in paths]
            addresses += [of_period(path, period) for path in WIDE if path in paths for period in PERIODS]
            answers = first.sees(addresses, caller)
            assert answers == second.sees(addresses, caller), (instant, caller)
    _, _, text = first.sees(["/v1/asn/a-1?period=2026-S2"], "asn")["/v1/asn/a-1?period=2026-S2"]
    assert json.loads(text)["indicators"][1]["n"] == 31


def test_the_known_script_recovers_nobodys_answer(tmp_path: Path) -> None:
    """It reads the satisfaction of the dinas before and after each rating, and takes the difference of n times value."""
    dice = random.Random(7)  # noqa: S311 - a repeatable day
    spy, hits, before = Spy(tmp_path / "a"), 0, Fraction(0)
    try:
        for number in range(30):
            answer = dice.randint(1, 4)
            spy.city.record(rated(number, answer))
            spy.city.settle()
            line = spy.city.get("/v1/dinas/dishub", **FAR).json()["indicators"][1]
            after = Fraction(str(line["value"] or 0)) * (line["n"] or 0)
            hits += abs(after - before - 25 * answer) <= Fraction(30, 100)
            before = after
    finally:
        spy.city.close()
    assert hits == 0


def test_no_list_has_a_rating_and_nothing_is_moved_by_one(tmp_path: Path) -> None:
    spy, moves = Spy(tmp_path / "a"), list["Moved"]()
    try:
        spy.city.settle()
        spy.city.live.movement.listen(moves.append)
        for number in range(25):
            spy.city.record(rated(number, 4))
        spy.city.record(reversal(3))
        spy.city.settle()
        assert {name for move in moves for name in move.dinas} == {"dishub"}
        assert {name for move in moves for name in move.facts} == set()
        for path, (status, _, text) in spy.sees(LEADER, "leader").items():
            assert status == 200, path
            assert "satisfaction-rated" not in text, path
            assert '"r3"' not in text, path
    finally:
        spy.city.close()


@pytest.mark.parametrize("path", ["dinas/dishub/events", "dinas/dishub/why", "asn/a-1/events", "asn/a-1/why"])
def test_a_list_by_ones_tells_a_leader_the_position_of_no_rating(tmp_path: Path, path: str) -> None:
    """Its pages are those of the events that are shown: none is empty, and no cursor names an entry between them."""
    spy, name = Spy(tmp_path / "a"), "events" if path.endswith("why") else "items"
    try:
        tasks = [
            event("task-completed", f"t{n}", {"dinas": "dishub", "asn": "a-1", "task": f"t{n}"} | DONE)
            for n in range(3)
        ]
        spy.city.record(rated(0, 4), tasks[0], *(rated(n, 4) for n in (1, 2)), *tasks[1:], rated(3, 1))
        pages: list[list[dict[str, Any]]] = []
        following: str | None = ""
        while following is not None and len(pages) < 9:
            cursor = f"&cursor={following}" if following else ""
            ((_, _, text),) = spy.sees([f"/v1/{path}?limit=1{cursor}"], "leader").values()
            page = json.loads(text)
            pages.append(page[name])
            following = page["next"]
            position = re.search(rb"\d+$", base64.urlsafe_b64decode(f"{following or ''}=="))
            assert position is None or [int(position[0])] == [item["position"] for item in page[name]]
        assert sorted(item["id"] for items in pages for item in items) == ["t0", "t1", "t2"]
        assert len(pages) == 3
    finally:
        spy.city.close()
