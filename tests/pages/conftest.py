"""What tests of pages share: a counter's unit, a cable to it, a browser, a clerk before it; and a channel in haste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.pages.board import live as page_live
from tests.pages.browser import Browser
from tests.pages.cable import Cable
from tests.pages.counter import Clerk, Running, rules
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Assembled]:
    """A unit with a standard for each of its services, by the browser's own clock."""
    with Assembled(tmp_path / "data", clock=Running()) as assembled:
        assembled.record(*rules())
        yield assembled


@pytest.fixture
def cable(city: Assembled) -> Iterator[Cable]:
    """A cable to the city, served."""
    with Listening(city) as listening, Cable(listening.url) as cable:
        yield cable


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that has never been here."""
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.screen(1280, 800)
        yield opened


@pytest.fixture
def clerk(browser: Browser, cable: Cable) -> Clerk:
    """A clerk at the other end of the cable."""
    return Clerk(browser, cable.url)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that looks, and tells, many times a second."""
    monkeypatch.setattr(page_live, "ALIVE_S", 0.05)
    monkeypatch.setattr(page_live, "BETWEEN_S", 0.01)
