"""A real browser for tests: this machine's Chromium, driven by Playwright; one process for all tests of a session.

Each test looks through a window of its own, whose profile nobody has used.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from playwright.sync_api import Error, sync_playwright

from tests.serving import until as poll_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

MISSING: Final = "needs Chromium: apt-get install chromium"
NAME: Final = "neraca.kota.test"
"""A name of this machine that a browser does not take for this machine."""
SWITCHES: Final = (f"--host-resolver-rules=MAP {NAME} 127.0.0.1", "--disable-gpu", "--disable-dev-shm-usage")
HIDDEN: Final = ("--hide-scrollbars",)
"""Switches of Playwright's that are left out: a scroll bar takes room from a page, and a page has to bear it."""
POLLED_EVERY_MS: Final = 10
LEFT: Final = "context was destroyed"
"""A part of Playwright's message when the page is left while a script runs in it."""
_Found = TypeVar("_Found")


def installed() -> bool:
    """True if there is a browser on the path."""
    return shutil.which("chromium") is not None


@contextmanager
def started() -> Iterator[Browser]:
    """The browser, until the end of a ``with``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=SWITCHES, ignore_default_args=HIDDEN
        )
        yield browser
        asyncio._set_running_loop(browser._loop)
        browser.close()


@contextmanager
def window(browser: Browser, **options: Any) -> Iterator[Page]:  # noqa: ANN401 - the options of a Playwright context
    """A page with a profile of its own, until the end of a ``with``.

    Playwright's event loop belongs to this thread only meanwhile: tests that open no window run loops of their own.
    """
    asyncio._set_running_loop(browser._loop)
    try:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        yield context.new_page()
        asyncio._set_running_loop(browser._loop)
        context.close()
    finally:
        asyncio._set_running_loop(None)


def screen(page: Page, width: int, height: int = 1080, *, dark: bool = False) -> None:
    """Look from now on through a screen of some width in CSS pixels, in light or in dark."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if dark else "light")


def press(page: Page, *keys: str) -> None:
    """Press keys as a hand does, each let go before the next; of ``Alt+3`` the first is held meanwhile."""
    for key in keys:
        page.keyboard.press(key)


def until(page: Page, condition: str | Callable[[], _Found | None], what: str, *, within_s: float = 30.0) -> _Found:
    """Wait until a condition of the page, in its own words, or of the test holds; the page's events go on meanwhile.

    Playwright's own wait for a function is of no use here: it evaluates text inside the page, whose policy forbids it.
    Raises: ``TimeoutError`` that names the condition awaited.
    """

    def asked() -> Any:  # noqa: ANN401 - whatever the condition gives
        try:
            return page.evaluate(condition) if isinstance(condition, str) else condition()
        except Error as error:
            if LEFT not in error.message:
                raise
            return None

    value: _Found = poll_until(asked, what, within_s=within_s, pause=lambda _: page.wait_for_timeout(POLLED_EVERY_MS))
    return value


def console_of(page: Page) -> list[str]:
    """Errors and warnings that the page's console says from now on."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    return messages


def picture(page: Page) -> bytes:
    """A picture of the window as WebP, which Playwright itself does not write."""
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp"})
    return base64.b64decode(shot["data"])
