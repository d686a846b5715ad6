"""What was refused for a passing reason is sent again as it was pressed; what is undone twice is undone once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pages.axe_rules import broken_rules
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.counter import SERVICES, UNIT, Clerk, Running, decided, entries, rules, signed_in
from tests.serving import Assembled, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pages.cable import Cable

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
PAGE = f"/loket?dinas={UNIT}"
RATING = "satisfaction-rated"


@pytest.fixture
def city(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Assembled]:
    """As lenient as usual, unless it is asked for strict."""
    with Assembled(tmp_path / "data", clock=Running(), strict=hasattr(request, "param")) as assembled:
        assembled.record(*rules(), decided("R-1"), decided("R-2"))
        yield assembled


@pytest.fixture
def clerk(browser: Browser, cable: Cable) -> Clerk:
    """Beyond the machine, so that a token matters."""
    return Clerk(browser, f"http://loket.localhost:{cable.url.rpartition(':')[2]}")


def pressed(clerk: Clerk) -> dict[str, Any]:
    """The event pressed last, as it was made."""
    return dict(clerk.browser.promised("loket.queue.last(1).then(([one]) => one.event)"))


def test_what_another_agencys_token_was_refused_is_recorded_at_the_instant_it_was_pressed(
    city: Assembled, clerk: Clerk
) -> None:  # fmt: skip
    """With the right token by one button, which a keyboard reaches and a screen reader names; no word of it is English."""
    signed_in(clerk.browser, clerk.url, city.token("asing", "fact", dinas=["lain"]), PAGE)
    clerk.working()
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "✕ ditolak peladen: token loket ini tidak mencakupnya")
    assert "token may" not in clerk.text("#tanda")
    was, asked = pressed(clerk), "document.querySelector('#tanda [data-kind=again]')"
    assert clerk.browser.ask(f"[{asked}.ariaLabel, {asked}.tabIndex]") == ["Kirim lagi K-1 · diterima", 0]
    assert clerk.browser.ask("!document.querySelector('#tanda [data-kind=mend]')"), "its instant is not to be lost"
    for width, dark in ((320, False), (1280, True)):
        clerk.browser.screen(width, 800, dark=dark)
        assert broken_rules(clerk.browser) == []
        assert clerk.browser.ask(f"{asked}.getBoundingClientRect().height") >= 44
        assert clerk.browser.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    signed_in(clerk.browser, clerk.url, city.token("loket-3", "fact", dinas=[UNIT]), PAGE)
    clerk.working()
    clerk.click("again", "K-1")
    clerk.sees("#tanda", "✓ posisi")
    (one,) = entries(city)
    assert (one["id"], one["source"], one["data"]["received_at"]) == (
        was["id"],
        was["source"],
        was["data"]["received_at"],
    )
    assert one["recorded_by"] == "loket-3"
    assert clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}


@pytest.mark.parametrize("city", ["strict"], indirect=True)
def test_what_was_not_registered_yet_is_sent_again_once_it_is(city: Assembled, clerk: Clerk) -> None:
    signed_in(clerk.browser, clerk.url, city.token("loket-3", "fact"), f"{PAGE}&asn=a-17")
    clerk.working()
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "belum terdaftar (kolom asn)")
    was = pressed(clerk)
    city.record(event("asn-registered", "a-17", {"asn": "a-17"}))
    clerk.click("again", "K-1")
    clerk.sees("#kabar", "dikirim lagi dengan waktunya semula")
    clerk.sees("#tanda", "✓ posisi")
    (one,) = entries(city)
    assert (one["id"], one["data"]["received_at"]) == (was["id"], was["data"]["received_at"])


def test_a_reversal_that_the_token_may_not_make_is_sent_again_by_one_that_may(city: Assembled, clerk: Clerk) -> None:
    signed_in(clerk.browser, clerk.url, city.token("loket-3", "fact"), PAGE)
    clerk.working()
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "token loket ini tidak mencakupnya")
    assert "token has no scope" not in clerk.text("#tanda")
    signed_in(clerk.browser, clerk.url, city.token("kepala", "fact", "reverse", sources=["/loket/kepala"]), PAGE)
    clerk.working()
    clerk.click("again", "K-1")
    until(lambda: entries(city, "event-retracted"), "the reversal is in the journal")
    said, first = entries(city, "event-retracted")[0], entries(city)[0]
    assert (said["source"], said["data"]["event"]) == ("/loket/kepala", {"source": first["source"], "id": first["id"]})


def rated(clerk: Clerk, number: str, face: int) -> None:
    """A citizen rates a file on the counter's screen."""
    query = f"dinas={UNIT}&service={SERVICES[2]}&case={number}"
    clerk.browser.open(f"{clerk.url}/loket/warga?{query}")
    until(lambda: not clerk.browser.ask("document.querySelector('#layar').hidden"), "it asks")
    clerk.browser.run(f"document.querySelector('[name=overall][value=\"{face}\"]').focus()")
    clerk.browser.press("Space")
    clerk.browser.press("Enter")


