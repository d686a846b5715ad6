"""The counter without a network: it opens, works, shows how much waits, and its later events are recorded exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk, entries, names_of, rules
from tests.pages.line import Line, answered, led_to, without_answers
from tests.process import Process
from tests.serving import NDJSON, Assembled, ndjson

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PATIENCE_MS: Final = 8_000
"""A counter waits this long for an answer before it says that there is no network."""
KEPT: Final = "loket.queue.last(99).then(all => all.map(one => [one.event.source, one.event.id, one.state]))"


def kept(clerk: Clerk) -> set[tuple[str, str]]:
    """The names of all that was ever pressed here."""
    return {(source, name) for source, name, _ in clerk.ask(KEPT)}


def test_it_works_through_a_cut_and_delivers_exactly_once(counter: Assembled, line: Line, clerk: Clerk) -> None:
    """Received to issued while nothing passes, the page loaded anew meanwhile; then all of it, in order, once each."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.step("K-0", "F2")
    clerk.sees("#tanda", "posisi")
    line.cut()
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "1 belum terkirim")
    clerk.look_up("K-1", "tercatat di loket ini, belum terkirim")
    assert clerk.text("#langkah .primary") == "Terbit F8"
    clerk.press("Enter")
    clerk.step("K-0", "F9")
    clerk.sees("#keadaan", "3 belum terkirim")
    clerk.sees("#keadaan", "○ luring sejak")
    assert "Tetap bekerja seperti biasa" in clerk.text("#keadaan")
    before = clerk.text("#keadaan")
    clerk.page.goto(f"{line.url}/loket?dinas={UNIT}")
    clerk.working()
    clerk.sees("#keadaan", "3 belum terkirim")
    assert clerk.text("#keadaan") == before, "since when it is offline outlives the page"
    assert clerk.text("h1") == "Loket 3", "and so does whose counter it is"
    assert clerk.rows()[0].startswith("K-0 · ditolak")
    assert len(entries(counter)) == 1
    names = kept(clerk)
    line.mend()
    clerk.sees("#keadaan", "● tersambung")
    clerk.until(lambda: len(entries(counter)) == 4, "all of it is in the journal")
    assert [(entry["data"]["case"], entry["type"].split(".")[1]) for entry in entries(counter)] == [
        ("K-0", "permit-received"),
        ("K-1", "permit-received"),
        ("K-1", "permit-processed"),
        ("K-0", "permit-processed"),
    ]
    assert dict(names_of(counter)) == dict.fromkeys(names, 1)
    clerk.sees("#tanda", "posisi", times=4)


def test_an_answer_that_is_lost_makes_nothing_twice(counter: Assembled, clerk: Clerk) -> None:
    """The server records what was posted, its answer never arrives, and the same is posted until one does."""
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    with without_answers(clerk.page.context) as posts:
        for number in range(3):
            clerk.step(f"K-{number}", "F2")
        clerk.until(lambda: len(posts) > 1, "answers are lost")
        clerk.until(lambda: len(entries(counter)) == 3, "the journal has them all")
        clerk.sees("#keadaan", "3 belum terkirim")
        names = kept(clerk)
    clerk.comes_back()
    clerk.sees("#keadaan", "● tersambung")
    clerk.sees("#tanda", "posisi", times=3)
    assert dict(names_of(counter)) == dict.fromkeys(names, 1)


def test_what_was_never_tried_is_taken_back_and_what_may_be_recorded_is_reversed(
    counter: Assembled, clerk: Clerk
) -> None:
    """Undone before it was sent it reaches nobody; tried without an answer, its reversal follows it."""
    # A worker would send too, as soon as it gets to it.
    clerk.page.add_init_script("delete Object.getPrototypeOf(navigator).serviceWorker")
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    with without_answers(clerk.page.context) as posts:
        clerk.step("K-1", "F2")
        clerk.until(lambda: posts, "its answer is lost")
        clerk.ask("() => { loket.sending.send = async () => ({link: 'off', date: NaN}); }")
        clerk.step("K-2", "F2")
        clerk.sees("#tanda", "K-2 · diterima")
        clerk.click("undo", "K-2")
        clerk.sees("#tanda", "diurungkan sebelum dikirim")
        clerk.click("undo", "K-1")
        clerk.sees("#tanda", "pembatalan menunggu kirim")
    clerk.page.goto(f"{clerk.url}/loket?dinas={UNIT}")
    clerk.working()
    clerk.until(lambda: entries(counter, "event-retracted"), "the reversal is in the journal")
    clerk.sees("#tanda", "dibatalkan")
    assert [entry["data"].get("case") for entry in entries(counter)] == ["K-1", None]
    assert set(names_of(counter).values()) == {1}


