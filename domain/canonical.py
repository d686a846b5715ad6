"""Canonical JSON and the hashes over it: one value, one spelling, one hash."""

import hashlib
from typing import Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """A value of objects, arrays, strings, integers, booleans, null has one spelling: keys sorted, no white space."""
    return _ENCODER.encode(value)


def content_hash(kind_type: str, time_text: str, data: object) -> str:
    """What was said is ``v1:`` and the SHA-256 of its type, its time as a UTC instant, and its data as submitted.

    Nothing resolved and no extension attribute enters: a resend through another gateway stays the same event.
    """
    body = canonical({"data": data, "time": time_text, "type": kind_type})
    return "v1:" + hashlib.sha256(body).hexdigest()
