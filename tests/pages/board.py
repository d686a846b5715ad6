"""The board while it moves: functions by which a test looks at it, moves it, and reads its announcements."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from api.pages.links import anchor_of
from tests.pages.browser import screen, until
from tests.serving import event

if TYPE_CHECKING:
    from playwright.sync_api import Page

MARK: Final = "document.body.dataset.mark"
TAG: Final = "document.querySelector('#langsung .tag').textContent"
BUTTON: Final = "document.querySelector('#langsung button')"
VOICES: Final = "document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]')"
HEARD: Final = f"""(() => {{ window.heard = []; const voice = {VOICES}[0];
  new MutationObserver(() => heard.push(voice.textContent)).observe(voice, {{childList: true, characterData: true, subtree: true}});
}})()"""
"""From now on ``heard`` collects the announcements of the page's live region."""
TINT_MS: Final = 8_000
"""A row that moved stays tinted for this long."""
_number: Final = itertools.count()


def received(dinas: str) -> dict[str, Any]:
    """An application that is open."""
    case = f"M-{next(_number)}"
    data = {"dinas": dinas, "service": "ktp-el", "case": case, "received_at": "2026-11-24T08:00:00+07:00"}
    return event("permit-received", f"m-{case}", data)


def look(page: Page, url: str) -> None:
    """Open the board, and wait until it is live; the mark is gone if the page is loaded anew."""
    screen(page, 1440)
    page.goto(f"{url}/?period=2026-11")
    until(page, f"{TAG} === '● langsung'", "the board is live", within_s=60)
    page.evaluate(f"{MARK} = 'here'")


def open_files(page: Page, dinas: str) -> int:
    """The number of open files in the row of a dinas."""
    return int(page.evaluate(f"document.querySelector('#{anchor_of(dinas)} .op').firstChild.textContent.trim()"))


def moves(page: Page, dinas: str, to: int) -> None:
    """Wait until the row of a dinas says so many open files."""
    until(page, lambda: open_files(page, dinas) == to, f"the row says {to}")
