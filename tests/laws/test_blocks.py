"""Laws of blocks: what is published of ratings is a sum of ten or more, at every moment, however they are reversed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.fold.blocks import LEAST, RATED, Block, number_of
from domain.fold.cells import Change, MonthState, Waiting
from domain.fold.disclosed import Month
from domain.measures import MEASURES
from tests.laws.histories import bounded
from tests.laws.plain_blocks import CLOSE, Plain, Said

Moves = Sequence[tuple[int, int, int]]
SERVICES = ("ktp", "kia", "")
MOVES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 50), st.integers(0, 400)), min_size=4, max_size=40)
"""What is done, where, and how often or to which rating."""


def said_by(moves: Moves) -> list[Said]:
    """A random month: citizens come in crowds, clerks take out single ratings, whole crowds, or correct them."""
    entries: list[Said] = []
    standing: list[Said] = []
    for kind, where, number in moves:
        service, is_tap = SERVICES[where % 3], where % 5 == 4
        if kind <= 5:
            for at in range(1 + number % 13):
                values = (2500 * (1 + (number + at) % 4),) if is_tap else answers(number + 7 * at, where)
                asn = ("", "a-1", "a-2")[(number + at) % 3]
                entry = Said(service, f"n{len(entries)}", asn, values, gives=True, first=True)
                entries.append(entry)
                standing.append(entry)
        elif kind <= 9 and standing:
            count = 1 if kind <= 7 else min(len(standing), 1 + number % 12)
            first = number % len(standing) if kind <= 7 else 0
            entries += map(_out, standing[first : first + count])
            del standing[first : first + count]
        elif kind == 10 and standing:
            former = standing.pop(number % len(standing))
            values = (10_000,) if where % 7 == 6 else answers(number + 1, where)
            entry = Said(
                service if where % 2 else former.service, former.name, former.asn, values, gives=True, first=False
            )
            entries += [_out(former), entry]
            standing.append(entry)
        elif kind == 11 and number % 3 == 0 and CLOSE not in entries:
            entries.append(CLOSE)
    return entries


def _out(entry: Said) -> Said:
    return entry._replace(gives=False, first=False)


def answers(number: int, where: int) -> tuple[int, ...]:
    """Nine answers; of every fourth place one or more citizens skip one."""
    gap = number % 9 if where % 4 == 3 and number % 5 == 0 else 9
    return tuple(0 if at == gap else 1 + (number * (at + 3) + at) % 4 for at in range(9))


def read(month: Month, entry: Said) -> None:
    if entry == CLOSE:
        month.close("t")
    else:
        month.apply(
            Change(entry.service, entry.name, entry.asn, entry.values, 1 if entry.gives else -1, entry.first), "t"
        )


def stored(month: Month) -> Month:
    """The same month as it comes back from a store."""
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(month.state), type=MonthState)
    blocks = [msgspec.msgpack.decode(msgspec.msgpack.encode(block), type=Block) for block in month.blocks.values()]
    return Month(state, blocks)


def named(amounts: Any) -> Counter[str]:  # noqa: ANN401 - amounts by index
    return Counter({MEASURES[index]: amount for index, amount in amounts})


@bounded(150)
@given(MOVES)
def test_what_is_kept_is_what_is_worked_out_anew_at_every_moment(moves: Moves) -> None:
    entries, month = said_by(moves), Month()
    for number, entry in enumerate(entries, 1):
        read(month, entry)
        if number % 5 and number < len(entries):
            continue
        month, plain = stored(month), Plain(entries[:number])
        assert named(month.published()) == plain.sums()
        for service in SERVICES:
            cell = month.state.cells.get(service)
            assert named(cell.shown if cell else ()) == plain.sums(service)
        assert month.waiting() == Waiting(*plain.waiting())


@bounded(100)
@given(MOVES)
def test_a_published_block_held_ten_ratings_that_stood_and_has_one_that_stands(moves: Moves) -> None:
    month = Month()
    for entry in said_by(moves):
        read(month, entry)
        for key, block in month.moved.items():
            if block is not None:
                assert sum(rating.first for rating in block.given) >= LEAST, key
                assert not block.is_reversed, key
                assert len({(rating.name, rating.values) for rating in block.given}) == len(block.given)
        month.moved.clear()


@bounded(100)
@given(MOVES)
def test_the_figures_are_the_sum_of_the_blocks_and_no_count_is_less_than_none(moves: Moves) -> None:
    month = Month()
    for entry in said_by(moves):
        read(month, entry)
        sums: Counter[str] = Counter()
        for block in month.blocks.values():
            cell = month.state.cells.get(block.service)
            if not block.number or (cell is not None and (cell.shown or not cell.published)):
                sums.update(named(block.amounts()))
        figures = named(month.published())
        assert {name: amount for name, amount in sums.items() if amount} == dict(figures)
        assert all(amount > 0 for amount in figures.values())
        assert {MEASURES.index(name) for name in figures} <= RATED


@bounded(60)
@given(MOVES)
def test_the_ratings_that_name_an_asn_are_published_or_wait(moves: Moves) -> None:
    """In a block that counts no unsur, ratings have no part in the figures, and count until they are reversed."""
    month, exact = Month(), Counter[str]()
    for entry in said_by(moves):
        read(month, entry)
        exact[entry.asn] += 1 if entry.gives else -1
    for asn in ("a-1", "a-2"):
        published = sum(
            number_of(part) for block in month.blocks.values() for name, part in block.parts() if name == asn
        )
        bare = [block for block in month.blocks.values() if not block.mask and not block.is_tap]
        for block in bare:
            published += sum(rating.asn == asn and not block.gone >> at & 1 for at, rating in enumerate(block.given))
        assert exact[asn] == published + month.state.naming(asn)


def _ten(start: int, service: str = "ktp") -> list[Said]:
    return [Said(service, f"r{start + at}", "", (4,) * 9, gives=True, first=True) for at in range(10)]


def _month(entries: Sequence[Said]) -> Month:
    month = Month()
    for entry in entries:
        read(month, entry)
    return month


def _count(month: Month) -> int:
    return named(month.published())["respondents"]


def test_a_block_is_published_when_the_next_one_is_whole() -> None:
    entries = _ten(0) + _ten(10)
    assert [_count(_month(entries[:number])) for number in (9, 10, 19, 20)] == [0, 0, 0, 10]


def test_what_is_left_at_the_close_is_published_with_the_last_whole_block() -> None:
    entries = _ten(0) + _ten(10)[:7]
    assert _count(_month([*entries, CLOSE])) == 17
    assert _count(_month([*_ten(0)[:9], CLOSE])) == 0
    assert _count(_month([*_ten(0), _out(entries[3]), CLOSE])) == 0


def test_cells_without_a_block_make_one_of_the_dinas_once() -> None:
    cells = [*_ten(0)[:6], *_ten(10, "kia")[:4]]
    month = _month([*cells, CLOSE])
    assert (_count(month), named(month.state.joint)["respondents"]) == (10, 10)
    assert _count(_month([*cells[1:], CLOSE, *_ten(20, "x")[:9]])) == 0


def test_what_comes_after_the_close_waits_for_a_whole_block_of_its_own() -> None:
    entries = [*_ten(0), CLOSE, *_ten(10)]
    assert [_count(_month(entries[:number])) for number in (10, 11, 20, 21)] == [0, 10, 10, 20]


def test_a_reversal_is_published_with_the_block_it_falls_into() -> None:
    entries = [*_ten(0), *_ten(10), _out(_ten(0)[0]), *_ten(20), *_ten(30)]
    assert [_count(_month(entries[:number])) for number in (20, 21, 31, 41)] == [10, 10, 20, 29]
    assert _month(entries[:21]).waiting() == Waiting(10, 1)


def test_a_correction_stands_for_no_rating_that_was_first_recorded() -> None:
    first = _ten(0)
    entries = [*first[:9], _out(first[0]), first[0]._replace(first=False), first[9], *_ten(10)]
    assert [_count(_month([*entries, *_ten(20)][:number])) for number in (21, 22, 23)] == [0, 0, 11]


def test_a_block_whose_ratings_are_all_reversed_is_taken_out_at_once() -> None:
    outs = [_out(entry) for entry in _ten(0)]
    entries = [*_ten(0), *_ten(10), *outs]
    assert [_count(_month(entries[:number])) for number in (20, 29, 30)] == [10, 10, 0]
    assert _month(entries).waiting() == Waiting(10, 0)


def test_an_unsur_that_one_of_a_block_left_out_counts_for_nobody_in_it() -> None:
    shy = Said("ktp", "shy", "", (4, 4, 0, 4, 4, 4, 4, 4, 1), gives=True, first=True)
    sums = named(_month([shy, *_ten(0), *_ten(10)]).published())
    assert (sums["respondents"], sums["unsur_n_waktu"], sums["unsur_n_biaya"]) == (10, 0, 10)
    assert sums["respondent_mean_sum"] == 9 * 10_000 + 9063  # 29 of 32, of the eight that all answered
