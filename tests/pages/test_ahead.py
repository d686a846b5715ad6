"""The open files of a dinas, service by service, and those that lie ahead: due today, or waiting with their clock stopped."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.pages.messages import EN, ID
from tests.pages.reading import Page
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.both_databases


def file(case: str, service: str, received_at: str, *, pause: str = "", due: str = "") -> Iterator[dict[str, Any]]:
    """A case that is received, and perhaps paused."""
    names = {"dinas": "d", "service": service, "case": case}
    at = {"received_at": f"2026-11-{received_at}:00:00+07:00"} | (
        {"due_at": f"2026-11-{due}:00:00+07:00"} if due else {}
    )
    yield event("permit-received", f"{case}-r", {**names, **at})
    if pause:
        note = {**names, "at": f"2026-11-{pause}:00:00+07:00", "reason": "applicant"}
        yield event("permit-paused", f"{case}-p", note)


@pytest.fixture
def city(neraca: Assembled) -> Assembled:
    """At noon of the 24th; 24 hours are promised of `ktp` and `kk`, nothing of `surat`."""
    for service in ("ktp", "kk"):
        promise = {"service": service, "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
        neraca.record(event("standard-set", service, promise))
    neraca.record(
        *file("late", "ktp", "23T08"),
        *file("today", "ktp", "23T20"),
        *file("tomorrow", "ktp", "24T11"),
        *file("stands", "kk", "23T18", pause="23T20"),
        *file("own", "kk", "20T08", pause="21T08", due="24T23"),
        *file("free", "surat", "01T08", pause="02T08"),
        *file("midnight", "kk", "24T00"),
    )
    return neraca


def test_what_lies_ahead_is_due_today_or_waits(city: Assembled) -> None:
    """A day ends at its midnight; a paused file is due by a date of its own alone. A page left open names its day for good."""
    page = city.get("/dinas/d").text
    assert ID("subject.ahead", day="24 November 2026", due=2, paused=3) in page
    assert "24 November 2026" in ID("subject.ahead", day="24 November 2026", due=2, paused=3)
    city.clock.set("2026-11-25T00:00:00+07:00")
    page = city.get("/dinas/d").text
    assert ID("subject.ahead", day="25 November 2026", due=2, paused=3) in page, "tomorrow and midnight, by now"


def test_no_page_that_stands_says_today(neraca: Assembled) -> None:
    """A page may be left open past midnight: what it says of a day names the day."""
    promise = {"service": "ktp", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
    neraca.record(event("standard-set", "ktp", promise), *file("K-1", "ktp", "23T20"))
    languages = {"id": ("hari ini", "besok", "kemarin"), "en": ("today", "tomorrow", "yesterday")}
    for path in ("/", "/dinas/d", "/dinas/d/files", "/publik", "/dinas/d/file?service=ktp&case=K-1"):
        for language, words in languages.items():
            lang = ("&" if "?" in path else "?") + "lang=en" if language == "en" else ""
            answer = neraca.get(path + lang)
            assert answer.status_code == 200, path
            text = re.sub(r"<[^>]*>", " ", answer.text.casefold())
            assert [word for word in words if word in text] == [], path


@pytest.mark.parametrize(("service", "cases"), [("", ["late"]), ("ktp", ["late"]), ("kk", [])])
def test_the_number_of_overdue_files_leads_to_exactly_these(city: Assembled, service: str, cases: list[str]) -> None:
    """Neither one whose clock stands, nor one that is due later; the page and its spreadsheet alike."""
    query = "state=overdue" + (f"&service={service}" if service else "")
    page = city.get("/dinas/d").text
    assert (f'href="/dinas/d/files?{query}"' in page.replace("&amp;", "&")) == bool(cases)
    listing = Page(city.get(f"/dinas/d/files?{query}").text)
    assert [link.rpartition("case=")[2] for link in listing.links if "/file?" in link] == cases
    rows = list(csv.reader(io.StringIO(city.get(f"/dinas/d/files?{query}&csv=files").text), delimiter=";"))
    assert [row[0] for row in rows[1:]] == cases
    assert city.get("/dinas/d/files?state=late").status_code == 422


def test_a_long_list_of_overdue_files_goes_on_with_overdue_ones(city: Assembled) -> None:
    """All pages joined are as many as the number that leads there."""
    city.clock.set("2026-12-20T00:00:00+07:00")
    for n in range(60):
        city.record(*file(f"more-{n:02}", "ktp" if n % 3 else "surat", "23T08"))
    counts = city.get("/v1/dinas/d").json()["counts"]
    path, cases = "/dinas/d/files?state=overdue", []
    while path:
        page = city.get(path).text
        links = Page(page).links
        cases += [link.rpartition("case=")[2] for link in links if "/file?" in link]
        path = next((link for link in links if "cursor=" in link and "csv=" not in link), "")
    assert len(cases) == len(set(cases)) == counts["permits_open_overdue"] > 40
    assert not [case for case in cases if case.startswith("more") and int(case[5:]) % 3 == 0]


@pytest.mark.parametrize("period", ["2026-11", "2026-01"])
def test_open_files_of_each_service_add_up_to_those_of_the_dinas(city: Assembled, period: str) -> None:
    """They are of now, in any period."""
    counts = city.get(f"/v1/dinas/d?period={period}").json()["counts"]
    rows = csv.DictReader(io.StringIO(city.get(f"/dinas/d?period={period}&csv=services&lang=en").text.lstrip("\ufeff")))
    counts_read = {row["Service"]: (int(row[EN("csv.open")]), int(row[EN("csv.overdue")])) for row in rows}
    assert counts_read == {"kk": (3, 0), "ktp": (3, 1), "surat": (1, 0)}
    assert tuple(map(sum, zip(*counts_read.values(), strict=True))) == (
        counts["permits_open"],
        counts["permits_open_overdue"],
    )
    counts_shown = {
        row[0].split()[0]: row[1]
        for row in Page(city.get(f"/dinas/d?period={period}").text).rows
        if row[0][:2] in ("kt", "Se")
    }
    assert counts_shown == {"ktp": "3 ▲ 1", "Semua": "7 ▲ 1"}
