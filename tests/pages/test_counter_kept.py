"""What the browser keeps for the counter: its own database may fail for a while, and every page that is kept opens whole."""

from __future__ import annotations

import re
from datetime import datetime
from importlib.resources import files
from typing import Final

import pytest

from tests.pages.browser import MISSING, installed
from tests.pages.counter import STALLS, UNIT, Clerk, entries
from tests.serving import ROOT, Assembled, until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
HELD: Final = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url)))"


def test_a_database_that_fails_for_a_while_is_said_and_what_waits_is_sent_after(city: Assembled, clerk: Clerk) -> None:
    """One failure ends no trying: nobody has to touch the page."""
    clerk.open(ready=False)
    clerk.browser.press("Alt+1")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    clerk.browser.run("""
      loket.status.later = () => {};  // the worker would send it too
      self.works = loket.queue.count;
      loket.queue.count = () => Promise.reject(new DOMException('a disk that stalls', 'UnknownError'));""")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ penyimpanan peramban ini tidak terbaca (UnknownError)")
    assert "dicoba lagi sendiri" in clerk.text("#keadaan")
    clerk.browser.run("loket.queue.count = self.works")
    until(lambda: len(entries(city)) == 1, "it is sent by itself")
    clerk.sees("#keadaan", "● tersambung")


def test_an_answer_that_the_database_cannot_take_is_no_cut_line(city: Assembled, clerk: Clerk) -> None:
    """The server has it, the browser could not write that down: said in those words, sent again, and recorded once."""
    clerk.open(ready=False)
    clerk.browser.press("Alt+1")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    clerk.browser.run("""
      loket.status.later = () => {};  // the worker would send it too
      self.works = loket.queue.settle;
      loket.queue.settle = () => Promise.reject(new DOMException('a full disk', 'QuotaExceededError'));""")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ penyimpanan peramban ini tidak terbaca (QuotaExceededError) · 1 belum terkirim")
    assert "luring" not in clerk.text("#keadaan")
    assert len(entries(city)) == 1
    clerk.browser.run("loket.queue.settle = self.works")
    clerk.sees("#tanda", "posisi")
    clerk.sees("#keadaan", "● tersambung")
    assert len(entries(city)) == 1


def test_a_press_is_of_its_instant_however_long_the_disk_takes(city: Assembled, clerk: Clerk) -> None:
    clerk.open(ready=False)
    clerk.browser.press("Alt+1")
    clerk.browser.run(STALLS)
    clerk.step("K-1", "F2")
    pressed_by = clerk.browser.ask("Date.now()")
    until(lambda: clerk.browser.ask("Date.now()") > pressed_by + 1500, "a disk that takes its time")
    clerk.browser.run("self.goOn()")
    (one,) = until(lambda: entries(city), "it is recorded")
    for instant in (one["time"], one["data"]["received_at"]):
        assert datetime.fromisoformat(instant).timestamp() * 1000 <= pressed_by


def test_parts_stay_as_long_as_a_kept_page_names_them(clerk: Clerk) -> None:
    """The English page of an older build keeps its parts; what no page names any more goes, and the worker is no part."""
    clerk.open()
    paths = clerk.browser.promised(f"{HELD}.then(all => all.map(one => one.pathname))")
    assert "/static/loket/worker.js" not in paths
    assert {f"/static/loket/{one.name}" for one in (files("api") / "static" / "loket").iterdir()} - set(paths) == {
        "/static/loket/worker.js"
    }
    old = """<div data-keep="[&#34;/static/loket/counter.js?v=older&#34;]"></div><link href="/static/neraca.css?v=older">"""
    page = f"/loket?dinas={UNIT}&lang=en"
    parts = ["/static/loket/counter.js?v=older", "/static/neraca.css?v=older", "/static/loket/counter.js?v=oldest"]
    puts = ", ".join(
        f"cache.put('{address}', new Response('{old if address == page else ''}'))" for address in (page, *parts)
    )
    clerk.browser.promised(f"caches.open('neraca-loket').then(cache => Promise.all([{puts}]))")
    clerk.open()
    named = f"{HELD}.then(all => all.filter(one => one.search.includes('old')).map(one => one.pathname + one.search))"
    until(
        lambda: "/static/loket/counter.js?v=oldest" not in clerk.browser.promised(named), "what no page names is gone"
    )
    assert sorted(clerk.browser.promised(named)) == sorted(parts[:2])


def test_every_refusal_that_is_known_by_its_words_is_said_in_those_words() -> None:
    """A sentence the server has changed would be read by no clerk: the script finds it by a part of it."""
    script = (ROOT / "api/static/loket/refusals.js").read_text(encoding="utf-8")
    known = re.findall(r'\["([^"]+)", "\w+"\]', script)
    told = "".join(
        file.read_text(encoding="utf-8") for room in ("domain", "streams") for file in (ROOT / room).rglob("*.py")
    )
    assert len(known) > 9
    assert [text for text in known if text not in told] == []
