"""The counter without a network: it opens, it works, it says how much waits, and what it sends later is recorded exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.cable import Cable, Gateway, portal
from tests.pages.counter import SERVICES, UNIT, Clerk, entries, names_of, rules
from tests.serving import NDJSON, Assembled, Process, ndjson, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

KEPT: Final = "loket.queue.last(99).then(all => all.map(one => [one.event.source, one.event.id, one.state]))"


def kept(clerk: Clerk) -> set[tuple[str, str]]:
    """The names of all that was ever pressed here."""
    return {(source, name) for source, name, _ in clerk.browser.promised(KEPT)}


def test_it_works_through_a_cut_and_delivers_exactly_once(city: Assembled, cable: Cable, browser: Browser) -> None:
    """Received to issued while nothing passes, the page loaded anew meanwhile; then all of it, in order, once each."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    clerk.step("K-0", "F2")
    clerk.sees("#tanda", "posisi")
    cable.pull()
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "1 belum terkirim")
    clerk.look_up("K-1", "tercatat di loket ini, belum terkirim")
    assert clerk.text("#langkah .primary") == "Terbit F8"
    browser.press("Enter")
    clerk.step("K-0", "F9")
    clerk.sees("#keadaan", "3 belum terkirim")
    clerk.sees("#keadaan", "○ luring sejak")
    assert "Tetap bekerja seperti biasa" in clerk.text("#keadaan")
    before = clerk.text("#keadaan")
    browser.open(f"{cable.url}/loket?dinas={UNIT}")
    clerk.working()
    clerk.sees("#keadaan", "3 belum terkirim")
    assert clerk.text("#keadaan") == before, "since when it is offline outlives the page"
    assert clerk.text("h1") == "Loket 3", "and so does whose counter it is"
    assert clerk.rows()[0].startswith("K-0 · ditolak")
    assert len(entries(city)) == 1
    names = kept(clerk)
    cable.mend()
    clerk.sees("#keadaan", "● tersambung")
    until(lambda: len(entries(city)) == 4, "all of it is in the journal")
    assert [(one["data"]["case"], one["type"].split(".")[1]) for one in entries(city)] == [
        ("K-0", "permit-received"), ("K-1", "permit-received"), ("K-1", "permit-processed"), ("K-0", "permit-processed"),
    ]  # fmt: skip
    assert dict(names_of(city)) == dict.fromkeys(names, 1)
    until(lambda: clerk.text("#tanda").count("posisi") == 4, "each has its position")


def test_an_answer_that_is_lost_makes_nothing_twice(city: Assembled, cable: Cable, browser: Browser) -> None:
    """The server records what was posted, its answer never arrives, and the same is posted until one does."""
    clerk = Clerk(browser, cable.url)
    clerk.open(ready=False)
    browser.press("Alt+3")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    cable.deafen()
    for number in range(3):
        clerk.step(f"K-{number}", "F2")
    until(lambda: cable.lost >= 2, "answers are lost")
    until(lambda: len(entries(city)) == 3, "the journal has them all")
    clerk.sees("#keadaan", "3 belum terkirim")
    names = kept(clerk)
    cable.mend()
    clerk.sees("#keadaan", "● tersambung")
    until(lambda: clerk.text("#tanda").count("posisi") == 3, "a repeat is told its first position")
    assert dict(names_of(city)) == dict.fromkeys(names, 1)


def test_what_was_never_tried_is_taken_back_and_what_may_be_recorded_is_reversed(
    city: Assembled, cable: Cable, browser: Browser
) -> None:  # fmt: skip
    """Undone before it was sent it reaches nobody; tried without an answer, its reversal follows it."""
    browser.before("delete Object.getPrototypeOf(navigator).serviceWorker")  # or it sends too, as soon as it gets to it
    clerk = Clerk(browser, cable.url)
    clerk.open(ready=False)
    browser.press("Alt+3")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    cable.deafen()
    clerk.step("K-1", "F2")
    until(lambda: cable.lost, "its answer is lost")
    browser.run("loket.sending.send = () => Promise.resolve({link: 'off', date: NaN})")
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.click("undo", "K-2")
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "pembatalan menunggu kirim")
    cable.mend()
    browser.open(f"{cable.url}/loket?dinas={UNIT}")
    clerk.working()
    until(lambda: entries(city, "event-retracted"), "the reversal is in the journal")
    clerk.sees("#tanda", "dibatalkan")
    assert [one["data"].get("case") for one in entries(city)] == ["K-1", None]
    assert set(names_of(city).values()) == {1}


