"""A standard is written in one unit: the pages of the server and the script of the counter spell it alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from domain.clock import DAY_US, HOUR_US
from tests.pages.messages import EN, ID

if TYPE_CHECKING:
    from api.pages.words import Words
    from tests.pages.counter import Clerk

pytestmark = pytest.mark.browser

MINUTE_US: Final = 60_000_000
HOURS: Final = (1, 2, 23, 24, 25, 36, 47, 48, 49, 71, 72, 73, 95, 96, 97, 168, 240, 671, 672, 1000, 8760, 24_000)
MINUTES: Final = (1, 2, 59, 60, 61, 90, 119, 120, 1439, 1440, 1441, 2879, 2880, 2881, 4319, 4320, 4321, 10_080, 60_001)
LENGTHS: Final = sorted({*(hours * HOUR_US for hours in HOURS), *(minutes * MINUTE_US for minutes in MINUTES)})


PROMISES: Final = (None, 24 * HOUR_US, 71 * HOUR_US, 72 * HOUR_US, 73 * HOUR_US, 672 * HOUR_US)
LANGUAGES: Final = pytest.mark.parametrize(
    ("query", "words"), [("?loket=3", ID), ("?loket=3&lang=en", EN)], ids=["id", "en"]
)


@LANGUAGES
def test_a_promise_is_spelt_by_the_script_as_by_the_server(clerk: Clerk, query: str, words: Words) -> None:
    clerk.open(query, ready=False)
    texts = clerk.ask(f"{[length // 1000 for length in LENGTHS]}.map((ms) => loket.words.promise(ms))")
    assert dict(zip(LENGTHS, texts, strict=True)) == {length: words.promise(length) for length in LENGTHS}


@LANGUAGES
def test_a_length_beside_a_promise_is_spelt_by_the_script_as_by_the_server(
    clerk: Clerk, query: str, words: Words
) -> None:
    """In the unit of the promise; without one as a duration."""
    clerk.open(query, ready=False)
    pairs = [(length, promise) for length in LENGTHS for promise in PROMISES]
    questions = json.dumps([(length // 1000, promise and promise // 1000) for length, promise in pairs])
    texts = clerk.ask(f"{questions}.map(([ms, promised]) => loket.words.against(ms, promised))")
    assert dict(zip(pairs, texts, strict=True)) == {pair: words.against(*pair) for pair in pairs}


def test_whole_days_are_days_from_three_on() -> None:
    """Two days are 48 hours, three are days, and three and an hour are hours again."""
    assert [ID.promise(days * DAY_US) for days in (2, 3)] == ["48 jam", "3 hari"]
    assert ID.promise(3 * DAY_US + HOUR_US) == "73 jam"
