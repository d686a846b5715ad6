"""The wire form of a segment: consecutive entries of one partition in one Kafka record, packed and compressed.

A version byte, then zstd over MessagePack. A record that cannot be read is refused as a whole, never in part.
"""

from __future__ import annotations

from typing import Final

import msgspec
import zstandard
from msgspec import Struct

_VERSION: Final = b"\x01"
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


def packed(segment: SegmentRecord) -> bytes:
    """A segment as a record's value."""
    return _VERSION + zstandard.ZstdCompressor(level=_LEVEL).compress(_ENCODER.encode(segment))


def unpacked(value: bytes | None) -> SegmentRecord:
    """A record's value as a segment. Raises: ``Unreadable``."""
    if not value or value[:1] != _VERSION:
        message = "no segment of version 1"
        raise Unreadable(message)
    try:
        # A frame that states its size is not bounded by max_output_size.
        if zstandard.frame_content_size(value[1:]) > MOST_BYTES:
            message = "cannot be unpacked: too large"
            raise Unreadable(message)
        segment = _DECODER.decode(zstandard.ZstdDecompressor().decompress(value[1:], max_output_size=MOST_BYTES))
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
