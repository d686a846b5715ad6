"""The stored form of balances and case files: JSON of their non-zero values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple

from domain.fold.casefiles import CaseFile
from domain.fold.shown import DENOMINATORS
from domain.measures import INDEX, MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.fold.ledger import Balance
    from domain.fold.postings import Amounts

_ENCODER: Final = msgspec.json.Encoder()
_FILE: Final = msgspec.json.Decoder(CaseFile)
_STORED: Final[Callable[..., msgspec.Struct]] = msgspec.defstruct(
    "_Stored", [(name, int, 0) for name in MEASURES], omit_defaults=True, forbid_unknown_fields=True, gc=False
)
_MEASURES: Final = msgspec.json.Decoder[Any](_STORED)
_AMOUNTS: Final = msgspec.json.Decoder(dict[str, int])
_DENOMINATORS: Final = msgspec.json.Decoder[Any](
    msgspec.defstruct("_Denominators", [(name, int, 0) for name in DENOMINATORS], gc=False)
)


def denominators_of(measures: str) -> tuple[int, ...]:
    """The denominators of a stored balance, in the order of `domain/fold/shown.py`, without the rest of it."""
    return astuple(_DENOMINATORS.decode(measures))


def balance_of(measures: str) -> Balance:
    """A stored balance. Raises: ``msgspec.ValidationError`` when it holds anything but integers."""
    return list(astuple(_MEASURES.decode(measures)))


def amounts_held(measures: str) -> Amounts:
    """A stored balance as the amounts of one posting.

    Raises: ``msgspec.ValidationError``; ``KeyError`` for an unknown measure.
    """
    amounts = _AMOUNTS.decode(measures)
    return tuple(zip(map(INDEX.__getitem__, amounts), amounts.values(), strict=True))


def measures_of(balance: Balance) -> str:
    """A balance as stored: its non-zero measures."""
    return _ENCODER.encode(_STORED(*balance)).decode()


def file_of(state: bytes) -> CaseFile:
    """A stored case file. Raises: ``msgspec.ValidationError``."""
    return _FILE.decode(state)


def state_of(file: CaseFile) -> bytes:
    """A case file as stored."""
    return _ENCODER.encode(file)
