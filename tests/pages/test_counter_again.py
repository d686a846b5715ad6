"""An event refused for a passing reason is sent again as it was pressed; an event undone twice is undone once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages.axe_rules import broken_rules
from tests.pages.browser import screen
from tests.pages.counter import SERVICES, UNIT, Clerk, entries
from tests.pages.messages import ID
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from tests.pages.line import Line

pytestmark = pytest.mark.browser
PAGE = f"/loket?dinas={UNIT}"
RATING = "satisfaction-rated"


@pytest.fixture
def clerk(clerk: Clerk, line: Line) -> Clerk:
    """Beyond the machine, so that a token matters."""
    return Clerk(clerk.page, line.away)


def test_what_another_agencys_token_was_refused_is_recorded_at_the_instant_it_was_pressed(
    counter: Assembled, clerk: Clerk
) -> None:
    """With the right token by one button, which a keyboard reaches and a screen reader names; no word of it is English."""
    clerk.sign_in(counter.token("asing", "fact", dinas=["lain"]))
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "✕ tidak diterima peladen: token loket ini tidak mencakupnya")
    assert "token may" not in clerk.text("#tanda")
    was, button = clerk.pressed(), "document.querySelector('#tanda [data-kind=again]')"
    assert clerk.ask(f"[{button}.ariaLabel, {button}.tabIndex]") == ["Kirim lagi K-1 · diterima", 0]
    assert clerk.ask("!document.querySelector('#tanda [data-kind=mend]')"), "its instant is not to be lost"
    for width, dark in ((320, False), (1280, True)):
        screen(clerk.page, width, 800, dark=dark)
        assert broken_rules(clerk.page) == []
        assert clerk.ask(f"{button}.getBoundingClientRect().height") >= 44
        assert clerk.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    clerk.sign_in(counter.token("loket-3", "fact", dinas=[UNIT]))
    clerk.click("again", "K-1")
    clerk.sees("#tanda", "✓ posisi")
    (entry,) = entries(counter)
    assert (entry["id"], entry["source"], entry["data"]["received_at"]) == (
        was["id"],
        was["source"],
        was["data"]["received_at"],
    )
    assert entry["recorded_by"] == "loket-3"
    assert clerk.waits() == {"waiting": 0, "refused": 0}


@pytest.mark.parametrize("counter", ["strict"], indirect=True)
def test_what_was_not_registered_yet_is_sent_again_once_it_is(counter: Assembled, clerk: Clerk) -> None:
    clerk.sign_in(counter.token("loket-3", "fact"), f"{PAGE}&asn=a-17")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "belum terdaftar (kolom asn)")
    was = clerk.pressed()
    counter.record(event("asn-registered", "a-17", {"asn": "a-17"}))
    clerk.click("again", "K-1")
    clerk.sees("#kabar", "dikirim lagi dengan waktunya semula")
    clerk.sees("#tanda", "✓ posisi")
    (entry,) = clerk.until(lambda: entries(counter), "it is in the journal")
    assert (entry["id"], entry["data"]["received_at"]) == (was["id"], was["data"]["received_at"])


def test_a_reversal_that_the_token_may_not_make_is_sent_again_by_one_that_may(counter: Assembled, clerk: Clerk) -> None:
    clerk.sign_in(counter.token("loket-3", "counter"))
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.sign_in(counter.token("loket-4", "counter"))
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "hanya dapat dibatalkan oleh yang berhak mengoreksi")
    assert "needs the role" not in clerk.text("#tanda")
    clerk.sign_in(counter.token("kepala", "counter", "correct"))
    clerk.click("again", "K-1")
    clerk.until(lambda: entries(counter, "event-retracted"), "the reversal is in the journal")
    retraction, first = entries(counter, "event-retracted")[0], entries(counter)[0]
    assert (retraction["recorded_by"], retraction["data"]["event"]) == (
        "kepala",
        {"source": first["source"], "id": first["id"]},
    )


def rated(clerk: Clerk, number: str, face: int) -> None:
    """A citizen rates a file on the counter's screen."""
    query = f"dinas={UNIT}&service={SERVICES[2]}&case={number}"
    clerk.page.goto(f"{clerk.url}/loket/warga?{query}")
    clerk.until("!document.querySelector('#layar').hidden", "it asks")
    clerk.ask(f"document.querySelector('[name=overall][value=\"{face}\"]').focus()")
    clerk.press("Space", "Enter")


