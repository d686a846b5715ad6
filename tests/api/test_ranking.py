"""Rankings and lists, page by page: only what can be compared is compared, and pages joined are the whole."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.api.facts import RULES, fill, permit, standings, task
from tests.pages.reading import page
from tests.serving import Assembled, event

RANKED: Final = [
    ("c", 100.0, {"best": 1, "worst": 1}),
    ("a", 70.0, {"best": 2, "worst": 3}),
    ("b", 70.0, {"best": 2, "worst": 3}),
    ("d", 100.0, {"best": 1, "worst": 1}),
    ("e", 150.0, {"best": 1, "worst": 1}),
    ("f", None, None),
    ("g", None, None),
]


def test_a_ranking_compares_only_the_comparable(neraca: Assembled) -> None:
    """One covered set is ranked among itself, larger covered weight first, ties share ranks by id, unranked last."""
    fill(neraca, *RULES, *standings())
    page = neraca.get("/v1/rankings/dinas").json()
    assert [(card["subject"]["id"], card["iku"]["value"], card["rank"]) for card in page["items"]] == RANKED
    assert "rank" not in neraca.get("/v1/dinas").json()["items"][0]
    assert "rank" not in neraca.get("/v1/dinas/a").json()


def test_scores_that_read_the_same_share_their_ranks_wherever_they_are_read(neraca: Assembled) -> None:
    """100.00 and 100.00333… are both served as 100.00: of a dinas and of an ASN, in the API, on pages and in tables."""
    fill(
        neraca,
        *RULES,
        *(event("dinas-registered", f"d-{dinas}", {"dinas": dinas, "name": dinas}) for dinas in ("d1", "d2")),
        *(
            event("asn-assigned", f"a-{asn}", {"asn": asn, "dinas": "d1", "effective_from": "2026-01-01"})
            for asn in ("x", "y")
        ),
        *(permit(dinas, 24, asn=asn) for dinas, asn in [("d1", "x")] * 3 + [("d1", "y")] * 2 + [("d2", "z")] * 3),
        permit("d1", 24 - 0.0024, asn="y"),
    )
    tie = {"best": 1, "worst": 2}
    for kind, query in (("dinas", ""), ("asn", "&dinas=d1")):
        items = neraca.get(f"/v1/rankings/{kind}?period=2026-11{query}").json()["items"]
        ids = ["d1", "d2"] if kind == "dinas" else ["x", "y"]
        assert [(card["subject"]["id"], card["iku"]["value"], card["rank"]) for card in items] == [
            (name, 100.0, tie) for name in ids
        ]
    lines = neraca.get("/?period=2026-11&csv=board").text.splitlines()[1:]
    assert [line.split(";")[:3] for line in lines] == [["1", "2", "d1"], ["1", "2", "d2"]]
    assert [page(neraca, "/?period=2026-11").row(name)[0] for name in ("d1", "d2")] == ["1–2", "1–2"]
    for address in ("/dinas/d1", "/asn/x", "/asn/y"):
        assert "1–2 dari 2" in page(neraca, f"{address}?period=2026-11").all("dd")


def test_nobody_is_ranked_beyond_their_own_dinas(neraca: Assembled) -> None:
    """The ranking of ASN is of one dinas."""
    fill(
        neraca,
        *RULES,
        task("d1", on_time=True, asn="x"),
        task("d1", on_time=False, asn="y"),
        task("d2", on_time=True, asn="z"),
    )
    page = neraca.get("/v1/rankings/asn?dinas=d1").json()
    assert [(card["subject"]["id"], card["rank"]["best"]) for card in page["items"]] == [("x", 1), ("y", 2)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/dinas?", "items"),
        ("/v1/rankings/dinas?", "items"),
        ("/v1/dinas/hub/asn?", "items"),
        ("/v1/rankings/asn?dinas=hub&", "items"),
        ("/v1/dinas/hub/why?", "events"),
        ("/v1/asn/p0/why?", "events"),
    ],
)
def test_pages_joined_are_the_whole(city: Assembled, path: str, key: str, limit: int) -> None:
    """Following `next` from page to page gives the whole list once, in its order, whatever the limit."""
    whole = city.get(path).json()
    assert whole["next"] is None
    assert len(whole[key]) == 7
    items: list[object] = []
    cursor: str | None = ""
    while cursor is not None:
        page = city.get(f"{path}limit={limit}{f'&cursor={cursor}' if cursor else ''}").json()
        assert 1 <= len(page[key]) <= limit
        items += page[key]
        cursor = page["next"]
    assert items == whole[key]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """Seven of everything: dinas, ASN of one dinas, events behind that dinas and behind one ASN."""
    with Assembled(tmp_path_factory.mktemp("paged") / "data") as neraca:
        fill(
            neraca,
            *RULES,
            *(task(f"d{index}", on_time=True, asn="p0") for index in range(6)),
            task("hub", on_time=True, asn="p0"),
            *(task("hub", on_time=False, asn=f"p{index}") for index in range(1, 7)),
        )
        yield neraca
