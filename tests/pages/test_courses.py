"""The course of a file or a task: how it was judged, by how much it was early or late, and all that was taken out since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pages.reading import FAR, Page, page
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.speed("test")

CASE: Final = {"dinas": "d", "service": "pbg", "case": "P 1?"}
FILE: Final = "/dinas/d/file?service=pbg&case=P+1%3F"
STANDARD: Final = {"service": "pbg", "amount": 72, "unit": "wall_hours", "effective_from": "2026-01-01"}
RECEIVED: Final = {**CASE, "asn": "a-1", "received_at": "2026-11-10T08:00:00+07:00"}


def rules() -> Iterator[dict[str, Any]]:
    yield event("standard-set", "std", STANDARD, time="2026-01-01T00:00:00+07:00")
    yield event("dinas-registered", "n", {"dinas": "d", "name": "Dinas D"}, time="2026-01-01T00:00:00+07:00")


def decided(completed_at: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the data
    return event(
        "permit-processed", more.pop("name", "d"), {**CASE, "completed_at": f"2026-11-{completed_at}+07:00", **more}
    )


def facts(view: Page) -> dict[str, str]:
    return dict(zip(view.all("dt"), view.all("dd"), strict=True))


def steps(view: Page) -> list[list[str]]:
    return [row for row in view.rows if len(row) == 4 and " 2026, " in row[0]]


def test_a_decided_file_shows_its_decision_its_clock_its_promise_and_by_how_much_it_was_late(neraca: Assembled) -> None:
    """Received on the 10th at 8, paused for a day, decided on the 15th at 13: 4 days 5 hours of 3 days."""
    neraca.record(
        *rules(),
        event("permit-received", "r", RECEIVED),
        event("permit-paused", "p", {**CASE, "at": "2026-11-11T08:00:00+07:00", "reason": "blank_stock"}),
        event("permit-resumed", "q", {**CASE, "at": "2026-11-12T08:00:00+07:00"}),
        decided("15T13:00:00", asn="a-1"),
    )
    view = page(neraca, FILE)
    values = facts(view)
    assert values["Keadaan"] == "terbit, ▲ terlambat 1 hari 5 jam"
    assert values["Waktu yang dijanjikan"] == "3 hari /loket#std"
    assert values["Tenggat"] == "14 November 2026, 08.00 WIB"
    assert values["Selesai"] == "15 November 2026, 13.00 WIB Posisi 7"
    assert (
        "5 hari 5 jam dari diterima sampai selesai − 1 hari ditangguhkan = 4 hari 5 jam waktu layanan, dari 3 hari yang dijanjikan"
        in view.all("p")
    )
    assert steps(view) == [
        ["10 Nov 2026, 08.00.00 WIB", "Diterima", "", "4"],
        ["11 Nov 2026, 08.00.00 WIB", "Ditangguhkan: blangko habis", "1 hari", "5"],
        ["12 Nov 2026, 08.00.00 WIB", "Dilanjutkan", "", "6"],
        ["15 Nov 2026, 13.00.00 WIB", "Selesai: terbit", "4 hari 5 jam dari 3 hari", "7"],
    ]
    answer = neraca.get("/v1" + FILE).json()
    assert answer["decision"] == {
        "position": 7,
        "outcome": "issued",
        "completed_at": "2026-11-15T06:00:00.000000Z",
        "received_at": "2026-11-10T01:00:00.000000Z",
        "elapsed_us": 101 * 3_600_000_000,
        "paused_us": 24 * 3_600_000_000,
        "pauses": [
            {"from": "2026-11-11T01:00:00.000000Z", "to": "2026-11-12T01:00:00.000000Z", "reason": "blank_stock"}
        ],
        "promise_us": 72 * 3_600_000_000,
        "standard": "/loket#std",
        "due_at": "2026-11-14T01:00:00.000000Z",
        "on_time": False,
        "margin_us": -29 * 3_600_000_000,
        "flags": ["unknown_asn"],
    }
    assert [(entry["position"], entry["in_force"]) for entry in answer["entries"]] == [
        (at, True) for at in (4, 5, 6, 7)
    ]


@pytest.mark.parametrize(
    ("decision", "state", "due"),
    [
        (
            decided("11T08:00:00", outcome="rejected"),
            "ditolak, tepat waktu lebih cepat 2 hari",
            "13 November 2026, 08.00 WIB",
        ),
        (decided("13T08:00:00"), "terbit, tepat waktu tepat pada tenggat", "13 November 2026, 08.00 WIB"),
        (
            decided("11T08:00:00", due_at="2026-11-10T20:00:00+07:00"),
            "terbit, ▲ terlambat 12 jam",
            "10 November 2026, 20.00 WIB",
        ),
        (decided("11T08:00:00", service="bebas", received_at="2026-11-11T07:00:00+07:00"), "terbit", None),
    ],
    ids=["early and rejected", "on the dot", "past a due date of its own", "nothing promised"],
)
def test_a_decision_says_its_outcome_and_how_it_was_judged(
    neraca: Assembled, decision: dict[str, Any], state: str, due: str | None
) -> None:
    neraca.record(*rules(), event("permit-received", "r", RECEIVED), decision)
    values = facts(page(neraca, FILE.replace("pbg", decision["data"]["service"])))
    assert values["Keadaan"] == state
    assert values.get("Tenggat") == due


def test_a_decision_without_a_receipt_shows_the_receipt_and_the_pauses_that_it_states(neraca: Assembled) -> None:
    pause = {"from": "2026-11-10T10:00:00+07:00", "to": "2026-11-10T12:00:00+07:00", "reason": "applicant"}
    neraca.record(*rules(), decided("10T20:00:00", received_at=RECEIVED["received_at"], pauses=[pause]))
    view = page(neraca, FILE)
    assert [row[1:3] for row in steps(view)] == [
        ["Diterima", ""],
        ["Ditangguhkan: menunggu pemohon", "2 jam"],
        ["Dilanjutkan", ""],
        ["Selesai: terbit", "10 jam dari 3 hari"],
    ]
    assert "12 jam dari diterima sampai selesai − 2 jam ditangguhkan = 10 jam waktu layanan" in " ".join(view.all("p"))


def test_what_was_corrected_or_retracted_stays_in_the_course_with_its_reason(neraca: Assembled) -> None:
    """A later standard moves nothing: the file is shown as it was judged."""
    name = {"source": "/loket", "id": "d"}
    replacement = {**CASE, "completed_at": "2026-11-12T08:00:00+07:00", "received_at": RECEIVED["received_at"]}
    neraca.record(
        *rules(),
        event("permit-received", "r", RECEIVED),
        decided("11T08:00:00"),
        event("event-corrected", "c", {"event": name, "reason": "salah-waktu", "replacement": replacement}),
        event("standard-set", "later", {**STANDARD, "amount": 1}),
    )
    view = page(neraca, FILE)
    assert facts(view)["Keadaan"] == "terbit, tepat waktu lebih cepat 1 hari"
    assert [(row[1].partition(" oleh")[0], row[3]) for row in steps(view)] == [
        ("Diterima", "4"),
        ("Selesai: terbit tidak berlaku lagi: lihat koreksi atau pencabutannya", "5"),
        ("Selesai: terbit", "6"),
        ("Koreksi: Dokumen terbit alasan: salah-waktu ·", "6"),
    ]
    neraca.record(event("event-retracted", "x", {"event": {"source": "/loket", "id": "c"}, "reason": "ganda"}))
    view = page(neraca, FILE)
    assert "berjalan" not in facts(view)["Keadaan"] or "waktu layanan" in " ".join(view.all("p"))
    assert steps(view)[-1][1].startswith("Pencabutan: Dokumen terbit alasan: ganda")
    assert neraca.get("/v1" + FILE).json()["decision"] is None
    neraca.record(event("event-retracted", "y", {"event": {"source": "/loket", "id": "r"}, "reason": "ganda"}))
    assert facts(page(neraca, FILE))["Keadaan"] == "dicabut: tidak ada catatan yang berlaku"


def test_a_late_task_says_when_it_was_due_by_how_much_it_was_late_and_who_corrected_it(neraca: Assembled) -> None:
    data = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-10T12:00:00+07:00"}
    late = {**data, "due_at": "2026-11-10T08:00:00+07:00", "assigned_at": "2026-11-09T08:00:00+07:00"}
    neraca.record(*rules(), event("task-completed", "t", late))
    address = "/asn/a-1/task?at=4"
    values = facts(page(neraca, address))
    assert values["Keadaan"] == "▲ terlambat 4 jam"
    assert values["Tenggat"] == "10 November 2026, 08.00 WIB"
    assert values["Selesai"] == "10 November 2026, 12.00 WIB"
    fair = {**late, "completed_at": "2026-11-10T07:00:00+07:00", "reported_by": "self"}
    reversal = {"event": {"source": "/loket", "id": "t"}, "reason": "salah-waktu", "replacement": fair}
    neraca.record(event("event-corrected", "c", reversal))
    for at in (4, 5):
        view = page(neraca, f"/asn/a-1/task?at={at}")
        values = facts(view)
        assert values["Keadaan"] == "tepat waktu lebih cepat 1 jam"
        assert values["Dilaporkan oleh"] == "ASN sendiri"
        assert ["Koreksi: Tugas selesai alasan: salah-waktu · oleh local", "5"] in [row[1::2] for row in steps(view)]
    for wrong in (
        "/asn/a-2/task?at=4",
        "/asn/a-1/task?at=1",
        "/asn/a-1/task?at=x",
        "/asn/a-1/task",
        f"/asn/a-1/task?at={9**20}",
    ):
        assert neraca.get(wrong).status_code == 404, wrong
    assert neraca.get(address, **FAR).status_code == 401
