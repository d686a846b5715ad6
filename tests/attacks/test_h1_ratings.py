"""Findings H1 and H4: no figure, list or message that is served gives a single citizen's answer away."""

from __future__ import annotations

import base64
import json
import random
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import pytest

from api.pages.public import PublicPage
from tests.laws.plain_blocks import CLOSE, Plain, Said
from tests.laws.test_blocks import said_by
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from projections.segment import Moved

UNSUR: Final = (
    "persyaratan",
    "prosedur",
    "waktu",
    "biaya",
    "produk",
    "kompetensi",
    "perilaku",
    "pengaduan",
    "sarana",
)
PUBLIC: Final = (
    "/v1/dinas",
    "/v1/dinas/dishub",
    "/v1/dinas/dishub/series",
    "/v1/rankings/dinas",
    "/",
    "/publik",
    "/publik?csv=public",
    "/dinas/dishub",
    "/?csv=board",
)
LEADER: Final = (
    *PUBLIC,
    "/v1/dinas/dishub/why",
    "/v1/dinas/dishub/events",
    "/v1/dinas/dishub/asn",
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/v1/asn/a-1/series",
    "/v1/asn/a-1/events",
    "/v1/rankings/asn?dinas=dishub",
    "/dinas/dishub/why",
    "/dinas/dishub/events",
    "/dinas/dishub?csv=services",
    "/asn/a-1",
    "/asn/a-1/why",
    "/asn/a-1/events",
)
DONE: Final = {"completed_at": "2026-11-03T10:00:00+07:00", "due_at": "2026-11-03T10:00:00+07:00"}
FAR: Final[dict[str, Any]] = {"caller": "192.0.2.7", "host": "neraca.example"}


def rated(number: int, answer: int, service: str = "ktp-el") -> dict[str, Any]:
    """A survey about a-1 in which all nine answers are the same."""
    data = {"dinas": "dishub", "service": service, "survey": f"s{number}", "asn": "a-1"}
    return event("satisfaction-rated", f"r{number}", data | {"unsur": dict.fromkeys(UNSUR, answer)})


def reversal(number: int) -> dict[str, Any]:
    """The rating of a number is taken back."""
    return event(
        "event-retracted", f"x{number}", {"event": {"source": "/loket", "id": f"r{number}"}, "reason": "salah"}
    )


def day(answers: Sequence[int]) -> list[dict[str, Any]]:
    """Thirty-four citizens of one day, with reversals among them; the last ten of a whole block are numbers 10 to 19."""
    ratings = [rated(number, answer) for number, answer in enumerate(answers)]
    return [*ratings[:22], reversal(1), reversal(3), *ratings[22:27], reversal(20), *ratings[27:]]


@pytest.fixture(autouse=True)
def _fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is a copy of the second before: two cities are looked at one after the other."""
    monkeypatch.setattr(PublicPage, "lifetime_s", 0.0)


class Spy:
    """A city, and the answers of it that a caller gets."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.city = Assembled(folder, clock=self.clock)
        self.city.record(
            event("asn-assigned", "as", {"asn": "a-1", "dinas": "dishub", "effective_from": "2026-01-01"}),
            event("dinas-registered", "dn", {"dinas": "dishub", "name": "Dinas Perhubungan"}),
        )
        self._leader = {"authorization": self.city.token("pemimpin", "read")}

    def sees(self, paths: Sequence[str], *, leader: bool) -> dict[str, str]:
        """The bodies of some answers, without the names of the city's journal."""
        self.city.settle()
        headers = self._leader if leader else {}
        texts = {path: self.city.get(path, headers=headers, **FAR).text for path in paths}
        return {path: text.replace(self.city.journal.id[:8], "J") for path, text in texts.items()}


def test_two_cities_that_differ_in_who_of_ten_said_what_look_alike(tmp_path: Path) -> None:
    """To the public after each event, and to the leader of the dinas now and then: figures, lists, pages and tables."""
    dice = random.Random(20261201)  # noqa: S311 - a repeatable day
    answers = [dice.randint(1, 4) for _ in range(34)]
    others = list(answers)
    for block in ([0, 2, 4, 5, 6, 7, 8, 9], list(range(10, 20)), [21, 22, 23, 24, 25, 26]):
        values = [answers[number] for number in block]
        dice.shuffle(values)
        for number, value in zip(block, values, strict=True):
            others[number] = value
    assert sum(a != b for a, b in zip(answers, others, strict=True)) > 10
    first, second = Spy(tmp_path / "a"), Spy(tmp_path / "b")
    try:
        for number, (event_of_first, event_of_second) in enumerate(zip(day(answers), day(others), strict=True)):
            first.city.record(event_of_first)
            second.city.record(event_of_second)
            paths = LEADER if number % 6 == 0 else PUBLIC[:4]
            for leader in (False, True):
                mine = PUBLIC if leader is False and paths is LEADER else paths
                assert first.sees(mine, leader=leader) == second.sees(mine, leader=leader), number
    finally:
        first.city.close()
        second.city.close()


