"""A clerk at the counter, in a real browser: typing and reading."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from api.http.tickets import TICKET_US, Case, Tickets
from tests.pages.browser import press, until
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

UNIT: Final = "disdukcapil"
SERVICES: Final = ("Akta kelahiran", "KIA", "KTP-el")
"""In the order of their tiles."""
KEPT: Final = """caches.open('neraca-loket').then(cache => cache.keys()).then(kept => kept.map(one => new URL(one.url)))
  .then(all => all.map(one => one.pathname + (one.searchParams.has('v') ? '' : one.search)))"""
"""The addresses that open without a network: pages with their query, parts without their version."""
STALLS: Final = """() => {
  const works = loket.queue.ofFile, waits = [];
  loket.queue.ofFile = (file) => new Promise((given) => { waits.push(given); }).then(() => works(file));
  self.goOn = () => { loket.queue.ofFile = works; for (const given of waits) given(); };
}"""
"""From now on the browser's own database answers nothing of a file, until it is told to go on."""


class Running(Clock):
    """The clock that the browser's is read from too."""

    def __call__(self) -> int:
        """Now."""
        return time.time_ns() // 1000


def rules() -> list[dict[str, Any]]:
    """A unit with a standard for each of its services."""
    early = {"time": "2026-01-01T00:00:00+07:00"}
    events = [event("dinas-registered", "unit", {"dinas": UNIT, "name": "Dinas Kependudukan"}, **early)]
    for service in SERVICES:
        standard = {
            "service": service,
            "dinas": UNIT,
            "amount": 24,
            "unit": "wall_hours",
            "effective_from": "2026-01-01",
        }
        events.append(event("standard-set", f"standar-{service}", standard, **early))
    return events


def decided(number: str) -> dict[str, Any]:
    """A file that another program has decided, so that it can be rated."""
    data = {"dinas": UNIT, "service": SERVICES[2], "case": number, "received_at": "2026-11-02T08:00:00+07:00"}
    completed_at = "2026-11-03T08:00:00+07:00"
    return event("permit-processed", f"decided-{number}", data | {"completed_at": completed_at}, time=completed_at)


