"""The wire form of a segment: consecutive entries of one partition in one Kafka record, packed, compressed and signed.

A version byte, then zstd over MessagePack; between them, in version 3, an HMAC-SHA256 by the key of the segment's layout.
Layouts that former versions made have no key, and segments of version 1. A record that cannot be read is refused as a
whole, never in part.
"""

from __future__ import annotations

import hmac
from typing import Final

import msgspec
import zstandard
from msgspec import Struct

_VERSION: Final = b"\x01"
_SIGNED: Final = b"\x03"
_MAC_BYTES: Final = 32
_LEVEL: Final = 1
MOST_BYTES: Final = 64 * 2**20
"""The size that a segment may have when it is unpacked."""


class SegmentRecord(Struct, frozen=True, array_like=True):
    """The entries of ``(after, last]`` of one partition, each with its position and line; none of them is left out.

    ``last_hash`` identifies the journal's entry at ``last``, which may be another partition's; ``recorded`` is when the
    newest entry was recorded, empty in a watermark.
    """

    journal: str
    layout: int
    partition: int
    after: int
    last: int
    last_hash: str
    recorded: str
    entries: list[tuple[int, bytes]]


class Unreadable(Exception):  # noqa: N818 - a state of the record, not a fault of the program
    """A record that is no segment of this version; the message says why."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(SegmentRecord)


def packed(segment: SegmentRecord, key: bytes | None = None) -> bytes:
    """A segment as a record's value, signed by the key of its layout if it has one."""
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(_ENCODER.encode(segment))
    return _VERSION + body if key is None else _SIGNED + _mac(key, body) + body


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _SIGNED + body, "sha256")


def _body(value: bytes | None, key: bytes | None) -> bytes:
    """The packed part of a value, once its HMAC fits the key. Raises: ``Unreadable``."""
    version, rest = (value or b"")[:1], (value or b"")[1:]
    if version == _SIGNED:
        mac, body = rest[:_MAC_BYTES], rest[_MAC_BYTES:]
        if key is not None and not hmac.compare_digest(mac, _mac(key, body)):
            message = "its HMAC does not fit the key of its layout"
            raise Unreadable(message)
        return body
    if key is not None and version == _VERSION:
        message = "it has no HMAC, and its layout has a key"
        raise Unreadable(message)
    if version != _VERSION:
        message = "no segment of version 1" if key is None else "no segment of version 3"
        raise Unreadable(message)
    return rest


def unpacked(value: bytes | None, key: bytes | None = None) -> SegmentRecord:
    """A record's value as a segment; with a key only one that it signed. Raises: ``Unreadable``."""
    body = _body(value, key)
    try:
        # A frame that states its size is not bounded by max_output_size.
        if zstandard.frame_content_size(body) > MOST_BYTES:
            message = "cannot be unpacked: too large"
            raise Unreadable(message)
        segment = _DECODER.decode(zstandard.ZstdDecompressor().decompress(body, max_output_size=MOST_BYTES))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        message = f"cannot be unpacked: {error}"
        raise Unreadable(message) from error
    if not _in_order(segment):
        message = f"its positions do not lie in ({segment.after}, {segment.last}] in order"
        raise Unreadable(message)
    return segment


def _in_order(segment: SegmentRecord) -> bool:
    positions = [position for position, _ in segment.entries]
    if segment.after > segment.last or positions != sorted(set(positions)):
        return False
    return not positions or segment.after < positions[0] <= positions[-1] <= segment.last
