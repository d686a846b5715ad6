"""Printed: black on white on A4, controls gone, every row and total there, heads of tables on each sheet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from unicodedata import normalize
from urllib.parse import urlencode

import pytest
from pypdf import PdfReader

from api.http.tickets import Case
from tests.pages.browser import screen, until
from tests.pages.city import FAST, MONTH, NAMES, TWIN
from tests.pages.counter import ticket_of
from tests.pages.every import ADDRESSES

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.pages.conftest import Desk

pytestmark = pytest.mark.browser
A4: Final = (595, 842)
UPRIGHT, ACROSS = 703, 1032
"""Sheets in CSS pixels, without their margins."""
PAGES: Final = (
    *(address for path, address in ADDRESSES.items() if path not in ("/", "/loket")),
    f"/dinas/{TWIN}",
    f"/dinas/{TWIN}?order=score",
    f"/dinas/{FAST}/events?measure=permits",
    f"/loket?dinas={FAST}",
    "desk",
    "rating",
)
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
"""The texts that would not be printed in dark ink on light paper."""
SAID: Final = """[...document.querySelectorAll('h1, h2, tbody th, tfoot td, .total')]
  .filter(e => e.checkVisibility() && !e.querySelector('.sr') && !e.matches('.sr')).map(e => e.innerText)"""


@pytest.fixture(scope="module")
def answers(desk: Desk) -> dict[str, str]:
    """The pages that are answers: a replay that has ended, beside another, and a rating that a counter vouches for."""
    desk.city.token("loket-3", "fact")
    case = Case(FAST, "ktp-el", "B-0")
    rating = f"/nilai?{urlencode({**case._asdict(), 'tiket': ticket_of(desk.city, 'loket-3', case)})}"
    return {"desk": f"{desk.lies}&{MONTH}", "rating": rating}


def look(page: Page, url: str) -> None:
    """Open a page on a dark screen and wait for what its script shows."""
    screen(page, 1280, dark=True)
    page.goto(url)
    until(page, "!document.querySelector('#kerja[hidden]')", "the counter is there")


def printed(page: Page, url: str) -> PdfReader:
    """A page as its own print style has it."""
    look(page, url)
    return PdfReader(io.BytesIO(page.pdf(print_background=True, prefer_css_page_size=True)))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(sheet.extract_text().split()) for sheet in pdf.pages)


def solid(text: str) -> str:
    """Without the blanks that lines are broken at, and the ligatures that a font has."""
    return "".join(normalize("NFKC", text).split())


def on_paper(page: Page, width: int) -> None:
    """As the print style has it, on a sheet's width, though the screen is dark."""
    screen(page, width, dark=True)
    page.emulate_media(media="print", color_scheme="dark")


def test_the_board_prints_across_with_every_row_and_no_control(desk_url: str, page: Page) -> None:
    pdf = printed(page, f"{desk_url}/?{MONTH}")
    box = pdf.pages[0].mediabox
    assert (round(box.height), round(box.width)) == A4
    text = text_of(pdf)
    for name in (NAMES[FAST], NAMES[TWIN]):
        assert name in text
    for control in ("Tampilkan", "Data (JSON)", "Jeda", "Mengapa?", "CSV", "English"):
        assert control not in text, control


@pytest.mark.parametrize("path", PAGES)
def test_a_page_prints_upright_with_what_it_says(desk_url: str, answers: dict[str, str], page: Page, path: str) -> None:
    """Its heads, each row of its tables by name, and its totals."""
    pdf = printed(page, desk_url + answers.get(path, path))
    box = pdf.pages[0].mediabox
    assert (round(box.width), round(box.height)) == A4
    on_paper(page, UPRIGHT)
    sentences, text = page.evaluate(SAID), solid(text_of(pdf))
    assert len(sentences) >= 1
    assert [sentence for sentence in sentences if solid(sentence) not in text] == []


@pytest.mark.parametrize("path", [f"/?{MONTH}", *PAGES])
def test_paper_is_white_and_has_no_control(desk_url: str, answers: dict[str, str], page: Page, path: str) -> None:
    """On any screen; nor does anything lie beyond the edge of the sheet."""
    width = ACROSS if path.startswith("/?") else UPRIGHT
    look(page, desk_url + answers.get(path, path))
    on_paper(page, width)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    assert page.evaluate(DIM) == []
    assert page.evaluate(CONTROLS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1, "a word only read aloud takes one"


def test_the_head_of_a_long_table_is_on_each_of_its_sheets(desk_url: str, page: Page) -> None:
    pdf = printed(page, f"{desk_url}/dinas/{FAST}/why")
    sheets = [" ".join(sheet.extract_text().split()) for sheet in pdf.pages]
    with_rows = [sheet for sheet in sheets if "/loket # " in sheet]
    assert len(with_rows) >= 2
    assert all("Posisi" in sheet and "Dibukukan" in sheet for sheet in with_rows)
