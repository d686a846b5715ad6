"""The operator's link: it signs in once, within ten minutes, for an hour; a look at it spends nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from api.app import build
from api.http.doors import CLOSED
from domain.clock import HOUR_US
from tests.pages.browser import until
from tests.pages.city import BUSY
from tests.pages.reading import FAR
from tests.serving import BATCH, FORM, Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from playwright.sync_api import Page

pytestmark = pytest.mark.speed("test")

MINUTE_US: Final = HOUR_US // 60
TEN_MINUTES_US: Final = 10 * MINUTE_US
TASK: Final = {"dinas": "d", "asn": BUSY, "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}


@pytest.fixture
def neraca(tmp_path: Path) -> Iterator[Assembled]:
    """A Neraca that is not open, its clock at noon."""
    with Assembled(tmp_path / "data", doors=CLOSED) as neraca:
        yield neraca


def follow(neraca: Assembled, secret: str) -> httpx.Response:
    return neraca.ask("POST", "/masuk/tautan", content=urlencode({"tautan": secret}).encode(), headers=FORM, **FAR)


def link(neraca: Assembled) -> str:
    return neraca.tokens.sessions.link(neraca.clock(), lasts_us=TEN_MINUTES_US)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_a_link_signs_in_once_with_all_grants_as_local(neraca: Assembled) -> None:
    """A look at its page, as a preview takes, spends nothing: the secret is posted."""
    calls: list[bool] = []
    neraca.built = build(replace(neraca.parts, link_spent=lambda: calls.append(True)))
    secret = link(neraca)
    for _ in range(2):
        assert neraca.get("/masuk/tautan", **FAR).status_code == 200
    assert calls == []
    headers = cookie_of(follow(neraca, secret))
    assert calls == [True]
    for path in ("/v1/journal", "/auditor/journal", "/loket"):
        assert neraca.get(path, headers=headers, **FAR).status_code == 200, path
    answer = neraca.post([event("task-completed", "t-1", TASK)], BATCH, headers=headers, **FAR)
    assert answer.json()["accepted"] == 1, answer.text
    assert json.loads(neraca.journal.lines(1, 1)[0][1])["recordedby"] == "local"
    again = follow(neraca, secret)
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert "sudah dipakai" in again.text
    assert calls == [True]


@pytest.mark.parametrize(("age_us", "status"), [(TEN_MINUTES_US - 1, 303), (TEN_MINUTES_US, 401)])
def test_a_link_is_good_for_ten_minutes(neraca: Assembled, age_us: int, status: int) -> None:
    secret = link(neraca)
    neraca.clock.us += age_us
    assert follow(neraca, secret).status_code == status


def test_an_operators_session_ends_after_an_hour_and_is_not_renewed(neraca: Assembled) -> None:
    """Neither by use, nor by its link."""
    secret = link(neraca)
    headers = cookie_of(follow(neraca, secret))
    for _ in range(3):
        neraca.clock.us += 19 * MINUTE_US
        assert neraca.get("/v1/journal", headers=headers, **FAR).status_code == 200
    neraca.clock.us += 3 * MINUTE_US
    assert neraca.get("/v1/journal", headers=headers, **FAR).status_code == 401
    assert follow(neraca, secret).status_code == 401


def test_a_new_link_ends_the_one_before(neraca: Assembled) -> None:
    first, second = link(neraca), link(neraca)
    assert follow(neraca, first).status_code == 401
    assert follow(neraca, second).status_code == 303


def test_no_other_secret_is_a_link(neraca: Assembled) -> None:
    """Neither a token, nor a session's id, nor anything made up; and a link is no session."""
    secret, token = link(neraca), neraca.token("t", "audit").removeprefix("Bearer ")
    session = neraca.cookie("t")["cookie"].partition("=")[2]
    for other in ("", "x", token, session, secret[:-1], secret + "x"):
        assert follow(neraca, other).status_code == 401
    assert neraca.get("/v1/journal", headers={"cookie": f"neraca={secret}"}, **FAR).status_code == 401
    assert follow(neraca, secret).status_code == 303


def test_a_link_of_another_site_is_refused_unspent(neraca: Assembled) -> None:
    secret = link(neraca)
    media = {**FORM, "sec-fetch-site": "cross-site"}
    form = urlencode({"tautan": secret}).encode()
    assert neraca.ask("POST", "/masuk/tautan", content=form, headers=media, **FAR).status_code == 403
    assert follow(neraca, secret).status_code == 303


@pytest.mark.browser
def test_the_secret_leaves_the_address_before_it_is_posted(neraca: Assembled, page: Page) -> None:
    """The page fills the form from the fragment; the person presses the button."""
    with Listening(neraca) as listening:
        page.goto(f"{listening.url}/masuk/tautan#{link(neraca)}")
        until(page, "document.getElementById('tautan').value.length > 20", "the form is filled")
        assert page.evaluate("location.hash") == ""
        page.click("main button")
        until(page, "location.pathname === '/'", "the board opens")
        until(page, "document.body?.textContent.includes('Keluar (local)')", "the operator is signed in")
