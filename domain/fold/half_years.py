"""The satisfaction with ASN in a half-year: what is served of the published blocks of one dinas, and of whom.

An ASN is served where thirty published ratings or more name them, and where what is left of each of their cells, once
the served ones are taken away, is nothing or ten ratings at least.
"""

from collections.abc import Iterable
from typing import Final

from domain.fold.blocks import LEAST, Block, added, number_of
from domain.fold.postings import Amounts
from domain.periods import Period, parse_period

ENOUGH: Final = 30
"""The published ratings that must name an ASN in a half-year."""
MONTHS: Final = 6
Cell = tuple[str, str, bool, bool]
"""A month, a service, whether by one tap, and whether it is the joint block of the dinas."""


def half_years(period: Period) -> tuple[Period, ...]:
    """The half-years that a period is made of; none of a month or a quarter."""
    if len(period.months) == MONTHS:
        return (period,)
    if len(period.months) == 2 * MONTHS:
        return parse_period(f"{period.name}-S1"), parse_period(f"{period.name}-S2")
    return ()


def served(blocks: Iterable[tuple[str, Block]]) -> dict[str, Amounts]:
    """The sums that are served of each ASN, from the published blocks of a dinas, each with its month."""
    cells: dict[Cell, dict[str, list[Amounts]]] = {}
    for month, block in blocks:
        cell = cells.setdefault((month, block.service, block.is_tap, not block.number), {})
        for asn, part in block.parts():
            cell.setdefault(asn, []).append(part)
    counts = {
        cell: {asn: sum(map(number_of, parts)) for asn, parts in by_asn.items()} for cell, by_asn in cells.items()
    }
    names = {asn for by_asn in counts.values() for asn in by_asn if asn}
    subjects = {asn for asn in names if sum(by_asn.get(asn, 0) for by_asn in counts.values()) >= ENOUGH}
    while (
        lacking := {asn for by_asn in counts.values() if _rest_is_small(by_asn, subjects) for asn in by_asn} & subjects
    ):
        subjects -= lacking
    return {asn: added(part for by_asn in cells.values() for part in by_asn.get(asn, ())) for asn in subjects}


def _rest_is_small(counts: dict[str, int], subjects: set[str]) -> bool:
    """True if the ratings of a cell that name nobody, or an ASN not served, are some and fewer than ten."""
    rest = [number for asn, number in counts.items() if asn not in subjects]
    return bool(rest) and any(rest) and sum(rest) < LEAST
