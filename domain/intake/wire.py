"""The wire form: JSON text to a submission, checked field by field.

A submission is well formed. The recording decides whether it fits the journal: the rulebook, the case file, the event
that it reverses.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.canonical import content_hash
from domain.clock import parse_instant, utc_text
from domain.events.kinds import BY_TYPE, KINDS, RULE_TYPES, Kind
from domain.events.names import other_version
from domain.events.submitted import Submittable
from domain.intake import checks
from domain.intake.attributes import REQUIRED, attributes_of
from domain.intake.shape import shape_faults
from domain.intake.strict_json import parse_json
from domain.measures import UNSUR
from domain.refusal import Fault, Refusal, attempt, invalid

FACT_MOST: Final = 16 * 2**10
"""The most bytes of an event that is no rule, as it is submitted."""
RULE_MOST: Final = 48 * 2**10
"""The most bytes of a rule: a scheme names its indicators."""


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


def read_event(text: bytes, extensions: Collection[str] = ()) -> Submission:
    """The submission in the JSON text of one event. Raises: ``Refusal``."""
    if len(text) > RULE_MOST:
        raise too_large(RULE_MOST)
    return read_sized(parse_json(text), len(text), extensions)


def read_sized(event: object, size: int, extensions: Collection[str] = ()) -> Submission:
    """The submission in a JSON value that was sent in so many bytes, no more than one of its kind takes. Raises: ``Refusal``."""
    if size > FACT_MOST:
        type_ = event.get("type") if isinstance(event, dict) else None
        most = RULE_MOST if isinstance(type_, str) and type_ in RULE_TYPES else FACT_MOST
        if size > most:
            raise too_large(most)
    return read_submission(event, extensions)


def too_large(most: int) -> Refusal:
    """The refusal of an event that is longer than ``most`` bytes."""
    subject = "a rule" if most == RULE_MOST else "an event that is no rule"
    return Refusal("too-large", f"{subject} takes at most {most} bytes as it is sent")


def read_submission(event: object, extensions: Collection[str] = ()) -> Submission:
    """A JSON value is a well-formed event or a refusal that names each faulty field.

    ``extensions`` are the extension attributes that a city takes beside those that are always taken.
    Raises: ``Refusal`` (``invalid-event`` or ``unknown-type``).
    """
    if not isinstance(event, dict):
        raise invalid(Fault("", "must be a JSON object"))
    missing = [Fault(f"/{name}", "is required") for name in REQUIRED if event.get(name) is None]
    if missing:
        raise invalid(*missing)
    attributes, faults = attributes_of(event, extensions)
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
