"""The citizen's screen: one file, one rating, by face or by aspects, also without a network; and it says nothing of the person."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from tests.pages.axe_rules import broken_rules
from tests.pages.browser import press, screen, until
from tests.pages.counter import KEPT, SERVICES, UNIT, Clerk, entries
from tests.pages.messages import ID

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.pages.conftest import Windows
    from tests.pages.line import Line
    from tests.serving import Assembled

pytestmark = pytest.mark.browser

KIND: Final = "satisfaction-rated"
ASKS: Final = "!document.querySelector('#layar').hidden"


def show(page: Page, url: str, number: str) -> None:
    """Open the screen of a file, and wait until it asks, or says why it does not."""
    query = urlencode({"dinas": UNIT, "service": SERVICES[2], "case": number})
    page.goto(f"{url}/loket/warga?{query}")
    until(page, f"{ASKS} || !!document.querySelector('#terima').textContent", "it asks, or says why not")


def says(page: Page, text: str) -> None:
    """Wait until the screen says something."""
    texts = "document.querySelector('#terima').textContent + document.querySelector('#gagal').textContent"
    try:
        until(page, lambda: text in page.evaluate(texts), f"the screen says {text}")
    except TimeoutError:
        raise AssertionError(page.evaluate(texts)) from None


def choose(page: Page, name: str, value: int) -> None:
    """Go to a question by name and choose as a hand on the keyboard does."""
    page.locator(f'[name={name}][value="{value}"]').focus()
    press(page, "Space")


def send(page: Page) -> None:
    """Reach the button and press it."""
    page.locator("#penilaian button").focus()
    press(page, "Enter")


@pytest.mark.speed("test")
def test_a_citizen_rates_the_file_that_was_just_decided(counter: Assembled, clerk: Clerk) -> None:
    """The counter leads to the screen; a face is recorded as it is, tied to the case, without anybody's name."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    clerk.sees("#nilai", "K-1")
    clerk.page.locator("#nilai").focus()
    clerk.press("Enter")
    clerk.until("location.pathname === '/loket/warga'", "the screen opens")
    clerk.until(ASKS, "it asks")
    choose(clerk.page, "overall", 4)
    clerk.press("Enter")
    says(clerk.page, "sudah tercatat")
    (rating,) = entries(counter, KIND)
    data = {name: value for name, value in rating["data"].items() if name != "resolved"}
    assert data == {"dinas": UNIT, "service": SERVICES[2], "case": "K-1", "overall": 4, "scale": 4}
    queue = clerk.ask("loket.queue.last(99).then(all => JSON.stringify(all))")
    assert "K-1" in queue
    assert "overall" not in queue, "once recorded, the answer is read nowhere at the counter"
    clerk.open()
    clerk.until("document.querySelector('#warga').hidden", "a rated file is not offered again")
    assert "K-1 · penilaian warga" in clerk.text("#tanda")
    assert "Urungkan" not in clerk.rows()[0], "no clerk undoes a citizen's rating"


def test_aspects_are_recorded_and_not_the_face(counter: Assembled, line: Line, page: Page) -> None:
    show(page, line.url, "R-2")
    page.evaluate("document.querySelector('details').open = true")
    choose(page, "overall", 1)
    choose(page, "waktu", 4)
    choose(page, "perilaku", 3)
    send(page)
    says(page, "sudah tercatat")
    (rating,) = entries(counter, KIND)
    assert rating["data"]["unsur"] == {"waktu": 4, "perilaku": 3}
    assert "overall" not in rating["data"]


def test_nothing_chosen_is_nothing_recorded(counter: Assembled, line: Line, page: Page) -> None:
    show(page, line.url, "R-2")
    send(page)
    says(page, "Pilih salah satu wajah")
    assert page.evaluate("loket.queue.last(9)") == []
    assert entries(counter) == []


def test_a_file_is_rated_once_here_and_everywhere(
    counter: Assembled, line: Line, page: Page, open_window: Windows
) -> None:
    """Without a network the screen knows its own; of another tablet's the journal does, and the screen says so."""
    show(page, line.url, "R-3")
    until(page, "!!navigator.serviceWorker.controller", "the worker is there")
    has = "['/loket/warga', '/static/loket/rating.js'].every(one => kept.includes(one))"
    until(page, f"{KEPT}.then(kept => {has})", "it has kept the screen")
    page.context.set_offline(True)
    choose(page, "overall", 3)
    press(page, "Enter")
    says(page, "tersimpan dan terkirim otomatis")
    show(page, line.url, "R-3")
    says(page, "sudah dinilai")
    show(page, line.url, "R-4")
    choose(page, "overall", 2)
    press(page, "Enter")
    says(page, "tersimpan dan terkirim otomatis")
    assert entries(counter) == []
    page.context.set_offline(False)
    until(page, lambda: len(entries(counter, KIND)) == 2, "both are recorded")
    tablet = open_window()
    show(tablet, line.url, "R-3")
    choose(tablet, "overall", 1)
    press(tablet, "Enter")
    says(tablet, ID("counter_said.rated_before"))
    assert [(entry["data"]["case"], entry["data"]["overall"]) for entry in entries(counter, KIND)] == [
        ("R-3", 3),
        ("R-4", 2),
    ]


