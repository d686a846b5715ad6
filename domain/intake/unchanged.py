"""The check of recorded lines: every reader that folds, replays, exports or proves asks it, and stops at the first that differs.

A line beside which its leaf stands is checked by that alone. Any other is checked by its content hash, which covers type,
time and data as submitted, and its resolved values by the data beside them. A hand that computes hash and leaf anew is
not found out here.
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Struct

from domain.canonical import content_hash
from domain.clock import Months, line_instant, line_utc, months_of
from domain.events.decoding import UNREADABLE, ChangedEntry, entries_of
from domain.events.entries import OpenedData
from domain.events.kinds import FACT_TYPES, KINDS, OPENED_TYPE, REVERSAL_TYPES
from domain.intake.consistent import DATA, FITS, OPEN_DATA, Time
from domain.intake.recorded import as_submitted, leaf_of

PAGE: Final = 100
"""Lines without a leaf that are checked at once: their data fit the processor's cache."""
Row = tuple[int, bytes, bytes | None]
"""A position, the line there, and the leaf beside it: none in a file, and beside lines of former versions."""


class _Line(Struct, gc=False, tag_field="type", kw_only=True):
    """The fields of a line that its content hash covers, and the hash."""

    time: str
    data: Any
    contenthash: str = ""
    kind_type: ClassVar[str]


