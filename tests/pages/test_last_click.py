"""The last click: each event leads to its file or task, each count of late ones to its list, each entry to its course."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx
import pytest

from tests.pages.city import BUSY, FAST, MONTH, RARE, TWIN
from tests.pages.messages import ID
from tests.pages.reading import FAR, PERSONAL, Page, as_role, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.pages.conftest import Desk, Then
    from tests.process import Process
    from tests.serving import Assembled

pytestmark = pytest.mark.speed("test")

CHECKED: Final = 40
"""The most pages that a test goes to from one list."""


def facts(view: Page) -> dict[str, str]:
    return dict(zip(view.all("dt"), view.all("dd"), strict=True))


def lists(ask: Callable[[str], str]) -> Iterator[tuple[str, int, int]]:
    """Every list of late files and tasks of a city: its address, the count that leads to it, and its length."""
    board = json.loads(ask("/v1/dinas?limit=1000"))
    months = sorted(set(re.findall(r'<option value="(\d{4}[^"]*)"', ask("/"))))
    for dinas in [card["subject"]["id"] for card in board["items"]]:
        staff = json.loads(ask(f"/v1/dinas/{quote(dinas, safe='')}/asn?period={months[-1][:4]}&limit=20"))["items"]
        for path in (
            f"dinas/{quote(dinas, safe='')}",
            *(f"asn/{quote(card['subject']['id'], safe='')}" for card in staff[:2]),
        ):
            for month in months[-3:]:
                counts = json.loads(ask(f"/v1/{path}?period={month}"))["counts"]
                late = {
                    "permits": counts["permits_with_standard"] - counts["permits_on_time"],
                    "tasks": counts["tasks_with_due"] - counts["tasks_on_time"],
                }
                for kind, count in late.items():
                    address = f"/{path}/late?period={month}&kind={kind}"
                    yield address, count, length(ask, address)


def length(ask: Callable[[str], str], address: str) -> int:
    """The rows of a list over all its pages."""
    rows, following = 0, address
    while following:
        view = Page(ask(following))
        rows += len([row for row in view.rows if len(row) == 5 and "▲ terlambat" in row[3]])
        following = next((link for link in view.links if "cursor=" in link and "lang=" not in link), "")
    return rows


def in_process(city: Assembled) -> Callable[[str], str]:
    def ask(path: str) -> str:
        answer = city.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text

    return ask


def all_are_listed(ask: Callable[[str], str]) -> None:
    pages = list(lists(ask))
    assert [(address, count) for address, count, _ in pages] == [(address, rows) for address, _, rows in pages]
    assert sum(rows for _, _, rows in pages) > 0, "something was late"


def test_a_count_of_late_ones_equals_its_list_in_every_shared_city(
    small: Assembled, october: tuple[Assembled, Then], desk: Desk
) -> None:
    for city in (small, october[0], desk.city):
        all_are_listed(in_process(city))


@pytest.mark.speed("all")
def test_a_count_of_late_ones_equals_its_list_in_practice(practice: Process) -> None:
    with httpx.Client(base_url=practice.url) as client:
        all_are_listed(lambda path: client.get(path).raise_for_status().text)


@pytest.mark.parametrize("path", [f"/dinas/{TWIN}", f"/dinas/{FAST}", f"/asn/{BUSY}"])
def test_each_count_of_late_ones_leads_to_its_list_with_due_times(small: Assembled, path: str) -> None:
    """Beside what was on time; the API and the spreadsheet list the same."""
    view = page(small, f"{path}?{MONTH}")
    counts = small.get(f"/v1{path}?{MONTH}").json()["counts"]
    for kind, late, label in (
        ("permits", counts["permits_with_standard"] - counts["permits_on_time"], "Melewati standar waktu"),
        ("tasks", counts["tasks_with_due"] - counts["tasks_on_time"], "Tugas terlambat"),
    ):
        assert facts(view)[label] == str(late)
        address = f"{path}/late?{MONTH}&kind={kind}"
        assert (address in view.links) == bool(late)
        items = small.get(f"/v1{path}/late/{kind}?{MONTH}&limit=1000").json()["items"]
        lines = small.get(f"{address}&csv=late&lang=en").text.splitlines()[1:]
        assert len(items) == len(lines) == late
        assert [str(item["position"]) for item in items] == [line.split(",")[-2] for line in lines]
        assert all(item["late_us"] > 0 and item["due_at"] < item["completed_at"] for item in items)


def test_late_files_of_a_service_are_its_own(small: Assembled) -> None:
    assert length(in_process(small), f"/dinas/{TWIN}/late?{MONTH}&service=ktp-el") == 60
    assert length(in_process(small), f"/dinas/{TWIN}/late?{MONTH}&service=lain") == 0
    assert small.get(f"/dinas/{TWIN}/late?kind=lain").status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        f"/asn/{BUSY}",
        f"/asn/{BUSY}/events",
        f"/asn/{BUSY}/why",
        f"/dinas/{FAST}/events",
        f"/dinas/{FAST}/why",
        "/auditor/journal",
    ],
)
def test_each_event_of_a_file_or_a_task_leads_to_its_page(small: Assembled, path: str) -> None:
    """Each such page is there, and shows the position of the event that led to it."""
    number = 0
    for measure in ("permits", "tasks"):
        limit = f"&measure={measure}" if path.endswith("/events") else ""
        html = small.get(f"{path}?{MONTH}{limit}").text
        for row in re.findall(r"<tr><t[dh][^>]*>(?:<a[^>]*>)?[\d.]+(?:</a>)?</t[dh]>.*?</tr>", html):
            links = Page(row).links
            target = [link for link in links if "/file?" in link or "/task?" in link]
            assert len(target) == ("Warga menilai" not in row), row
            if target and number < CHECKED:
                number += 1
                (entry,) = {link for link in links if link.startswith("/auditor/journal/")}
                assert entry in page(small, target[0]).links
    assert number


def test_a_rating_never_leads_to_the_file_of_its_citizen(small: Assembled) -> None:
    for path in (f"/asn/{BUSY}/events", f"/asn/{RARE}/events", f"/dinas/{FAST}/events", "/auditor/journal"):
        query = "kind=satisfaction-rated" if path.startswith("/auditor") else "measure=ratings"
        rows = re.findall(r"<tr>.*?</tr>", small.get(f"{path}?{MONTH}&{query}").text)
        assert not [row for row in rows if "Warga menilai" in row and "/file?" in row]


@pytest.mark.parametrize("role", PERSONAL)
def test_the_name_of_a_withheld_rating_is_withheld_too(small: Assembled, role: str) -> None:
    """The id that a source gives a rating may name the case, and so the citizen: auditors alone are shown it."""
    caller, asn = as_role(small, role), BUSY if role == "asn" else RARE
    for path in (f"/asn/{asn}/events", f"/asn/{asn}/why", f"/asn/{asn}", f"/v1/asn/{asn}/events", f"/v1/asn/{asn}/why"):
        limit = "&limit=1000" if path.startswith("/v1") else ""
        answer = small.get(f"{path}?{MONTH}{limit}", **caller)
        assert (answer.status_code, "-nilai-" in answer.text) == (200, False), path
    auditor = as_role(small, "auditor")
    for path in (f"/asn/{asn}/events?{MONTH}&measure=ratings", f"/v1/asn/{asn}/events?{MONTH}&limit=1000"):
        assert "-nilai-" in small.get(path, **auditor).text, path
    html = small.get(f"/asn/{asn}/events?{MONTH}&measure=ratings", **auditor).text
    assert ID("receipt.answers") in html, "a page shows the answers of one rating to nobody"


def test_a_link_is_offered_only_to_those_for_whom_it_opens(small: Assembled) -> None:
    """A reader of persons may not see the journal, a leader of another dinas no file; an auditor sees all of it."""
    reader = {**FAR, "headers": {"authorization": small.token("baca-saja", "read")}}
    auditor = {**FAR, "headers": {"authorization": small.token("audit-saja", "audit")}}
    for path in (
        f"/asn/{BUSY}/events?{MONTH}",
        f"/dinas/{TWIN}/late?{MONTH}",
        f"/dinas/{FAST}/file?service=ktp-el&case=B-0",
    ):
        assert "/auditor/journal/" not in page(small, path, **reader).links
        assert not [link for link in page(small, path, **reader).links if link.startswith("/auditor/journal/")]
    for path in ("/auditor/journal?kind=permit-processed", "/auditor/journal/550"):
        assert [link for link in page(small, path, **auditor).links if "/file?" in link]
    leader = {**FAR, "headers": {"authorization": small.token("pimpinan-saja", "leader", dinas=[TWIN])}}
    assert [link for link in page(small, f"/dinas/{TWIN}/late?{MONTH}", **leader).links if "/file?" in link]
    assert not [
        link for link in page(small, f"/dinas/{FAST}?{MONTH}", **leader).links if "/file?" in link or "/why" in link
    ]


def test_an_entry_leads_to_its_corrections_and_these_to_it(small: Assembled) -> None:
    (wrong,) = [item["position"] for item in small.get(f"/v1/journal?id={FAST}-2026-11-izin-1").json()["items"]]
    (correction,) = [item["position"] for item in small.get("/v1/journal?id=koreksi").json()["items"]]
    assert f"/auditor/journal/{correction}" in page(small, f"/auditor/journal/{wrong}").links
    assert f"/auditor/journal/{wrong}" in page(small, f"/auditor/journal/{correction}").links
