"""Journal lines: the stored bytes of an event, their export, and its leaf. A line never changes once it is written."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from domain.clock import utc_text
from domain.events.entries import Standard
from domain.fold.casefiles import Interval
from domain.intake.wire import Submission

_ENCODER = msgspec.json.Encoder()
_WRITTEN_LAST = ("recordedtime", "recordedby", "contenthash")


class EffectiveFact(Struct, frozen=True, gc=False):
    """A fact as a reversal embeds it: its data with its resolved values."""

    type: str
    time: str = ""
    data: dict[str, Any] = {}

    @property
    def resolved(self) -> "Resolved":
        """The values resolved when it was recorded."""
        return resolved_of(self.data)


class Resolved(Struct, frozen=True, omit_defaults=True, gc=False):
    """The values that the intake resolved when it recorded an event, under ``data.resolved`` of the line.

    `docs/reference/events.md` lists the values of each kind; the others are left out of the line.
    """

    month: str = ""
    received_us: int | None = None
    elapsed_us: int | None = None
    standard: Standard | None = None
    promise_us: int | None = None
    due_us: int | None = None
    on_time: bool | None = None
    pauses: tuple[Interval, ...] = ()
    rulebook: int | None = None
    flags: tuple[str, ...] = ()
    removes: EffectiveFact | None = None
    adds: EffectiveFact | None = None


NOTHING = Resolved()
"""The resolved values of a rule and of a note."""


def resolved_of(data: Mapping[str, Any]) -> Resolved:
    """The resolved values among an event's data. A block that this version cannot read counts as none."""
    resolution = data.get("resolved")
    if resolution is None:
        return NOTHING
    try:
        return msgspec.convert(resolution, Resolved)
    except msgspec.ValidationError:
        return NOTHING


def as_submitted(data: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data without the resolved values."""
    return {name: value for name, value in data.items() if name != "resolved"}


def stated(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The data of an entry, and of each fact it embeds."""
    yield data
    resolution = resolved_of(data)
    for fact in (resolution.removes, resolution.adds):
        if fact is not None:
            yield fact.data


class Recorded(Struct, frozen=True, gc=False):
    """One event of the journal: the CloudEvent with its resolved values under ``data.resolved``."""

    type: str
    source: str
    id: str
    time: str
    data: dict[str, Any]
    attributes: dict[str, Any]
    recordedtime: str
    recordedby: str
    contenthash: str
    salt: str = ""
    """Sixteen random bytes in base64url: with it the line's hash can be public. Lines of former versions have none."""

    @property
    def resolved(self) -> Resolved:
        """The values resolved when it was recorded."""
        return resolved_of(self.data)

    @property
    def fact(self) -> EffectiveFact:
        """The effective fact that it states, as a reversal embeds it; for a correction, the fact that it puts in."""
        return self.resolved.adds or EffectiveFact(self.type, self.time, self.data)


class _Line(Struct, gc=False, omit_defaults=True):
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
    salt: str = ""


def recorded(submission: Submission, resolution: Resolved | None, recorded_us: int, recorded_by: str) -> Recorded:
    """A submission, resolved, as it enters the journal."""
    return Recorded(
        type=submission.type,
        source=submission.source,
        id=submission.id,
        time=submission.time,
        data=submission.data if resolution is None else {**submission.data, "resolved": resolution},
        attributes=submission.attributes,
        recordedtime=utc_text(recorded_us),
        recordedby=recorded_by,
        contenthash=submission.content_hash,
    )


def line_of(event: Recorded) -> bytes:
    """The stored bytes: a CloudEvent in JSON, with ``type`` first, since readers choose a struct by it."""
    if not event.attributes:
        return _ENCODER.encode(
            _Line(
                type=event.type,
                specversion="1.0",
                source=event.source,
                id=event.id,
                time=event.time,
                data=event.data,
                recordedtime=event.recordedtime,
                recordedby=event.recordedby,
                contenthash=event.contenthash,
                salt=event.salt,
            )
        )
    return _ENCODER.encode(
        {
            "type": event.type,
            "specversion": "1.0",
            "source": event.source,
            "id": event.id,
            "time": event.time,
            **event.attributes,
            "data": event.data,
            "recordedtime": event.recordedtime,
            "recordedby": event.recordedby,
            "contenthash": event.contenthash,
            **({"salt": event.salt} if event.salt else {}),
        }
    )


def salted(line: bytes, salt: str) -> bytes:
    """A line as stored: the same bytes, its salt added after its content hash."""
    return b'%s,"salt":"%b"}' % (line[:-1], salt.encode())


def exported(line: bytes, position: int) -> bytes:
    """A stored line as exported: the same bytes, its position added as the last attribute."""
    return b'%s,"position":%d}' % (line[:-1], position)


def leaf_of(line: bytes, position: int) -> bytes:
    """The leaf of a stored line: SHA-256 of a zero byte and the exported line (RFC 6962, section 2.1)."""
    return hashlib.sha256(b'\0%s,"position":%d}' % (line[:-1], position)).digest()


def read_line(line: bytes) -> Recorded:
    """A stored or exported line, in full. Raises: ``msgspec.DecodeError`` when it is not one."""
    event: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    salt = event.pop("salt") if is_salted(event) else ""
    attributes_known = {name: event.pop(name) for name in ("type", "source", "id", "time", "data")}
    attributes_written = {name: event.pop(name, "") for name in _WRITTEN_LAST}
    event.pop("specversion", None)
    event.pop("position", None)
    return Recorded(**attributes_known, attributes=event, **attributes_written, salt=salt)


def is_salted(event: Mapping[str, Any]) -> bool:
    """True of a line with a salt of the journal's: a former version kept one from outside, before the data."""
    return "salt" in event and [*event].index("salt") > [*event].index("data")
