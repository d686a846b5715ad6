"""The counter: by keyboard alone from receipt to decision; a refusal stays seen, a wrong key is undone, nothing is sent twice."""

from __future__ import annotations

import pytest

from tests.pages.axe_rules import broken_on, day_and_night
from tests.pages.counter import SERVICES, UNIT, Clerk, entries, names_of
from tests.pages.messages import ID
from tests.serving import Assembled, event

pytestmark = pytest.mark.browser


@pytest.mark.speed("test")
def test_a_file_goes_from_receipt_to_decision_by_keys_alone(
    counter: Assembled, clerk: Clerk, console: list[str]
) -> None:
    """Service by Alt and its digit, the number, one key a step; after each the field waits for the next number."""
    clerk.open("?loket=3&asn=a-17")
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "K-1 · diterima")
    clerk.look_up("K-1", "ditemukan")
    assert "0 mnt dari 24 jam" in clerk.text("#ada")
    clerk.press("F4", "3")
    clerk.sees("#tanda", "K-1 · ditangguhkan: blangko habis")
    clerk.look_up("K-1", "ditangguhkan: blangko habis")
    assert clerk.text("#langkah .primary") == "Lanjutkan F4"
    clerk.press("F4")
    clerk.sees("#tanda", "K-1 · dilanjutkan")
    clerk.look_up("K-1", "ditemukan")
    assert clerk.text("#langkah .primary") == "Terbit F8"
    clerk.press("Enter")
    clerk.sees("#tanda", "K-1 · terbit")
    clerk.step("K-2", "F2")
    clerk.step("K-2", "F9")
    clerk.until(lambda: len(entries(counter)) == 6, "all of it is in the journal")
    pairs = [(entry["type"].split(".")[1], entry["data"]["case"]) for entry in entries(counter)]
    assert pairs == [
        ("permit-received", "K-1"),
        ("permit-paused", "K-1"),
        ("permit-resumed", "K-1"),
        ("permit-processed", "K-1"),
        ("permit-received", "K-2"),
        ("permit-processed", "K-2"),
    ]
    first, pause, _, issue, _, rejection = (entry["data"] for entry in entries(counter))
    assert {entry["source"] for entry in entries(counter)} == {f"/loket/{UNIT}/3"}
    assert (first["service"], first["asn"], pause["reason"]) == (SERVICES[2], "a-17", "blank_stock")
    assert (issue["outcome"], rejection["outcome"]) == ("issued", "rejected")
    assert issue["resolved"]["promise_us"] == 24 * 3600 * 10**6
    assert len(issue["resolved"]["pauses"]) == 1
    clerk.look_up("K-1", "sudah selesai")
    assert clerk.ask("document.querySelectorAll('[data-step]:not(:disabled)').length") == 0
    clerk.press("F8")
    clerk.sees("#gagal", "K-1 sudah selesai")
    assert console == []
    assert len(entries(counter)) == 6


def test_a_receipt_says_at_which_position_it_is_recorded(counter: Assembled, clerk: Clerk) -> None:
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.step("K-1", "F2")
    clerk.until(lambda: entries(counter), "it is in the journal")
    clerk.sees("#tanda", f"✓ posisi {entries(counter)[0]['position']}")
    assert clerk.text("#keadaan .tag") == "● tersambung"


def test_a_key_pressed_twice_records_once_and_a_held_key_once(counter: Assembled, clerk: Clerk) -> None:
    """The first press takes the number away; the second finds none, and says so."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.step("K-1", "F2", "F2")
    clerk.sees("#gagal", ID("counter_said.no_number"))
    clerk.ask("""const f = document.getElementById('nomor'); f.value = 'K-2';
      for (const repeat of [false, true, true])
        f.dispatchEvent(new KeyboardEvent('keydown', {key: 'F2', repeat, bubbles: true}));""")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.step("K-3", "F2")
    clerk.until(lambda: len(entries(counter)) == 3, "three files, three receipts")
    assert [entry["data"]["case"] for entry in entries(counter)] == ["K-1", "K-2", "K-3"]


def test_a_personal_number_is_kept_nowhere(counter: Assembled, clerk: Clerk) -> None:
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.step("3674012345678901", "F2")
    clerk.sees("#gagal", "tampak seperti NIK")
    assert clerk.ask("loket.queue.last(9)") == []
    assert entries(counter) == []


def test_a_refusal_is_seen_until_somebody_has_seen_it_and_can_be_mended(counter: Assembled, clerk: Clerk) -> None:
    """A decision without a receipt: refused with its field; then with the time of receipt it is recorded."""
    clerk.open()
    clerk.press("Alt+2")
    clerk.step("K-9", "F8")
    clerk.sees("#tanda", "✕ tidak diterima peladen: waktu diterima wajib diisi")
    assert "kolom received_at" in clerk.text("#tanda")
    clerk.sees("#keadaan", ID("counter_said.refused", n=1))
    pressed_at = clerk.pressed()["time"]
    for number in range(10):
        clerk.step(f"L-{number}", "F2")
    clerk.until(lambda: len(entries(counter)) == 10, "the others are taken")
    clerk.page.goto(f"{clerk.url}/loket")
    clerk.working()
    clerk.sees("#tanda", "K-9 · terbit")
    clerk.click("mend", "K-9")
    clerk.focus_is_on("diterima", "the time of receipt is asked for")
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F8")
    clerk.until(lambda: entries(counter, "permit-processed"), "the mended decision is in the journal")
    (decision,) = entries(counter, "permit-processed")
    assert (decision["data"]["case"], decision["data"]["service"]) == ("K-9", SERVICES[1])
    assert decision["data"]["received_at"].startswith("2026-01-20T")
    assert decision["data"]["completed_at"] == pressed_at, "decided when it was pressed, not when it was mended"
    clerk.until(lambda: clerk.text("#keadaan small") == "", "there is nothing to mend")
    assert "tidak diterima peladen" not in clerk.text("#keadaan")


def test_a_file_without_a_receipt_is_asked_for_its_time(counter: Assembled, clerk: Clerk) -> None:
    """A counter that knows of no receipt asks before it records."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.look_up("K-5", "belum diterima")
    clerk.press("F9")
    clerk.sees("#gagal", "belum punya tanda terima")
    clerk.focus_is_on("diterima", "the field is there")
    assert clerk.ask("loket.queue.last(9)") == []
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F9")
    clerk.until(lambda: entries(counter), "it is in the journal")
    assert entries(counter)[0]["data"]["outcome"] == "rejected"


