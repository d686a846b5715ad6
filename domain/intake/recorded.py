"""Journal lines: what is stored of an event, byte for byte, and exported. A line never changes once it is written."""

from typing import Any

import msgspec
from msgspec import Struct

from domain.clock import utc_text
from domain.intake.wire import Submission

_ENCODER = msgspec.json.Encoder()
_WRITTEN_LAST = ("recordedtime", "recordedby", "contenthash", "position")


class Recorded(Struct, frozen=True, gc=False):
    """One event of the journal: the CloudEvent with what was resolved under ``data.resolved``."""

    type: str
    source: str
    id: str
    time: str
    data: dict[str, Any]
    attributes: dict[str, Any]
    recordedtime: str
    recordedby: str
    contenthash: str

    @property
    def resolved(self) -> dict[str, Any]:
        """What was resolved when it was recorded; empty for a rule."""
        resolved: dict[str, Any] = self.data.get("resolved", {})
        return resolved

    @property
    def fact(self) -> dict[str, Any]:
        """The effective fact it states, as a reversal embeds it; of a correction, the one it puts in."""
        added: dict[str, Any] | None = self.resolved.get("adds")
        return added or {"type": self.type, "time": self.time, "data": self.data}


class _Line(Struct, gc=False):
    """The stored form of an event without extension attributes: most of them. Fields are written in this order."""

    type: str
    specversion: str
    source: str
    id: str
    time: str
    data: dict[str, Any]
    recordedtime: str
    recordedby: str
    contenthash: str


def recorded(submission: Submission, resolved: dict[str, Any] | None, recorded_us: int, recorded_by: str) -> Recorded:
    """A submission, resolved, as it enters the journal."""
    data = submission.data if resolved is None else {**submission.data, "resolved": resolved}
    return Recorded(
        submission.type, submission.source, submission.id, submission.time, data, submission.attributes,
        utc_text(recorded_us), recorded_by, submission.content_hash,
    )  # fmt: skip


def line_of(event: Recorded) -> bytes:
    """The stored bytes: a CloudEvent in JSON, ``type`` first so that a reader knows at once what follows."""
    if not event.attributes:
        return _ENCODER.encode(_Line(
            event.type, "1.0", event.source, event.id, event.time, event.data,
            event.recordedtime, event.recordedby, event.contenthash,
        ))  # fmt: skip
    return _ENCODER.encode({
        "type": event.type, "specversion": "1.0", "source": event.source, "id": event.id, "time": event.time,
        **event.attributes, "data": event.data,
        "recordedtime": event.recordedtime, "recordedby": event.recordedby, "contenthash": event.contenthash,
    })  # fmt: skip


def exported(line: bytes, position: int) -> bytes:
    """A stored line as exported: the same bytes, its position added as the last attribute."""
    return b'%s,"position":%d}' % (line[:-1], position)


def read_line(line: bytes) -> Recorded:
    """A stored or exported line, in full. Raises: ``msgspec.DecodeError`` when it is not one."""
    event: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    known = {name: event.pop(name) for name in ("type", "source", "id", "time", "data")}
    written = {name: event.pop(name, "") for name in _WRITTEN_LAST[:3]}
    event.pop("specversion", None)
    event.pop("position", None)
    return Recorded(**known, attributes=event, **written)