class _Opened(OpenedData, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """The data of an opening as submitted: no version wrote others."""


class _Opening(_Line, frozen=False, gc=False, tag=OPENED_TYPE, kw_only=True):
    """The first line of a journal; those of former versions have neither hash nor salt."""

    id: str
    data: _Opened
    salt: str = ""
    kind_type = OPENED_TYPE


class _Dated(_Line, gc=False, kw_only=True):
    """A line whose time of recording is folded; that of others is read where it is shown."""

    recordedtime: str


class _Hashed(Struct, gc=False):
    """The value over whose canonical JSON a content hash is made."""

    data: Any
    time: str
    type: str


_RESOLVED_TYPES: Final = FACT_TYPES | REVERSAL_TYPES
_DATED_TYPES: Final = REVERSAL_TYPES | {KINDS["satisfaction-rated"].type}
_ABSENT: Final = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
"""The errors of a check about a changed line: a text is no instant, or a value is not given, of another type or too large."""
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
"""Objects within the data have their keys sorted; the fields of the data are declared in that order."""


def check(rows: Iterable[Row], zone: tzinfo | None) -> None:
    """Every line is as it was recorded: by its leaf, or by its content hash and its data; months are those of ``zone``.

    Raises: ``StoppedAtEntry``, naming the position of the first that differs, or that this version can neither decode nor
    prove by a leaf.
    """
    bare = list[tuple[int, bytes]]()
    for position, line, leaf in rows:
        if leaf is None:
            bare.append((position, line))
        elif leaf != leaf_of(line, position):
            _check_bare(bare, zone)  # the first that differs is named
            raise _changed(position)
    _check_bare(bare, zone)


def check_stored(rows: Iterable[Row], zone: tzinfo | None) -> None:
    """The same of rows of a database, where a leaf stands beside each line with a salt. Raises: ``StoppedAtEntry``."""
    check((row if row[2] is not None or not _ends_with_salt(row[1]) else (*row[:2], b"") for row in rows), zone)


def _ends_with_salt(line: bytes) -> bool:
    return line[-len(_SALT_END) :].startswith(_SALT_NAME)


_SALT_NAME: Final = b',"salt":"'
_SALT_END: Final = _SALT_NAME + b"-" * 22 + b'"}'


def _check_bare(lines: list[tuple[int, bytes]], zone: tzinfo | None) -> None:
    """Check lines without a leaf, page by page, and those of a page one by one if one of them differs."""
    for start in range(0, len(lines), PAGE):
        page = lines[start : start + PAGE]
        try:
            are_same = _all_fit([_DECODER.decode(line) for _, line in page], zone)
        except UNREADABLE:
            are_same = False
        if not are_same:
            for position, line in page:
                if not _is_as_recorded(position, line, zone):
                    raise _changed(position)


def _changed(position: int) -> ChangedEntry:
    return ChangedEntry(f"position {position}: the data are not those that were recorded")


def check_exported(lines: bytes, zone: tzinfo | None) -> None:
    """The same of whole lines of an exported journal, which state their positions. Raises: ``StoppedAtEntry``."""
    try:
        are_same = _all_fit(_DECODER.decode_lines(lines), zone)
    except UNREADABLE:
        are_same = False
    if not are_same:
        _check_bare([(_position(line), line) for line in lines.split(b"\n") if line.strip()], zone)


class _Placed(Struct):
    position: int = 0


def _position(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Placed).position
    except UNREADABLE:
        return 0


def _is_as_recorded(position: int, line: bytes, zone: tzinfo | None) -> bool:
    try:
        return _fits_in_full(line, zone)
    except UNREADABLE:
        entries_of([(position, line)])  # the sentence of a reader that cannot decode it
        return False


def _all_fit(entries: list[_Line], zone: tzinfo | None) -> bool:
    """True if decoded lines are as they were recorded, where their data have only fields that are known today.

    All are encoded at once: this is most of what a replay adds to its fold.
    """
    values, beside = list[_Hashed](), list[tuple[Any, Time]]()
    try:
        for entry in entries:
            data, kind_type, resolution = entry.data, entry.kind_type, None
            if kind_type in _RESOLVED_TYPES:
                resolution, data.resolved = data.resolved, UNSET
            utc, time_us = line_utc(entry.time)
            values.append(_Hashed(data, utc, kind_type))
            beside.append((resolution, (entry.time, time_us)))
        bodies = _ENCODER.encode_lines(values).split(b"\n")
        months = None if zone is None else months_of(zone)
        for entry, body, (resolution, time) in zip(entries, bodies, beside, strict=False):  # bodies end with a newline
            if entry.contenthash != "v1:" + sha256(body).hexdigest() and not _is_former_opening(entry):
                return False
            if not _resolved_fits(entry, resolution, time, months):
                return False
    except _ABSENT:
        return False
    return True


def _resolved_fits(entry: _Line, resolution: Any, time: Time, months: Months | None) -> bool:  # noqa: ANN401 - values of a kind
    fit = FITS.get(entry.kind_type)
    if isinstance(entry, _Dated):
        line_instant(entry.recordedtime)
    return fit is None or fit(entry.data, resolution, time, months)


def _fits_in_full(line: bytes, zone: tzinfo | None) -> bool:
    """The same of one line, read in full: a former version may have recorded fields that are unknown today."""
    entry, event = _OPEN_DECODER.decode(line), msgspec.json.decode(line)
    try:
        utc, time_us = line_utc(entry.time)
        data = as_submitted(event["data"]) if entry.kind_type in _RESOLVED_TYPES else event["data"]
        is_same = content_hash(event["type"], utc, data) == entry.contenthash or _is_former_opening(entry)
        resolution, months = getattr(entry.data, "resolved", None), None if zone is None else months_of(zone)
        return bool(is_same and _resolved_fits(entry, resolution, (entry.time, time_us), months))
    except _ABSENT:
        return False


def _is_former_opening(entry: _Line) -> bool:
    """True of an opening of a former version: it has neither hash nor salt, and its id is the journal's."""
    if not isinstance(entry, _Opening):
        return False
    return entry.id == entry.data.journal and not entry.contenthash and not entry.salt


def _line_of(type_: str, data: type[Struct]) -> type[Struct]:
    return msgspec.defstruct(
        "RecordedLine",
        [("data", data)],
        bases=(_Dated if type_ in _DATED_TYPES else _Line,),
        tag=type_,
        gc=False,
        kw_only=True,
        namespace={"kind_type": type_},
    )


def _decoder_of(data: Mapping[str, type[Struct]]) -> msgspec.json.Decoder[Any]:
    lines: list[Any] = [_Opening, *(_line_of(type_, values) for type_, values in data.items())]
    return msgspec.json.Decoder(reduce(or_, lines))


_DECODER: Final = _decoder_of(DATA)
_OPEN_DECODER: Final = _decoder_of(OPEN_DATA)
