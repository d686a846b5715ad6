"""The wire form: JSON text to a submission, checked field by field.

A submission is well formed. The recording decides whether it fits the journal: the rulebook, the case file, the event
that it reverses.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Struct

from domain.canonical import content_hash
from domain.clock import parse_instant, utc_text
from domain.events import own
from domain.events.kinds import BY_TYPE, KINDS, Kind
from domain.events.names import other_version
from domain.events.submitted import Submittable
from domain.intake import checks
from domain.intake.media import media_of
from domain.intake.shape import shape_faults
from domain.measures import UNSUR
from domain.refusal import Fault, Refusal, attempt, invalid, pointer

MAX_DEPTH: Final = 32
WRITTEN_HERE: Final = frozenset(
    {"position", "recordedtime", "recordedby", "contenthash", "salt", "leaf", "redaction", "data_base64"}
)
_REQUIRED: Final = ("specversion", "type", "source", "id", "time", "data")
_ATTRIBUTE = re.compile(r"[a-z0-9]+", re.ASCII)
INTEGER_DIGITS: Final = 40
"""The most digits of an integer: none of ours is as long."""


class Submission(Struct, frozen=True):
    """One well-formed event: its envelope, its data typed and as submitted, and its content hash.

    As submitted, but for what has two spellings in JSON: ``4.0`` is 4, and a question answered by null is left out.
    """

    type: str
    source: str
    id: str
    time: str
    time_us: int
    typed: Submittable
    data: dict[str, Any]
    attributes: dict[str, str | int | bool]
    content_hash: str


def parse_json(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Strict JSON: duplicate keys, NaN, numbers out of range, lone surrogates and bad UTF-8 are malformed.

    A number whose value is whole is an integer, however it is spelt: ``4.0`` and ``4e0`` are 4.
    Raises: ``Refusal`` with slug ``malformed-json``.
    """
    try:
        text_read = text.decode()
        value = _DECODER.decode(text_read)
        if "\\u" in text_read:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise Refusal("malformed-json", f"not UTF-8: byte {error.start}") from None
    except UnicodeEncodeError:
        raise Refusal("malformed-json", "a string holds a lone surrogate") from None
    except RecursionError:
        raise invalid(Fault("", f"is nested deeper than {MAX_DEPTH}")) from None
    except _TwiceError:
        raise Refusal("malformed-json", _twice_in(text_read)) from None
    except ValueError as error:
        raise Refusal("malformed-json", str(error)) from None
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and not _within(value, MAX_DEPTH):
        raise invalid(Fault("", f"is nested deeper than {MAX_DEPTH}"))
    return value


class _TwiceError(ValueError):
    """A key stands twice in one object."""


