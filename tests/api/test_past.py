"""The past is not the public's: `as=` and `known_at=` are refused to it by name on every route that has a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from api.http.problems import PROBLEMS
from api.pages.router import ACTIONS as PAGE_ACTIONS
from api.v1.routes import ACTIONS
from domain.access.policy import PUBLIC
from tests.api.submissions import problem_of, task
from tests.pages.reading import FAR

if TYPE_CHECKING:
    from tests.serving import Assembled

BLANKS: Final = {"dinas": "dishub", "asn": "a-1"}
QUERIES: Final = (
    "as=reported",
    "known_at=2",
    "known_at=2026-11-20T10:00:00%2B07:00",
    "period=2026-11&as=known&known_at=1",
)
ROUTES: Final = {**ACTIONS, **PAGE_ACTIONS}


@pytest.mark.parametrize("path", [path for path, action in ROUTES.items() if action in PUBLIC])
def test_the_public_asks_for_no_past(neraca: Assembled, path: str) -> None:
    """No month is closed, so each is refused: to nobody, to a counter, and to a leader of another dinas."""
    neraca.record(task("t1"))
    counter = neraca.token("loket", "counter", dinas=["dishub"], sources=["/loket"])
    leader = neraca.token("kepala", "leader", dinas=["dinkes"])
    address = path.format(**BLANKS)
    for query in QUERIES:
        for headers in ({}, {"authorization": counter}):
            answer = neraca.get(f"{address}?{query}", headers={"accept": "application/json", **headers}, **FAR)
            assert (answer.status_code, problem_of(answer)) == (403, "not-public"), (query, answer.text)
            pointers = [fault["pointer"].removeprefix("/") for fault in answer.json()["errors"]]
            assert pointers == [name for name in ("as", "known_at") if f"{name}=" in query]
        foreign = neraca.get(f"{address}?{query}", headers={"authorization": leader}, **FAR)
        assert foreign.status_code == (403 if "{dinas}" in path else 422), query


@pytest.mark.parametrize("role", ["leader", "personnel", "auditor", "asn"])
def test_whoever_is_shown_more_is_told_that_there_is_no_such_parameter(neraca: Assembled, role: str) -> None:
    token = neraca.token("t", role, asn="a-1" if role == "asn" else "")
    for query in QUERIES:
        answer = neraca.get(f"/v1/dinas?{query}", headers={"authorization": token}, **FAR)
        assert (answer.status_code, problem_of(answer)) == (422, "invalid-query")


@pytest.mark.parametrize("path", [path for path, action in ROUTES.items() if action not in PUBLIC])
def test_a_guarded_route_asks_for_a_token_first(neraca: Assembled, path: str) -> None:
    for query in QUERIES:
        assert neraca.get(f"{path.format(**BLANKS)}?{query}", **FAR).status_code == 401
    auditor = neraca.token("t", "auditor")
    assert neraca.get(f"{path.format(**BLANKS)}?as=known", headers={"authorization": auditor}, **FAR).status_code == 422


def test_a_page_says_it_in_words(neraca: Assembled) -> None:
    for language, words in (("id", "Ini tidak terbuka untuk umum"), ("en", "This is not public")):
        answer = neraca.get(f"/publik?known_at=1&lang={language}", headers={"accept": "text/html"}, **FAR)
        assert answer.status_code == 403
        assert words in answer.text
    assert PROBLEMS["not-public"][0] == 403


def test_a_parameter_of_no_figures_stays_unknown(neraca: Assembled) -> None:
    for path in ("/healthz", "/v1/method", "/masuk"):
        assert neraca.get(f"{path}?as=known", **FAR).status_code == 422
