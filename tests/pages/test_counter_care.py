"""The counter spares a clerk: the city's clock, one undo, what was refused in passing sent as it was pressed, no lost keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.cable import Cable
from tests.pages.counter import SERVICES, UNIT, Clerk, Running, entries, rules
from tests.serving import Assembled, Listening, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]


@pytest.fixture
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("care") / "data", clock=Running()) as assembled:
        assembled.record(*rules())
        yield assembled


@pytest.fixture
def cable(city: Assembled) -> Iterator[Cable]:
    with Listening(city) as listening, Cable(listening.url) as cable:
        yield cable


@pytest.fixture
def clerk(tmp_path_factory: pytest.TempPathFactory, cable: Cable) -> Iterator[Clerk]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.screen(1366, 768)
        yield Clerk(browser, cable.url)


def begin(clerk: Clerk) -> None:
    """Open the counter, the third service chosen."""
    clerk.open(ready=False)
    clerk.browser.press("Alt+3")


def sign_in(clerk: Clerk, secret: str, onward: str = f"/loket?loket=3&dinas={UNIT}") -> None:
    clerk.browser.open(f"{clerk.url}/masuk?{urlencode({'ke': onward})}")
    clerk.browser.type(secret)
    clerk.browser.press("Enter")


def test_a_time_of_receipt_is_the_citys_whatever_the_device_is_set_to(city: Assembled, clerk: Clerk) -> None:
    """Eight in the morning is eight in the city, also on a device of another zone; the field says which."""
    clerk.browser.zone("Asia/Jayapura")
    begin(clerk)
    clerk.look_up("K-5", "belum diterima")
    clerk.browser.press("F9")
    until(lambda: clerk.browser.ask("document.activeElement.id === 'diterima'"), "the field is there")
    assert "Asia/Jakarta" in clerk.text("#waktu")
    clerk.browser.run("document.getElementById('diterima').value = '2026-01-20T08:00'")
    clerk.browser.press("F9")
    until(lambda: entries(city), "it is in the journal")
    assert entries(city)[0]["data"]["received_at"] == "2026-01-20T01:00:00.000Z"


def test_what_another_agencys_token_may_not_say_is_sent_again_as_it_was_pressed(city: Assembled, clerk: Clerk) -> None:
    """Of the instant of the press, not of the mending; a citizen's rating too, which no clerk could give anew."""
    clerk.url = f"http://loket.localhost:{clerk.url.rpartition(':')[2]}"
    browser = clerk.browser
    sign_in(clerk, city.token("lain", "fact", dinas=["lain"]).removeprefix("Bearer "))
    clerk.working()
    browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "✕ ditolak peladen: token loket ini tidak mencakupnya")
    pressed = browser.promised("loket.queue.last(1).then(([one]) => one.event)")
    add = f"""loket.queue.add(loket.steps.rating({{source: '/loket/{UNIT}/warga', dinas: '{UNIT}', service: '{SERVICES[2]}',
      number: 'K-7', overall: 3, unsur: {{}}}}))"""
    browser.promised(add)
    browser.ask("loket.status.look()")
    until(lambda: len([row for row in clerk.rows() if "ditolak" in row]) == 2, "both are refused")
    assert entries(city) == []
    sign_in(clerk, city.token("loket-3", "fact").removeprefix("Bearer "))
    clerk.working()
    for number in ("K-1", "K-7"):
        clerk.click("again", number)
    until(lambda: len(entries(city)) == 2, "both are recorded")
    held = {one["data"]["case"]: one for one in entries(city)}
    assert (held["K-1"]["id"], held["K-1"]["data"]["received_at"]) == (pressed["id"], pressed["data"]["received_at"])
    assert held["K-7"]["data"]["overall"] == 3


def test_an_answer_that_is_refused_for_good_is_kept_nowhere(city: Assembled, clerk: Clerk) -> None:
    """Whoever sits at the counter reads no rating that the journal would not take."""
    said = {"dinas": UNIT, "service": SERVICES[2], "case": "K-1", "overall": 4, "scale": 4}
    city.record(event("satisfaction-rated", "dulu", said, time="2026-11-20T08:00:00+07:00"))
    begin(clerk)
    add = f"""loket.queue.add(loket.steps.rating({{source: '/loket/{UNIT}/warga', dinas: '{UNIT}', service: '{SERVICES[2]}',
      number: 'K-1', overall: 1, unsur: {{}}}}))"""
    clerk.browser.promised(add)
    clerk.browser.ask("loket.status.look()")
    until(lambda: clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 1}, "it is refused")
    assert "overall" not in clerk.browser.promised("loket.queue.last(9).then(all => JSON.stringify(all))")


def test_undo_pressed_twice_is_one_reversal(city: Assembled, clerk: Clerk) -> None:
    begin(clerk)
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.browser.run("const b = document.querySelector('#tanda [data-kind=undo]'); b.click(); b.click(); b.click()")
    until(lambda: entries(city, "event-retracted"), "it is reversed")
    until(lambda: clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}, "nothing waits")
    assert len(entries(city, "event-retracted")) == 1
    assert not [row for row in clerk.rows() if "ditolak" in row]


