"""Blocks of ratings: the least that is published of what citizens said, and what one block adds to the figures.

A rating counts in the block of its cell (a dinas, a service and a month) that it was recorded in. A block holds ten
ratings or more, and each figure that is published is a sum of blocks, so that no figure gives a single answer away.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from domain.fold.ledger import Balance
from domain.fold.postings import Amounts, respondent_amounts, tap_amounts
from domain.measures import INDEX, UNSUR

LEAST: Final = 10
"""The number of ratings that must stand, as they were recorded, for a block to be whole."""
JOINT: Final = 0
"""The number of a block that a dinas's month makes of its cells that have none; a cell's own blocks count from 1."""
EVERY: Final = (1 << len(UNSUR)) - 1
"""The mask of a block in which everybody answered each unsur: a bit for each."""

Values = tuple[int, ...]
"""The answers of a rating: nine, in the order of ``UNSUR``, with 0 for none; or one, in basis points."""

_RESPONDENTS: Final = INDEX["respondents"]
_COUNTS: Final = tuple(INDEX[f"unsur_n_{unsur}"] for unsur in UNSUR)
_SUMS: Final = tuple(INDEX[f"unsur_sum_{unsur}"] for unsur in UNSUR)
_MEAN: Final = (INDEX["respondent_mean_sum"], INDEX["respondent_mean_sq"])
_TAP: Final = (INDEX["overall_n"], INDEX["overall_sum"], INDEX["overall_sq"])
_COUNTED: Final = frozenset({_RESPONDENTS, INDEX["overall_n"]})
_UNSUR_OF: Final = {index: 1 << at for pair in (_COUNTS, _SUMS) for at, index in enumerate(pair)}
RATED: Final = frozenset({_RESPONDENTS, *_COUNTS, *_SUMS, *_MEAN, *_TAP})
"""The measures that ratings post to, and nothing else does: these are the ones that are published in blocks."""


class Given(Struct, frozen=True, array_like=True, gc=False):
    """A rating that was given: the name by which it is known in its cell, the ASN it names or ``""``, its answers.

    ``first``: it stands as it was first recorded; one that a correction put in does not.
    """

    name: str
    asn: str
    values: Values
    first: bool = True


class Taken(Struct, frozen=True, array_like=True, gc=False):
    """A reversal of a rating in an earlier block: the number of that block, the rating, and what it takes out.

    ``amounts`` is ``None`` while the block of the rating is not published yet.
    """

    origin: int
    name: str
    asn: str
    amounts: Amounts | None = None


class Run(Struct, array_like=True):
    """The entries of a block, or of one that is not whole yet. A rating that was reversed in it is not among them."""

    given: list[Given]
    taken: list[Taken]

    @property
    def standing(self) -> int:
        """The number of its ratings that stand as they were first recorded."""
        return sum(rating.first for rating in self.given)


class Block(Struct, array_like=True):
    """A published block of a cell. Of a joint block ``service`` is ``""`` and ``number`` is ``JOINT``.

    ``gone`` has a bit for each rating that was reversed later; ``at`` is the time of recording at which it was published.
    """

    service: str
    is_tap: bool
    number: int
    given: list[Given]
    taken: list[Taken]
    mask: int
    at: str
    gone: int = 0

    @property
    def is_reversed(self) -> bool:
        """True if all its ratings were reversed."""
        return self.gone == (1 << len(self.given)) - 1

    def place(self, name: str) -> int | None:
        """The place of a rating that stands; ``None`` when the block has none of that name."""
        for at, rating in enumerate(self.given):
            if rating.name == name and not self.gone >> at & 1:
                return at
        return None

    def amounts(self) -> Amounts:
        """The sum that it adds to the figures."""
        return added(part for _, part in self.parts())

    def parts(self) -> Iterable[tuple[str, Amounts]]:
        """The part of each of its ratings and reversals in the sum, with the ASN that the rating names."""
        for rating in self.given:
            yield rating.asn, part_of(rating.values, self.mask)
        for reversal in self.taken:
            yield reversal.asn, reversal.amounts or ()

    def parts_of(self, origin: int, name: str) -> Iterable[Amounts]:
        """The parts that are of one rating: of itself, if it is of this block, and of its reversals."""
        if origin == self.number:
            yield from (part_of(rating.values, self.mask) for rating in self.given if rating.name == name)
        yield from (item.amounts or () for item in self.taken if (item.origin, item.name) == (origin, name))


def mask_of(ratings: Sequence[Given]) -> int:
    """The unsur that all ratings of a block answered, a bit for each; of one-tap ratings all."""
    mask = EVERY
    for rating in ratings:
        if 0 in rating.values and len(rating.values) > 1:
            mask &= sum(1 << at for at, answer in enumerate(rating.values) if answer)
    return mask


@lru_cache(maxsize=4096)
def part_of(values: Values, mask: int) -> Amounts:
    """The amounts that one rating adds to its block: of an unsur that not all of the block answered none.

    Without any unsur that all answered a block adds nothing, since its respondents would have no mean.
    """
    if len(values) == 1:
        return tap_amounts(values[0])
    answers = {unsur: values[at] for at, unsur in enumerate(UNSUR) if mask >> at & 1}
    return respondent_amounts(answers) if answers else ()


def number_of(amounts: Amounts) -> int:
    """The number of ratings that amounts add up to."""
    return sum(amount for index, amount in amounts if index in _COUNTED)


def without_ratings(balance: Balance) -> Balance:
    """A balance without what citizens said."""
    return [0 if index in RATED else amount for index, amount in enumerate(balance)]


def within(amounts: Amounts, mask: int) -> Amounts:
    """Amounts without those of unsur that a block does not count."""
    return tuple(pair for pair in amounts if _UNSUR_OF.get(pair[0], EVERY) & mask)


def added(parts: Iterable[Amounts], sign: int = 1) -> Amounts:
    """The sum of amounts, zeros left out, in the order of measures; ``sign`` -1 negates it."""
    sums: dict[int, int] = {}
    for part in parts:
        for index, amount in part:
            sums[index] = sums.get(index, 0) + amount
    return tuple((index, sign * sums[index]) for index in sorted(sums) if sums[index])
