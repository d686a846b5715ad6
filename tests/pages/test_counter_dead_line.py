"""A line that dies under a request: nothing says so, the answer never comes, and the counter does not wait for it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Error

from tests.pages.counter import Clerk, entries, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Route

    from tests.serving import Assembled

pytestmark = pytest.mark.browser

NO_WORKER: Final = "delete Object.getPrototypeOf(navigator).serviceWorker"
"""A worker would send too, at times of its own."""
STEP_MS: Final = 500
POSTED: Final = "**/v1/events"


class Dead:
    """The way from the counter while nothing passes and nothing is answered, not even once the line is back."""

    def __init__(self, clerk: Clerk, addresses: str = "**/*") -> None:
        self.held: list[Route] = []
        self.is_awake = False
        clerk.page.context.route(addresses, self._meet)

    def _meet(self, route: Route) -> None:
        """Keep a request for ever; a route that is taken away would let go what it holds."""
        if self.is_awake:
            route.continue_()
        else:
            self.held.append(route)

    @property
    def posted(self) -> int:
        """The number of requests with events that were held."""
        return sum(route.request.method == "POST" for route in self.held)

    def wakes(self) -> None:
        """New requests pass; those held stay as they are."""
        self.is_awake = True


@contextmanager
def dead(clerk: Clerk, addresses: str = "**/*") -> Iterator[Dead]:
    """A dead line; what it held is let go in the end."""
    line = Dead(clerk, addresses)
    yield line
    clerk.page.context.unroute_all(behavior="ignoreErrors")
    for route in line.held:
        with suppress(Error):  # the page has given it up
            route.abort()


def begin(clerk: Clerk) -> None:
    """A counter whose first press was just recorded, by a clock that the test moves."""
    clerk.page.clock.install()
    clerk.page.add_init_script(NO_WORKER)
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    clerk.step("K-0", "F2")
    clerk.sees("#tanda", "✓ posisi")


def five_seconds(clerk: Clerk) -> None:
    """Five seconds of the page's clock, in which requests that pass are answered."""
    for _ in range(5000 // STEP_MS):
        clerk.page.clock.run_for(STEP_MS)
        clerk.page.wait_for_timeout(50)


@pytest.mark.parametrize("after_ms", [0, 1000, 4000, 12_000])
def test_what_was_under_way_is_sent_within_five_seconds_of_the_lines_return(
    counter: Assembled, clerk: Clerk, after_ms: int
) -> None:
    """The old connection never wakes; nobody touches the counter, and no event tells of the network."""
    begin(clerk)
    with dead(clerk) as line:
        clerk.step("K-1", "F2")
        clerk.until(lambda: line.posted == 1, "the press is under way")
        for _ in range(after_ms // STEP_MS):
            clerk.page.clock.run_for(STEP_MS)
            clerk.page.wait_for_timeout(20)
        line.wakes()
        five_seconds(clerk)
        clerk.until(lambda: len(entries(counter)) == 2, "it is in the journal", within_s=5)
    assert set(names_of(counter).values()) == {1}


def test_a_line_that_dies_under_a_request_is_told_within_five_seconds(clerk: Clerk) -> None:
    begin(clerk)
    with dead(clerk) as line:
        clerk.step("K-1", "F2")
        clerk.until(lambda: line.posted == 1, "the press is under way")
        five_seconds(clerk)
        clerk.sees("#keadaan", "○ luring sejak", within_s=5)


def test_a_network_that_goes_and_comes_back_ends_what_was_under_way(counter: Assembled, clerk: Clerk) -> None:
    """The browser says so: the request is given up at once, and the press is sent on the network that is there now."""
    begin(clerk)
    with dead(clerk, POSTED) as line:
        clerk.step("K-1", "F2")
        clerk.until(lambda: line.posted == 1, "the press is under way")
        clerk.ask("dispatchEvent(new Event('offline'))")
        line.wakes()
        clerk.ask("dispatchEvent(new Event('online'))")
        for _ in range(4):
            clerk.page.clock.run_for(STEP_MS)
            clerk.page.wait_for_timeout(20)
        clerk.until(lambda: len(entries(counter)) == 2, "it is in the journal", within_s=5)
    assert set(names_of(counter).values()) == {1}


def test_a_line_that_is_only_slow_is_given_more_time(counter: Assembled, clerk: Clerk) -> None:
    """The server is there, and each answer takes ten seconds: in the end one is waited for."""
    begin(clerk)
    with dead(clerk, POSTED) as line:
        clerk.step("K-1", "F2")
        age_ms: dict[int, int] = {}
        for _ in range(60):
            clerk.page.clock.run_for(STEP_MS)
            clerk.page.wait_for_timeout(20)
            for route in list(line.held):
                age_ms[id(route)] = age_ms.get(id(route), 0) + STEP_MS
                if age_ms[id(route)] == 10_000:
                    route.continue_()
                    line.held.remove(route)
            if len(entries(counter)) == 2 and clerk.waits()["waiting"] == 0:
                break
        clerk.until_sent(within_s=5)
    assert set(names_of(counter).values()) == {1}
