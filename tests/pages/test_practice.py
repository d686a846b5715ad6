"""Practice: marked on every page, five steps for each of four people, begun anew at will, never mixed with what counts."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urljoin

import httpx
import pytest

from api.pages.tours import ROLES, STEPS, step_of
from streams.demo.practice import Practice
from tests.pages.axe_rules import broken_on, broken_rules
from tests.pages.counter import Clerk
from tests.pages.reading import Page
from tests.process import Process
from tests.serving import BATCH, event, until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page as Window

MARK: Final = "LATIHAN: tidak dihitung"
PAGES: Final = (
    "/",
    "/dinas/disdukcapil",
    "/dinas/disdukcapil/why",
    "/dinas/disdukcapil/files",
    "/publik",
    "/masuk",
    "/latihan",
    "/dinas/tak-ada",
    "/loket",
    "/loket/warga",
    "/auditor",
    "/auditor/journal",
    "/tak/ada/di/sini",
)
TASK: Final = {"dinas": "disdukcapil", "asn": "a-00001", "task": "LATIH-1", "completed_at": "2026-08-03T10:00:00+07:00"}


def get(practice: Process, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - keywords of httpx
    return httpx.get(practice.url.rstrip("/") + path, follow_redirects=True, timeout=30, **options)


def journaled(practice: Process, **filters: str) -> list[dict[str, Any]]:
    """The entries of some kind in the whole journal: a page of it looks through a part."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = get(practice, f"/v1/journal?{urlencode({'limit': '1000', **filters, **cursor})}").json()
        items += page["items"]
        cursor = {"cursor": page["next"]} if page["next"] else None
    return items


def test_every_page_is_marked(practice: Process) -> None:
    answers = {path: get(practice, path, headers={"accept": "text/html"}) for path in PAGES}
    assert {
        path for path, answer in answers.items() if not answer.headers["content-type"].startswith("text/html")
    } == set()
    assert {
        path for path, answer in answers.items() if f'<span class="tag sim">{MARK}</span>' not in answer.text
    } == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_tour_leads_through_five_steps_each_on_its_page(practice: Process, role: str) -> None:
    """From the first step by its own links, each on a page that is there, the last back to all tours."""
    following = f"/latihan/{role}-1"
    for number in range(1, STEPS + 1):
        answer = get(practice, following)
        assert answer.status_code == 200, f"{following}: {answer.text[:300]}"
        assert f"langkah {number} dari 5" in answer.text
        links = [link for link in Page(answer.text).links if link.startswith("/latihan")]
        following = f"/latihan/{role}-{number + 1}" if number < STEPS else "/latihan"
        assert following in links
    assert "langkah" in get(practice, following).text