def test_what_an_earlier_journal_held_is_of_no_account_in_this_one(
    city: Assembled, cable: Cable, clerk: Clerk, tmp_path: Path
) -> None:
    """Practice begun anew, or a new journal at the old address: the same number is a new file, and there is nothing to undo."""
    begin(clerk)
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    with Assembled(tmp_path / "anew", clock=Running()) as anew, Listening(anew) as listening:
        anew.record(*rules())
        cable.lead_to(listening.url)
        cable.pull()
        cable.mend()
        begin(clerk)
        clerk.look_up("K-1", "belum diterima")
        assert not clerk.browser.ask("!!document.querySelector('#tanda [data-kind=undo]')")
        clerk.browser.press("F2")
        until(lambda: len(entries(anew)) == 1, "it is received there")
    assert len(entries(city)) == 1


def test_a_pause_does_not_move_a_due_date_of_the_files_own(city: Assembled, clerk: Clerk) -> None:
    case = {"dinas": UNIT, "service": SERVICES[2], "case": "K-1"}
    early = {"received_at": "2026-11-20T08:00:00+07:00", "due_at": "2026-11-22T08:00:00+07:00"}
    city.record(
        event("permit-received", "1", {**case, **early}, time="2026-11-20T08:00:00+07:00"),
        event("permit-paused", "2", {**case, "at": "2026-11-20T09:00:00+07:00", "reason": "applicant"},
              time="2026-11-20T09:00:00+07:00"),
    )  # fmt: skip
    begin(clerk)
    clerk.look_up("K-1", "dijeda")
    clerk.sees("#ada", "tenggat 22 Nov 2026, 08.00, tidak digeser oleh jeda")
    assert clerk.browser.ask("!!document.querySelector('#ada .tag.late')"), "it is late all the same"
    assert "jam berhenti pada" not in clerk.text("#ada")


def test_a_database_that_fails_once_does_not_end_the_sending(city: Assembled, clerk: Clerk) -> None:
    begin(clerk)
    clerk.sees("#keadaan", "tersambung")
    clerk.browser.run("""loket.kept = loket.queue.count;
      loket.queue.count = () => Promise.reject(new DOMException('', 'UnknownError')); loket.status.look();""")
    clerk.sees("#keadaan", "UnknownError")
    clerk.browser.run("loket.queue.count = loket.kept")
    add = f"""loket.queue.add(loket.steps.step('received', {{source: '/loket/{UNIT}/3', dinas: '{UNIT}', service: '{SERVICES[2]}',
      number: 'K-1'}}))"""
    clerk.browser.promised(add)
    until(lambda: entries(city), "nobody pressed anything, and it is sent")
    clerk.sees("#keadaan", "tersambung")


def test_the_next_number_takes_the_place_of_one_that_was_only_looked_up(clerk: Clerk) -> None:
    """A scanner types a number and Enter: two scans are two numbers, also after a refusal."""
    begin(clerk)
    clerk.look_up("K-1", "belum diterima")
    clerk.browser.type("K-2")
    assert clerk.browser.ask("document.getElementById('nomor').value") == "K-2"
    clerk.browser.press("F2")
    clerk.sees("#tanda", "K-2 · diterima")
    clerk.look_up("K-2", "ditemukan")
    clerk.browser.press("F2")
    clerk.sees("#gagal", "K-2")
    clerk.browser.type("K-3")
    assert clerk.browser.ask("document.getElementById('nomor').value") == "K-3"


def test_a_pause_that_cannot_be_says_so_and_leaves_the_keyboard_in_the_field(clerk: Clerk) -> None:
    begin(clerk)
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "posisi")
    clerk.step("K-1", "F8")
    clerk.sees("#tanda", "K-1 · terbit")
    clerk.step("K-1", "F4")
    clerk.sees("#gagal", "K-1 sudah selesai")
    until(lambda: clerk.browser.ask("document.activeElement.id === 'nomor'"), "the field has the keyboard")


def test_a_refusal_that_is_being_mended_stays_until_it_is(city: Assembled, clerk: Clerk) -> None:
    """Left halfway, it is still to be mended."""
    begin(clerk)
    clerk.step("K-9", "F8")
    clerk.sees("#keadaan", "▲ 1 ditolak peladen")
    clerk.click("mend", "K-9")
    until(lambda: clerk.browser.ask("document.activeElement.id === 'diterima'"), "the time of receipt is asked for")
    begin(clerk)
    clerk.sees("#keadaan", "▲ 1 ditolak peladen")
    clerk.click("mend", "K-9")
    until(lambda: clerk.browser.ask("document.activeElement.id === 'diterima'"), "the time of receipt is asked for")
    clerk.browser.run("document.getElementById('diterima').value = '2026-01-20T08:00'")
    clerk.browser.press("F8")
    until(lambda: entries(city), "it is recorded")
    until(
        lambda: clerk.browser.promised("loket.queue.count()") == {"waiting": 0, "refused": 0}, "nothing is left to mend"
    )
