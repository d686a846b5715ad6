"""A hostile page in the operator's own browser: under `--open` it reads nothing that is guarded, and writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from api.app import build
from tests.pages.browser import NAME, until
from tests.pages.elsewhere import another_site
from tests.serving import EVENT, Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.speed("all")]

PAGE: Final = "<!doctype html><title>x</title><p>Hello"
ATTACK: Final = """
async ([url, event, media]) => {
  const outcomes = {}, tell = async (name, work) => {
    try { outcomes[name] = await work(); } catch (error) { outcomes[name] = `refused: ${error.name}`; }
  };
  const text = (answer) => answer.type === "opaque" ? "opaque" : answer.text();
  for (const path of ["/v1/journal", "/v1/asn/a-1", "/auditor/journal"]) {
    await tell(`read ${path}`, async () => text(await fetch(url + path, { credentials: "include" })));
    await tell(`look ${path}`, async () => text(await fetch(url + path, { mode: "no-cors", credentials: "include" })));
  }
  for (const type of [media, "text/plain", "application/x-www-form-urlencoded"]) {
    for (const mode of ["cors", "no-cors"]) {
      await tell(`write ${type} ${mode}`, async () => text(await fetch(`${url}/v1/events`, {
        method: "POST", mode, credentials: "include", headers: { "content-type": type }, body: event,
      })));
    }
  }
  await tell("beacon", async () => navigator.sendBeacon(`${url}/v1/events`, new Blob([event], { type: media })));
  await tell("stream", () => new Promise((done) => {
    const source = new EventSource(`${url}/v1/stream`, { withCredentials: true });
    source.onmessage = source.onopen = () => done("opened");
    source.onerror = () => done("refused");
  }));
  for (const [path, name] of [["/v1/events", ""], ["/latihan/ulang", "x"], ["/masuk/tautan", "tautan"], ["/keluar", "x"]]) {
    for (const enctype of ["text/plain", "application/x-www-form-urlencoded"]) {
      await tell(`form ${path} ${enctype}`, () => new Promise((done) => {
        const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { name: `f${Math.random()}` }));
        const form = document.body.appendChild(Object.assign(document.createElement("form"), {
          method: "post", action: url + path, target: frame.name, enctype,
        }));
        const [begin, end] = event.split("=");  // as plain text a form sends NAME=VALUE: the event, as it is
        form.appendChild(Object.assign(document.createElement("input"), { name: begin, value: end }));
        if (name) form.appendChild(Object.assign(document.createElement("input"), { name, value: "x" }));
        frame.onload = () => done("sent");
        setTimeout(() => done("sent"), 2000);
        form.submit();
      }));
    }
  }
  return outcomes;
}
"""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of another site on this machine."""
    with another_site(PAGE) as port:
        yield port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", NAME], ids=["same site", "localhost", "another site"])
def test_a_hostile_page_reads_and_writes_nothing(neraca: Assembled, page: Page, elsewhere: int, host: str) -> None:
    resets: list[bool] = []
    neraca.built = build(replace(neraca.parts, reset=lambda: resets.append(True)))
    data = {"dinas": "d", "asn": "a-1", "task": "t", "completed_at": "2026-11-24T10:00:00+07:00"}
    neraca.record(event("task-completed", "before", data))
    head = neraca.journal.head()
    attack = event("task-completed", "attack=1", data | {"task": "t2"})
    with Listening(neraca) as listening:
        page.goto(f"http://{host}:{elsewhere}/")
        body = json.dumps(attack)
        for target in (listening.url, listening.url.replace("127.0.0.1", "localhost")):
            outcomes = page.evaluate(ATTACK, [target, body, EVENT])
            readable = {
                name for name, outcome in outcomes.items() if name.startswith(("read", "look", "write", "stream"))
            }
            assert {outcomes[name] for name in readable} <= {"opaque", "refused", "refused: TypeError"}, outcomes
        page.goto(f"{listening.url}/")
        until(page, "document.title !== ''", "the operator's own page opens")
    assert (neraca.journal.head(), resets) == (head, [])
    assert neraca.get("/v1/journal").status_code == 200
    assert neraca.post(f"{body}\r\n".encode()).status_code == 201, (
        "what the form sent is an event that the operator may record"
    )
