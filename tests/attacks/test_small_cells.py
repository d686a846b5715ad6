"""Nobody but its leaders reads a dinas's cells of fewer than ten permits or tasks, out of whatever figure or list."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from domain.fold.ledger import total
from domain.fold.shown import left_out
from domain.periods import parse_period
from domain.score.scorecard import Subject
from tests.api.facts import RULES, permit, task
from tests.pages.messages import ID
from tests.pages.reading import FAR, Page
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.fold.ledger import Balance
    from tests.conftest import Assemble

PERIOD: Final = "?period=2026-11"
PUBLIC: Final = (
    *(f"/v1/{path}" for path in ("dinas", "dinas/dishub", "dinas/dishub/series", "rankings/dinas")),
    *(f"/v1/{path}{PERIOD}" for path in ("dinas", "dinas/dishub", "dinas/dishub/series", "rankings/dinas")),
    "/v1/dinas/dishub?period=2026",
    *("/", f"/{PERIOD}", f"/{PERIOD}&csv=board", f"/publik{PERIOD}", f"/publik{PERIOD}&csv=public"),
    f"/dinas/dishub{PERIOD}",
    *(f"/dinas/dishub{PERIOD}&csv={table}" for table in ("indicators", "services", "counts", "months")),
)
SHOWN: Final = 10
ENDED: Final = "2026-12-01T12:00:00+07:00"
DATA: Final = {"dinas": "dishub", "service": "kir"}


def city(*, late: bool) -> list[dict[str, Any]]:
    """Ten permits of one service; nine of another and nine tasks, which are all late or all within their time."""
    outcome = "rejected" if late else "issued"
    cases = [permit("dishub", 1, case=f"B-{number}") for number in range(SHOWN)]
    cases += [
        permit("dishub", 99 if late else 1, case=f"L-{number}", service="lain", outcome=outcome) for number in range(9)
    ]
    tasks = [task("dishub", on_time=not late, task=f"T-{number}") for number in range(9)]
    events = [{**entry, "id": f"e{number}"} for number, entry in enumerate([*cases, *tasks])]
    standard = {"service": "lain", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
    return [*RULES, event("standard-set", "std-lain", standard), *events]


def answers(neraca: Assembled, paths: Sequence[str], token: str = "") -> dict[str, str]:
    """The bodies of some answers, without the names of the city's journal."""
    neraca.settle()
    headers = {"authorization": token} if token else {}
    texts = {path: neraca.get(path, headers=headers, **FAR).text for path in paths}
    return {path: text.replace(neraca.journal.id[:8], "J") for path, text in texts.items()}


@pytest.mark.parametrize("now", ["2026-11-24T12:00:00+07:00", ENDED])
def test_cities_that_differ_in_small_cells_look_alike_to_all_but_their_leaders(
    assemble: Assemble, clock: Clock, now: str
) -> None:
    """To the public, to an ASN, a counter, and a leader of another dinas; the leader of this one and an auditor see it."""
    clock.set(now)
    first, second = assemble("first"), assemble("second")
    first.record(*city(late=False))
    second.record(*city(late=True))

    def both(*roles: str, **limits: Any) -> tuple[str, str]:  # noqa: ANN401 - of a token
        name = "-".join((*roles, *limits.get("dinas", ["semua"])))
        return first.token(name, *roles, **limits), second.token(name, *roles, **limits)

    others = [("", ""), both("asn", asn="a-1"), both("counter", dinas=["dishub"], sources=["/loket"])]
    for mine, theirs in [*others, both("leader", dinas=["dlh"])]:
        assert answers(first, PUBLIC, mine) == answers(second, PUBLIC, theirs)
    for mine, theirs in (both("leader", dinas=["dishub"]), both("leader"), both("auditor")):
        here, there = answers(first, PUBLIC, mine), answers(second, PUBLIC, theirs)
        assert [path for path in PUBLIC[4:] if here[path] == there[path] and "2026-1" in path] == []


def test_a_sum_is_that_of_what_is_shown_and_names_what_is_left_out(neraca: Assembled) -> None:
    """Ten of nineteen permits, and none of nine tasks; the tenth of a cell brings all ten."""
    neraca.record(*city(late=True))
    neraca.settle()
    leader = {"authorization": neraca.token("pemimpin", "leader", dinas=["dishub"])}

    def card(headers: dict[str, str]) -> dict[str, Any]:
        neraca.settle()
        body: dict[str, Any] = neraca.get(f"/v1/dinas/dishub{PERIOD}", headers=headers, **FAR).json()
        return body

    def counts(headers: dict[str, str]) -> tuple[int, int, int, int | None, int]:
        names = ("permits", "permits_with_standard", "permits_on_time", "permits_rejected", "tasks")
        row = card(headers)["counts"]
        return tuple(row[name] for name in names)

    assert counts({}) == (10, 10, 10, None, 0)
    assert counts(leader) == (19, 19, 10, 9, 9)
    assert card({})["left_out"] == 2
    assert "left_out" not in card(leader)
    neraca.record({**permit("dishub", 1, case="L-9", service="lain"), "id": "L-9"})
    assert counts({}) == (20, 20, 11, None, 0)
    assert card({})["left_out"] == 1


