"""Standings: the subjects of one kind as their balances, open files and registrations make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from domain.fold.cells import Waiting
from domain.fold.ledger import Balance, add, zero
from domain.score.scorecard import Kind, Standing, Subject
from projections.store.open_files import NONE_OPEN, Open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from domain.fold.postings import Amounts


def served_of(standing: Standing, amounts: Amounts) -> Standing:
    """An ASN's standing with the ratings that are served of them."""
    balance = list(standing.balance)
    add(balance, amounts)
    return replace(standing, balance=balance, waiting=Waiting())


def standings_of(
    kind: Kind,
    balances: dict[str, Balance],
    open_counts: Mapping[str, Open],
    names: Iterable[str],
    is_registered: Callable[[str], bool],
) -> list[Standing]:
    """The standings of every subject with a non-zero measure, an open file, or a name in the rules, by id."""
    subjects = {subject for subject, balance in balances.items() if any(balance)}
    return [
        Standing(
            Subject(kind, subject),
            is_registered(subject),
            balances.get(subject) or zero(),
            *open_counts.get(subject, NONE_OPEN),
        )
        for subject in sorted(subjects.union(open_counts, names))
    ]
