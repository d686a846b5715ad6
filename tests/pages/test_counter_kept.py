"""The browser keeps presses and pages for the counter: its database may fail for a while, and every kept page opens whole."""

from __future__ import annotations

import re
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.counter import STALLS, UNIT, Clerk, entries
from tests.pages.line import answered, led_to, silent
from tests.serving import ROOT, Assembled

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Route

pytestmark = pytest.mark.browser
PATIENCE_MS: Final = 8_000
"""A counter waits this long for an answer before it says that there is no network."""
HELD: Final = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url)))"
FAILING: Final = """() => {
  loket.status.later = () => {};  // the worker would send it too
  self.works = loket.queue.NAME;
  loket.queue.NAME = () => Promise.reject(new DOMException('', 'KIND'));
}"""
"""From now on a call of the browser's own database fails."""


def test_a_database_that_fails_for_a_while_is_said_and_what_waits_is_sent_after(
    counter: Assembled, clerk: Clerk
) -> None:
    """One failure ends no trying: nobody has to touch the page."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.is_connected()
    clerk.ask(FAILING.replace("NAME", "count").replace("KIND", "UnknownError"))
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ penyimpanan peramban ini tidak terbaca (UnknownError)")
    assert "dicoba lagi sendiri" in clerk.text("#keadaan")
    clerk.ask("() => { loket.queue.count = self.works; }")
    clerk.until(lambda: len(entries(counter)) == 1, "it is sent by itself")
    clerk.sees("#keadaan", "● tersambung")


def test_an_answer_that_the_database_cannot_take_is_no_cut_line(counter: Assembled, clerk: Clerk) -> None:
    """The server has it, the browser could not write that down: said in those words, sent again, and recorded once."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.is_connected()
    clerk.ask(FAILING.replace("NAME", "settle").replace("KIND", "QuotaExceededError"))
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ penyimpanan peramban ini tidak terbaca (QuotaExceededError) · 1 belum terkirim")
    assert "luring" not in clerk.text("#keadaan")
    assert len(entries(counter)) == 1
    clerk.ask("() => { loket.queue.settle = self.works; }")
    clerk.sees("#tanda", "posisi")
    clerk.sees("#keadaan", "● tersambung")
    assert len(entries(counter)) == 1


def test_a_press_is_of_its_instant_however_long_the_disk_takes(counter: Assembled, clerk: Clerk) -> None:
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.ask(STALLS)
    clerk.step("K-1", "F2")
    pressed_by = clerk.ask("Date.now()")
    clerk.until(f"Date.now() > {pressed_by} + 100", "a disk that takes its time")
    clerk.ask("self.goOn()")
    (entry,) = clerk.until(lambda: entries(counter), "it is recorded")
    for instant in (entry["time"], entry["data"]["received_at"]):
        assert datetime.fromisoformat(instant).timestamp() * 1000 <= pressed_by


def test_parts_stay_as_long_as_a_kept_page_names_them(clerk: Clerk) -> None:
    """The English page of an older build keeps its parts; what no page names any more goes, and the worker is no part."""
    clerk.open()
    paths = clerk.ask(f"{HELD}.then(all => all.map(one => one.pathname))")
    assert "/static/loket/worker.js" not in paths
    assert {f"/static/loket/{file.name}" for file in (files("api") / "static" / "loket").iterdir()} - set(paths) == {
        "/static/loket/worker.js"
    }
    old = """<div data-keep="[&#34;/static/loket/counter.js?v=older&#34;]"></div><link href="/static/neraca.css?v=older">"""
    page = f"/loket?dinas={UNIT}&lang=en"
    parts = ["/static/loket/counter.js?v=older", "/static/neraca.css?v=older", "/static/loket/counter.js?v=oldest"]
    puts = ", ".join(
        f"cache.put('{address}', new Response('{old if address == page else ''}'))" for address in (page, *parts)
    )
    clerk.ask(f"caches.open('neraca-loket').then(cache => Promise.all([{puts}]))")
    clerk.open()
    addresses = (
        f"{HELD}.then(all => all.filter(one => one.search.includes('old')).map(one => one.pathname + one.search))"
    )
    clerk.until(lambda: "/static/loket/counter.js?v=oldest" not in clerk.ask(addresses), "what no page names is gone")
    assert sorted(clerk.ask(addresses)) == sorted(parts[:2])


@pytest.mark.speed("quick")
def test_every_refusal_that_is_known_by_its_words_is_said_in_those_words() -> None:
    """A sentence the server has changed would be read by no clerk: the script finds it by a part of it."""
    script = (ROOT / "api/static/loket/refusals.js").read_text(encoding="utf-8")
    texts = re.findall(r'\["([^"]+)", "\w+"\]', script)
    catalog = "".join(
        file.read_text(encoding="utf-8")
        for room in ("api", "domain", "streams")
        for file in (ROOT / room).rglob("*.py")
    )
    assert len(texts) > 9
    assert [text for text in texts if text not in catalog] == []


def test_the_worker_keeps_pages_and_their_parts_and_nothing_of_anybody(clerk: Clerk) -> None:
    """No read of the API is ever answered from the cache: a case's state is the server's, or it is not known."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.look_up("K-1", "ditemukan")
    paths = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url).pathname))"
    assert {path for path in clerk.ask(paths) if not path.startswith("/static/")} == {"/loket", "/loket/warga"}
    page = f"caches.match(location.origin + '/loket?dinas={UNIT}').then(answer => answer.text())"
    assert "K-1" not in clerk.ask(page)
    clerk.page.context.set_offline(True)
    clerk.press("Escape")
    clerk.fill("nomor", "")
    clerk.look_up("K-asing", "belum diketahui selama luring")
    clerk.press("F8")
    clerk.sees("#keadaan", "1 belum terkirim")


@pytest.mark.parametrize("end", [silent, answered(502, "Bad Gateway")], ids=["leads nowhere", "ends at a gateway"])
def test_the_kept_page_opens_where_no_server_speaks(clerk: Clerk, end: Callable[[Route], None]) -> None:
    clerk.page.clock.install()
    clerk.open()
    with led_to(end, clerk.page.context):
        clerk.page.goto(f"{clerk.url}/loket?dinas={UNIT}")
        clerk.working()
        assert clerk.text("h1") == "Loket 3"
        clerk.page.clock.fast_forward(PATIENCE_MS)
        clerk.sees("#keadaan", "luring sejak")