def test_pages_say_what_is_left_out(neraca: Assembled) -> None:
    """The dinas's page dashes the small service, the board and the sums say how many are left out."""
    neraca.record(*city(late=True))
    neraca.settle()
    dinas = neraca.get(f"/dinas/dishub{PERIOD}", **FAR).text
    assert ID("subject.left_out", n=2) in dinas
    assert ID("public.left_out", n=1) in dinas
    assert ID("subject.left_out", n=2) in neraca.get(f"/{PERIOD}", **FAR).text
    assert ID("public.left_out", n=1) in neraca.get(f"/publik{PERIOD}", **FAR).text
    neraca.record(
        event(
            "permit-received",
            "m-1",
            {"dinas": "dishub", "service": "lain", "case": "M-1", "received_at": "2026-11-24T08:00:00+07:00"},
        )
    )
    neraca.settle()
    row = Page(neraca.get(f"/dinas/dishub{PERIOD}", **FAR).text).row("lain")
    assert row[-5:-1] == ["–", "–", "–", "–"], row


@pytest.mark.parametrize("path", [f"/dinas/dishub{PERIOD}", f"/{PERIOD}", f"/publik{PERIOD}"])
def test_a_period_of_small_cells_alone_is_not_called_empty(neraca: Assembled, path: str) -> None:
    """Something is recorded; the public is told so, and that it is too little to be shown."""
    neraca.record(*RULES, permit("dishub", 1))
    neraca.settle()
    answer = Page(neraca.get(path, **FAR).text)
    texts = " ".join(answer.all("p"))
    assert ID("page.few_data_period", period="November 2026") in texts
    assert ID("page.no_data_yet") not in texts
    assert ID("page.no_data_period", period="November 2026") not in texts


def test_rejections_are_told_to_the_public_once_the_period_has_ended(neraca: Assembled, clock: Clock) -> None:
    """Also by month; a quarter that runs tells none. Its leader is told at once."""
    neraca.record(*RULES, *(permit("dishub", 1, outcome="rejected") for _ in range(SHOWN)))
    leader = {"authorization": neraca.token("pemimpin", "leader", dinas=["dishub"])}

    def rejected(period: str, headers: dict[str, str] | None = None) -> int | None:
        neraca.settle()
        path = f"/v1/dinas/dishub?period={period}"
        number: int | None = neraca.get(path, headers=headers or {}, **FAR).json()["counts"]["permits_rejected"]
        return number

    assert (rejected("2026-11"), rejected("2026-11", leader)) == (None, SHOWN)
    clock.set(ENDED)
    assert (rejected("2026-11"), rejected("2026-Q4"), rejected("2026-Q4", leader)) == (SHOWN, None, SHOWN)
    months = neraca.get("/v1/dinas/dishub/series", **FAR).json()["items"]
    assert [row["counts"]["permits_rejected"] for row in months][-2:] == [SHOWN, None]


def test_the_list_of_the_last_entries_tells_the_public_no_outcome(neraca: Assembled) -> None:
    """Of a small cell neither time nor lateness; of another one both, and no rejection of any."""
    neraca.record(*RULES, *(permit("dishub", 1, service="lain") for _ in range(SHOWN)))
    neraca.record(*(permit("dishub", 30, outcome="rejected") for _ in range(SHOWN - 1)))
    leader = neraca.token("pemimpin", "leader", dinas=["dishub"])

    def newest(token: str = "") -> tuple[bool, ...]:
        page = answers(neraca, ["/"], token)["/"]
        items = page.partition('id="baru-isi"')[2].partition("</ol>")[0]
        return tuple(ID(name) in items for name in ("public.decided", "kind.permit-rejected", "feed.late"))

    assert newest() == (True, False, False)
    assert newest(leader) == (False, True, True)
    neraca.record(permit("dishub", 30, outcome="rejected"))
    assert newest() == (True, False, True)


def shown_of(neraca: Assembled, dinas: str, month: str) -> dict[str, Balance]:
    """The cells of a dinas's month without what is left out of each, from the exact figures."""
    with neraca.reader.snapshot() as exact:
        cells = {name: list(cell) for name, cell in exact.services(dinas, parse_period(month)).items()}
    for cell in cells.values():
        for index, amount in left_out(cell):
            cell[index] -= amount
    return cells


def test_every_figure_of_the_public_is_the_sum_of_the_cells_shown(neraca: Assembled) -> None:
    """Of a service, a month, a dinas and a quarter, after each of many days with reversals: no difference tells of others."""
    dice, dinas, quarter = random.Random(42), ("dishub", "dlh"), parse_period("2026-Q4")  # noqa: S311 - a repeatable city
    neraca.record(*RULES)
    permits: list[dict[str, Any]] = []
    for _ in range(12):
        fresh = []
        for _ in range(8):
            day = f"2026-{dice.choice((10, 11))}-{dice.randint(10, 20)}T0{dice.randint(2, 9)}:00:00+07:00"
            names = {"service": dice.choice(("kir", "lain")), "received_at": "2026-10-01T08:00:00+07:00"}
            fresh.append(permit(dice.choice(dinas), 1, completed_at=day, **names))
        permits += fresh
        victims = [permits.pop(dice.randrange(len(permits))) for _ in range(2)]
        neraca.record(*fresh)
        neraca.record(
            *(
                event(
                    "event-retracted",
                    f"x-{fact['id']}",
                    {"event": {"source": fact["source"], "id": fact["id"]}, "reason": "x"},
                )
                for fact in victims
            )
        )
        neraca.settle()
        with neraca.reader.snapshot(published=True, own=frozenset()) as public:
            standings = {row.subject.id: row.balance for row in public.dinas(quarter)}
            for name in dinas:
                months = {month: shown_of(neraca, name, month) for month in quarter.months}
                sums = {month: total(cells.values()) for month, cells in months.items()}
                assert standings.get(name, total([])) == total(sums.values())
                balances = public.months_of(Subject("dinas", name), quarter.months)
                assert {month: balances.get(month, total([])) for month in quarter.months} == sums
                services = public.services(name, quarter)
                for service in ("kir", "lain"):
                    cells = [month[service] for month in months.values() if service in month]
                    assert services.get(service, total([])) == total(cells)
