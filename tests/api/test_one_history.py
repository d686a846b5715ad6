"""One history recorded and read through every route: both databases answer the same, and the balances are the oracle's."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.api.facts import CEPAT, SCHEME, STANDARD, TEPAT
from tests.faults.traffic import Counter
from tests.journal.desk import lines_of
from tests.journal.folding import HISTORY
from tests.oracle import Oracle
from tests.services import Databases
from tests.serving import BATCH, EVENT, NDJSON, Assembled, Clock, event, ndjson

SEED: Final = 20261124
REQUESTS: Final = 25
RULES: Final = (
    event("scheme-adopted", "scheme", {**SCHEME, "indicators": [TEPAT, CEPAT]}),
    event("standard-set", "standard", STANDARD),
    event("asn-registered", "asn", {"asn": "a-1", "name": "Siti"}),
    event("asn-assigned", "post", {"asn": "a-1", "dinas": "dpmptsp", "effective_from": "2026-01-01"}),
)
BAD: Final = (
    b"{",
    b'{"id": "1"}',
    ndjson([event("task-completed", "bad", {"dinas": ""})]),
    ndjson([event("standard-set", "standard", {**STANDARD, "amount": 25})]),
)
"""Refused requests: no JSON, no event, wrong data, and another event under a name already used."""
DINAS: Final = ("disdukcapil", "dpmptsp", "dinkes", "nobody")
ASN: Final = ("a-1", "a-2", "a-7", "nobody")
PERIODS: Final = ("", "2026-10", "2026-Q4", "2026", "1999-01", "2026-13")
LISTS: Final = {
    "/v1/dinas/{dinas}/asn",
    "/v1/dinas/{dinas}/why",
    "/v1/asn/{asn}/why",
    "/v1/rankings/dinas",
    "/v1/rankings/asn",
    "/v1/dinas/{dinas}/files",
    "/v1/dinas/{dinas}/events",
    "/v1/asn/{asn}/events",
    "/v1/dinas/{dinas}/late/permits",
    "/v1/dinas/{dinas}/late/tasks",
    "/v1/asn/{asn}/late/permits",
    "/v1/asn/{asn}/late/tasks",
    "/v1/journal",
    "/v1/dinas",
}
"""Routes that answer page by page."""
APART: Final = {"/healthz", "/readyz", "/metrics", "/v1/stream"}
"""Routes that answer differently each time."""


def record(neraca: Assembled) -> Iterator[tuple[str, Any]]:
    """Record the history by every way in which events are posted; what was answered."""
    counter = Counter(SEED, 1)
    for fact in (*RULES, *HISTORY):
        yield "post", neraca.post(fact, EVENT)
    for number in range(REQUESTS):
        events, batch = counter.request()
        if batch:
            body, media = (events, BATCH) if number % 2 else (ndjson(events), NDJSON)
            yield "many", neraca.post(body, media)
        else:
            yield "one", neraca.post(events[0], EVENT, headers={"prefer": "return=representation"})
    for body in BAD:
        yield "bad", neraca.post(body, EVENT)


def addresses(path: str) -> Iterator[str]:
    """The addresses at which a route of the document is asked."""
    for subject in DINAS if "{dinas}" in path else ASN if "{asn}" in path else ("",):
        address = path.replace("{dinas}", subject).replace("{asn}", subject)
        if path == "/v1/dinas/{dinas}/file":
            yield from (f"{address}?service=ktp-el&case={case}" for case in ("K-1", "K-2", "K-6", "K-404"))
        elif path == "/v1/journal":
            yield address
            yield from (f"{address}?{name}" for name in ("type=neraca.task-completed.v1", "dinas=dinkes", "asn=a-1"))
            yield from (f"{address}?{name}" for name in ("source=/loket/1&id=e3", "service=kia", "case=K-1", "id=d9"))
        elif path == "/v1/rankings/asn":
            yield from (f"{address}?dinas={dinas}&period={period}" for dinas in DINAS for period in PERIODS)
        else:
            yield from (f"{address}?period={period}" if period else address for period in PERIODS)


def read(neraca: Assembled) -> Iterator[tuple[str, Any]]:
    """Ask every route of the document that answers the same each time; lists page by page too."""
    for path, methods in neraca.framework.openapi()["paths"].items():
        if "get" not in methods or path in APART:
            continue
        for address in addresses(path):
            yield address, neraca.get(address)
            cursor = "limit=2" if path in LISTS and "period" not in address else ""
            while cursor:
                answer = neraca.get(f"{address}{'&' if '?' in address else '?'}{cursor}")
                yield cursor, answer
                following = answer.json().get("next")
                cursor = f"limit=2&cursor={following}" if following else ""


def exchange(neraca: Assembled) -> list[tuple[str, int, str]]:
    """All that is answered: status and text, without the id of the journal and the instant at which it was begun."""
    answers = [(what, answer.status_code, answer.text) for what, answer in record(neraca)]
    neraca.settle()
    answers += [(what, answer.status_code, answer.text) for what, answer in read(neraca)]
    opening_time = lines_of(neraca)[0]["time"]
    return [
        (what, status, text.replace(neraca.journal.id, "JOURNAL").replace(opening_time, "BEGUN"))
        for what, status, text in answers
    ]


@pytest.mark.speed("quick")
def test_one_history_is_read_as_the_oracle_says(neraca: Assembled) -> None:
    """No route fails over it, each returns some content, and each refusal is a problem."""
    answers = exchange(neraca)
    oracle = Oracle(lines_of(neraca))
    digest = neraca.get("/v1/digest").json()
    assert (digest["position"], digest["digest"]) == (oracle.position, oracle.digest())
    assert [(what, status) for what, status, _ in answers if status >= 500] == []
    assert {status for _, status, _ in answers} == {200, 201, 400, 404, 409, 422}
    paths = {path for path, methods in neraca.framework.openapi()["paths"].items() if "get" in methods}
    assert paths >= LISTS | APART
    for path in paths - APART:
        mine = set(addresses(path))
        assert any(status == 200 for what, status, _ in answers if what in mine), path


def test_both_databases_answer_the_same(neraca: Assembled, databases: Databases) -> None:
    """Every request gets the same status and the same text, byte for byte."""
    from streams.places.database import Database  # noqa: PLC0415 - an extra

    with Assembled(Database(databases.begun()), clock=Clock()) as other:
        on_postgres = exchange(other)
    on_sqlite = exchange(neraca)
    assert len(on_postgres) > 500
    assert [pair for pair in zip(on_postgres, on_sqlite, strict=True) if pair[0] != pair[1]] == []
