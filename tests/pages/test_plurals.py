"""Scripts choose the plural form of a message as the pages do: on the board that moves, and at the counter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.board import BUTTON, TAG, received
from tests.pages.browser import screen, until
from tests.pages.city import FAST, SMALL
from tests.pages.messages import EN, ID

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from api.pages.words import Words
    from tests.serving import Assembled

pytestmark = pytest.mark.browser
COUNTS: Final = (0, 1, 2, 1204)


@pytest.mark.usefixtures("hasty")
def test_a_paused_board_counts_one_change_and_two_changes(own_small: Assembled, own_url: str, page: Page) -> None:
    screen(page, 1440)
    page.goto(f"{own_url}/?period=2026-11&lang=en")
    until(page, f"{TAG} === '{EN('live.live')}'", "the board is live", within_s=60)
    page.evaluate(f"{BUTTON}.click()")
    for text in ("❚❚ paused, 1 change waiting", "❚❚ paused, 2 changes waiting"):
        own_small.record(received(SMALL))
        until(page, f"{TAG} === '{text}'", "it counts what waits")


@pytest.mark.parametrize(("language", "words"), [("", ID), ("&lang=en", EN)], ids=["id", "en"])
def test_a_counters_script_writes_a_count_as_the_pages_do(
    small_url: str, page: Page, language: str, words: Words
) -> None:
    page.goto(f"{small_url}/loket?dinas={FAST}{language}")
    until(page, "!!self.loket?.words", "the scripts are loaded")
    texts = page.evaluate(f"{list(COUNTS)}.map(n => loket.words.say('days', {{ n }}))")
    assert texts == [words("counter_said.days", n=n) for n in COUNTS]
    unsent = page.evaluate(f"{list(COUNTS)}.map(n => loket.words.say('unsent', {{ n }}))")
    assert unsent == [words("counter_said.unsent", n=n) for n in COUNTS]
