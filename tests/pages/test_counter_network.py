"""The counter on a broken network: every press is recorded once, none is refused for what a request as a whole met."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk, entries, names_of
from tests.pages.line import answered
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Route

    from tests.pages.line import Line

pytestmark = pytest.mark.browser

NO_WORKER: Final = "delete Object.getPrototypeOf(navigator).serviceWorker"
"""A worker would send too, at times of its own."""
FILE: Final = {"dinas": UNIT, "service": SERVICES[2]}


def begin(clerk: Clerk) -> Clerk:
    """Open the counter without its worker, the third service chosen."""
    clerk.page.add_init_script(NO_WORKER)
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    return clerk


def lose_the_answer(route: Route) -> None:
    """Hand a request on, and lose its answer."""
    route.fetch()
    route.abort("connectionreset")


def half_an_answer(route: Route) -> None:
    """Hand a request on, and answer with half of the document."""
    response = route.fetch()
    route.fulfill(status=response.status, content_type="application/json", body=response.text()[:20])


def account_of_nothing(route: Route) -> None:
    """Answer as if no event had been sent."""
    route.fulfill(json={"accepted": 0, "duplicates": 0, "rejected": []})


BREAKS: Final[dict[str, Callable[[Route], None]]] = {
    "cut": lambda route: route.abort("connectionreset"),
    "answer lost": lose_the_answer,
    "half an answer": half_an_answer,
    "account of nothing": account_of_nothing,
    **{str(status): answered(status, "Silakan masuk") for status in (200, 400, 403, 413, 415, 422, 431, 502, 503)},
    "429": lambda route: route.fulfill(status=429, headers={"retry-after": "1"}, body=""),
}


class Breaking:
    """Breaks what is posted, one request after another, then lets everything pass."""

    def __init__(self, clerk: Clerk, breaks: list[Callable[[Route], None]]) -> None:
        self.breaks = breaks
        self._context = clerk.page.context
        self._context.route("**/v1/events", self._meet)

    def end(self) -> None:
        """Meet nothing more: a handler that is still at work is not waited for."""
        self._context.unroute_all(behavior="ignoreErrors")

    def _meet(self, route: Route) -> None:
        (self.breaks.pop(0) if self.breaks else lambda request: request.continue_())(route)


@pytest.mark.parametrize("seed", range(3))
def test_any_mixture_of_faults_ends_with_each_press_once(seed: int, counter: Assembled, clerk: Clerk) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's choices, not a secret
    begin(clerk)
    breaking = Breaking(clerk, [BREAKS[name] for name in chance.choices(list(BREAKS), k=10)])
    for number in range(8):
        clerk.step(f"K-{number}", "F2")
    clerk.until(lambda: len(entries(counter)) == 8, "all are in the journal", within_s=90)
    clerk.until_sent(within_s=60)
    assert set(names_of(counter).values()) == {1}
    assert sorted(entry["data"]["case"] for entry in entries(counter)) == [f"K-{number}" for number in range(8)]
    breaking.end()


@pytest.mark.parametrize("name", ["403", "413", "400"])
def test_a_way_that_is_closed_to_everything_refuses_nothing(name: str, counter: Assembled, clerk: Clerk) -> None:
    begin(clerk)
    breaking = Breaking(clerk, [BREAKS[name]] * 1000)
    for number in range(3):
        clerk.step(f"K-{number}", "F2")
    clerk.sees("#keadaan", "○ luring sejak")
    clerk.until(lambda: len(breaking.breaks) < 985, "it was tried again")
    assert (clerk.waits()["refused"], entries(counter)) == (0, [])
    breaking.breaks = []
    clerk.until(lambda: len(entries(counter)) == 3, "it is sent once the way is open")
    breaking.end()


def test_what_something_on_the_way_refuses_stops_no_other(counter: Assembled, clerk: Clerk) -> None:
    """A firewall that dislikes one number: that press alone is refused, in words; the others are recorded."""
    begin(clerk)
    clerk.page.context.route(
        "**/v1/events",
        lambda route: BREAKS["403"](route) if "K-1'" in (route.request.post_data or "") else route.continue_(),
    )
    clerk.page.context.set_offline(True)
    for number in ("K-0", "K-1'", "K-2", "K-3"):
        clerk.step(number, "F2")
    clerk.sees("#keadaan", "4 belum terkirim")
    clerk.page.context.set_offline(False)
    clerk.until(lambda: len(entries(counter)) == 3, "the others are recorded")
    clerk.sees("#tanda", "tidak diteruskan oleh jaringan (status 403)")
    assert [entry["data"]["case"] for entry in entries(counter)] == ["K-0", "K-2", "K-3"]


def outage(clerk: Clerk, line: Line) -> None:
    """Ten minutes without a server, by the page's own clock, with three presses to send."""
    clerk.page.clock.install()
    begin(clerk)
    line.cut()
    for number in range(3):
        clerk.step(f"K-{number}", "F2")
    clerk.page.clock.run_for(1000)
    clerk.sees("#keadaan", "○ luring sejak")
    for _ in range(20):
        clerk.page.clock.fast_forward(30_000)
        clerk.ask("fetch('/healthz').catch(() => null)")
    line.mend()


