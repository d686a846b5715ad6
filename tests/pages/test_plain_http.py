"""A city hall without TLS: over plain HTTP, under a name beyond the machine, a real browser's forms are taken all the same.

There a browser says nothing of where a request comes from but the origin of a form, and that only as far as the page allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from api.http.tickets import Case
from tests.pages.browser import NAME, until
from tests.pages.city import BUSY, FAST
from tests.pages.counter import ticket_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.serving import Assembled

pytestmark = pytest.mark.browser


@pytest.fixture
def address(own_url: str) -> str:
    """The small city by a name beyond the machine."""
    return f"http://{NAME}:{urlsplit(own_url).port}"


@pytest.mark.speed("test")
def test_signing_in_and_out(own_small: Assembled, address: str, page: Page) -> None:
    secret = own_small.token("kepala", "read").removeprefix("Bearer ")
    page.goto(f"{address}/asn/{BUSY}")
    assert page.evaluate("isSecureContext") is False, "nothing but the origin tells where a form comes from"
    page.goto(f"{address}/masuk?{urlencode({'ke': f'/asn/{BUSY}'})}")
    page.fill("[name=token]", secret)
    page.click("main form button")
    until(page, lambda: "Nilai kinerja individu" in page.inner_text("h1"), "signed in, and led back")
    page.click('form[action^="/keluar"] button')
    until(page, lambda: "Papan" in page.inner_text("h1"), "signed out")
    page.goto(f"{address}/asn/{BUSY}")
    assert "Nilai kinerja individu" not in page.inner_text("h1")


def test_a_citizen_rates_on_their_own_phone(own_small: Assembled, address: str, page: Page) -> None:
    own_small.token("loket", "fact", dinas=[FAST])
    case = Case(FAST, "ktp-el", f"K-{FAST}-2026-11-59")
    ticket = urlencode({"tiket": ticket_of(own_small, "loket", case)})
    page.goto(f"{address}/nilai?{urlencode(case._asdict())}#{ticket}")
    until(page, "document.querySelector('#tiket').hidden && !location.hash", "the ticket is in the form alone")
    before = own_small.journal.head()
    page.evaluate("document.querySelector('[name=overall][value=\"4\"]').click()")
    page.click("main form button")
    until(page, lambda: own_small.journal.head() == before + 1, "the rating is recorded")
