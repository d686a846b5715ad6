"""From a figure down to its events: trends are the API's series, ranks its ranking, and each count leads to what it counts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.pages.city import BUSY, FAST, IDLE, MONTH, NAMES, RARE, RATINGS, SMALL, TWIN
from tests.pages.messages import ID
from tests.pages.reading import FAR, PERSONAL, Page, as_role, figure
from tests.serving import NDJSON, Assembled, event, ndjson

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.speed("test")

COUNTED: Final = (
    "permits",
    "permits_with_standard",
    "permits_on_time",
    "permits_rejected",
    "tasks",
    "tasks_with_due",
    "tasks_on_time",
    "tasks_self_reported",
    "ratings",
)


def shown(city: Assembled, path: str, **caller: Any) -> Page:  # noqa: ANN401 - the keywords of ``ask``
    answer = city.get(path, **caller)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def events_of(city: Assembled, path: str, **caller: Any) -> list[str]:  # noqa: ANN401 - the keywords of ``ask``
    """The positions of a list of events, over all its pages."""
    positions: list[str] = []
    following: str | None = path
    while following is not None:
        page = shown(city, following, **caller)
        positions += [row[0] for row in page.rows if row[0].replace(".", "").isdigit()]
        following = next((link for link in page.links if "cursor=" in link and "lang=" not in link), None)
    return positions


@pytest.mark.parametrize("path", [f"/dinas/{FAST}", f"/dinas/{TWIN}", f"/asn/{BUSY}"])
def test_the_trend_is_the_series_of_the_api(small: Assembled, path: str) -> None:
    scores = [card["iku"]["value"] for card in small.get(f"/v1{path}/series?{MONTH}").json()["items"]]
    html = small.get(f"{path}?{MONTH}").text
    points = re.findall(r"<title>(\w+) 2026: ([\d,]+)</title>", html)
    assert [value for _, value in points] == [figure(score) for score in scores if score is not None]
    assert [month for month, _ in points] == ["Oktober", "November"]
    assert len(re.findall(r'<circle class="open"', html)) == 1, "the month that runs is hollow"


def test_without_a_score_in_any_month_no_trend_is_drawn(small: Assembled) -> None:
    assert 'class="chart"' not in small.get(f"/dinas/{SMALL}").text


def test_a_row_of_the_board_draws_its_months(small: Assembled) -> None:
    html = small.get(f"/?{MONTH}").text
    scores = [card["iku"]["value"] for card in small.get(f"/v1/dinas/{FAST}/series?{MONTH}").json()["items"]]
    figures = [figure(score) for score in scores if score is not None]
    assert f'aria-label="12 bulan: dari {figures[0]} ke {figures[-1]}, {len(figures)} bulan bernilai"' in html


def test_open_files_stand_before_the_indicators_with_what_is_due_first_first(small: Assembled) -> None:
    page = shown(small, f"/dinas/{FAST}")
    files = small.get(f"/v1/dinas/{FAST}/files").json()["items"]
    headings = page.all("h2")
    assert headings.index(ID("subject.open")) < headings.index("Indikator terhadap target")
    rows = [row for row in page.rows if row[0].startswith("B-")]
    assert [row[0].split()[0] for row in rows] == [file["case"] for file in files]
    assert "▲ terlambat 22 hari" in rows[0][-1]
    assert rows[1][-1] == "sisa 20 jam"


def test_a_paused_file_says_why_its_clock_stands(neraca: Assembled) -> None:
    case = {"dinas": "d", "service": "ktp-el", "case": "P-1"}
    neraca.record(
        event(
            "permit-received",
            "1",
            {**case, "received_at": "2026-11-23T08:00:00+07:00", "due_at": None}
            | {"due_at": "2026-11-30T08:00:00+07:00"},
        ),
        event("permit-paused", "2", {**case, "at": "2026-11-23T09:00:00+07:00", "reason": "blank_stock"}),
    )
    assert "❚❚ ditangguhkan: blangko habis, sejak 23 Nov 2026, 09.00.00 WIB" in neraca.get("/dinas/d/files").text


def test_an_open_file_leads_to_why_it_is_late(neraca: Assembled) -> None:
    """Received on the 20th at 8, paused for 24 h 50 min of 100 h: 75 h 10 min of service time, of 24 h that were promised."""
    case = {"dinas": "d", "service": "ktp / el", "case": "P 1?"}
    standard = {"service": "ktp / el", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
    neraca.record(
        event("standard-set", "std", standard, time="2026-01-01T00:00:00+07:00"),
        event("permit-received", "1", {**case, "asn": "a-1", "received_at": "2026-11-20T08:00:00+07:00"}),
        event("permit-paused", "2", {**case, "at": "2026-11-21T08:00:00+07:00", "reason": "blank_stock"}),
        event("permit-resumed", "3", {**case, "at": "2026-11-22T08:50:00+07:00"}),
    )
    (link,) = [link for link in shown(neraca, "/dinas/d/files").links if link.startswith("/dinas/d/file?")]
    text = neraca.get(link).text
    assert (
        "100 jam sejak diterima − 24 jam 50 mnt ditangguhkan = 75 jam 10 mnt waktu layanan, dari 24 jam yang dijanjikan"
        in text
    )
    assert "▲ terlambat 51 jam" in text
    assert [row for row in Page(text).rows if "Nov 2026" in row[0]] == [
        ["20 Nov 2026, 08.00.00 WIB", "Diterima", "", "3"],
        ["21 Nov 2026, 08.00.00 WIB", "Ditangguhkan: blangko habis", "24 jam 50 mnt", "4"],
        ["22 Nov 2026, 08.50.00 WIB", "Dilanjutkan", "", "5"],
    ]
    assert neraca.get(link, **FAR).status_code == 401
    assert ID("problem.file-text") in neraca.get("/dinas/d/file?service=x&case=y").text
    data = {**case, "completed_at": "2026-11-24T11:00:00+07:00"}
    neraca.record(event("permit-processed", "4", data))
    text = neraca.get(link).text
    sentence = "99 jam dari diterima sampai selesai − 24 jam 50 mnt ditangguhkan = 74 jam 10 mnt waktu layanan"
    assert f"{sentence}, dari 24 jam yang dijanjikan" in text
    assert "terbit, ▲ terlambat 50 jam" in Page(text).all("dd")


def test_a_file_with_a_due_date_of_its_own_and_one_without_a_promise_say_so(neraca: Assembled) -> None:
    case = {"dinas": "d", "service": "s"}
    due = {"received_at": "2026-11-23T12:00:00+07:00", "due_at": "2026-11-24T10:00:00+07:00"}
    neraca.record(
        event("permit-received", "1", {**case, "case": "D-1", **due}),
        event("permit-paused", "2", {**case, "case": "D-1", "at": "2026-11-24T09:00:00+07:00", "reason": "applicant"}),
        event("permit-received", "3", {**case, "case": "N-1", "received_at": "2026-11-23T12:00:00+07:00"}),
    )
    text = neraca.get("/dinas/d/file?service=s&case=D-1").text
    assert "24 jam sejak diterima, 3 jam di antaranya ditangguhkan." in text
    assert "▲ terlambat 2 jam" in text, "no pause moves it"
    assert "masih ditangguhkan" in text
    text = neraca.get("/dinas/d/file?service=s&case=N-1").text
    assert "belum punya janji waktu" in text
    assert "terlambat" not in Page(text).all("dd")


@pytest.mark.parametrize("path", [f"/dinas/{FAST}", f"/asn/{BUSY}"])
def test_a_count_leads_to_the_very_events_it_counts(small: Assembled, path: str) -> None:
    """A retraction and a correction moved it too: they are listed, and their postings net to the count."""
    counts = small.get(f"/v1{path}?{MONTH}").json()["counts"]
    page = shown(small, f"{path}?{MONTH}")
    behind = small.get(f"/v1{path}/events?{MONTH}&limit=1000").json()["items"]
    for measure in COUNTED:
        measures = ("respondents", "overall_n") if measure == "ratings" else (measure,)
        sums = {
            item["position"]: net
            for item in behind
            if (net := sum(p["amounts"].get(name, 0) for p in item["postings"] for name in measures))
            or any(p["amounts"].get(name) for p in item["postings"] for name in measures)
        }
        assert sum(sums.values()) == counts[measure]
        address = f"{path}/events?{MONTH}&measure={measure}"
        assert (address in page.links) == bool(counts[measure])
        positions = events_of(small, address)
        assert [int(text.replace(".", "")) for text in positions] == sorted(sums, reverse=True)


def test_events_of_a_service_are_its_own(small: Assembled) -> None:
    positions = events_of(small, f"/dinas/{FAST}/events?{MONTH}&service=ktp-el&measure=permits_rejected")
    assert len(positions) == 3
    assert events_of(small, f"/dinas/{FAST}/events?{MONTH}&service=lain") == []
    refusal = small.get(f"/dinas/{FAST}/events?measure=rahasia")
    assert refusal.status_code == 422
    assert Page(refusal.text).all("h1") == ["Alamat tidak dapat dijawab"]


def served_by(asn: str, hours: int) -> Iterator[dict[str, Any]]:
    """Thirty permits of one ASN, each so many hours after receipt, and thirty tasks in time."""
    yield event("asn-registered", asn, {"asn": asn})
    yield event("asn-assigned", f"t-{asn}", {"asn": asn, "dinas": "d", "effective_from": "2026-01-01"})
    completed_at = datetime.fromisoformat("2026-11-10T08:00:00+07:00") + timedelta(hours=hours)
    for n in range(30):
        yield event(
            "permit-processed",
            f"{asn}-{n}",
            {
                "dinas": "d",
                "service": "ktp-el",
                "case": f"{asn}-{n}",
                "asn": asn,
                "due_at": "2026-11-11T08:00:00+07:00",
                "received_at": "2026-11-10T08:00:00+07:00",
                "completed_at": completed_at.isoformat(),
            },
        )
        yield event(
            "task-completed",
            f"{asn}-t{n}",
            {
                "dinas": "d",
                "asn": asn,
                "task": f"{asn}-{n}",
                "completed_at": "2026-11-10T08:00:00+07:00",
                "due_at": "2026-11-10T09:00:00+07:00",
            },
        )


def test_an_asn_is_ranked_within_their_dinas_as_the_api_ranks_them(neraca: Assembled) -> None:
    staff = {"a-1": 4, "a-2": 20, "a-3": 20, "a-4": 30}
    registration = event("dinas-registered", "d", {"dinas": "d", "name": "Dinas D"})
    facts = [registration, *(fact for asn, hours in staff.items() for fact in served_by(asn, hours))]
    assert neraca.post(ndjson(facts), NDJSON).json()["rejected"] == []
    neraca.settle()
    ranking = neraca.get(f"/v1/rankings/asn?dinas=d&{MONTH}").json()["items"]
    assert any(card["rank"]["best"] != card["rank"]["worst"] for card in ranking), "a tie is among them"
    view = shown(neraca, f"/dinas/d?{MONTH}&order=score")
    names = [row[1].split()[0] for row in view.rows if len(row) > 1 and row[1][:3] in staff]
    assert names == [card["subject"]["id"] for card in ranking]
    for card in ranking:
        best, worst = card["rank"]["best"], card["rank"]["worst"]
        rank = f"{best} dari 4" if best == worst else f"{best}–{worst} dari 4"
        page = shown(neraca, f"/asn/{card['subject']['id']}?{MONTH}")
        assert page.has(("Peringkat di Dinas D", rank))


def test_the_trend_of_an_asn_comes_before_any_rank(small: Assembled) -> None:
    html = small.get(f"/asn/{BUSY}?{MONTH}").text
    assert html.index("Tren 12 bulan") < html.index(f"Peringkat di {NAMES[FAST]}")


def test_what_is_of_persons_stays_closed_to_strangers(small: Assembled) -> None:
    for path in (f"/dinas/{FAST}/files", f"/dinas/{FAST}/events", f"/asn/{BUSY}/events"):
        assert small.get(path, **FAR).status_code == 401, path
    html = small.get(f"/dinas/{FAST}", **FAR).text
    assert "B-0" not in html
    assert "/events" not in html
    assert "/asn/" not in html


@pytest.mark.parametrize("subject", [f"/asn/{BUSY}", f"/dinas/{FAST}"])
def test_a_withheld_rating_stays_withheld_among_the_events(small: Assembled, subject: str) -> None:
    """An auditor is listed every event; whoever else sees the reasons, all but the ratings, of which no position is told."""
    auditor, reader = as_role(small, "auditor"), as_role(small, "personnel")
    every = events_of(small, f"{subject}/events?{MONTH}", **auditor)
    ratings = events_of(small, f"{subject}/events?{MONTH}&measure=ratings", **auditor)
    assert len(ratings) >= RATINGS
    rest = [position for position in every if position not in set(ratings)]
    assert events_of(small, f"{subject}/events?{MONTH}", **reader) == rest


@pytest.mark.parametrize("role", PERSONAL)
def test_no_single_rating_is_listed_to_who_is_no_auditor(small: Assembled, role: str) -> None:
    caller, asn = as_role(small, role), BUSY if role == "asn" else RARE
    assert events_of(small, f"/asn/{asn}/events?{MONTH}&measure=ratings", **caller) == []
    assert "Warga menilai" not in small.get(f"/asn/{asn}/events?{MONTH}", **caller).text
    assert events_of(small, f"/asn/{RARE}/events?{MONTH}&measure=ratings", **as_role(small, "auditor"))
    assert not events_of(small, f"/asn/{IDLE}/events?{MONTH}")


def test_the_feed_tells_of_units_and_services_only(small: Assembled) -> None:
    html = small.get("/").text
    feed = html[html.index('id="baru-isi"') : html.index("</ol>", html.index('id="baru-isi"'))]
    assert feed.count("<li id=") == 8
    assert f"/dinas/{quote(FAST)}" in feed
    for secret in (BUSY, RARE, "K-", "B-", "T-", "loket"):
        assert secret not in feed, secret