def test_after_an_outage_what_waits_is_sent_within_five_seconds(counter: Assembled, line: Line, clerk: Clerk) -> None:
    """Nobody touches the counter, and its server comes back after ten minutes."""
    outage(clerk, line)
    for _ in range(10):
        clerk.page.clock.run_for(500)
        clerk.ask("fetch('/healthz').then(answer => answer.text())")
    clerk.until(lambda: len(entries(counter)) == 3, "all are in the journal", within_s=10)
    assert set(names_of(counter).values()) == {1}


def test_what_waits_is_sent_at_once_by_hand(counter: Assembled, line: Line, clerk: Clerk) -> None:
    """The button is there as long as anything waits; then the keyboard is in the field again."""
    clerk.page.add_init_script("const later = setTimeout; self.setTimeout = (work, ms) => later(work, ms * 100);")
    clerk.page.add_init_script(NO_WORKER)
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.is_connected()
    assert clerk.ask("document.getElementById('kirim').hidden")
    line.cut()
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "○ luring sejak")
    assert clerk.text("#kirim") == "Kirim sekarang"
    line.mend()
    clerk.ask("document.getElementById('kirim').focus()")
    clerk.press("Enter")
    clerk.until(lambda: len(entries(counter)) == 1, "it is sent")
    clerk.until("document.getElementById('kirim').hidden", "nothing waits")
    clerk.focus_is_on("nomor", "the field has the keyboard")


def receipt(number: str) -> dict[str, Any]:
    """The receipt of a file by another counter."""
    data = {**FILE, "case": number, "received_at": "2026-01-20T08:00:00+07:00"}
    return event("permit-received", f"r-{number}", data, source=f"/loket/{UNIT}/4", time="2026-01-20T08:00:00+07:00")


def decided_offline(clerk: Clerk, number: str) -> None:
    """Issue a file that this counter knows nothing of, and go online."""
    begin(clerk)
    clerk.page.context.set_offline(True)
    clerk.step(number, "F8")
    clerk.sees("#keadaan", "1 belum terkirim")
    clerk.page.context.set_offline(False)
    clerk.sees("#tanda", "belum dapat dicatat: waktu diterima wajib diisi")


def test_what_a_later_event_lifts_waits_and_is_sent_again(counter: Assembled, clerk: Clerk) -> None:
    """A decision whose receipt another counter has yet to send: it says why it waits, and is recorded as it was pressed."""
    decided_offline(clerk, "K-1")
    press = clerk.pressed()
    clerk.sees("#keadaan", "1 belum dapat dicatat dan dicoba lagi otomatis")
    assert clerk.waits()["refused"] == 0
    counter.record(receipt("K-1"))
    clerk.ask("loket.queue.hasten().then(() => loket.status.look())")
    clerk.sees("#tanda", "✓ posisi")
    clerk.until(lambda: len(entries(counter)) == 2, "both are in the journal")
    assert [(entry["type"].split(".")[1], entry["id"]) for entry in entries(counter)] == [
        ("permit-received", "r-K-1"),
        ("permit-processed", press["id"]),
    ]
    clerk.is_connected()


def test_what_waits_can_be_mended_or_taken_back_meanwhile(counter: Assembled, clerk: Clerk) -> None:
    """Mended, the first press is never sent again; taken back, it leaves no trace in the journal."""
    decided_offline(clerk, "K-1")
    clerk.click("mend", "K-1")
    clerk.focus_is_on("diterima", "the time of receipt is asked for")
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F8")
    clerk.until(lambda: len(entries(counter)) == 1, "it is recorded")
    clerk.until_sent()
    clerk.page.context.set_offline(True)
    clerk.step("K-2", "F9")
    clerk.sees("#keadaan", "1 belum terkirim")
    clerk.page.context.set_offline(False)
    clerk.sees("#tanda", "belum dapat dicatat")
    clerk.click("undo", "K-2")
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    counter.record(receipt("K-2"))
    clerk.ask("loket.queue.hasten().then(() => loket.status.look())")
    clerk.until_sent()
    assert [entry["data"]["case"] for entry in entries(counter, "permit-processed")] == ["K-1"]


def test_a_decision_never_overtakes_a_pause_that_waits(counter: Assembled, clerk: Clerk) -> None:
    """Pause, resumption and decision wait for the receipt, which comes between two attempts; then all are recorded in order."""
    begin(clerk)
    clerk.page.context.set_offline(True)
    clerk.look_up("K-1", "belum diketahui")
    clerk.press("F4", "1")
    clerk.look_up("K-1", "ditangguhkan")
    clerk.press("F4")
    clerk.sees("#keadaan", "2 belum terkirim")
    clerk.page.context.set_offline(False)
    clerk.sees("#tanda", "jurnal belum memuat tanda terima permohonan ini")
    clerk.page.context.set_offline(True)
    clerk.step("K-1", "F8")
    clerk.sees("#keadaan", "3 belum terkirim")
    counter.record({**receipt("K-1"), "time": "2026-01-20T08:00:00+07:00"})
    clerk.page.context.set_offline(False)
    clerk.until(lambda: clerk.waits()["waiting"] == 0, "all of it is sent", within_s=60)
    clerk.until(lambda: len(entries(counter)) >= 4, "the journal lists what is folded")
    kinds = [entry["type"].split(".")[1] for entry in entries(counter)]
    assert kinds == ["permit-received", "permit-paused", "permit-resumed", "permit-processed"]
