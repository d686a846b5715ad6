"""The desk that waits for a replay: nobody is taken from where they are, and the end is heard once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from api.app import AppParts, build
from projections.ports import Running
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import settle_in
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.ports import Done, Failed, Question, Replays

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

MARK: Final = "document.body.dataset.mark"
VOICES: Final = "document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]')"
HEARD: Final = f"""(() => {{ window.heard = []; const voice = {VOICES}[0];
  new MutationObserver(() => heard.push(voice.textContent)).observe(voice, {{childList: true, characterData: true, subtree: true}});
}})()"""


@pytest.fixture
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("moving") / "data") as assembled:
        settle_in(assembled)
        yield assembled


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


class Told:
    """Replays that go on until they are told to end; what they answer then is the true one."""

    def __init__(self, real: Replays) -> None:
        self.keep, self.kept_at, self.kept_file = real.keep, real.kept_at, real.kept_file
        self._real = real
        self.asked, self.ended = 0, False

    def ask(self, question: Question, *, begin: bool) -> Running | Done | Failed | None:
        """A little further each time."""
        state = self._real.ask(question, begin=begin)
        self.asked += 1
        return state if self.ended else Running(self.asked, self.asked)

    def finished(self) -> Sequence[tuple[Question, Done]]:
        """None before the end."""
        return self._real.finished() if self.ended else []


@pytest.mark.parametrize(
    ("asked", "said"),
    [("check=1", "✓ sama, 64 dari 64 karakter"), ("position=500", "November 2026: dulu dan kini")],
)
def test_while_a_replay_runs_nobody_is_taken_from_where_they_are(
    city: Assembled, browser: Browser, asked: str, said: str
) -> None:
    """The page asks and is not left: what is typed stays, and the keyboard; the end is told once."""
    replays: Any = Told(city.replays)
    city.built = build(AppParts(city.live, city.reader, city.journal, city.tokens, city.intake, replays=replays))
    progress = "document.querySelector('[data-again-s]').textContent"
    field = "document.querySelector('[name=digest]')"
    with Listening(city) as listening:
        browser.screen(1280)
        browser.open(f"{listening.url}/auditor?period=2026-11&{asked}")
        browser.said()  # of servers of other tests, which are gone
        browser.run(f"{MARK} = 'here'; {HEARD}; {field}.focus()")
        browser.type("abc")
        first = browser.ask(progress)
        until(lambda: browser.ask(progress) != first, "it says how far it is")
        browser.type("d")
        assert (browser.ask(f"{field}.value"), browser.ask("heard")) == ("abcd", [])
        replays.ended = True
        until(lambda: browser.ask("heard.length"), "the end is told")
        assert said in browser.ask("heard[0]")
        assert browser.ask("document.querySelectorAll('#hasil, #sidik').length") == 2
        assert browser.ask("[...document.querySelectorAll('main .hash')].length") >= 2
        asked_before = replays.asked
        browser.type("e")
        assert browser.ask(f"[{field}.value, document.activeElement === {field}]") == ["abcde", True]
        assert browser.ask("!document.querySelector('[data-again-s]')")
        assert (browser.ask(MARK), browser.ask("heard.length"), replays.asked) == ("here", 1, asked_before)
        assert browser.said() == []


def test_a_link_that_goes_with_the_wait_leaves_the_keyboard_there(city: Assembled, browser: Browser) -> None:
    """By the next Tab one is in the answer, not at the top of the page."""
    replays: Any = Told(city.replays)
    city.built = build(AppParts(city.live, city.reader, city.journal, city.tokens, city.intake, replays=replays))
    with Listening(city) as listening:
        browser.screen(1280)
        browser.open(f"{listening.url}/auditor?period=2026-11&position=500")
        browser.ask("document.querySelector('#hasil a').focus()")
        replays.ended = True
        until(lambda: browser.ask("!document.querySelector('[data-again-s]')"), "it has ended")
        browser.press("Tab")
        assert browser.ask("!!document.activeElement.closest('#hasil')")
