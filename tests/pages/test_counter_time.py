"""The counter's times: the city's and not the device's, what is due when, and a pause that is counted once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk, entries
from tests.pages.messages import ID
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from tests.pages.conftest import Windows
    from tests.pages.line import Line

pytestmark = pytest.mark.browser


def test_a_time_of_receipt_is_the_citys_wherever_the_device_thinks_it_is(
    counter: Assembled, line: Line, open_window: Windows
) -> None:
    """Two hours further east its own eight o'clock is another; the label names the zone of the time to enter."""
    clerk = Clerk(open_window(timezone_id="Asia/Jayapura"), line.url)
    clerk.open(ready=False)
    assert clerk.ask("new Date(2026, 0, 20, 8).toISOString()") == "2026-01-19T23:00:00.000Z"
    clerk.press("Alt+1")
    clerk.look_up("K-5", "belum diterima")
    clerk.press("F8")
    clerk.focus_is_on("diterima", "the field is there")
    assert "(Asia/Jakarta)" in clerk.text("label[for=diterima]")
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F8")
    clerk.until(lambda: entries(counter), "it is in the journal")
    assert entries(counter)[0]["data"]["received_at"] == "2026-01-20T01:00:00.000Z"


INSTANTS: Final = {
    ("2026-10-25T02:30", "Europe/Berlin"): "2026-10-25T00:30:00.000Z",  # comes twice: the first
    ("2026-10-25T03:00", "Europe/Berlin"): "2026-10-25T02:00:00.000Z",
    ("2026-03-29T02:30", "Europe/Berlin"): None,  # leapt over
    ("2026-03-29T03:00:30", "Europe/Berlin"): "2026-03-29T01:00:30.000Z",
    ("2026-01-01T00:15", "Asia/Jayapura"): "2025-12-31T15:15:00.000Z",
    ("1963-12-31T12:00", "Asia/Jakarta"): "1963-12-31T04:30:00.000Z",  # half an hour further east until 1964
    ("20226-01-01T10:00", "Asia/Jakarta"): None,  # a year of a digit too many
}
"""The instant of each local time and zone."""


def test_a_local_time_is_an_instant_the_first_of_two_or_none(clerk: Clerk) -> None:
    clerk.open(ready=False)
    instants = {
        instant: clerk.ask(f"loket.zone.instant({json.dumps(instant[0])}, '{instant[1]}')") for instant in INSTANTS
    }
    assert instants == INSTANTS


def test_a_time_that_never_was_or_cannot_be_read_is_asked_for_again(counter: Assembled, clerk: Clerk) -> None:
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.look_up("K-5", "belum diterima")
    clerk.press("F8")
    clerk.focus_is_on("diterima", "the field is there")
    clerk.ask("document.getElementById('loket').dataset.zone = 'Europe/Berlin'")
    for local, answer in (
        ("2026-03-29T02:30", "Waktu itu tidak pernah ada di Europe/Berlin"),
        ("20226-01-01T10:00", "Waktu itu tidak terbaca (Europe/Berlin)"),
    ):
        clerk.fill("diterima", local)
        clerk.press("F8")
        clerk.sees("#gagal", answer)
        focus = clerk.ask("[document.activeElement.id, document.getElementById('nomor').value]")
        assert focus == ["diterima", "K-5"]
    assert entries(counter) == []


LOST: Final = """new Promise((done, failed) => {
  indexedDB.open("neraca-loket", 1).onsuccess = ({ target: { result: db } }) => {
    const change = db.transaction("entries", "readwrite"), entries = change.objectStore("entries");
    const again = Date.now() + 30e3;
    entries.getAll().onsuccess = ({ target: { result } }) => {
      for (const one of result.filter(({ state }) => state === "waiting")) entries.put({ ...one, tried: Date.now(), again });
    };
    change.oncomplete = () => { db.close(); done(true); };
    change.onabort = failed;
  };
})"""
"""From now on the answer to the last attempt of what waits is lost, as when its page was closed meanwhile."""


@pytest.mark.parametrize("correction", ["before it is mended", "after it was refused once more"])
def test_a_receipt_of_a_clock_that_was_ahead_is_of_the_instant_the_clerk_says(
    counter: Assembled, clerk: Clerk, correction: str
) -> None:
    """The press has an instant of its own again; when the file was received is what was said, once it is said."""
    clerk.page.add_init_script("const now = Date.now; Date.now = () => now() + 3600e3;")
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.step("K-1", "F2")
    clerk.sees("#tanda", "belum dapat dicatat")
    if correction == "before it is mended":
        clerk = clerk.after_repair()
    clerk.click("mend", "K-1")
    clerk.focus_is_on("diterima", "when it was received is asked for")
    clerk.fill("diterima", "2026-01-20T08:00")
    clerk.press("F2")
    if correction == "after it was refused once more":
        states = "loket.queue.last(9).then(all => all.map(one => loket.queue.isHeld(one) ? 'held' : one.state).join())"
        clerk.until(f"{states}.then(said => said === 'held,withdrawn')", "it is refused once more, and takes the place")
        clerk = clerk.after_repair()
        clerk.until("loket.queue.last(9).then(all => all.some(one => one.again > Date.now()))", "it waits for its turn")
        clerk.ask(LOST)
        clerk.click("mend", "K-1")
        clerk.sees("#ada", "belum diterima")
        clerk.press("F2")
    (entry,) = clerk.until(lambda: entries(counter), "it is recorded")
    assert entry["data"]["received_at"] == "2026-01-20T01:00:00.000Z"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(entry["time"])) < timedelta(minutes=2)
    clerk.until_sent(within_s=15)  # what was replaced is settled at once


