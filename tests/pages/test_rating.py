"""The citizen's screen: one file, one rating, by face or by aspects, also without a network; and it says nothing of the person."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from tests.pages.axe_rules import broken_rules
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.counter import SERVICES, UNIT, Clerk, Running, decided, entries, rules
from tests.serving import Assembled, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pages.cable import Cable

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

KIND: Final = "satisfaction-rated"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Assembled]:
    with Assembled(tmp_path / "data", clock=Running()) as assembled:
        assembled.record(*rules(), *(decided(f"K-{n}") for n in range(2, 6)))
        yield assembled


def screen(browser: Browser, url: str, number: str) -> None:
    """Open the screen of a file, and wait until it asks, or says why it does not."""
    query = urlencode({"dinas": UNIT, "service": SERVICES[2], "case": number})
    browser.open(f"{url}/loket/warga?{query}")
    asks = "!document.querySelector('#layar').hidden || !!document.querySelector('#terima').textContent"
    until(lambda: browser.ask(asks), "it asks, or says why not")


def says(browser: Browser, text: str) -> None:
    shown = "document.querySelector('#terima').textContent + document.querySelector('#gagal').textContent"
    try:
        until(lambda: text in browser.ask(shown), f"the screen says {text}")
    except TimeoutError:
        raise AssertionError(browser.ask(shown)) from None


def choose(browser: Browser, name: str, value: int) -> None:
    """Go to a question by name and choose as a hand on the keyboard does."""
    browser.run(f"document.querySelector('[name={name}][value=\"{value}\"]').focus()")
    browser.press("Space")


def test_a_citizen_rates_the_file_that_was_just_decided(city: Assembled, cable: Cable, browser: Browser) -> None:
    """The counter leads to the screen; a face is recorded as it is, tied to the case, without anybody's name."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    until(lambda: "K-1" in clerk.text("#nilai"), "the counter offers the screen")
    browser.run("document.querySelector('#nilai').focus()")
    browser.press("Enter")
    until(lambda: browser.ask("location.pathname") == "/loket/warga", "the screen opens")
    until(lambda: not browser.ask("document.querySelector('#layar').hidden"), "it asks")
    choose(browser, "overall", 4)
    browser.press("Enter")
    says(browser, "sudah tercatat")
    (rated,) = entries(city, KIND)
    said = {name: value for name, value in rated["data"].items() if name != "resolved"}
    assert said == {"dinas": UNIT, "service": SERVICES[2], "case": "K-1", "overall": 4, "scale": 4}
    kept = browser.promised("loket.queue.last(99).then(all => JSON.stringify(all))")
    assert "K-1" in kept
    assert "overall" not in kept, "once recorded, the answer is read nowhere at the counter"
    clerk.open()
    until(lambda: browser.ask("document.querySelector('#warga').hidden"), "a rated file is not offered again")
    assert "K-1 · penilaian warga" in clerk.text("#tanda")
    assert "Urungkan" not in clerk.rows()[0], "no clerk undoes a citizen's rating"


def test_aspects_are_recorded_and_not_the_face(city: Assembled, cable: Cable, browser: Browser) -> None:
    screen(browser, cable.url, "K-2")
    browser.run("document.querySelector('details').open = true")
    choose(browser, "overall", 1)
    choose(browser, "waktu", 4)
    choose(browser, "perilaku", 3)
    browser.run("document.querySelector('#penilaian button').focus()")
    browser.press("Enter")
    says(browser, "sudah tercatat")
    (rated,) = entries(city, KIND)
    assert rated["data"]["unsur"] == {"waktu": 4, "perilaku": 3}
    assert "overall" not in rated["data"]


def test_nothing_chosen_is_nothing_recorded(city: Assembled, cable: Cable, browser: Browser) -> None:
    screen(browser, cable.url, "K-2")
    browser.run("document.querySelector('#penilaian button').focus()")
    browser.press("Enter")
    until(
        lambda: "Pilih salah satu wajah" in browser.ask("document.querySelector('#gagal').textContent"), "it asks again"
    )
    assert browser.promised("loket.queue.last(9)") == []
    assert entries(city) == []


