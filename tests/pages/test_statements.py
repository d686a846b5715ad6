"""The number of statements a page sends to its database: it reads each thing once, however long the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from tests.journal.folding import statements
from tests.pages.city import BUSY, FAST, ODD, settle_in
from tests.pages.reading import FAR
from tests.serving import Assembled, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = {
    "/": 7,
    f"/dinas/{FAST}": 12,
    f"/dinas/{quote(ODD, safe='')}": 12,
    f"/dinas/{FAST}?period=2026": 12,
    f"/asn/{BUSY}": 11,
    "/publik": 8,
    f"/dinas/{FAST}/why": 8,
    "/v1/rankings/dinas": 4,
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("statements") / "data", clock=Clock()) as neraca:
        settle_in(neraca)
        yield neraca


@pytest.mark.parametrize("period", ["2026-11", "2026-S2", "2026"])
def test_a_leader_s_page_of_a_dinas_sends_few_statements_too(city: Assembled, period: str) -> None:
    """What waits in each of twelve months is told from rows that were read once; two more read the small cells of others."""
    leader = {"authorization": city.token(f"pemimpin-{period}", "leader", dinas=[FAST])}
    city.reader._cache, city.reader._published = None, {}
    with statements(city.live.store) as queries:
        assert city.get(f"/dinas/{FAST}?period={period}", headers=leader).status_code == 200
    selects = [statement for statement in queries if statement.startswith("SELECT")]
    assert len(selects) <= 17, selects


@pytest.mark.parametrize(
    ("path", "most"), [("/v1/dinas?period=2031", 9), ("/v1/dinas?period=2026-11", 9), ("/?period=2031", 13)]
)
def test_the_publics_small_cells_are_read_at_once(city: Assembled, path: str, most: int) -> None:
    """Not of one registered dinas after another, as in a month that has just begun."""
    city.reader._cache, city.reader._published, city.reader._small = None, {}, None
    with statements(city.live.store) as queries:
        assert city.get(path, **FAR).status_code == 200
    assert len([statement for statement in queries if statement.startswith("SELECT")]) <= most, queries


@pytest.mark.parametrize("path", MOST)
def test_a_page_sends_few_statements(city: Assembled, path: str) -> None:
    """Counted while nothing is kept of an earlier reading."""
    city.reader._cache = None
    with statements(city.live.store) as queries:
        assert city.get(path).status_code == 200
    selects = [statement for statement in queries if statement.startswith("SELECT")]
    assert len(selects) <= MOST[path], selects
