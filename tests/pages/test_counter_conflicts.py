"""Two clerks with one file, and what the counter says of it: the decision that stands, and no complaint whose cause is gone."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk
from tests.pages.test_counter_network import FILE, begin
from tests.serving import Assembled, event

pytestmark = pytest.mark.browser


def decision(number: str, outcome: str) -> dict[str, Any]:
    """The decision of a file by counter 4."""
    data = {
        **FILE,
        "case": number,
        "completed_at": "2026-01-20T10:00:00+07:00",
        "received_at": "2026-01-20T08:00:00+07:00",
    }
    return event(
        "permit-processed",
        f"d-{number}",
        {**data, "outcome": outcome},
        source=f"/loket/{UNIT}/4",
        time="2026-01-20T10:00:00+07:00",
    )


def conflicting(counter: Assembled, clerk: Clerk, number: str, outcome: str, key: str) -> None:
    """Two clerks decide one file: the other's decision is recorded while this one's key is pressed."""
    clerk.look_up(number, "belum diterima")
    clerk.page.context.set_offline(True)
    clerk.fill("nomor", "")
    clerk.press("Escape")
    clerk.step(number, key)
    counter.record(decision(number, outcome))
    clerk.page.context.set_offline(False)


@pytest.mark.parametrize(
    ("outcome", "key", "says"),
    [
        ("rejected", "F8", "permohonan ini sudah ditolak di Loket 4, 20 Jan 2026"),
        ("issued", "F9", "permohonan ini sudah diterbitkan di Loket 4, 20 Jan 2026"),
        ("issued", "F8", "permohonan ini sudah diterbitkan di Loket 4, 20 Jan 2026"),
    ],
)
def test_a_conflict_between_two_clerks_names_the_decision_that_stands(
    outcome: str, key: str, says: str, counter: Assembled, clerk: Clerk
) -> None:
    begin(clerk)
    conflicting(counter, clerk, "Z-1", outcome, key)
    clerk.sees("#tanda", says)
    assert "catatan yang sama" not in clerk.text("#tanda")


BROKEN: Final = """[...document.querySelectorAll('#tanda button')].filter(button => {
  const text = document.createRange();
  text.selectNodeContents(button);
  return text.getClientRects().length > 1;
}).map(button => button.textContent)"""
"""The buttons whose words are broken into two lines."""


def test_no_button_of_a_receipt_breaks_its_words(counter: Assembled, clerk: Clerk) -> None:
    """Beside a refused receipt with its two buttons, at any width."""
    begin(clerk)
    clerk.step("K-0", "F2")
    clerk.sees("#tanda", "posisi")
    conflicting(counter, clerk, "Z-1", "rejected", "F8")
    clerk.sees("#tanda", "✕ tidak diterima peladen")
    for width in (320, 768, 1024, 1366, 1920):
        clerk.page.set_viewport_size({"width": width, "height": 768})
        assert (width, clerk.ask(BROKEN)) == (width, [])
        assert clerk.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width


def test_a_complaint_goes_with_its_cause(counter: Assembled, clerk: Clerk) -> None:
    """Another number in the field, the service that was missing, and a time that can be read: nothing old is said of them."""
    begin(clerk)
    conflicting(counter, clerk, "Z-1", "rejected", "F8")
    clerk.sees("#tanda", "✕ tidak diterima peladen")
    clerk.step("3174012345678901", "F2")
    clerk.sees("#gagal", "tampak seperti NIK")
    clerk.fill("nomor", "")
    clerk.click("mend", "Z-1")
    clerk.sees("#ada", "sudah selesai")
    assert clerk.text("#gagal") == ""
    clerk.ask("document.querySelectorAll('[name=service]').forEach(tile => { tile.checked = false; })")
    clerk.fill("nomor", "K-9")
    clerk.ask("document.getElementById('nomor').focus()")
    clerk.press("F2")
    clerk.sees("#gagal", "Pilih layanan dahulu")
    clerk.press("Alt+1")
    clerk.until("document.getElementById('gagal').hidden", "a service is chosen")


def test_a_citizens_complaint_goes_once_a_face_is_chosen(clerk: Clerk) -> None:
    query = f"dinas={UNIT}&service={SERVICES[2]}&case=R-1"
    clerk.page.goto(f"{clerk.url}/loket/warga?{query}")
    clerk.until("!document.querySelector('#layar').hidden", "it asks")
    clerk.ask("document.querySelector('#penilaian button').focus()")
    clerk.press("Enter")
    clerk.sees("#gagal", "Pilih salah satu wajah")
    clerk.ask("document.querySelector('[name=overall][value=\"4\"]').focus()")
    clerk.press("Space")
    clerk.until("document.getElementById('gagal').hidden", "a face is chosen")
