"""Printed: black on white on A4, controls gone, every row and total there, heads of tables on each sheet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from unicodedata import normalize
from urllib.parse import urlencode

import pytest
from pypdf import PdfReader

from api.http.tickets import Case
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import FAST, NAMES, TWIN, settle_in
from tests.pages.every import ADDRESSES
from tests.pages.test_csv import MONTH, lied, served, told_of
from tests.pages.test_ticket import ticket_of
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
A4: Final = (595, 842)
UPRIGHT, ACROSS = 703, 1032
"""Sheets in CSS pixels, without their margins."""
PAGES: Final = (
    *(address for path, address in ADDRESSES.items() if path not in ("/", "/loket")), f"/dinas/{TWIN}",
    f"/dinas/{TWIN}?order=score", f"/dinas/{FAST}/events?measure=permits", f"/loket?dinas={FAST}", "desk", "rating",
)  # fmt: skip
"""Every page but the board, which prints across, and a counter of no unit, which has nothing to say on paper."""
CONTROLS: Final = """[...document.querySelectorAll('button, .button, select, input:not([type=hidden]), summary, .skip')]
  .filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 90))"""
DIM: Final = """(() => {
  const parts = text => (text.match(/[\\d.]+/g) || [0, 0, 0]).map(Number);
  const ground = e => { for (; e; e = e.parentElement) {
    const found = parts(getComputedStyle(e).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
  } return [255, 255, 255]; };
  const ink = e => { const s = getComputedStyle(e); return parts(e instanceof SVGElement ? s.fill : s.color).slice(0, 3); };
  return [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => Math.max(...ink(e)) > 0x66 || Math.min(...ground(e)) < 0xe0).map(e => e.outerHTML.slice(0, 90));
})()"""
"""What would be printed in anything but dark ink on light paper."""
SAID: Final = """[...document.querySelectorAll('h1, h2, tbody th, tfoot td, .total')]
  .filter(e => e.checkVisibility() && !e.querySelector('.sr') && !e.matches('.sr')).map(e => e.innerText)"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("printed") / "data") as assembled:
        settle_in(assembled)
        yield assembled


@pytest.fixture(scope="module")
def addresses(city: Assembled) -> dict[str, str]:
    """The pages that are answers: a replay that has ended, beside another, and a rating that a counter vouches for."""
    city.token("loket-3", "fact")
    case = Case(FAST, "ktp-el", "B-0")
    rating = f"/nilai?{urlencode({**case._asdict(), 'tiket': ticket_of(city, 'loket-3', case)})}"
    told_of(city, MONTH, served(city), FAST)
    return {"desk": f"{told_of(city, MONTH, map(lied, served(city)), FAST)}&{MONTH}", "rating": rating}


@pytest.fixture(scope="module")
def address(city: Assembled) -> Iterator[str]:
    with Listening(city) as listening:
        yield listening.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.screen(1280, dark=True)
        yield opened


def look(browser: Browser, url: str) -> None:
    """Open a page and wait for what its script shows."""
    browser.open(url)
    until(lambda: browser.ask("!document.querySelector('#kerja[hidden]')"), "the counter is there")


def printed(browser: Browser, url: str) -> PdfReader:
    look(browser, url)
    return PdfReader(io.BytesIO(browser.printed()))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pdf.pages)


def solid(text: str) -> str:
    """Without the blanks that lines are broken at, and the ligatures that a font has."""
    return "".join(normalize("NFKC", text).split())


def on_paper(browser: Browser, width: int) -> None:
    """As the print style has it, on a sheet's width, though the screen is dark."""
    browser.screen(width, dark=True)
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser._devtools("Emulation.setEmulatedMedia", media="print", features=[dark])


def test_the_board_prints_across_with_every_row_and_no_control(address: str, browser: Browser) -> None:
    pdf = printed(browser, f"{address}/?period=2026-11")
    box = pdf.pages[0].mediabox
    assert (round(box.height), round(box.width)) == A4
    text = text_of(pdf)
    for name in (NAMES[FAST], NAMES[TWIN]):
        assert name in text
    for control in ("Tampilkan", "Data (JSON)", "Jeda", "Mengapa?", "CSV", "English"):
        assert control not in text, control


@pytest.mark.parametrize("path", PAGES)
def test_a_page_prints_upright_with_what_it_says(
    address: str, addresses: dict[str, str], browser: Browser, path: str
) -> None:
    """Its heads, each row of its tables by name, and its totals."""
    pdf = printed(browser, address + addresses.get(path, path))
    box = pdf.pages[0].mediabox
    assert (round(box.width), round(box.height)) == A4
    on_paper(browser, UPRIGHT)
    wanted, text = browser.ask(SAID), solid(text_of(pdf))
    assert len(wanted) >= 1
    assert [said for said in wanted if solid(said) not in text] == []


@pytest.mark.parametrize("path", ["/?period=2026-11", *PAGES])
def test_paper_is_white_and_has_no_control(
    address: str, addresses: dict[str, str], browser: Browser, path: str
) -> None:
    """Whatever the screen; nor does anything lie beyond its edge."""
    width = ACROSS if path.startswith("/?") else UPRIGHT
    look(browser, address + addresses.get(path, path))
    on_paper(browser, width)
    assert browser.ask("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    assert browser.ask(DIM) == []
    assert browser.ask(CONTROLS) == []
    assert browser.ask("document.documentElement.scrollWidth") <= width + 1, "a word that is only read aloud takes one"


def test_the_head_of_a_long_table_is_on_each_of_its_sheets(address: str, browser: Browser) -> None:
    pdf = printed(browser, f"{address}/dinas/{FAST}/why")
    sheets = [" ".join(page.extract_text().split()) for page in pdf.pages]
    with_rows = [sheet for sheet in sheets if "/loket # " in sheet]
    assert len(with_rows) >= 2
    assert all("Posisi" in sheet and "Dibukukan" in sheet for sheet in with_rows)
