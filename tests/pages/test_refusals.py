"""A refusal is a page with its reason to a browser, a problem to a program; no request is the server's failure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest

from tests.pages.counter import SERVICES, UNIT
from tests.pages.reading import FAR
from tests.serving import event

if TYPE_CHECKING:
    from tests.serving import Assembled

pytestmark = pytest.mark.speed("test")

BROWSER: Final = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM: Final = {"content-type": "application/x-www-form-urlencoded", **BROWSER}


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/tak/ada", 404, "Tidak ada halaman di alamat ini."),
        ("GET", "/dinas/", 404, "Tidak ada halaman di alamat ini."),
        ("GET", "/keluar", 405, "tidak dapat dilayani di alamat ini"),
        ("GET", "/loket/qr.svg", 422, "Alamat ini tidak lengkap."),
        ("GET", f"/loket/qr.svg?dinas={UNIT}&service=kk&case=K-404", 409, "Kode penilaian diberikan setelah"),
        ("GET", "/tak/ada?lang=en", 404, "There is no page at this address."),
    ],
)
def test_a_browser_that_is_refused_reads_a_page(
    unit: Assembled, method: str, path: str, status: int, title: str
) -> None:
    """In its language and guarded like any other; a program that asks for no page reads a problem."""
    answer = unit.ask(method, path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert title in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    plain = unit.ask(method, path)
    assert (plain.status_code, plain.headers["content-type"]) == (status, "application/problem+json")


def test_the_api_answers_a_browser_with_a_problem_too(unit: Assembled) -> None:
    answer = unit.get("/v1/dinas/tak-ada", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def cursor(due: int) -> str:
    """The cursor at which a list of open files goes on."""
    return base64.urlsafe_b64encode(f'file:[{due},"a","b"]'.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/auditor?period=9999", 200),
        ("/auditor?period=9999-12", 200),
        ("/auditor?until=2&since=9999-12-31T23:59:59Z", 422),
        ("/auditor?until=2&since=0001-01-01T00:00:00Z", 200),
        (f"/dinas/{UNIT}/files?cursor={cursor(10**20)}", 422),
        (f"/v1/dinas/{UNIT}/files?cursor={cursor(10**20)}", 422),
        (f"/v1/dinas/{UNIT}/files?cursor={cursor(-(2**63))}", 200),
    ],
)
def test_no_address_is_the_servers_failure(unit: Assembled, path: str, status: int) -> None:
    assert unit.get(path).status_code == status


def test_a_case_too_long_for_a_code_has_none(unit: Assembled) -> None:
    """Its screen remains; the counter shows no broken picture."""
    unit.token("loket-3", "fact")
    headers = unit.cookie("loket-3")
    long, short = (
        {"dinas": UNIT, "service": service, "case": case}
        for service, case in (("é" * 200, "é" * 200), (SERVICES[0], "K-1"))
    )
    times = {"received_at": "2026-11-20T08:00:00+07:00", "completed_at": "2026-11-20T10:00:00+07:00"}
    unit.record(*(event("permit-processed", f"putus-{len(case['case'])}", {**case, **times}) for case in (long, short)))
    assert unit.get(f"/loket/qr.svg?{urlencode(long)}", headers=headers, **FAR).status_code == 404
    assert unit.get(f"/loket/qr.svg?{urlencode(short)}", headers=headers, **FAR).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "http://neraca.example"}, 303),
        ({"sec-fetch-site": "same-origin", "origin": "http://neraca.example"}, 303),
        ({}, 303),
    ],
)
def test_a_form_is_taken_from_this_sites_own_pages_only(unit: Assembled, headers: dict[str, str], status: int) -> None:
    """By the browser's own header, and without one by the origin it names."""
    secret = unit.token("baca", "read").removeprefix("Bearer ")
    body = urlencode({"token": secret, "ke": "/"}).encode()
    answer = unit.ask("POST", "/masuk", content=body, headers=FORM | headers, **FAR)
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, status == 303)


def test_an_address_of_the_public_page_makes_no_other_page(unit: Assembled) -> None:
    """A parameter that it does not know is refused by its name, and its value is not on the page."""
    answers = [unit.get(f"/publik?x={n}&lang=en", headers={"accept": "text/html"}) for n in ("satu", "dua")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("has more than once: x." in answer.text for answer in answers)
    assert "satu" not in answers[0].text.partition("<main")[2]


@pytest.mark.parametrize(
    ("path", "cache_control"), [("/static/live.js", "no-cache"), ("/static/loket/queue.js?v=1", "no-cache")]
)
def test_a_script_is_asked_for_anew_unless_its_address_names_its_content(
    unit: Assembled, path: str, cache_control: str | None
) -> None:
    """After an upgrade no browser runs yesterday's script; and none takes a file for another type.

    A version that is not the present one may be the next: another process may have been upgraded before this one.
    """
    answer = unit.get(path)
    assert (answer.status_code, answer.headers.get("cache-control")) == (200, cache_control)
    assert answer.headers["x-content-type-options"] == "nosniff"
    same = unit.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
