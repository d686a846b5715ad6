"""A city hall without TLS: over plain HTTP, under a name beyond the machine, a real browser's forms are taken all the same.

There a browser says nothing of where a request comes from but the origin of a form, and that only as far as the page allows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import pytest

from api.http.tickets import Case, ticket_for
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import BUSY, FAST, settle_in
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
NAME: Final = "neraca.kota.test"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("plain") / "data") as assembled:
        settle_in(assembled)
        yield assembled


@pytest.fixture(scope="module")
def address(city: Assembled) -> Iterator[str]:
    with Listening(city) as listening:
        yield f"http://{NAME}:{urlsplit(listening.url).port}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile"), f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as opened:
        yield opened


def heading(browser: Browser) -> str:
    return str(browser.ask("document.querySelector('h1').textContent"))


def test_signing_in_and_out(city: Assembled, address: str, browser: Browser) -> None:
    secret = city.token("kepala", "read").removeprefix("Bearer ")
    browser.open(f"{address}/asn/{BUSY}")
    assert browser.ask("isSecureContext") is False, "nothing but the origin tells where a form comes from"
    browser.open(f"{address}/masuk?{urlencode({'ke': f'/asn/{BUSY}'})}")
    browser.run(f"document.querySelector('[name=token]').value = {json.dumps(secret)}")
    browser.run("document.querySelector('main form button').click()")
    until(lambda: "Nilai kinerja individu" in heading(browser), "signed in, and led back")
    browser.run("document.querySelector('form[action^=\"/keluar\"] button').click()")
    until(lambda: "Papan" in heading(browser), "signed out")
    browser.open(f"{address}/asn/{BUSY}")
    assert "Nilai kinerja individu" not in heading(browser)


def test_a_citizen_rates_on_their_own_phone(city: Assembled, address: str, browser: Browser) -> None:
    city.token("loket", "fact", dinas=[FAST])
    held = city.tokens.by_id("loket")
    assert held is not None
    case = Case(FAST, "ktp-el", f"K-{FAST}-2026-11-59")
    ticket = ticket_for(city.tokens, held[0], case)
    browser.open(f"{address}/nilai?{urlencode({**case._asdict(), 'tiket': ticket})}")
    before = city.journal.head()
    browser.run("document.querySelector('[name=overall][value=\"4\"], input[type=radio]').click()")
    browser.run("document.querySelector('main form button').click()")
    until(lambda: city.journal.head() == before + 1, "the rating is recorded")
