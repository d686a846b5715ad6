"""The desk that waits for a replay: nobody is taken from where they are, and the end is heard once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from msgspec.structs import replace

from api.app import build
from projections.ports import Running
from tests.pages.axe_rules import broken_rules
from tests.pages.board import HEARD, MARK
from tests.pages.browser import press, until
from tests.pages.city import ANSWERED
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

    from projections.ports import Done, Failed, Question, Replays

pytestmark = pytest.mark.browser

AGAIN_MS: Final = 2_000
"""The page asks again after this long."""


class Told:
    """Replays that go on until ``ended`` is set; then they give the true answer."""

    def __init__(self, real: Replays) -> None:
        self.keep, self.kept_at, self.kept_file = real.keep, real.kept_at, real.kept_file
        self._real = real
        self.asked, self.ended = 0, False

    def ask(self, question: Question, *, begin: bool) -> Running | Done | Failed | None:
        """A little further each time."""
        state = self._real.ask(question, begin=begin)
        self.asked += 1
        return state if self.ended else Running(self.asked, self.asked)

    def answers(self) -> Sequence[tuple[Question, Done]]:
        """None before the end."""
        return self._real.answers() if self.ended else []


@pytest.fixture
def replays(own_small: Assembled) -> Any:  # noqa: ANN401 - stands at the port of replays, as far as a page asks it
    """The small city's replays, which end when ``ended`` is set."""
    return Told(own_small.replays)


@pytest.fixture
def url(own_small: Assembled, replays: Any) -> Iterator[str]:  # noqa: ANN401 - the same
    """The address of the small city with these replays."""
    city = own_small
    city.built = build(replace(city.parts, replays=replays))
    with Listening(city) as listening:
        yield f"{listening.url}/auditor?period=2026-11"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("check=1", "✓ sama, 64 dari 64 karakter"), ("position=500", "November 2026: dulu dan kini")],
)
def test_while_a_replay_runs_nobody_is_taken_from_where_they_are(
    url: str, replays: Told, page: Page, console: list[str], query: str, sentence: str
) -> None:
    """The page polls and is not left: typed text and focus stay; the end is announced once."""
    progress = "document.querySelector('[data-again-s]').textContent"
    field = "document.querySelector('[name=digest]')"
    page.clock.install()
    page.goto(f"{url}&{query}")
    page.evaluate(f"{MARK} = 'here'; {HEARD}; {field}.focus()")
    page.keyboard.type("abc")
    assert broken_rules(page) == []
    first = page.evaluate(progress)
    page.clock.fast_forward(AGAIN_MS)
    until(page, lambda: page.evaluate(progress) != first, "it says how far it is")
    page.keyboard.type("d")
    assert (page.evaluate(f"{field}.value"), page.evaluate("heard")) == ("abcd", [])
    replays.ended = True
    page.clock.fast_forward(AGAIN_MS)
    until(page, "heard.length", "the end is told")
    assert sentence in page.evaluate("heard[0]")
    assert page.evaluate("document.querySelectorAll('#hasil, #sidik').length") == 2
    assert page.evaluate("[...document.querySelectorAll('main .hash')].length") >= 2
    asked_before = replays.asked
    page.keyboard.type("e")
    assert page.evaluate(f"[{field}.value, document.activeElement === {field}]") == ["abcde", True]
    assert page.evaluate(ANSWERED)
    page.clock.fast_forward(AGAIN_MS)
    assert (page.evaluate(MARK), page.evaluate("heard.length"), replays.asked) == ("here", 1, asked_before)
    assert console == []


def test_a_link_that_goes_with_the_wait_leaves_the_keyboard_there(url: str, replays: Told, page: Page) -> None:
    """By the next Tab one is in the answer, not at the top of the page."""
    page.clock.install()
    page.goto(f"{url}&position=500")
    page.evaluate("document.querySelector('#hasil a').focus()")
    replays.ended = True
    page.clock.fast_forward(AGAIN_MS)
    until(page, ANSWERED, "it has ended")
    press(page, "Tab")
    assert page.evaluate("!!document.activeElement.closest('#hasil')")