def received(number: str, hours_ago: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a receipt
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    data = {"dinas": UNIT, "service": SERVICES[0], "case": number, "received_at": at.isoformat(), **more}
    return event("permit-received", f"r-{number}", data)


def test_a_file_due_at_an_instant_is_judged_by_that_instant_and_by_no_pause(counter: Assembled, clerk: Clerk) -> None:
    """Of a standard a pause stops the clock; of an instant it does not, and the counter says so."""
    due = datetime.now(UTC) - timedelta(hours=1)
    counter.record(
        received("K-1", 30, due_at=due.isoformat()),
        received("K-2", 30),
        received("K-3", 1, due_at="2036-01-20T01:00:00Z"),
    )
    for number in ("K-1", "K-2"):
        at = (datetime.now(UTC) - timedelta(hours=20)).isoformat()
        data = {"dinas": UNIT, "service": SERVICES[0], "case": number, "at": at, "reason": "payment"}
        counter.record(event("permit-paused", f"p-{number}", data))
    clerk.open(ready=False)
    clerk.press("Alt+1")
    clerk.look_up("K-1", "ditangguhkan: menunggu pembayaran")
    text = clerk.text("#ada")
    assert "tidak digeser oleh penangguhan" in text
    assert ID("counter_said.state_overdue") in text
    assert "berhenti" not in text
    clerk.fill("nomor", "")
    clerk.look_up("K-2", ID("counter_said.stands_of", length="10 jam", promise="24 jam"))
    assert "melewati" not in clerk.text("#ada")
    clerk.fill("nomor", "")
    clerk.look_up("K-3", "tenggat 20 Jan 2036, 08.00")
    assert "melewati" not in clerk.text("#ada")
    answer = {
        "state": "paused",
        "kind": "due_at",
        "due_at": "2026-01-20T08:00:00Z",
        "overdue": False,
        "pauses": [],
        "received_at": "2026-01-20T06:00:00Z",
        "paused_at": "2026-01-20T06:30:00Z",
    }
    late = f"loket.casefile.late({json.dumps(answer)}, 0, Date.parse('2026-01-20T08:00:01Z'))"
    assert clerk.ask(late), "it is overdue from then on, though the server was asked before"


def state_of(clerk: Clerk, server: dict[str, Any], *steps: tuple[str, int, dict[str, Any]]) -> dict[str, Any]:
    """The state of a file by a server's answer and the counter's own steps: kind, position and data of each."""
    own = [
        {"n": n, "state": "sent", "position": position, "event": {"type": f"neraca.{kind}.v1", "data": data}}
        for n, (kind, position, data) in enumerate(steps, 1)
    ]
    return dict(clerk.ask(f"loket.casefile.stateOf({json.dumps(server)}, {json.dumps(own)})"))


def test_a_step_that_the_server_has_counted_already_changes_nothing(clerk: Clerk) -> None:
    """Scaled out, the position of an answer is the least of all: a pause that lies beyond it may be counted already."""
    clerk.open(ready=False)
    eight, nine, ten, noon = (f"2026-01-20T{hour:02}:00:00.000Z" for hour in (8, 9, 10, 12))
    steps = (
        ("permit-received", 11, {"received_at": eight}),
        ("permit-paused", 12, {"at": nine, "reason": "payment"}),
        ("permit-resumed", 13, {"at": ten}),
    )
    pause = {"from": nine.replace("Z", "000Z"), "to": ten.replace("Z", "000Z"), "reason": "payment"}
    server = {
        "state": "received",
        "received_at": eight,
        "position": 5,
        "pauses": [pause],
        "paused_at": None,
        "reason": None,
    }
    state = state_of(clerk, server, *steps)
    assert (state["state"], state["pauses"]) == ("received", [pause])
    hours = f"loket.casefile.elapsed({json.dumps(state)}, Date.parse('{noon}')) / 3600e3"
    assert clerk.ask(hours) == 3
    again = {**server, "state": "paused", "paused_at": noon, "reason": "payment"}
    last = ("permit-paused", 14, {"at": noon, "reason": "payment"})
    state = state_of(clerk, again, *steps, last)
    assert (state["state"], state["paused_at"], state["pauses"]) == ("paused", noon, [pause])
    state = state_of(clerk, {**server, "state": "decided"}, *steps[:2])
    assert state["state"] == "decided", "a decided file is not paused by what came before"
    later_server = {**server, "state": "decided", "folded": 20}
    decision, undone = ("permit-processed", 14, {"outcome": "issued"}), ("permit-received", 15, {"received_at": noon})
    assert state_of(clerk, later_server, *steps, decision, undone) == {**later_server, "own": False}, (
        "all of it is folded"
    )
