"""Findings H1 and H4: an attacker with exact linear algebra over all figures of a half-year solves for nobody's answer.

The figures are those that the program publishes: the fold's own sums, and one city's real answers, are compared with them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from domain.clock import SECOND_US, parse_instant
from domain.fold.blocks import Block
from domain.fold.disclosed import Month
from domain.fold.half_years import served
from domain.measures import UNSUR
from neraca.__main__ import main
from tests.attacks.test_h1_ratings import rated, reversal
from tests.laws.plain_blocks import CLOSE, Plain, Said, Voice
from tests.laws.test_blocks import SERVICES, Moves, named, read, said_by
from tests.laws.test_published import DINAS, Clerk
from tests.pages.reading import FAR
from tests.serving import BATCH, Assembled, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MEASURES: Final = ("overall_n", *(f"unsur_n_{unsur}" for unsur in UNSUR))
"""The counts of the sums of answers that are published: a citizen's coefficient in the sum is that in its count."""
ASN: Final = ("a-1", "a-2")
TOLD_AT_ONCE: Final = 4
"""The crowds and reversals between two looks at a city's answers."""
CALLERS: Final[dict[str, list[str] | None]] = {"leader": ["dishub"], "auditor": None}
"""One who is served what is published, and one who is served what is exact."""
CLOSES: Final = {"2026-08": "2026-10-01T00:00:00+07:00", "2026-09": "2026-10-31T00:00:00+07:00"}
"""The months with ratings, and the instant at which each closes."""
Months = Mapping[str, Sequence[Said]]
Row = dict[int, int]
"""A published sum: by citizen, the coefficient of the answer. A corrected answer is another citizen's."""


class Attacker:
    """One who knows of every figure of a dinas which ratings are in it, and of no rating what it says."""

    def __init__(self) -> None:
        self.citizens: dict[Said, int] = {}
        self.rows = {measure: list[Row]() for measure in MEASURES}

    def row(self, parts: Iterable[tuple[Voice, Counter[str]]], measure: str) -> Row:
        """The coefficients of a sum of parts."""
        row: Row = {}
        for voice, amounts in parts:
            citizen = self.citizens.setdefault(voice.said, len(self.citizens))
            row[citizen] = row.get(citizen, 0) + amounts[measure]
        return {citizen: number for citizen, number in row.items() if number}

    def note(self, parts: Sequence[tuple[Voice, Counter[str]]]) -> None:
        """Note the figures that are the sum of some parts."""
        for measure, rows in self.rows.items():
            row = self.row(parts, measure)
            if row and row not in rows:
                rows.append(row)


def shown(plain: Plain, service: str | None = None) -> list[tuple[Voice, Counter[str]]]:
    """The parts of the figures of a dinas, or of a service of it, but for cells that are left out while they are owed something."""
    debts = plain._owed
    return [
        row
        for piece, rows in plain.published
        for row in rows
        if len(piece.cells) > 1 or piece.cells[0][0] not in debts
        if service is None or [cell[0] for cell in piece.cells] == [service]
    ]


def total(parts: Iterable[tuple[Voice, Counter[str]]]) -> Counter[str]:
    """The sums of parts."""
    sums: Counter[str] = Counter()
    for _, amounts in parts:
        sums.update(amounts)
    return Counter({name: amount for name, amount in sums.items() if amount})


def attacked(months: Months) -> tuple[Attacker, set[str]]:
    """The figures of a dinas and of each service after each entry, of the quarter and of ASN at the close; the ASN served."""
    attacker, parts, blocks = Attacker(), list[tuple[Voice, Counter[str]]](), list[tuple[str, Block]]()
    for name, entries in months.items():
        month, before, plain = Month(), Counter[str](), Plain([])
        for number, entry in enumerate(entries, 1):
            read(month, entry)
            figures = named(month.published())
            if figures == before and number < len(entries):
                continue
            before, plain = figures, Plain(entries[:number])
            assert total(shown(plain)) == figures, "the attacker's rows are what the program publishes"
            for service in (None, *SERVICES):
                attacker.note(shown(plain, service))
        parts += shown(plain)
        cells = month.state.cells
        blocks += [(name, block) for block in month.blocks.values() if not block.number or cells[block.service].shown]
    attacker.note(parts)
    sums = served(blocks)
    for asn, amounts in sums.items():
        own = of_asn(parts, asn)
        assert total(own) == named(amounts)
        attacker.note(own)
    return attacker, set(sums)


def of_asn(parts: Iterable[tuple[Voice, Counter[str]]], asn: str) -> list[tuple[Voice, Counter[str]]]:
    """The parts that name an ASN."""
    return [part for part in parts if part[0].said.asn == asn]


