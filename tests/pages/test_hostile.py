"""A hostile page of another site, in a real browser: it frames nothing, posts nothing, embeds nothing, and runs nothing here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error

from tests.pages.browser import NAME, until
from tests.pages.elsewhere import another_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.serving import Assembled

pytestmark = pytest.mark.browser


@contextmanager
def hostile(body: str) -> Iterator[str]:
    """The address of another site whose every address has this page."""
    with another_site(body) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def address(own_url: str) -> str:
    """The small city by a name beyond the machine: another site than the hostile one."""
    return f"http://{NAME}:{urlsplit(own_url).port}"


@pytest.mark.speed("test")
def test_no_other_site_frames_a_page(page: Page, address: str) -> None:
    frames = "".join(f'<iframe src="{address}{path}"></iframe>' for path in ("/", "/masuk", "/docs", "/v1/dinas"))
    with hostile(frames) as site:
        page.goto(site)
        until(page, lambda: len(page.frames) == 5, "the frames are there")
        until(page, lambda: all("error" in frame.url for frame in page.frames[1:]), "each frame is an error")


def test_no_other_site_posts_a_form(page: Page, own_small: Assembled, address: str) -> None:
    head = own_small.journal.head()
    form = '<form method="post" action="{}"><input name="token" value="x"></form><script>document.forms[0].submit()</script>'
    for path in ("/masuk", "/keluar", "/asn", "/nilai"):
        with hostile(form.format(address + path)) as site, page.expect_response(f"{address}{path}") as answer:
            page.goto(site)
        assert answer.value.status == 403, path
    assert own_small.journal.head() == head


def test_no_other_site_embeds_an_answer(page: Page, address: str) -> None:
    embedding = "".join(
        f'<{tag} onload="failed(\'loaded\')" onerror="failed(\'refused\')" src="{address}{path}"></{tag}>'
        for tag, path in (("script", "/v1/dinas"), ("script", "/static/live.js"), ("img", "/loket/qr.svg?dinas=a"))
    )
    with hostile(f"<script>window.seen = []; function failed(what) {{ seen.push(what) }}</script>{embedding}") as site:
        page.goto(site)
        until(page, lambda: page.evaluate("seen.length") == 3, "all three were tried")
        assert page.evaluate("seen") == ["refused"] * 3


def test_no_script_from_elsewhere_and_none_within_a_page_runs(page: Page, address: str) -> None:
    with hostile("") as site:
        for path in ("/", "/masuk", "/docs"):
            page.goto(address + path)
            with pytest.raises(Error):
                page.add_script_tag(url=f"{site}/hostile.js")
            page.evaluate(
                "const script = document.createElement('script'); script.textContent = 'window.hostile = true';"
                "document.body.append(script);"
            )
            assert page.evaluate("window.hostile") is None, path


def test_the_documentation_is_drawn_under_the_policy_of_all_answers(page: Page, address: str) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/docs")
    until(page, lambda: "/v1/events" in page.inner_text("body"), "the routes are listed")
    assert not [text for text in messages if "Content Security Policy" in text]