def test_what_is_sent_is_undone_by_a_reversal_of_its_own(counter: Assembled, clerk: Clerk) -> None:
    """The file is then as it was; and only its last step can be undone."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.step("K-1", "F8")
    clerk.sees("#tanda", "terbit")
    clerk.sees("#tanda", "posisi", times=2)
    assert clerk.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 1
    clerk.click("undo", "K-1")
    clerk.sees("#tanda", "pembatalan: terbit")
    clerk.until(lambda: entries(counter, "event-retracted"), "the reversal is in the journal")
    assert (
        entries(counter, "event-retracted")[0]["data"]["event"]["id"] == entries(counter, "permit-processed")[0]["id"]
    )
    clerk.look_up("K-1", "ditemukan")
    clerk.press("F9")
    clerk.until(lambda: len(entries(counter, "permit-processed")) == 2, "it is decided anew")


def test_two_tabs_send_each_event_once(counter: Assembled, clerk: Clerk) -> None:
    """Each tab sends the entries of both; the journal holds each once, and both show it."""
    clerk.open()
    clerk.press("Alt+1")
    other = clerk.another_tab()
    other.open("?loket=4")
    other.press("Alt+2")
    numbers = [f"T-{n}" for n in range(6)]
    for number in numbers[:3]:
        other.step(number, "F2")
    for number in numbers[3:]:
        clerk.step(number, "F2")
    clerk.ask("for (let n = 0; n < 5; n++) loket.status.look()")
    clerk.until(lambda: len(entries(counter)) >= 6, "all are in the journal")
    clerk.sees("#tanda", "posisi", times=6)
    assert set(names_of(counter).values()) == {1}
    assert sorted(entry["data"]["case"] for entry in entries(counter)) == numbers
    sources = {entry["source"].rpartition("/")[2] for entry in entries(counter)}
    assert sources == {"3", "4"}


def test_one_hand_on_another_counter_makes_no_file_twice(counter: Assembled, clerk: Clerk) -> None:
    """Recorded elsewhere meanwhile: this counter hears it, and what it sent anyway is refused, seen, and not counted."""
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.look_up("K-7", "belum diterima")
    data = {"dinas": UNIT, "service": SERVICES[0], "case": "K-7", "received_at": "2026-01-20T08:00:00+07:00"}
    counter.record(event("permit-received", "elsewhere", data))
    clerk.press("Enter")
    clerk.sees("#tanda", ID("counter_refusal.natural-key-held"))
    assert entries(counter) == []
    clerk.click("seen", "K-7")
    clerk.until(lambda: "tidak diterima" not in clerk.text("#keadaan"), "it has been seen")


def test_the_counter_at_work_breaks_no_rule_of_accessibility(clerk: Clerk) -> None:
    """With receipts, a refusal, a paused file and what cannot be pressed: on a phone and a wall, by day and by night."""
    clerk.open("?loket=3&asn=a-17", ready=False)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-8", "F8")
    clerk.sees("#tanda", "tidak diterima peladen")
    clerk.look_up("K-1", "ditemukan")
    clerk.press("F4", "2")
    clerk.sees("#tanda", "ditangguhkan: menunggu pembayaran")
    clerk.look_up("K-1", "ditangguhkan")
    clerk.ask("for (const d of document.querySelectorAll('details')) d.open = true")
    small = """[...document.querySelectorAll('button, select, summary, .tiles label, main input:not([type=radio]), .button')]
      .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    for width, height in ((320, 640), (390, 844), (1280, 800), (1920, 1080)):
        assert broken_on(clerk.page, day_and_night((width, height)), "the counter") == []
        assert clerk.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
        assert clerk.ask(small) == [], width