def kept(clerk: Clerk) -> str:
    """All that the browser's own database holds."""
    return str(clerk.ask("loket.queue.last(99).then(all => JSON.stringify(all))"))


def test_a_rating_is_sent_again_with_its_answer_and_forgotten_once_it_is_settled(
    counter: Assembled, clerk: Clerk
) -> None:
    """Given before signing in; recorded once the clerk has signed in, by a ticket of the counter and under its name."""
    rated(clerk, "R-1", 4)
    clerk.until(lambda: "overall" in kept(clerk), "it is kept")
    clerk.sign_in(counter.token("tiga", "counter", dinas=[UNIT], sources=["/loket/tiga"]))
    clerk.sees("#tanda", "R-1 · penilaian warga")
    clerk.until(lambda: entries(counter, RATING), "it is in the journal")
    (entry,) = entries(counter, RATING)
    assert (entry["source"], entry["data"]["overall"]) == ("/nilai/tiga", 4)
    clerk.sees("#tanda", "✓ posisi")
    assert "overall" not in kept(clerk)


def test_the_answers_of_what_is_refused_for_good_or_seen_are_kept_nowhere(counter: Assembled, clerk: Clerk) -> None:
    """A file rated elsewhere meanwhile; and a refusal that could pass, which the clerk lets be."""
    data = {"dinas": UNIT, "service": SERVICES[2], "case": "R-1", "overall": 1, "scale": 4}
    counter.record(event(RATING, "elsewhere", data))
    clerk.sign_in(counter.token("tiga", "fact", dinas=[UNIT]))
    rated(clerk, "R-1", 4)
    clerk.until(lambda: clerk.text("#terima") == ID("counter_said.rated_before"), "it says so")
    assert "overall" not in kept(clerk)
    clerk.sign_in(counter.token("asing", "fact", dinas=["lain"]))
    rated(clerk, "R-2", 4)
    clerk.until(lambda: "tidak mencakupnya" in clerk.text("#terima"), "it is refused")
    assert "overall" in kept(clerk)
    clerk.open(f"?dinas={UNIT}", ready=False)
    clerk.click("seen", "R-2")
    clerk.until(lambda: "overall" not in kept(clerk), "nothing of it is left")


def test_an_undo_pressed_twice_makes_one_reversal_and_none_of_what_was_never_sent(
    counter: Assembled, line: Line, clerk: Clerk
) -> None:
    clerk.sign_in(counter.token("loket-3", "fact", "reverse"))
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    twice = "(button => { button.click(); button.click(); })(document.querySelector('#tanda [data-kind=undo]'))"
    clerk.ask(twice)
    clerk.sees("#tanda", "dibatalkan")
    clerk.until_sent()
    assert len(entries(counter, "event-retracted")) == 1
    line.cut()
    clerk.ask("() => { loket.status.later = () => {}; loket.sending.send = async () => ({link: 'off', date: NaN}); }")
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.ask(twice)
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    reversals = "loket.queue.last(99).then(all => all.filter(one => one.undoes).length)"
    assert clerk.ask(reversals) == 1, "what was never tried has nothing to reverse"


def test_a_ticket_that_is_refused_holds_up_nothing_else(counter: Assembled, clerk: Clerk) -> None:
    """Its rating is told of and can be sent again, by a fresh ticket; what the clerk pressed meanwhile is recorded."""
    clerk.sign_in(counter.token("tiga", "counter", dinas=[UNIT], sources=["/loket/tiga"]))
    rated(clerk, "R-1", 4)
    clerk.until(lambda: "overall" in kept(clerk), "it is kept")
    clerk.ask("loket.queue.last(1).then(([one]) => loket.queue.vouch(one.n, 'AAAA-0000000-tiga'))")
    clerk.open(f"?dinas={UNIT}", ready=False)
    clerk.sees("#tanda", "kode penilaian ini tidak berlaku, atau tidak lagi berlaku")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "✓ posisi")
    clerk.click("again", "R-1")
    clerk.until(lambda: entries(counter, RATING), "it is in the journal")