def test_the_known_script_recovers_nobodys_answer(tmp_path: Path) -> None:
    """It reads the satisfaction of the dinas before and after each rating, and takes the difference of n times value."""
    dice = random.Random(7)  # noqa: S311 - a repeatable day
    spy, hits, before = Spy(tmp_path / "a"), 0, Fraction(0)
    try:
        for number in range(30):
            answer = dice.randint(1, 4)
            spy.city.record(rated(number, answer))
            spy.city.settle()
            line = spy.city.get("/v1/dinas/dishub", **FAR).json()["indicators"][1]
            after = Fraction(str(line["value"] or 0)) * (line["n"] or 0)
            hits += abs(after - before - 25 * answer) <= Fraction(30, 100)
            before = after
    finally:
        spy.city.close()
    assert hits == 0


def test_no_list_has_a_rating_and_nothing_is_moved_by_one(tmp_path: Path) -> None:
    spy, moves = Spy(tmp_path / "a"), list["Moved"]()
    try:
        spy.city.settle()
        spy.city.live.movement.listen(moves.append)
        for number in range(25):
            spy.city.record(rated(number, 4))
        spy.city.record(reversal(3))
        spy.city.settle()
        assert {name for move in moves for name in move.dinas} == {"dishub"}
        assert {name for move in moves for name in move.facts} == set()
        for path, text in spy.sees(LEADER, leader=True).items():
            assert "satisfaction-rated" not in text, path
            assert '"r3"' not in text, path
    finally:
        spy.city.close()


def _rows(moves: Sequence[tuple[int, int, int]]) -> tuple[list[dict[int, int]], int]:
    """The figures that are published over a month as sums over its citizens: by citizen, the coefficient of the answer."""
    entries, rows = said_by(moves), list[dict[int, int]]()
    citizens = {entry.name: number for number, entry in enumerate(e for e in entries if e.gives)}
    for number in range(1, len(entries) + 1):
        plain = Plain(entries[:number])
        for service in (None, "ktp", "kia", ""):
            row: dict[int, int] = {}
            for piece, _ in plain.published:
                if service is None or {cell[0] for cell in piece.cells} == {service}:
                    for sign, voices in ((1, piece.given), (-1, piece.taken)):
                        for voice in voices:
                            citizen = citizens[voice.said.name]
                            row[citizen] = row.get(citizen, 0) + sign
            if row not in rows:
                rows.append(row)
    return rows, len(citizens)


def _reduced(rows: Sequence[dict[int, int]]) -> list[dict[int, Fraction]]:
    """The rows in reduced echelon form: a citizen's answer is known exactly when a row holds that citizen alone."""
    basis: list[dict[int, Fraction]] = []
    for integers in rows:
        row = {key: Fraction(value) for key, value in integers.items() if value}
        for other in basis:
            lead = min(other)
            _subtract(row, other, row.get(lead, Fraction(0)))
        if row:
            lead = min(row)
            scale = row[lead]
            row = {key: value / scale for key, value in row.items()}
            for other in basis:
                _subtract(other, row, other.get(lead, Fraction(0)))
            basis.append(row)
    return basis


def _subtract(row: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction) -> None:
    if factor:
        for key, value in other.items():
            row[key] = row.get(key, Fraction(0)) - factor * value
            if not row[key]:
                del row[key]


@pytest.mark.parametrize("seed", range(6))
def test_no_combination_of_all_figures_of_a_month_solves_for_one_answer(seed: int) -> None:
    """Exact linear algebra over the dinas and each service, after each event of a month with reversals and corrections."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable month
    moves = [(dice.choice((0, 1, 2, 3, 6, 7, 8, 10)), dice.randint(0, 50), dice.randint(0, 400)) for _ in range(40)]
    rows, citizens = _rows([*moves, (11, 0, 0)])
    assert citizens > 60
    basis = _reduced(rows)
    assert len(basis) > 1
    assert min(len(row) for row in basis) >= 10


def test_the_linear_algebra_finds_what_can_be_found() -> None:
    """The attacker is no straw man: sums that differ in one citizen are solved."""
    assert {frozenset(row) for row in _reduced([{0: 1, 1: 1, 2: 1}, {0: 1, 1: 1}])} == {
        frozenset({2}),
        frozenset({0, 1}),
    }
    assert isinstance(CLOSE, Said)


@pytest.mark.parametrize("path", ["dinas/dishub/events", "dinas/dishub/why", "asn/a-1/events", "asn/a-1/why"])
def test_a_list_by_ones_tells_a_leader_the_position_of_no_rating(tmp_path: Path, path: str) -> None:
    """Its pages are those of the events that are shown: none is empty, and no cursor names an entry between them."""
    spy, name = Spy(tmp_path / "a"), "events" if path.endswith("why") else "items"
    try:
        tasks = [
            event("task-completed", f"t{n}", {"dinas": "dishub", "asn": "a-1", "task": f"t{n}"} | DONE)
            for n in range(3)
        ]
        spy.city.record(rated(0, 4), tasks[0], *(rated(n, 4) for n in (1, 2)), *tasks[1:], rated(3, 1))
        pages: list[list[dict[str, Any]]] = []
        following: str | None = ""
        while following is not None and len(pages) < 9:
            cursor = f"&cursor={following}" if following else ""
            text = spy.sees([f"/v1/{path}?limit=1{cursor}"], leader=True)
            page = json.loads(next(iter(text.values())))
            pages.append(page[name])
            following = page["next"]
            position = re.search(rb"\d+$", base64.urlsafe_b64decode(f"{following or ''}=="))
            assert position is None or [int(position[0])] == [item["position"] for item in page[name]]
        assert sorted(item["id"] for items in pages for item in items) == ["t0", "t1", "t2"]
        assert len(pages) == 3
    finally:
        spy.city.close()