def month_of(seed: int) -> Moves:
    """A month with reversals and corrections; before it closes crowds come who name an ASN or nobody, so that some are served."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable month
    kinds = (0, 1, 2, 3, 6, 7, 8, 10)
    moves = [(dice.choice(kinds), dice.randint(0, 50), dice.randint(0, 400)) for _ in range(24)]
    return [*moves, *((0, where, 12) for where in (0, 4, 1, 19, 2, 14) * 3), (11, 0, 0)]


def told(name: str, moves: Moves) -> list[Said]:
    """What is said in a month of a name: no citizen of one month is taken for one of another."""
    return [entry if entry == CLOSE else entry._replace(name=f"{name}-{entry.name}") for entry in said_by(moves)]


def months_of(seed: int) -> Months:
    """Two months of a half-year."""
    return {name: told(name, month_of(2 * seed + number)) for number, name in enumerate(CLOSES)}


def reduced(rows: Sequence[Row]) -> list[dict[int, Fraction]]:
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


@pytest.mark.parametrize("seed", range(4))
def test_no_combination_of_all_figures_of_a_half_year_solves_for_one_answer(seed: int) -> None:
    """Over the dinas and each service after each event of two months, their sum, and each ASN that is served; by each unsur."""
    attacker, asn = attacked(months_of(seed))
    assert len(attacker.citizens) > 120
    assert asn <= set(ASN)
    for measure, rows in attacker.rows.items():
        basis = reduced(rows)
        assert len(basis) > 1, measure
        assert min(len(row) for row in basis) >= 10, measure


def test_an_asn_is_served_in_some_of_these_months() -> None:
    assert any(attacked(months_of(seed))[1] for seed in range(4))


def test_the_linear_algebra_finds_what_can_be_found() -> None:
    """The attacker is no straw man: sums that differ in one citizen are solved."""
    assert {frozenset(row) for row in reduced([{0: 1, 1: 1, 2: 1}, {0: 1, 1: 1}])} == {
        frozenset({2}),
        frozenset({0, 1}),
    }


def test_the_attackers_figures_are_those_of_a_citys_real_answers(tmp_path: Path) -> None:
    """Of the dinas after some crowds and reversals, at each close and in the quarter; of each ASN once the half-year has closed."""
    clock, told_by_month = Clock(), dict[str, list[Said]]()
    with Assembled(tmp_path / "data", clock=clock) as city:
        for name, close, seed in zip(CLOSES, CLOSES.values(), (2, 3), strict=True):
            clock.us = parse_instant(close) - SECOND_US
            told_by_month[name] = tell(city, name, month_of(seed), partial(clock.set, close))
        clock.set("2027-02-01T00:00:00+07:00")
        parts = [part for entries in told_by_month.values() for part in shown(Plain(entries))]
        for period in ("2026-Q3", "2026-S2", "2026"):
            assert_told(city.get(f"/v1/dinas/{DINAS}?period={period}", **FAR).json(), total(parts))
        personnel, served_asn = {"authorization": city.token("personalia", "personnel")}, attacked(told_by_month)[1]
        assert served_asn
        for asn in ASN:
            card = city.get(f"/v1/asn/{asn}?period=2026-S2", headers=personnel, **FAR).json()
            assert (card["indicators"][1]["n"] is not None) == (asn in served_asn)
            if asn in served_asn:
                assert_told(card, total(of_asn(parts, asn)))


def tell(city: Assembled, name: str, moves: Moves, close: Callable[[], None]) -> list[Said]:
    """Tell a city what is said in a month, and compare what it serves with the attacker's figures now and then, and at the end."""
    events, entries = list[dict[str, Any]](), list[Said]()
    clerk = Clerk(events.append, close, name)
    for number in (*range(TOLD_AT_ONCE, len(moves) - 1, TOLD_AT_ONCE), len(moves) - 1, len(moves)):
        before, entries = len(entries), told(name, moves[:number])
        clerk.tell(entries[before:])
        if events:
            tally = city.post(events, BATCH).json()
            assert (tally["accepted"], tally["rejected"]) == (len(events), [])
            city.settle()
            events.clear()
        if entries:
            card = city.get(f"/v1/dinas/{DINAS}?period={name}", **FAR).json()
            assert_told(card, total(shown(Plain(entries))))
    assert CLOSE in entries
    return entries


def test_a_replay_prints_of_ratings_what_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--published`: what a leader is served at the same position; without it, what auditors are."""
    clock, data, month = Clock("2020-09-20T12:00:00+07:00"), tmp_path / "data", "2020-09"
    with Assembled(data, clock=clock) as city:
        time = {"time": "2020-09-15T10:00:00+07:00"}
        ratings = [rated(n, 1 + n % 4) for n in range(24)] + [rated(n, 1 + n % 4, "sim") for n in range(24, 33)]
        city.record(*({**content, **time} for content in (*ratings, reversal(3))))
        clock.set("2020-12-01T12:00:00+07:00")
        callers = {name: {"authorization": city.token(name, name, dinas=limit)} for name, limit in CALLERS.items()}
        cards = {
            name: city.get(f"/v1/dinas/dishub?period={month}", headers=headers, **FAR).json()
            for name, headers in callers.items()
        }
    assert [cards[name]["counts"]["ratings"] for name in ("leader", "auditor")] == [23, 32]
    for name, options in (("leader", ["--published"]), ("auditor", [])):
        assert main(["replay", "--data", str(data), "--period", month, *options]) == 0
        assert json.loads(capsys.readouterr().out)["dinas"] == {"dishub": cards[name]}


def assert_told(card: dict[str, Any], sums: Counter[str]) -> None:
    """A scorecard tells the number and the mean of these sums, to a hundredth."""
    assert card["counts"]["ratings"] == sums["respondents"] + sums["overall_n"]
    survey, taps = card["indicators"][1], card["overall"]
    assert ((survey["n"] or 0), (taps["n"] or 0)) == (sums["respondents"], sums["overall_n"])
    if all(sums[f"unsur_n_{unsur}"] for unsur in UNSUR):
        mean = sum((Fraction(sums[f"unsur_sum_{unsur}"], sums[f"unsur_n_{unsur}"]) for unsur in UNSUR), Fraction(0))
        assert abs(Fraction(str(survey["value"])) - 25 * mean / 9) <= Fraction(1, 200)
    if sums["overall_n"]:
        mean = Fraction(sums["overall_sum"], 100 * sums["overall_n"])
        assert abs(Fraction(str(taps["value"])) - mean) <= Fraction(1, 200)