class Forms(HTMLParser):
    """The forms of a page that ask by GET: where to, and the fields a browser sends, those that must be filled in filled in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._fields: dict[str, str] | None = None
        self._select = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, or take a field."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = {} if attributes.get("method") == "get" else None
            if self._fields is not None:
                self.found.append((attributes.get("action", ""), self._fields))
        fields, name = self._fields, attributes.get("name", "")
        if fields is None:
            return
        if tag == "select":
            self._select = name
        elif tag == "option" and (self._select not in fields or "selected" in attributes):
            fields[self._select] = attributes["value"]
        elif (
            tag == "input" and name and (attributes.get("type") not in ("radio", "checkbox") or "checked" in attributes)
        ):
            fields[name] = attributes.get("value") or ("a-00001" if "required" in attributes else "")

    def handle_endtag(self, tag: str) -> None:
        """End a form."""
        if tag == "form":
            self._fields = None


@pytest.mark.parametrize("role", ROLES)
def test_a_step_stays_on_the_page_whichever_of_its_forms_is_sent(practice: Process, role: str) -> None:
    """But for a form that is answered by a file: it leaves the page where it is."""
    count = 0
    for number in range(1, STEPS + 1):
        page, progress = get(practice, f"/latihan/{role}-{number}"), f"langkah {number} dari {STEPS}"
        for action, fields in Forms(page.text).found:
            count += 1
            address = urljoin(str(page.url), action).partition("?")[0].partition("#")[0]
            answer = httpx.get(f"{address}?{urlencode(fields)}", follow_redirects=True, timeout=30)
            if answer.headers["content-type"].startswith("text/html"):
                assert progress in answer.text, f"{page.url}: {action} {fields}"
    assert count >= STEPS - 1


def test_the_clerks_tour_begins_at_a_counter_that_works(practice: Process) -> None:
    tags = [attributes.get("id") for _, attributes in Page(get(practice, "/latihan/petugas-1").text).tags]
    assert "kerja" in tags
    assert "pilih" not in tags


def test_only_steps_that_exist_are_steps(practice: Process) -> None:
    assert [step_of(code) for code in ("petugas-0", "petugas-6", "petugas-", "wali-1", "", "asn-٣", "asn-1x")] == [
        None
    ] * 7
    assert "langkah 9" not in get(practice, "/?tur=asn-9").text


def test_beginning_anew_takes_away_what_was_practised_and_serves_at_the_same_address(own_practice: Process) -> None:
    """And the small city is loaded anew."""
    url, body = own_practice.url, [event("task-completed", "latih-1", TASK)]
    tally = httpx.post(f"{url}/v1/events", json=body, headers={"content-type": BATCH})
    assert tally.json()["accepted"] == 1, tally.text
    before = get(own_practice, "/v1/journal?limit=1").json()["journal"]
    refusal = httpx.post(f"{url}/latihan/ulang", headers={"sec-fetch-site": "cross-site"})
    assert refusal.status_code == 403
    answer = httpx.post(f"{url}/latihan/ulang")
    assert answer.status_code == 202
    assert MARK in answer.text

    def renewed() -> bool:
        try:
            return bool(get(own_practice, "/v1/journal?limit=1").json()["journal"] != before)
        except httpx.TransportError:
            return False

    until(renewed, "another journal is served")
    until(lambda: journaled(own_practice, type="neraca.permit-processed.v1"), "the small city is loaded anew")
    assert journaled(own_practice, id="latih-1") == []
    again = httpx.post(f"{url}/v1/events", json=body, headers={"content-type": BATCH})
    assert again.json()["accepted"] == 1, "it is new to the new journal"


def test_whoever_signed_in_is_signed_in_after_beginning_anew(tmp_path: Path) -> None:
    """Tokens are not what was practised; and a directory without the mark is never emptied."""
    (tmp_path / "balances").mkdir()
    for name in ("journal.sqlite", "tokens.sqlite", "tokens.sqlite-wal", "balances/generation-1.sqlite"):
        (tmp_path / name).touch()
    practice = Practice(tmp_path)
    practice.empty()
    assert len(list(tmp_path.iterdir())) == 4
    practice.marker.touch()
    practice.empty()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tokens.sqlite", "tokens.sqlite-wal"]


@pytest.mark.browser
def test_a_clerk_practises_without_a_network_on_a_machine_that_has_no_cable(
    own_practice: Process, page: Window
) -> None:
    """The switch of the clerk's fourth step cuts the page off, and its worker sends nothing behind its back."""
    cut, numbers = page.locator("#putus"), ["LATIH-41", "LATIH-42"]

    def recorded() -> list[str]:
        own_practice.settle()
        entries = journaled(own_practice, source="/loket/disdukcapil/1")
        return [entry["data"]["case"] for entry in entries if entry["data"].get("case") in numbers]

    clerk = Clerk(page, own_practice.url.rstrip("/"))
    page.goto(f"{clerk.url}/latihan/petugas-4")
    clerk.working()
    clerk.until("!!navigator.serviceWorker.controller", "the worker is there")
    clerk.sees("#keadaan", "● tersambung")
    assert "Putuskan jaringan (latihan)" in clerk.text(".tour")
    assert cut.evaluate("cut => cut.labels[0].getBoundingClientRect().height") >= 44
    clerk.press("Alt+1")
    cut.focus()
    clerk.press("Space")
    clerk.sees("#keadaan", "○ luring sejak")
    assert broken_rules(page) == []
    page.focus("#nomor")
    for number in numbers:
        clerk.step(number, "F2")
    clerk.sees("#keadaan", "2 belum terkirim")
    assert recorded() == []
    cut.focus()
    clerk.press("Space")
    clerk.sees("#keadaan", "● tersambung")
    clerk.until_sent()
    assert recorded() == numbers


@pytest.mark.browser
def test_practice_breaks_no_rule_of_accessibility(practice: Process, page: Window) -> None:
    """All tours, and a step of each on its page, by axe as any other page."""
    for path in ("/latihan", *(f"/latihan/{role}-2" for role in ROLES)):
        page.goto(practice.url.rstrip("/") + path)
        assert broken_on(page, [(390, 1080, False), (1920, 1080, True)], path) == []


def test_practice_is_not_begun_in_a_journal_that_counts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Process(data) as process:
        task = [event("task-completed", "1", TASK)]
        assert (
            httpx.post(f"{process.url}/v1/events", json=task, headers={"content-type": BATCH}).json()["accepted"] == 1
        )
        assert httpx.post(f"{process.url}/latihan/ulang").status_code in (404, 405)
        assert MARK not in httpx.get(process.url).text
        counter = httpx.get(f"{process.url}/loket?dinas=disdukcapil").text
        assert "putus" not in [attributes.get("id") for _, attributes in Page(counter).tags]
        scripts = [attributes["src"] or "" for tag, attributes in Page(counter).tags if tag == "script"]
        assert [source for source in scripts if source.startswith("/static/loket/practice.js")] == []
    refusal = subprocess.run(
        [sys.executable, "-m", "neraca", "up", "--latihan", "--port", "0", "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refusal.returncode != 0
    assert "holds a journal that counts" in refusal.stderr
    assert (data / "journal.sqlite").exists()


@pytest.mark.browser
@pytest.mark.speed("test")
def test_a_directory_of_practice_stays_marked_however_it_is_served(tmp_path: Path, page: Window) -> None:
    """As soon as it is begun; and its page is as accessible as any other."""
    data = tmp_path / "latihan"
    with Process(data, "--latihan"):
        pass
    with Process(data) as plain:
        page.goto(plain.url)
        assert page.inner_text("span.tag.sim") == MARK
        assert broken_rules(page) == []