def test_a_networks_own_page_is_no_answer(counter: Assembled, clerk: Clerk) -> None:
    """A hotel's or an office's sign-in answers 200 to everything: what waits goes on waiting."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.is_connected()
    with led_to(answered(200, "Silakan masuk"), clerk.page.context):
        clerk.step("K-1", "F2")
        clerk.sees("#keadaan", "1 belum terkirim")
        clerk.sees("#keadaan", "luring sejak")
        assert entries(counter) == []
    clerk.until(lambda: len(entries(counter)) == 1, "it is sent once the way is open", within_s=60)


def test_a_server_killed_in_the_midst_has_each_event_once(tmp_path: Path, page: Page) -> None:
    """SIGKILL between presses, the page opened without it, and the same data served again on the same port."""
    data, numbers = tmp_path / "data", [f"K-{n}" for n in range(12)]
    with Process(data) as first:
        tally = httpx.post(f"{first.url}/v1/events", content=ndjson(rules()), headers={"content-type": NDJSON})
        assert tally.json()["accepted"] == 4
        first.settle()
        clerk, port = Clerk(page, first.url), first.port
        clerk.open()
        clerk.press("Alt+1")
        for number in numbers[:6]:
            clerk.step(number, "F2")
        first.kill()
        for number in numbers[6:9]:
            clerk.step(number, "F2")
        clerk.sees("#kabar", "K-8 · diterima")
        clerk.page.goto(f"{first.url}/loket?dinas={UNIT}")
        clerk.working()
        clerk.press("Alt+1")
        for number in numbers[9:]:
            clerk.step(number, "F2")
        clerk.sees("#kabar", "K-11 · diterima")
        clerk.sees("#keadaan", "belum terkirim")
    with Process(data, "--port", str(port)) as second:
        clerk.sees("#keadaan", "● tersambung", within_s=60)
        clerk.until_sent()
        second.settle()
        answer = httpx.get(f"{second.url}/v1/journal?source=/loket/{UNIT}/3&limit=1000").json()
    items: list[dict[str, Any]] = answer["items"]
    assert [item["data"]["case"] for item in items] == numbers
    assert {(item["source"], item["id"]) for item in items} == kept(clerk)


def test_a_page_that_is_cut_off_hears_it_and_its_worker_sends_beside_it(counter: Assembled, clerk: Clerk) -> None:
    """The browser cuts off the page alone: what waits is sent by the worker, as it is once no page is open."""
    alone = clerk.page.context.new_cdp_session(clerk.page)
    whole = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    clerk.open()
    clerk.press("Alt+1")
    clerk.is_connected()
    alone.send("Network.emulateNetworkConditions", whole | {"offline": True})
    clerk.sees("#keadaan", "○ luring sejak")
    clerk.step("K-1", "F2")
    clerk.until(lambda: len(entries(counter)) == 1, "the worker has sent it")
    clerk.sees("#tanda", "posisi")
    alone.send("Network.emulateNetworkConditions", whole)
    clerk.sees("#keadaan", "● tersambung", within_s=10)
    assert set(names_of(counter).values()) == {1}


def test_signing_in_sends_what_was_kept(counter: Assembled, line: Line, page: Page) -> None:
    """Beyond the machine a token is needed: until there is one, all presses wait, and the reason is shown."""
    clerk = Clerk(page, line.away)
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    assert entries(counter) == []
    clerk.ask("document.querySelector('#keadaan a').focus()")
    clerk.press("Enter")
    clerk.enter(counter.token("loket-3", "fact", dinas=[UNIT]))
    clerk.sees("#tanda", "posisi")
    (entry,) = entries(counter)
    assert (entry["data"]["service"], entry["recorded_by"]) == (SERVICES[2], "loket-3")
    clerk.look_up("K-1", "ditemukan")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "dibatalkan")
    clerk.until(lambda: len(entries(counter)) == 2, "its own press is undone")


def test_what_was_pressed_before_signing_in_is_recorded_under_the_name_the_token_allows(
    counter: Assembled, line: Line, page: Page
) -> None:
    """Nothing is renamed behind the clerk's back; sent again it is the same event, of the instant at which it was pressed."""
    clerk = Clerk(page, line.away)
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    count = clerk.pressed()
    clerk.sign_in(counter.token("loket-3", "fact", sources=["/loket/tiga"]), "/loket")
    clerk.sees("#tanda", "dicatat atas nama loket lain, yang tidak dicakup token ini")
    assert entries(counter) == []
    clerk.click("again", "K-1")
    clerk.sees("#tanda", "posisi")
    (entry,) = entries(counter)
    assert (entry["source"], entry["id"], entry["time"]) == ("/loket/tiga", count["id"], count["time"])
    clerk.until(lambda: clerk.text("#keadaan small") == "", "nothing is refused any more")
    clerk.step("K-2", "F2")
    clerk.until(
        lambda: [entry["source"] for entry in entries(counter)] == ["/loket/tiga"] * 2, "the next is not refused"
    )