def test_a_networks_own_page_is_no_answer(city: Assembled, cable: Cable, browser: Browser) -> None:
    """A hotel's or an office's sign-in answers 200 to everything: what waits goes on waiting."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    with portal() as elsewhere:
        before = cable.leads_to
        cable.lead_to(elsewhere)
        cable.pull()
        cable.mend()
        clerk.step("K-1", "F2")
        clerk.sees("#keadaan", "1 belum terkirim")
        clerk.sees("#keadaan", "luring sejak")
        assert entries(city) == []
        cable.lead_to(before)
        cable.pull()
        cable.mend()
    until(lambda: len(entries(city)) == 1, "it is sent once the way is open", within_s=60)


def test_a_server_killed_in_the_midst_has_each_event_once(tmp_path: Path, browser: Browser) -> None:
    """SIGKILL between presses, the page opened without it, and the same data served again on the same port."""
    data, numbers = tmp_path / "data", [f"K-{n}" for n in range(12)]
    with Process(data) as first:
        assert (
            httpx.post(f"{first.url}/v1/events", content=ndjson(rules()), headers={"content-type": NDJSON}).json()[
                "accepted"
            ]
            == 4
        )
        first.settle()
        clerk, port = Clerk(browser, first.url), first.url.rpartition(":")[2]
        clerk.open()
        browser.press("Alt+1")
        for number in numbers[:6]:
            clerk.step(number, "F2")
        first.kill()
        for number in numbers[6:9]:
            clerk.step(number, "F2")
        clerk.sees("#kabar", "K-8 · diterima")
        browser.open(f"{first.url}/loket?dinas={UNIT}")
        clerk.working()
        browser.press("Alt+1")
        for number in numbers[9:]:
            clerk.step(number, "F2")
        clerk.sees("#kabar", "K-11 · diterima")
        clerk.sees("#keadaan", "belum terkirim")
    with Process(data, "--port", port) as second:
        clerk.sees("#keadaan", "● tersambung", within_s=60)
        until(lambda: clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}, "all is sent")
        second.settle()
        said = httpx.get(f"{second.url}/v1/journal?source=/loket/{UNIT}/3&limit=1000").json()
    items: list[dict[str, Any]] = said["items"]
    assert [one["data"]["case"] for one in items] == numbers
    assert {(one["source"], one["id"]) for one in items} == kept(clerk)


def test_a_page_that_is_cut_off_hears_it_and_its_worker_sends_beside_it(
    city: Assembled, cable: Cable, browser: Browser
) -> None:
    """The browser cuts off the page alone: what waits is sent by the worker, as it is once no page is open."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+1")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    browser.cut_off(off=True)
    clerk.sees("#keadaan", "○ luring sejak")
    clerk.step("K-1", "F2")
    until(lambda: len(entries(city)) == 1, "the worker has sent it")
    clerk.sees("#tanda", "posisi")
    browser.cut_off(off=False)
    clerk.sees("#keadaan", "● tersambung", within_s=10)
    assert set(names_of(city).values()) == {1}


def test_the_worker_keeps_pages_and_their_parts_and_nothing_of_anybody(cable: Cable, browser: Browser) -> None:
    """No read of the API is ever answered from the cache: a case's state is the server's, or it is not known."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.look_up("K-1", "ditemukan")
    held = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url).pathname))"
    assert {path for path in browser.promised(held) if not path.startswith("/static/")} == {"/loket", "/loket/warga"}
    page = f"caches.match(location.origin + '/loket?dinas={UNIT}').then(answer => answer.text())"
    assert "K-1" not in browser.promised(page)
    cable.pull()
    browser.press("Escape")
    browser.run("document.getElementById('nomor').value = ''")
    clerk.look_up("K-asing", "belum diketahui selama luring")
    browser.press("F8")
    clerk.sees("#keadaan", "1 belum terkirim")


def test_signing_in_sends_what_was_kept(city: Assembled, cable: Cable, browser: Browser) -> None:
    """Beyond the machine a token is needed: until there is one everything is kept, and it is said why."""
    away = f"http://loket.localhost:{cable.url.rpartition(':')[2]}"
    clerk = Clerk(browser, away)
    clerk.open(ready=False)
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    assert entries(city) == []
    secret = city.token("loket-3", "fact", dinas=[UNIT]).removeprefix("Bearer ")
    browser.run("document.querySelector('#keadaan a').focus()")
    browser.press("Enter")
    until(lambda: browser.ask("location.pathname") == "/masuk", "the form is there")
    browser.type(secret)
    browser.press("Enter")
    clerk.working()
    clerk.sees("#tanda", "posisi")
    (one,) = entries(city)
    assert (one["data"]["service"], one["recorded_by"]) == (SERVICES[2], "loket-3")
    clerk.look_up("K-1", "ditemukan")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "token loket ini tidak mencakupnya")
    assert len(entries(city)) == 1


def test_what_was_pressed_before_signing_in_is_recorded_under_the_name_the_token_allows(
    city: Assembled, cable: Cable, browser: Browser
) -> None:
    """Nothing is renamed behind the clerk's back; sent again it is the same event, of the instant at which it was pressed."""
    away = f"http://loket.localhost:{cable.url.rpartition(':')[2]}"
    clerk = Clerk(browser, away)
    clerk.open(ready=False)
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    pressed = browser.promised("loket.queue.last(1).then(([one]) => one.event)")
    secret = city.token("loket-3", "fact", sources=["/loket/tiga"]).removeprefix("Bearer ")
    browser.open(f"{away}/masuk?ke=/loket")
    browser.type(secret)
    browser.press("Enter")
    clerk.working()
    clerk.sees("#tanda", "dicatat atas nama loket lain, yang tidak dicakup token ini")
    assert entries(city) == []
    clerk.click("again", "K-1")
    clerk.sees("#tanda", "posisi")
    (one,) = entries(city)
    assert (one["source"], one["id"], one["time"]) == ("/loket/tiga", pressed["id"], pressed["time"])
    clerk.sees("#keadaan small", "")
    clerk.step("K-2", "F2")
    until(lambda: [one["source"] for one in entries(city)] == ["/loket/tiga"] * 2, "the next is not refused")


