"""Access: what a caller may do by where the call comes from, and by the scopes, dinas and sources of a token."""

from typing import Any, Final, NamedTuple

import pytest

from tests.api.submissions import NAME, PAUSE, TASK, problem_of, task
from tests.serving import BATCH, Assembled, event

FOREIGN: Final[dict[str, dict[str, Any]]] = {
    "another address": {"caller": "192.0.2.7"},
    "another address, loopback host": {"caller": "2001:db8::7", "host": "localhost"},
    "through a proxy": {"headers": {"x-forwarded-for": "192.0.2.7"}},
    "through a proxy that names its host": {"headers": {"x-forwarded-host": "neraca.example"}},
    "through a network in front": {"headers": {"cf-connecting-ip": "192.0.2.7"}},
    "through a proxy, RFC 7239": {"headers": {"forwarded": "for=192.0.2.7"}},
    "by another name": {"host": "neraca.example"},
    "by a name that begins as loopback": {"host": "127.0.0.1.evil.example"},
    "by a name that cannot be read": {"headers": {"host": "evil.example:99999"}},
    "by no name of the web": {"headers": {"host": "[evil"}},
}


GUARDED: Final = (
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/v1/dinas/dishub/why",
    "/v1/dinas/dishub/asn",
    "/v1/rankings/asn?dinas=dishub",
    "/v1/digest",
)
AUDITED: Final = ("/v1/digest", "/v1/journal")
"""Reads of the whole city's record, for auditors alone."""


OPEN: Final = (
    "/v1/dinas",
    "/v1/dinas/dishub",
    "/v1/rankings/dinas",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
)


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
def test_beyond_the_machine_a_token_is_needed(neraca: Assembled, origin: dict[str, Any]) -> None:
    """A call that is not from the machine to itself needs a token for intake and one ASN's data, for nothing else."""
    neraca.record(task("t1"))
    responses = [neraca.post(task("t2"), **origin), *(neraca.get(path, **origin) for path in (*GUARDED, *AUDITED))]
    assert {(response.status_code, problem_of(response)) for response in responses} == {(401, "unauthorized")}
    assert all(response.headers["www-authenticate"].startswith("Bearer") for response in responses)
    assert neraca.journal.head() == 2
    assert {neraca.get(path, **origin).status_code for path in OPEN} == {200}


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"host": "localhost"},
        {"host": "localhost:8000"},
        {"caller": "::1", "host": "[::1]:8000"},
        {"caller": "127.8.8.8", "host": "127.0.0.1:80"},
    ],
    ids=repr,
)
def test_the_operator_at_the_machine_needs_no_token(neraca: Assembled, origin: dict[str, Any]) -> None:
    """A call on loopback to a loopback name is the operator's."""
    neraca.record(task("t1"))
    assert neraca.post(task("t2"), **origin).status_code == 201
    assert {neraca.get(path, **origin).status_code for path in GUARDED} == {200}


@pytest.mark.parametrize("authorization", ["Bearer neraca_wrong", "Bearer", "", "Basic bmVyYWNh", "bearer  "])
@pytest.mark.parametrize("origin", [{}, {"caller": "192.0.2.7"}], ids=["here", "beyond"])
def test_a_token_that_is_not_known_is_refused_everywhere(
    neraca: Assembled, authorization: str, origin: dict[str, Any]
) -> None:
    """A request with a wrong token gets 401, even from the machine itself."""
    headers = {"authorization": authorization}
    assert neraca.post(task("t1"), headers=headers, **origin).status_code == 401
    assert neraca.get("/v1/asn/a-1", headers=headers, **origin).status_code == 401


class Allowed(NamedTuple):
    """A token, an event, and the status it gets."""

    name: str
    scopes: tuple[str, ...]
    event: dict[str, Any]
    status: int
    dinas: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None


RETRACTION: Final = event("event-retracted", "x1", {"event": {"source": "/loket", "id": "before"}, "reason": "typo"})


RULE: Final = event("dinas-registered", "n1", NAME)


