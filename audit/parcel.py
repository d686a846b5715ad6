"""How a folded part crosses to another process: long strings and one array, in a fraction of the time its objects would take."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from audit.replay import Folded
from domain.measures import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.events.entries import JournalOpened
    from domain.fold.casefiles import CaseFile, CaseKey

Texts = str | list[str]
Integers = bytes | list[int]
_END: Final = "\x1e"


class Parcel(Struct, frozen=True):
    """A part's fold; ``names`` holds four names an account, ``amounts`` a balance an account, in the same order."""

    first: int
    last: int
    names: Texts
    amounts: Integers
    decided: dict[tuple[str, str], tuple[Texts, Integers]]
    files: dict[CaseKey, CaseFile]
    rules: list[tuple[int, bytes]]
    opened: JournalOpened | None


def packed(folded: Folded) -> Parcel:
    """A fold, ready to be sent."""
    accounts = folded.ledger.accounts
    return Parcel(
        folded.first, folded.last,
        _text(chain.from_iterable(accounts)), _array(chain.from_iterable(accounts.values())),
        {service: (_text(cases), _array(cases.values())) for service, cases in folded.decided.items()},
        folded.files, folded.rules, folded.opened,
    )  # fmt: skip


def unpacked(parcel: Parcel) -> Folded:
    """What was packed."""
    folded = Folded()
    folded.first, folded.last = parcel.first, parcel.last
    amounts, names = _integers(parcel.amounts), iter(_texts(parcel.names))
    balances = (amounts[start : start + WIDTH] for start in range(0, len(amounts), WIDTH))
    folded.ledger.accounts = dict(zip(zip(names, names, names, names, strict=True), balances, strict=True))
    folded.decided = {
        service: dict(zip(_texts(cases), _integers(counts), strict=True))
        for service, (cases, counts) in parcel.decided.items()
    }
    folded.files, folded.rules, folded.opened = parcel.files, parcel.rules, parcel.opened
    return folded


def _text(texts: Iterable[str]) -> Texts:
    """Texts as one, unless one of them holds the mark that ends each."""
    listed = list(texts)
    joined = _END.join(listed)
    return joined if listed and joined.count(_END) == len(listed) - 1 else listed


def _texts(text: Texts) -> list[str]:
    return text.split(_END) if isinstance(text, str) else text


def _array(integers: Iterable[int]) -> Integers:
    """Integers of 64 bits; a sum beyond that is sent as it is, as balances have no end."""
    listed = list(integers)
    try:
        return array("q", listed).tobytes()
    except OverflowError:
        return listed


def _integers(integers: Integers) -> list[int]:
    if isinstance(integers, list):
        return integers
    numbers = array("q")
    numbers.frombytes(integers)
    return numbers.tolist()
