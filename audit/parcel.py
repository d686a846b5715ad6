"""Parcels: what a run of entries folds to in one dinas, as bytes: a tenth of the memory of its objects.

Parcels are kept while a long journal is folded, and they cross from one process to another.
"""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from domain.fold.casefiles import CaseFile, CaseKey
from domain.fold.ledger import Balance

FAST: Final = 1
Decision = tuple[str, str]
"""The service and the case of one that was decided; its dinas is known from where it is kept."""


class Part(Struct, frozen=True, array_like=True, gc=False):
    """The fold of one dinas: for each account its ASN, service and month, and its balance; case files; decided cases."""

    accounts: list[tuple[str, str, str]]
    balances: list[Balance]
    files: list[tuple[CaseKey, CaseFile]]
    decided: list[bytes]
    """As ``packed_decisions`` makes them."""


class Parcel(NamedTuple):
    """A packed part; JSON where an integer is longer than 64 bits, for balances have no end."""

    body: bytes
    is_json: bool
    is_compressed: bool


_PACKER: Final = msgspec.msgpack.Encoder()
_PARTS: Final = msgspec.msgpack.Decoder(Part)
_DECISIONS: Final = msgspec.msgpack.Decoder(list[Decision])


def packed(part: Part, *, compress: bool) -> Parcel:
    """A part as bytes; compressed, it takes a third of the memory and three times as long."""
    try:
        body, is_json = _PACKER.encode(part), False
    except OverflowError:
        body, is_json = msgspec.json.encode(part), True
    return Parcel(zlib.compress(body, FAST) if compress else body, is_json, compress)


def unpacked(parcel: Parcel) -> Part:
    """The part that was packed."""
    body = zlib.decompress(parcel.body) if parcel.is_compressed else parcel.body
    return msgspec.json.decode(body, type=Part) if parcel.is_json else _PARTS.decode(body)


def packed_decisions(decisions: list[Decision]) -> bytes:
    """Decisions as bytes: nearly all are of cases that no receipt ever names, and are only counted, never looked at."""
    return _PACKER.encode(decisions)


def unpacked_decisions(packs: Iterable[bytes]) -> Iterator[Decision]:
    """The decisions in some packs."""
    return chain.from_iterable(map(_DECISIONS.decode, packs))