def test_a_page_that_never_gives_its_turn_back_stops_nobody(city: Assembled, cable: Cable, browser: Browser) -> None:
    """As one that was left while it was sending: after a while what waits is sent, and once."""
    clerk = Clerk(browser, cable.url)
    clerk.open(ready=False)
    first = browser.another_tab()
    clerk.open(ready=False)
    browser.run("navigator.locks.request('neraca-loket', () => new Promise(() => {}))")
    browser.tab(first)
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "K-2 · diterima")
    until(lambda: browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}, "nothing waits", within_s=40)
    assert sorted(one["data"]["case"] for one in entries(city)) == ["K-1", "K-2"]


def test_a_clock_that_goes_wrong_is_said_before_it_is_believed(city: Assembled, cable: Cable, browser: Browser) -> None:
    """Ten minutes ahead the server takes nothing, and the counter says why; put right, the same file is recorded."""
    ahead = browser.before(f"const now = Date.now; Date.now = () => now() + {10 * 60_000};")
    clerk = Clerk(browser, cable.url)
    clerk.open(ready=False)
    clerk.sees("#keadaan", "Jam komputer ini 10 mnt lebih cepat daripada peladen")
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "✕ ditolak peladen")
    clerk.sees("#tanda", "(kolom ")
    assert entries(city) == []
    browser.not_before(ahead)
    clerk.open(ready=False)
    clerk.click("mend", "K-1")
    clerk.sees("#ada", "belum diterima")
    browser.press("F2")
    until(lambda: len(entries(city)) == 1, "it is recorded at its own time")
    assert "Jam komputer" not in clerk.text("#keadaan")


def test_one_event_that_cannot_be_read_blocks_no_other(city: Assembled, cable: Cable, browser: Browser) -> None:
    """A request that is refused whole is sent apart: the one that is bad is told, and the others are recorded."""
    clerk = Clerk(browser, cable.url)
    clerk.open(ready=False)
    browser.press("Alt+3")
    until(lambda: clerk.text("#keadaan") == "● tersambung", "it is connected")
    cable.pull()
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "1 belum terkirim")
    deep = "[...Array(40)].reduce(held => ({held}), 1)"
    bad = f"{{specversion: '1.0', type: 'neraca.task-completed.v1', source: '/loket/{UNIT}/3', id: 'dalam', data: {deep}}}"
    browser.promised(f"loket.queue.add({bad})")
    clerk.step("K-2", "F2")
    clerk.sees("#keadaan", "3 belum terkirim")
    cable.mend()
    until(lambda: len(entries(city)) == 2, "the good ones are recorded", within_s=60)
    assert [one["data"]["case"] for one in entries(city)] == ["K-1", "K-2"]
    until(lambda: browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 1}, "the bad one is told")


def test_what_was_pressed_without_a_network_is_taken_back_without_a_trace(
    city: Assembled, cable: Cable, browser: Browser
) -> None:  # fmt: skip
    """Once nobody answered, nothing more is tried before somebody does: undone meanwhile, it was never sent."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    cable.pull()
    browser.open(f"{cable.url}/loket?dinas={UNIT}")
    clerk.working()
    clerk.sees("#keadaan", "luring sejak")
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-2", "F2")
    clerk.sees("#keadaan", "2 belum terkirim")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    cable.mend()
    until(lambda: entries(city), "what waits is sent", within_s=60)
    until(lambda: browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}, "nothing waits")
    assert [one["data"].get("case") for one in entries(city)] == ["K-2"]


@pytest.mark.parametrize("line", ["leads nowhere", "ends at a gateway"])
def test_the_kept_page_opens_where_no_server_speaks(cable: Cable, browser: Browser, line: str) -> None:
    clerk = Clerk(browser, cable.url)
    clerk.open()
    with portal(Gateway) as gateway:
        if line == "leads nowhere":
            cable.silence()
        else:
            cable.lead_to(gateway)
            cable.pull()
            cable.mend()
        browser.open(f"{cable.url}/loket?dinas={UNIT}")
        clerk.working()
        assert clerk.text("h1") == "Loket 3"
        clerk.sees("#keadaan", "luring sejak")
