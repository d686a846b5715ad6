"""`neraca emit` beyond a broken web server: every event arrives once, and none is refused for what a request as a whole met."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from streams.emitting.http import IntakeClient
from streams.importing.sending import RemoteSink
from tests.streams import broken_proxy as proxies
from tests.streams.broken_proxy import BrokenProxy, page
from tests.streams.emitting import Emit, recorded, task

if TYPE_CHECKING:
    from tests.serving import Assembled

BREAKS: Final[dict[str, Any]] = {
    "cut in the request": proxies.cut_in_the_request,
    "cut in the answer": proxies.cut_in_the_answer,
    "half an answer": proxies.half_an_answer,
    "half a document": proxies.half_a_document,
    "account of fewer events": proxies.account_of_fewer,
    "sign-in page": page(200),
    "redirect": page(302, location="http://10.0.0.1/"),
    "too many requests": page(429, b"", retry_after="0"),
    "away": page(503, retry_after="0"),
    "gateway": page(502),
    "firewall": page(403),
    "bad request": page(400),
    "too large": page(413),
    "type": page(415),
    "unprocessable": page(422),
    "headers": page(431),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_once_is_sent_again_and_counts_once(
    name: str, neraca: Assembled, proxy: BrokenProxy, emit: Emit
) -> None:
    proxy.breaks = [BREAKS[name]] * 2
    _, code = emit([task(f"t{n}") for n in range(7)], "--url", proxy.url)
    assert (code, sorted(recorded(neraca))) == (0, [f"t{n}" for n in range(7)])


@pytest.mark.parametrize(
    "name", ["firewall", "bad request", "too large", "type", "unprocessable", "headers", "sign-in page"]
)
def test_a_way_that_is_closed_to_everything_refuses_no_event(
    name: str, neraca: Assembled, proxy: BrokenProxy, emit: Emit
) -> None:
    """All of it waits, whatever status the closed way answers; once it opens all of it is recorded."""
    proxy.breaks = [BREAKS[name]] * 1000
    lines = [task(f"t{n}") for n in range(5)]
    assert emit(lines, "--url", proxy.url, "--patience", "0.5") == ("accepted=0 duplicates=0 refused=0 pending=5", 1)
    proxy.breaks = []
    assert emit(None, "--url", proxy.url) == ("accepted=5 duplicates=0 refused=0 pending=0", 0)
    assert recorded(neraca) == [f"t{n}" for n in range(5)]


@pytest.mark.parametrize("seed", range(5))
def test_any_mixture_of_faults_ends_with_each_event_once(
    seed: int, neraca: Assembled, proxy: BrokenProxy, emit: Emit
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's choices, not a secret
    proxy.breaks = [BREAKS[chance.choice(list(BREAKS))] for _ in range(12)]
    proxy.takes = chance.choice((None, 3_000))
    names = [f"t{n}" for n in range(60)]
    _, code = emit([task(name) for name in names], "--url", proxy.url)
    assert (code, sorted(recorded(neraca))) == (0, sorted(names))


def test_a_proxy_that_takes_little_is_given_little(neraca: Assembled, proxy: BrokenProxy, emit: Emit) -> None:
    """500 ordinary events behind a limit; the one that is larger by itself is refused alone, output, and sent anew."""
    proxy.takes = 8 * 1024
    lines = [task(f"t{n}") for n in range(500)]
    lines.insert(250, task("wide", note="x" * 10_000))
    assert emit(lines, "--url", proxy.url) == ("accepted=500 duplicates=0 refused=1 pending=0", 3)
    assert recorded(neraca) == [f"t{n}" for n in range(500)]
    assert max(map(len, proxy.requests)) <= 8 * 1024
    output, code = emit(None, "--list")
    (entry,) = map(json.loads, output.splitlines())
    assert (code, entry["event"]["id"], entry["problem"]["status"]) == (0, "wide", 413)
    assert emit([], "--url", proxy.url) == ("accepted=0 duplicates=0 refused=0 pending=0", 0)
    proxy.takes = None
    assert emit(None, "--retry", "--url", proxy.url) == ("accepted=0 duplicates=0 refused=1 pending=0", 3)
    assert "is no field of this kind" in emit(None, "--list")[0], "the intake itself has refused it now"


def test_an_event_larger_than_the_intake_takes_stops_no_other(neraca: Assembled, url: str, emit: Emit) -> None:
    """Case 5: one of 17 MB between two others, and many whose sum is too large for one request."""
    lines = [task("1"), task("2", photo="x" * 17_000_000), task("3")]
    assert emit(lines, "--url", url) == ("accepted=2 duplicates=0 refused=1 pending=0", 3)
    assert "refused: " in emit.said
    many = [task(f"m{n}", task=f"{n}", asn="a" * 190) for n in range(1300)]
    wide = [line.replace(b'"asn"', b" " * 15_000 + b'"asn"') for line in many]
    assert emit(wide, "--url", url) == ("accepted=1300 duplicates=0 refused=0 pending=0", 0)
    assert len(recorded(neraca)) == 1302


def test_a_content_that_a_firewall_refuses_stops_no_other(proxy: BrokenProxy, emit: Emit) -> None:
    def firewall(handler: proxies.Handler, body: bytes) -> bool:
        return b"<script>" in body and page(403)(handler, body)

    proxy.breaks = [firewall] * 1000
    lines = [*(task(f"t{n}") for n in range(9)), task("<script>"), *(task(f"u{n}") for n in range(9))]
    assert emit(lines, "--url", proxy.url) == ("accepted=18 duplicates=0 refused=1 pending=0", 3)
    assert "<script>" in emit(None, "--list")[0]


def test_a_token_that_is_refused_stops_the_sender_and_refuses_no_event(
    neraca: Assembled, proxy: BrokenProxy, emit: Emit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, without the scope, or for another dinas: all of it waits, and is sent with the right token."""
    tokens = {
        "unknown": "Bearer no-token-of-this-city",
        "reads only": neraca.token("reader", "read"),
        "other dinas": neraca.token("other", "fact", dinas=["elsewhere"]),
    }
    for token in tokens.values():
        monkeypatch.setenv("NERACA_TOKEN", token.removeprefix("Bearer "))
        assert emit([], "--url", proxy.url)[0].endswith("pending=0")
    for name, token in tokens.items():
        monkeypatch.setenv("NERACA_TOKEN", token.removeprefix("Bearer "))
        line, code = emit([task("t")], "--url", proxy.url, outbox=f"{name}.sqlite")
        assert (line, code) == ("accepted=0 duplicates=0 refused=0 pending=1", 1), name
        assert "the token" in emit.said
    monkeypatch.setenv("NERACA_TOKEN", neraca.token("right", "fact").removeprefix("Bearer "))
    for name in tokens:
        assert emit(None, "--url", proxy.url, outbox=f"{name}.sqlite")[1] == 0
    assert recorded(neraca) == ["t"]


def test_an_import_halves_what_is_too_large_too(neraca: Assembled, proxy: BrokenProxy) -> None:
    """The rows beside one that is too large are recorded; the refusal names that row."""
    proxy.takes = 16 * 1024
    client, messages = IntakeClient(proxy.url, None), list[str]()
    events = [json.loads(task(f"t{n}")) for n in range(200)]
    events[77]["data"]["note"] = "x" * 20_000
    number, refusals = RemoteSink(client, messages.append).send(events)
    client.close()
    assert (number, list(refusals)) == (199, [77])
    assert len(recorded(neraca)) == 199