ALLOWED: Final = (
    Allowed("fact", ("fact",), task("t1"), 201),
    Allowed("fact, of a rule", ("fact",), RULE, 403),
    Allowed("fact, of a reversal", ("fact",), RETRACTION, 403),
    Allowed("rulebook", ("rulebook",), RULE, 201),
    Allowed("rulebook, of a fact", ("rulebook",), task("t1"), 403),
    Allowed("reverse", ("reverse",), RETRACTION, 201),
    Allowed("reverse, of a fact", ("reverse",), task("t1"), 403),
    Allowed("read", ("read",), task("t1"), 403),
    Allowed("several", ("read", "fact", "rulebook"), RULE, 201),
    Allowed("its dinas", ("fact",), task("t1"), 201, dinas=("dishub", "dinkes")),
    Allowed("another dinas", ("fact",), task("t1"), 403, dinas=("dinkes",)),
    Allowed("a dinas in other letters", ("fact",), task("t1"), 403, dinas=("Dishub",)),
    Allowed("its source", ("fact",), task("t1"), 201, sources=("/loket",)),
    Allowed("another source", ("fact",), task("t1"), 403, sources=("/loket/2",)),
    Allowed(
        "a pause of another dinas",
        ("fact",),
        event("permit-paused", "z1", {**PAUSE, "at": "2026-11-20T09:00:00+07:00", "reason": "payment"}),
        403,
        dinas=("dinkes",),
    ),
    Allowed("reversal in its dinas", ("reverse",), RETRACTION, 201, dinas=("dishub",)),
    Allowed("reversal in another dinas", ("reverse",), RETRACTION, 403, dinas=("dinkes",)),
    Allowed("reversal from another source", ("reverse",), RETRACTION, 403, sources=("/loket/2",)),
)


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: row.name)
def test_a_token_covers_its_scopes_dinas_and_sources(neraca: Assembled, row: Allowed) -> None:
    """A token speaks for its scopes; facts and reversals only of its dinas, from its sources; in a batch as alone."""
    neraca.record(task("before"))
    headers = {"authorization": neraca.token("loket-2", *row.scopes, dinas=row.dinas, sources=row.sources)}
    response = neraca.post(row.event, headers=headers, caller="192.0.2.7")
    assert response.status_code == row.status, response.text
    assert neraca.journal.head() == (3 if row.status == 201 else 2)
    if row.status == 201:
        assert b'"recordedby":"loket-2"' in neraca.journal.lines(2, 1)[0][1]
        return
    assert problem_of(response) == "forbidden"
    many = neraca.post([row.event], BATCH, headers=headers, caller="192.0.2.7")
    if many.status_code == 200:
        assert [rejection["problem"]["status"] for rejection in many.json()["rejected"]] == [403]
    else:
        assert many.status_code == 403
    assert neraca.journal.head() == 2


def test_a_correction_may_not_be_used_to_look_into_another_dinas(neraca: Assembled) -> None:
    """A token of one dinas may not replace another's fact, even if the replacement names another dinas."""
    neraca.record(task("before"))
    headers = {"authorization": neraca.token("loket-2", "reverse", "fact", dinas=("dinkes",))}
    for dinas in ("dinkes", "dishub"):
        replacement = {
            "event": {"source": "/loket", "id": "before"},
            "reason": "typo",
            "replacement": {**TASK, "dinas": dinas},
        }
        assert neraca.post(event("event-corrected", f"k-{dinas}", replacement), headers=headers).status_code == 403
    assert neraca.journal.head() == 2


def test_reads_of_persons_need_a_role_that_is_shown_them(neraca: Assembled) -> None:
    """Another token reads what anyone reads, and a revoked one nothing."""
    neraca.record(task("t1"))
    reading, telling = neraca.token("pembaca", "read"), neraca.token("loket", "fact")
    for token, status in ((reading, 200), (telling, 403)):
        headers = {"authorization": token}
        statuses = {path: neraca.get(path, headers=headers, caller="192.0.2.7").status_code for path in GUARDED}
        assert statuses == dict.fromkeys(GUARDED, status) | {"/v1/digest": 403}
    assert neraca.tokens.revoke("pembaca", "2026-11-24T05:00:00Z")
    assert neraca.get("/v1/asn/a-1", headers={"authorization": reading}, caller="192.0.2.7").status_code == 401