def kept(clerk: Clerk) -> str:
    """All that the browser's own database holds."""
    return str(clerk.browser.promised("loket.queue.last(99).then(all => JSON.stringify(all))"))


def test_a_rating_is_sent_again_with_its_answer_and_forgotten_once_it_is_settled(city: Assembled, clerk: Clerk) -> None:
    """Given before signing in, under a name the token does not allow; recorded once the clerk sends it again."""
    rated(clerk, "R-1", 4)
    until(lambda: "overall" in kept(clerk), "it is kept")
    signed_in(clerk.browser, clerk.url, city.token("tiga", "fact", sources=["/loket/tiga"]), PAGE)
    clerk.working()
    clerk.sees("#tanda", "R-1 · penilaian warga")
    clerk.sees("#tanda", "✕ ditolak peladen")
    assert "overall" in kept(clerk), "it is to be sent again"
    clerk.click("again", "R-1")
    until(lambda: entries(city, RATING), "it is in the journal")
    (one,) = entries(city, RATING)
    assert (one["source"], one["data"]["overall"]) == ("/loket/tiga", 4)
    clerk.sees("#tanda", "✓ posisi")
    assert "overall" not in kept(clerk)


def test_the_answers_of_what_is_refused_for_good_or_seen_are_kept_nowhere(city: Assembled, clerk: Clerk) -> None:
    """A file rated elsewhere meanwhile; and a refusal that could pass, which the clerk lets be."""
    said = {"dinas": UNIT, "service": SERVICES[2], "case": "R-1", "overall": 1, "scale": 4}
    city.record(event(RATING, "elsewhere", said))
    signed_in(clerk.browser, clerk.url, city.token("tiga", "fact", dinas=[UNIT]), PAGE)
    rated(clerk, "R-1", 4)
    until(lambda: clerk.text("#terima") == "Berkas ini sudah dinilai. Satu berkas, satu penilaian.", "it says so")
    assert "overall" not in kept(clerk)
    signed_in(clerk.browser, clerk.url, city.token("asing", "fact", dinas=["lain"]), PAGE)
    rated(clerk, "R-2", 4)
    until(lambda: "tidak mencakupnya" in clerk.text("#terima"), "it is refused")
    assert "overall" in kept(clerk)
    clerk.open(f"?dinas={UNIT}", ready=False)
    clerk.click("seen", "R-2")
    until(lambda: "overall" not in kept(clerk), "nothing of it is left")


def test_an_undo_pressed_twice_makes_one_reversal_and_none_of_what_was_never_sent(
    city: Assembled, cable: Cable, clerk: Clerk
) -> None:  # fmt: skip
    signed_in(clerk.browser, clerk.url, city.token("loket-3", "fact", "reverse"), PAGE)
    clerk.working()
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    twice = "(button => { button.click(); button.click(); })(document.querySelector('#tanda [data-kind=undo]'))"
    clerk.browser.run(twice)
    clerk.sees("#tanda", "dibatalkan")
    until(
        lambda: clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0},
        "nothing waits or is refused",
    )
    assert len(entries(city, "event-retracted")) == 1
    cable.pull()
    clerk.browser.run("loket.status.later = () => {}; loket.sending.send = async () => ({link: 'off', date: NaN})")
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.browser.run(twice)
    clerk.sees("#tanda", "diurungkan sebelum dikirim")
    reversals = "loket.queue.last(99).then(all => all.filter(one => one.undoes).length)"
    assert clerk.browser.promised(reversals) == 1, "what was never tried has nothing to reverse"