class Clerk:
    """Types and reads; never touches a mouse."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, query: str = "?loket=3", *, ready: bool = True) -> None:
        """Open the counter, and wait until it takes keys; ``ready``: and opens without a network from now on."""
        self.page.goto(f"{self.url}/loket{query}")
        self.working()
        if ready:
            pages = ["/loket", f"/loket?dinas={UNIT}", "/loket/warga", "/static/neraca.css", "/static/loket/counter.js"]
            self.until(f"{KEPT}.then(kept => {pages}.every(one => kept.includes(one)))", "the worker has kept the page")

    def another_tab(self) -> Clerk:
        """The same clerk before another tab of the same browser."""
        return Clerk(self.page.context.new_page(), self.url)

    def after_repair(self) -> Clerk:
        """The same browser, its page loaded anew without what a script did to the page before."""
        again = self.another_tab()
        self.page.close()
        again.open(ready=False)
        return again

    def comes_back(self) -> None:
        """Turn to the window again, upon which the counter tries to send at once."""
        self.ask("dispatchEvent(new Event('focus'))")

    def until(self, condition: str | Callable[[], Any], what: str, *, within_s: float = 30) -> Any:  # noqa: ANN401 - whatever the condition gives
        """Wait until a condition of the page, or of the test, holds."""
        return until(self.page, condition, what, within_s=within_s)

    def ask(self, script: str) -> Any:  # noqa: ANN401 - any JSON value
        """Evaluate an expression in the page."""
        return self.page.evaluate(script)

    def press(self, *keys: str) -> None:
        """Press keys, each let go before the next."""
        press(self.page, *keys)

    def type(self, text: str) -> None:
        """Type a text, key by key."""
        self.page.keyboard.type(text)

    def working(self) -> None:
        """Wait until the counter takes keys."""
        self.until("!!document.querySelector('#kerja:not([hidden])')", "the counter takes keys")

    def step(self, number: str, *keys: str) -> None:
        """Type a number, then the keys of a step."""
        self.until("document.activeElement.id === 'nomor' && !document.activeElement.value", "the field waits")
        self.type(number)
        self.press(*keys)

    def look_up(self, number: str, says: str) -> None:
        """Type a number, and wait until the page says something of it."""
        self.step(number, "Enter")
        self.sees("#ada", says)

    def text(self, selector: str) -> str:
        """The text of an element, white space joined."""
        return " ".join((self.page.locator(selector).first.text_content() or "").split())

    def sees(self, selector: str, says: str, *, times: int = 1, within_s: float = 30) -> None:
        """Wait until a part of the page says something, so many times at least."""
        text = f"(document.querySelector({json.dumps(selector)})?.textContent ?? '').replace(/\\s+/g, ' ')"
        try:
            self.until(f"{text}.split({json.dumps(says)}).length > {times}", says, within_s=within_s)
        except TimeoutError:
            message = f"{selector} says {self.text(selector)!r}, not {says!r} {times} times"
            raise AssertionError(message) from None

    def is_connected(self) -> None:
        """Wait until the counter shows only that it is connected."""
        self.until(lambda: self.text("#keadaan") == "● tersambung", "it is connected")

    def waits(self) -> dict[str, int]:
        """The number of events still to be sent, and of those refused."""
        count: dict[str, int] = self.ask("loket.queue.count().then(({waiting, refused}) => ({waiting, refused}))")
        return count

    def until_sent(self, *, refusals: int = 0, within_s: float = 30) -> None:
        """Wait until nothing is to be sent."""
        state = {"waiting": 0, "refused": refusals}
        try:
            self.until(lambda: self.waits() == state, "nothing waits", within_s=within_s)
        except TimeoutError:
            message = (
                f"{self.waits()}, not {state}; the queue: {self.ask('loket.queue.last(9)')}; the page: {self.rows()}"
            )
            raise AssertionError(message) from None

    def pressed(self) -> dict[str, Any]:
        """The event that was pressed last, as it was made."""
        event: dict[str, Any] = self.ask("loket.queue.last(1).then(([one]) => one.event)")
        return event

    def rows(self) -> list[str]:
        """The last receipts, the newest first."""
        rows = "[...document.querySelectorAll('#tanda tr')].map(row => row.innerText.replace(/\\s+/g, ' ').trim())"
        return list(self.ask(rows))

    def focus_is_on(self, field: str, what: str) -> None:
        """Wait until a field has the keyboard."""
        self.until(f"document.activeElement.id === '{field}'", what)

    def fill(self, field: str, value: str) -> None:
        """Put a value into a field as a script does, so that no key of a step is pressed."""
        self.ask(f"document.getElementById('{field}').value = {json.dumps(value)}")

    def click(self, kind: str, number: str) -> None:
        """Reach a receipt's button by name, and press it as a hand on the keyboard does."""
        where = (
            f"[...document.querySelectorAll('#tanda [data-kind={kind}]')].find(b => b.ariaLabel.includes('{number}'))"
        )
        self.until(f"!!{where}", f"a button {kind} for {number}")
        self.ask(f"{where}.focus()")
        self.press("Enter")

    def enter(self, secret: str) -> None:
        """Type a token into the form of the page that is opening, and wait until the counter works."""
        self.until("document.activeElement?.name === 'token'", "the form is there")
        self.type(secret.removeprefix("Bearer "))
        self.press("Enter")
        self.until("location.pathname === '/loket'", "the page opens")
        self.working()

    def sign_in(self, secret: str, page: str = f"/loket?dinas={UNIT}") -> None:
        """Sign in with a token by the form, after any earlier sign-in, and wait until a page of the counter works."""
        self.page.goto(f"{self.url}/masuk?{urlencode({'ke': page})}")
        self.enter(secret)


def ticket_of(neraca: Assembled, token_id: str, case: Case) -> str:
    """The ticket for a case, vouched for by a counter's token."""
    token = neraca.tokens.by_id(token_id)
    assert token is not None
    ticket = tickets_of(neraca).issue(token, case)
    assert ticket is not None
    return ticket.text


def tickets_of(neraca: Assembled, lasts_us: int = TICKET_US) -> Tickets:
    """The tickets of an assembled Neraca, all under one secret."""
    return Tickets(neraca.tokens, neraca.clock, neraca.secret, lasts_us)


def entries(neraca: Assembled, kind: str = "") -> list[dict[str, Any]]:
    """The counters' entries in the journal, in order."""
    items = neraca.get("/v1/journal?limit=1000").json()["items"]
    return [entry for entry in items if entry["source"].startswith(("/loket/", "/nilai/")) and kind in entry["type"]]


def names_of(neraca: Assembled) -> Counter[tuple[str, str]]:
    """The count of each of the counters' events in the journal."""
    return Counter((entry["source"], entry["id"]) for entry in entries(neraca))
