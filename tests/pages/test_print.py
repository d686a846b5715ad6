"""Printed: black on white on A4, controls gone, every row there, heads of tables on each sheet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import pytest
from pypdf import PdfReader

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import BUSY, FAST, NAMES, TWIN, settle_in
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
A4: Final = (595, 842)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Assembled(tmp_path_factory.mktemp("printed") / "data") as assembled:
        settle_in(assembled)
        with Listening(assembled) as listening:
            yield listening.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.screen(1280, dark=True)
        yield opened


def printed(browser: Browser, url: str) -> PdfReader:
    browser.open(url)
    return PdfReader(io.BytesIO(browser.printed()))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pdf.pages)


def test_the_board_prints_across_with_every_row_and_no_control(address: str, browser: Browser) -> None:
    pdf = printed(browser, f"{address}/?period=2026-11")
    box = pdf.pages[0].mediabox
    assert (round(box.height), round(box.width)) == A4
    text = text_of(pdf)
    for name in (NAMES[FAST], NAMES[TWIN]):
        assert name in text
    for control in ("Tampilkan", "Data (JSON)", "Jeda", "Mengapa?", "CSV", "English"):
        assert control not in text, control


@pytest.mark.parametrize(
    "path", [f"/dinas/{TWIN}", f"/asn/{BUSY}", f"/dinas/{FAST}/why", "/publik", "/auditor/journal/400"]
)
def test_a_page_prints_upright_with_what_it_says(address: str, browser: Browser, path: str) -> None:
    pdf = printed(browser, address + path)
    box = pdf.pages[0].mediabox
    assert (round(box.width), round(box.height)) == A4
    text = text_of(pdf)
    title = browser.ask("document.querySelector('h1').textContent.trim()")
    assert " ".join(title.split()) in text
    assert "Tampilkan" not in text


def test_the_head_of_a_long_table_is_on_each_of_its_sheets(address: str, browser: Browser) -> None:
    pdf = printed(browser, f"{address}/dinas/{FAST}/why")
    sheets = [" ".join(page.extract_text().split()) for page in pdf.pages]
    with_rows = [sheet for sheet in sheets if "/loket # " in sheet]
    assert len(with_rows) >= 2
    assert all("Posisi" in sheet and "Dibukukan" in sheet for sheet in with_rows)


def test_paper_is_white_though_the_screen_is_dark(address: str, browser: Browser) -> None:
    browser.open(f"{address}/")
    browser._devtools("Emulation.setEmulatedMedia", media="print")
    assert browser.ask("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