class _Repeating(dict[str, Any]):
    """An object in which ``name`` stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]], name: str) -> None:
        super().__init__(pairs)
        self.name = name


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    obj = dict(pairs)
    if len(obj) < len(pairs):
        raise _TwiceError
    return obj


def _marked_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = set[str]()
    for name, _ in pairs:
        if name in names:
            return _Repeating(pairs, name)
        names.add(name)
    return dict(pairs)


def _twice_in(text: str) -> str:
    """The sentence about the first key that stands twice: read again, since a decoder does not say where it is."""
    try:
        value = json.JSONDecoder(object_pairs_hook=_marked_pairs).decode(text)
    except (ValueError, RecursionError):
        return "a key stands twice in one object"
    places: list[tuple[str, object]] = [("", value)]
    for at, part in places:  # which grows meanwhile: level by level
        if isinstance(part, _Repeating):
            return f"{pointer(at, part.name)}: the key {part.name!r} stands twice in one object"
        if isinstance(part, dict):
            places += [(pointer(at, name), inner) for name, inner in part.items() if isinstance(inner, dict | list)]
        elif isinstance(part, list):
            places += [(f"{at}/{index}", inner) for index, inner in enumerate(part) if isinstance(inner, dict | list)]
    return "a key stands twice in one object"


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _number(text: str) -> int | float:
    """A number with a fraction or an exponent: an integer if it is whole, and no longer than one may be."""
    value = float(text)  # the edge of the wire: no event field takes one, and the field check says so
    if value in (float("inf"), float("-inf")):
        message = f"the number {text[:INTEGER_DIGITS]} is out of range"
        raise ValueError(message)
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return value
    is_whole = not exact or (exact.adjusted() < INTEGER_DIGITS and exact == exact.to_integral_value())
    return int(exact) if is_whole else value


def _integer(text: str) -> int:
    if len(text) > INTEGER_DIGITS:
        message = f"the number {text[:INTEGER_DIGITS]}… is out of range"
        raise ValueError(message)
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=_number, parse_int=_integer
)


def _within(value: Any, depth: int) -> bool:  # noqa: ANN401 - any JSON value
    level: list[Any] = [value]
    while level:
        if depth == 0:
            return False
        depth -= 1
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += [v for v in item.values() if isinstance(v, dict | list)]
            elif isinstance(item, list):
                inner += [v for v in item if isinstance(v, dict | list)]
        level = inner
    return True


def read_submission(event: object) -> Submission:
    """A JSON value is a well-formed event or a refusal that names each faulty field.

    Raises: ``Refusal`` (``invalid-event`` or ``unknown-type``).
    """
    if not isinstance(event, dict):
        raise invalid(Fault("", "must be a JSON object"))
    missing = [Fault(f"/{name}", "is required") for name in _REQUIRED if event.get(name) is None]
    if missing:
        raise invalid(*missing)
    attributes, faults = _attributes(event)
    kind = _known_kind(event["type"])
    time_us = _time(event["time"], faults)
    data: Any = _answered(event["data"])
    struct_values = read_data(kind.submitted, data, "/data", faults)
    if faults or struct_values is None:
        raise invalid(*faults)
    return Submission(
        type=event["type"],
        source=event["source"],
        id=event["id"],
        time=event["time"],
        time_us=time_us,
        typed=struct_values,
        data=data,
        attributes=attributes,
        content_hash=content_hash(event["type"], utc_text(time_us), data),
    )


def _answered(data: object) -> object:
    """Data without the questions that were not answered: survey tools write null for them, and others leave them out."""
    if not isinstance(data, dict):
        return data
    answers = dict(data)
    if isinstance(data.get("unsur"), dict):
        answers["unsur"] = {
            name: answer for name, answer in data["unsur"].items() if answer is not None or name not in UNSUR
        }
    if "replacement" in data:
        answers["replacement"] = _answered(data["replacement"])
    return answers


def submission_or_refusal(event: object) -> Submission | Refusal:
    """The submission in a JSON value, or its refusal: one event of a batch does not refuse the others."""
    return attempt(read_submission, event)


def _known_kind(type_: object) -> Kind:
    kind = BY_TYPE.get(type_) if isinstance(type_, str) else None
    if kind is not None:
        return kind
    name, version = (other_version(type_) if isinstance(type_, str) else None) or ("", "")
    detail = f"names version {version}; only v1 is known here" if name in KINDS else "names no kind of event known here"
    raise Refusal("unknown-type", f"/type: {detail}", Fault("/type", detail))


def _time(text: object, faults: list[Fault]) -> int:
    try:
        if isinstance(text, str):
            return parse_instant(text)
        faults.append(Fault("/time", "must be a string"))
    except ValueError as error:
        faults.append(Fault("/time", str(error)))
    return 0


def _attributes(event: dict[str, Any]) -> tuple[dict[str, str | int | bool], list[Fault]]:
    faults: list[Fault] = []
    if event["specversion"] != "1.0":
        faults.append(Fault("/specversion", 'must be "1.0"'))
    faults += _name(event)
    extras: dict[str, str | int | bool] = {}
    for name, value in event.items():
        if name in _REQUIRED or value is None:
            continue
        place = pointer("", name)
        if name in WRITTEN_HERE:
            faults.append(Fault(place, "is not taken from outside: the journal writes it, or data must be JSON"))
        elif not _ATTRIBUTE.fullmatch(name):
            faults.append(Fault(place, "is no attribute name: lower-case letters and digits only"))
        elif not isinstance(value, str | int) or (isinstance(value, int) and not -(2**31) <= value < 2**31):
            faults.append(Fault(place, "must be a string, a boolean or an integer of 32 bits"))
        elif isinstance(value, str) and len(value) > 2000:  # noqa: PLR2004 - as the refusal says
            faults.append(Fault(place, "must be at most 2000 characters"))
        elif name == "datacontenttype" and not _is_json(str(value)):
            faults.append(Fault(place, "must be application/json"))
        else:
            extras[name] = value
    return extras, faults


def _name(event: dict[str, Any]) -> list[Fault]:
    """The faults of source and id, which name an event."""
    faults = [fault for name in ("source", "id") for fault in checks.text(f"/{name}", event[name], most=500)]
    if event["source"] == own.SOURCE:
        faults.append(Fault("/source", "is the service's own: no event from outside may bear it"))
    return faults


def _is_json(text: str) -> bool:
    media = media_of(text)
    return media is not None and media.type == "application/json"


def read_data(kind_struct: type[Submittable], data: object, at: str, faults: list[Fault]) -> Submittable | None:
    """Typed data of a kind. Every missing, unknown, mistyped or malformed field is a fault below pointer ``at``."""
    if not isinstance(data, dict):
        faults.append(Fault(at, "must be an object"))
        return None
    try:
        struct_values = msgspec.convert(data, kind_struct)
    except msgspec.ValidationError as error:
        faults += shape_faults(data, kind_struct, at) or [Fault(at, str(error))]
        faults += checks.part_faults(kind_struct, data, at)
        return None
    wrong = checks.data_faults(struct_values, at)
    faults += wrong
    return None if wrong else struct_values
