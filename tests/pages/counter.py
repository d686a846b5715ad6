"""A clerk at the counter, in a real browser: what they type, and what they read."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tests.serving import Assembled, Clock, event, until

if TYPE_CHECKING:
    from tests.pages.browser import Browser

UNIT: Final = "disdukcapil"
SERVICES: Final = ("Akta kelahiran", "KIA", "KTP-el")
"""In the order of their tiles."""


STALLS: Final = """
  const works = loket.queue.ofFile, waits = [];
  loket.queue.ofFile = (file) => new Promise((given) => { waits.push(given); }).then(() => works(file));
  self.goOn = () => { loket.queue.ofFile = works; for (const given of waits) given(); };
"""
"""From now on the browser's own database answers nothing of a file, until it is told to go on."""


class Running(Clock):
    """The clock that the browser's is read from too."""

    def __call__(self) -> int:
        """Now."""
        return time.time_ns() // 1000


def rules() -> list[dict[str, Any]]:
    """A unit with a standard for each of its services."""
    early = {"time": "2026-01-01T00:00:00+07:00"}
    said = [event("dinas-registered", "unit", {"dinas": UNIT, "name": "Dinas Kependudukan"}, **early)]
    for service in SERVICES:
        standard = {
            "service": service,
            "dinas": UNIT,
            "amount": 24,
            "unit": "wall_hours",
            "effective_from": "2026-01-01",
        }
        said.append(event("standard-set", f"standar-{service}", standard, **early))
    return said


def decided(number: str) -> dict[str, Any]:
    """A file that another program has decided, so that it can be rated."""
    said = {"dinas": UNIT, "service": SERVICES[2], "case": number, "received_at": "2026-11-02T08:00:00+07:00"}
    done = "2026-11-03T08:00:00+07:00"
    return event("permit-processed", f"decided-{number}", said | {"completed_at": done}, time=done)


class Clerk:
    """Types and reads; never touches a mouse."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url

    def open(self, query: str = "?loket=3", *, ready: bool = True) -> None:
        """Open the counter, and wait until it takes keys; ``ready``: and opens without a network from now on."""
        self.browser.open(f"{self.url}/loket{query}")
        self.working()
        if ready:
            held = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url)))"
            kept = f"{held}.then(all => all.map(one => one.pathname + (one.searchParams.has('v') ? '' : one.search)))"
            pages = {"/loket", f"/loket?dinas={UNIT}", "/loket/warga", "/static/neraca.css", "/static/loket/counter.js"}
            until(lambda: pages <= set(self.browser.promised(kept)), "the worker has kept the page and its parts")

    def working(self) -> None:
        """The counter takes keys."""
        until(lambda: self.browser.ask("!!document.querySelector('#kerja:not([hidden])')"), "the counter takes keys")

    def step(self, number: str, *keys: str) -> None:
        """Type a number, then the keys of a step."""
        until(
            lambda: self.browser.ask("document.activeElement.id === 'nomor' && !document.activeElement.value"),
            "the field waits",
        )
        self.browser.type(number)
        self.browser.press(*keys)

    def look_up(self, number: str, says: str) -> None:
        """Type a number, and wait until the page says something of it."""
        self.step(number, "Enter")
        until(lambda: says in self.text("#ada"), f"the page says {says} of {number}")

    def text(self, selector: str) -> str:
        """What stands somewhere on the page, white space joined."""
        found = self.browser.ask(f"(document.querySelector('{selector}') || {{}}).textContent")
        return " ".join((found or "").split())

    def sees(self, selector: str, says: str, *, within_s: float = 30) -> None:
        """Wait until a part of the page says something."""
        try:
            until(lambda: says in self.text(selector), says, within_s=within_s)
        except TimeoutError:
            message = f"{selector} says {self.text(selector)!r}, not {says!r}"
            raise AssertionError(message) from None

    def rows(self) -> list[str]:
        """The last receipts, the newest first."""
        rows = "[...document.querySelectorAll('#tanda tr')].map(row => row.innerText.replace(/\\s+/g, ' ').trim())"
        return list(self.browser.ask(rows))

    def click(self, kind: str, number: str) -> None:
        """Reach a receipt's button by name, and press it as a hand on the keyboard does."""
        where = (
            f"[...document.querySelectorAll('#tanda [data-kind={kind}]')].find(b => b.ariaLabel.includes('{number}'))"
        )
        until(lambda: self.browser.ask(f"!!{where}"), f"a button {kind} for {number}")
        self.browser.run(f"{where}.focus()")
        self.browser.press("Enter")


def signed_in(browser: Browser, url: str, secret: str, page: str = "/loket") -> None:
    """Sign in with a token by the form, whoever was signed in before, and go to a page of the counter."""
    browser.open(f"{url}/masuk?{urlencode({'ke': page})}")
    browser.type(secret.removeprefix("Bearer "))
    browser.press("Enter")
    until(lambda: browser.ask("location.pathname") == page.partition("?")[0], "the page opens")


def entries(neraca: Assembled, kind: str = "") -> list[dict[str, Any]]:
    """What the journal holds of the counters, in order."""
    items = neraca.get("/v1/journal?limit=1000").json()["items"]
    return [one for one in items if one["source"].startswith("/loket/") and kind in one["type"]]


def names_of(neraca: Assembled) -> Counter[tuple[str, str]]:
    """How often the journal holds each event of the counters."""
    return Counter((one["source"], one["id"]) for one in entries(neraca))