def test_a_page_that_never_gives_its_turn_back_stops_nobody(counter: Assembled, clerk: Clerk) -> None:
    """As one that was left while it was sending: after a while, here a tenth of it, what waits is sent, and once."""
    clerk.page.add_init_script("""const within = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (ms) => within(ms / 10);""")
    clerk.open(ready=False)
    other = clerk.another_tab()
    other.open(ready=False)
    other.ask("() => { navigator.locks.request('neraca-loket', () => new Promise(() => {})); }")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.until_sent(within_s=40)
    assert sorted(entry["data"]["case"] for entry in entries(counter)) == ["K-1", "K-2"]


def test_a_clock_that_goes_wrong_is_said_before_it_is_believed(counter: Assembled, clerk: Clerk) -> None:
    """Ten minutes ahead the server takes nothing yet, and the counter says why; put right, the same file is recorded."""
    clerk.page.add_init_script(f"const now = Date.now; Date.now = () => now() + {10 * 60_000};")
    clerk.open(ready=False)
    clerk.sees("#keadaan", "Jam komputer ini 10 mnt lebih cepat daripada peladen")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "belum dapat dicatat: jam komputer terlalu cepat")
    clerk.sees("#tanda", "(kolom ")
    assert entries(counter) == []
    clerk = clerk.after_repair()
    clerk.click("mend", "K-1")
    clerk.sees("#ada", "belum diterima")
    clerk.press("F2")
    clerk.until(lambda: len(entries(counter)) == 1, "it is recorded at its own time")
    assert "Jam komputer" not in clerk.text("#keadaan")


def test_one_event_that_cannot_be_read_blocks_no_other(counter: Assembled, clerk: Clerk) -> None:
    """A request that is refused whole is sent apart: the one that is bad is told, and the others are recorded."""
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    clerk.page.context.set_offline(True)
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "1 belum terkirim")
    deep = "[...Array(40)].reduce(held => ({held}), 1)"
    bad = f"{{specversion: '1.0', type: 'neraca.task-completed.v1', source: '/loket/{UNIT}/3', id: 'dalam', data: {deep}}}"
    clerk.ask(f"loket.queue.add({bad})")
    clerk.step("K-2", "F2")
    clerk.sees("#keadaan", "3 belum terkirim")
    clerk.page.context.set_offline(False)
    clerk.until(lambda: len(entries(counter)) == 2, "the good ones are recorded")
    assert [entry["data"]["case"] for entry in entries(counter)] == ["K-1", "K-2"]
    clerk.until_sent(refusals=1)


def test_what_was_pressed_without_a_network_is_taken_back_without_a_trace(counter: Assembled, clerk: Clerk) -> None:
    """Once nobody answered, nothing more is tried before somebody does: undone meanwhile, it was never sent."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.page.context.set_offline(True)
    clerk.page.goto(f"{clerk.url}/loket?dinas={UNIT}")
    clerk.working()
    clerk.sees("#keadaan", "luring sejak")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-2", "F2")
    clerk.sees("#keadaan", "2 belum terkirim")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    clerk.page.context.set_offline(False)
    clerk.until(lambda: entries(counter), "what waits is sent")
    clerk.until_sent()
    assert [entry["data"].get("case") for entry in entries(counter)] == ["K-2"]