def test_a_file_is_rated_once_here_and_everywhere(
    city: Assembled, cable: Cable, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without a network the screen knows its own; of another tablet's the journal does, and the screen says so."""
    screen(browser, cable.url, "K-3")
    until(lambda: browser.ask("!!navigator.serviceWorker.controller"), "the worker is there")
    held = "caches.open('neraca-loket').then(c => c.keys()).then(kept => kept.map(one => new URL(one.url).pathname))"
    until(lambda: {"/loket/warga", "/static/loket/rating.js"} <= set(browser.promised(held)), "it has kept the screen")
    cable.pull()
    choose(browser, "overall", 3)
    browser.press("Enter")
    says(browser, "tersimpan dan terkirim otomatis")
    screen(browser, cable.url, "K-3")
    says(browser, "sudah dinilai")
    screen(browser, cable.url, "K-4")
    choose(browser, "overall", 2)
    browser.press("Enter")
    says(browser, "tersimpan dan terkirim otomatis")
    assert entries(city) == []
    cable.mend()
    until(lambda: len(entries(city, KIND)) == 2, "both are recorded")
    with Browser(tmp_path_factory.mktemp("tablet")) as tablet:
        screen(tablet, cable.url, "K-3")
        choose(tablet, "overall", 1)
        tablet.press("Enter")
        says(tablet, "Berkas ini sudah dinilai. Satu berkas, satu penilaian.")
    assert [(one["data"]["case"], one["data"]["overall"]) for one in entries(city, KIND)] == [("K-3", 3), ("K-4", 2)]


def test_the_other_language_is_of_the_same_file_though_the_page_was_kept_for_another(
    cable: Cable, browser: Browser
) -> None:
    screen(browser, cable.url, "K-2")
    until(lambda: browser.ask("!!navigator.serviceWorker.controller"), "the worker is there")
    held = (
        f"caches.match('{cable.url}/loket/warga', {{ignoreVary: true, ignoreSearch: true}}).then(held => held?.text())"
    )
    until(lambda: "layar" in (browser.promised(held) or ""), "it has kept the screen")
    assert "K-2" not in browser.promised(held)
    cable.pull()
    screen(browser, cable.url, "K-3")
    link = "document.querySelector('.mast nav a[lang=en]')"
    assert browser.ask(f"new URL({link}.href).searchParams.get('case')") == "K-3"
    assert browser.ask(f"{link}.getBoundingClientRect().height") >= 44
    cable.mend()
    browser.run(f"{link}.focus()")
    browser.press("Enter")
    until(
        lambda: browser.ask("document.documentElement.lang === 'en' && !document.querySelector('#layar').hidden"),
        "it asks",
    )
    assert "K-3" in browser.ask("document.querySelector('#berkas').textContent")


def test_a_file_that_is_not_finished_is_not_rated(city: Assembled, cable: Cable, browser: Browser) -> None:
    """Neither one that is open, nor one that nobody has received; once it is decided it is."""
    clerk = Clerk(browser, cable.url)
    clerk.open()
    browser.press("Alt+3")
    clerk.step("K-9", "F2")
    clerk.sees("#tanda", "posisi")
    for number in ("K-9", "TAK-ADA"):
        screen(browser, cable.url, number)
        says(browser, f"Berkas {number} belum selesai")
        assert browser.ask("document.querySelector('#layar').hidden")
    clerk.open()
    browser.press("Alt+3")
    clerk.step("K-9", "F8")
    screen(browser, cable.url, "K-9")
    until(lambda: not browser.ask("document.querySelector('#layar').hidden"), "it asks")
    assert entries(city, KIND) == []


def test_a_screen_without_a_file_says_where_to_begin(cable: Cable, browser: Browser) -> None:
    browser.open(f"{cable.url}/loket/warga")
    says(browser, "Layar ini terikat pada satu berkas")


def photographed(screen: bytes) -> Image.Image:
    """A picture of the screen as a phone in a hand has it: slanted, smaller, a little out of focus."""
    with Image.open(io.BytesIO(screen)) as shown:
        slanted = shown.convert("L").rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return slanted.resize((slanted.width * 4 // 5, slanted.height * 4 // 5)).filter(ImageFilter.GaussianBlur(0.8))


def test_a_phone_that_scans_the_code_rates_without_a_token(
    city: Assembled, cable: Cable, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Signed in the counter shows the code; a phone reads the address from the screen and follows it, and breaks no rule."""
    away = f"http://loket.localhost:{cable.url.rpartition(':')[2]}"
    secret = city.token("loket-3", "fact").removeprefix("Bearer ")
    browser.open(f"{away}/masuk?ke=/loket")
    browser.type(secret)
    browser.press("Enter")
    clerk = Clerk(browser, away)
    clerk.working()
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    drawn = "!document.querySelector('#qr').hidden && document.querySelector('#qr img').naturalWidth > 100"
    until(lambda: browser.ask(drawn), "a code")
    assert browser.said() == []
    (code,) = zxingcpp.read_barcodes(photographed(browser.picture(whole=True)))
    assert code.text.startswith(f"{away}/nilai?")
    with Browser(tmp_path_factory.mktemp("phone")) as phone:
        phone.open(code.text)
        for width, dark in ((320, False), (390, True)):
            phone.screen(width, 844, dark=dark)
            assert broken_rules(phone) == []
            assert phone.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert phone.ask("document.querySelector('.mast nav a').getBoundingClientRect().height") >= 44
        choose(phone, "overall", 3)
        phone.press("Enter")
        until(lambda: "sudah tercatat" in phone.ask("document.querySelector('main').textContent"), "it is recorded")
        assert broken_rules(phone) == []
    (rated,) = entries(city, KIND)
    assert (rated["data"]["overall"], rated["recorded_by"]) == (3, "loket-3")