def test_the_other_language_is_of_the_same_file_though_the_page_was_kept_for_another(line: Line, page: Page) -> None:
    show(page, line.url, "R-2")
    until(page, "!!navigator.serviceWorker.controller", "the worker is there")
    texts = (
        f"caches.match('{line.url}/loket/warga', {{ignoreVary: true, ignoreSearch: true}}).then(held => held?.text())"
    )
    until(page, lambda: "layar" in (page.evaluate(texts) or ""), "it has kept the screen")
    assert "R-2" not in page.evaluate(texts)
    page.context.set_offline(True)
    show(page, line.url, "R-3")
    link = "document.querySelector('.mast nav a[lang=en]')"
    assert page.evaluate(f"new URL({link}.href).searchParams.get('case')") == "R-3"
    assert page.evaluate(f"{link}.getBoundingClientRect().height") >= 44
    page.context.set_offline(False)
    page.evaluate(f"{link}.focus()")
    press(page, "Enter")
    until(page, f"document.documentElement.lang === 'en' && {ASKS}", "it asks")
    assert "R-3" in page.evaluate("document.querySelector('#berkas').textContent")


def test_a_file_that_is_not_finished_is_not_rated(counter: Assembled, clerk: Clerk) -> None:
    """Neither one that is open, nor one that nobody has received; once it is decided it is."""
    clerk.open()
    clerk.press("Alt+3")
    clerk.step("K-9", "F2")
    clerk.sees("#tanda", "posisi")
    for number in ("K-9", "TAK-ADA"):
        show(clerk.page, clerk.url, number)
        says(clerk.page, f"Permohonan {number} belum selesai")
        assert clerk.ask("document.querySelector('#layar').hidden")
    clerk.open()
    clerk.press("Alt+3")
    clerk.step("K-9", "F8")
    show(clerk.page, clerk.url, "K-9")
    clerk.until(ASKS, "it asks")
    assert entries(counter, KIND) == []


def test_a_screen_without_a_file_says_where_to_begin(line: Line, page: Page) -> None:
    page.goto(f"{line.url}/loket/warga")
    says(page, ID("counter_said.rate_none"))


def photographed(screenshot: bytes) -> Image.Image:
    """A picture of the screen as a phone in a hand has it: slanted, smaller, a little out of focus."""
    with Image.open(io.BytesIO(screenshot)) as image:
        tilt = image.convert("L").rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return tilt.resize((tilt.width * 4 // 5, tilt.height * 4 // 5)).filter(ImageFilter.GaussianBlur(0.8))


def test_a_phone_that_scans_the_code_rates_without_a_token(
    counter: Assembled, line: Line, page: Page, console: list[str], open_window: Windows
) -> None:
    """Signed in the counter shows the code; a phone reads the address from the screen and follows it, and breaks no rule."""
    clerk = Clerk(page, line.away)
    clerk.sign_in(counter.token("loket-3", "fact"), "/loket")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    is_drawn = "!document.querySelector('#qr').hidden && document.querySelector('#qr img').naturalWidth > 100"
    clerk.until(is_drawn, "a code")
    assert console == []
    (code,) = zxingcpp.read_barcodes(photographed(page.screenshot(full_page=True)))
    port = urlsplit(line.away).port
    assert code.text.startswith(f"http://127.0.0.1:{port}/nilai?"), "the socket's address, not the name that was asked"
    phone = open_window()
    phone.goto(code.text)
    for width, dark in ((320, False), (390, True)):
        screen(phone, width, 844, dark=dark)
        assert broken_rules(phone) == []
        assert phone.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert phone.evaluate("document.querySelector('.mast nav a').getBoundingClientRect().height") >= 44
    choose(phone, "overall", 3)
    press(phone, "Enter")
    until(phone, "document.querySelector('main').textContent.includes('sudah tercatat')", "it is recorded")
    assert broken_rules(phone) == []
    (rating,) = entries(counter, KIND)
    assert (rating["data"]["overall"], rating["recorded_by"]) == (3, "loket-3")
