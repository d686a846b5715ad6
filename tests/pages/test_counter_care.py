"""The counter spares a clerk: two scans are two numbers, the keyboard stays in the field, a refusal stays until it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.counter import SERVICES, STALLS, Clerk, entries
from tests.pages.messages import ID

if TYPE_CHECKING:
    from tests.serving import Assembled

CHOSEN: Final = "document.querySelector('[name=service]:checked')?.value ?? ''"

pytestmark = pytest.mark.browser


def begin(clerk: Clerk) -> None:
    """Open the counter, the third service chosen."""
    clerk.open(ready=False)
    clerk.press("Alt+3")


def test_the_next_number_takes_the_place_of_one_that_was_only_looked_up(clerk: Clerk) -> None:
    """A scanner types a number and Enter: two scans are two numbers, also after a refusal."""
    begin(clerk)
    clerk.look_up("K-1", "belum diterima")
    clerk.type("K-2")
    assert clerk.ask("document.getElementById('nomor').value") == "K-2"
    clerk.press("F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.look_up("K-2", "ditemukan")
    clerk.press("F2")
    clerk.sees("#gagal", "K-2")
    clerk.type("K-3")
    assert clerk.ask("document.getElementById('nomor').value") == "K-3"


def test_a_pause_that_cannot_be_says_so_and_leaves_the_keyboard_in_the_field(clerk: Clerk) -> None:
    begin(clerk)
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.step("K-1", "F8")
    clerk.sees("#tanda", "K-1 · terbit")
    clerk.step("K-1", "F4")
    clerk.sees("#gagal", "K-1 sudah selesai")
    clerk.focus_is_on("nomor", "the field has the keyboard")


def test_a_refusal_that_is_being_mended_stays_until_it_is(counter: Assembled, clerk: Clerk) -> None:
    """Left halfway, it is still to be mended."""
    begin(clerk)
    clerk.step("K-9", "F8")
    clerk.sees("#keadaan", ID("counter_said.refused", n=1))
    clerk.click("mend", "K-9")
    clerk.focus_is_on("diterima", "the time of receipt is asked for")
    begin(clerk)
    clerk.sees("#keadaan", ID("counter_said.refused", n=1))
    clerk.click("mend", "K-9")
    clerk.focus_is_on("diterima", "the time of receipt is asked for")
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F8")
    clerk.until(lambda: entries(counter), "it is recorded")
    clerk.until_sent()


def test_a_number_that_is_given_back_is_of_its_own_service_again(clerk: Clerk) -> None:
    """Another service is chosen before the counter finds that the time of receipt is missing."""
    begin(clerk)
    clerk.look_up("K-5", "belum diterima")
    clerk.ask(STALLS)
    clerk.press("F8", "Alt+1")
    assert clerk.ask(CHOSEN) == SERVICES[0]
    clerk.ask("self.goOn()")
    clerk.focus_is_on("diterima", "the time of receipt is asked for")
    assert clerk.ask(f"[{CHOSEN}, document.getElementById('nomor').value]") == [SERVICES[2], "K-5"]


def test_what_is_mended_is_of_its_own_service_or_of_none(counter: Assembled, clerk: Clerk) -> None:
    """Its service was added for once and has no tile any more: no other takes its place, and nothing is recorded."""
    clerk.open("?loket=3&dinas=disdukcapil&service=Layanan%20Langka", ready=False)
    clerk.step("K-9", "F8")
    clerk.sees("#keadaan", ID("counter_said.refused", n=1))
    clerk.open("?loket=3&dinas=disdukcapil", ready=False)
    clerk.press("Alt+1")
    clerk.click("mend", "K-9")
    clerk.sees("#gagal", ID("counter_said.no_tile", case="K-9", service="Layanan Langka"))
    assert clerk.ask(f"[{CHOSEN}, document.getElementById('nomor').value]") == ["", "K-9"]
    clerk.press("F2")
    clerk.sees("#gagal", "Pilih layanan dahulu")
    assert entries(counter) == []
    assert clerk.waits() == {"waiting": 0, "refused": 1}
