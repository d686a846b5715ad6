"""Canonical JSON and the hashes over it: one value, one spelling, one hash."""

import hashlib
from typing import Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """A value of objects, arrays, strings, integers, booleans, null has one spelling: keys sorted, no white space."""
    return _ENCODER.encode(value)


def content_hash(kind_type: str, time_text: str, data: object) -> str:
    """The content hash of an event: ``v1:`` and the SHA-256 of its type, its time in UTC, and its data as submitted.

    Resolved values and extension attributes are left out: an event sent again through another gateway stays the same.
    """
    body = canonical({"data": data, "time": time_text, "type": kind_type})
    return "v1:" + hashlib.sha256(body).hexdigest()
