"""The attributes of an event beside its data: its name, and the further ones by a list.

An attribute outside the list would carry anything into a journal that keeps it for ever.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from domain.events import own
from domain.intake.media import media_of
from domain.intake.personal import has_number_segment, is_number
from domain.intake.texts import PERSONAL, PLAIN, identifier, text, typed
from domain.refusal import Fault, pointer

Value = str | int | bool
REQUIRED: Final = ("specversion", "type", "source", "id", "time", "data")
WRITTEN_HERE: Final = frozenset(
    {"position", "recordedtime", "recordedby", "contenthash", "salt", "leaf", "redaction", "data_base64"}
)
"""The attributes that the journal writes, and the form of data that is no JSON."""
NAME_MOST: Final = 500
TEXT_MOST: Final = 2000
_NAME: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
"""W3C Trace Context, section 3.2."""
_KEY: Final = r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_MEMBER: Final = re.compile(rf"{_KEY}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e]", re.ASCII)
"""W3C Trace Context, section 3.3.1."""
_MEMBERS_MOST: Final = 32
_SEQUENCE: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_SEQUENCE_END: Final = 2**31


def extension_names(names: Collection[str]) -> frozenset[str]:
    """The extension attributes that a city takes beside those of the list. Raises: ``ValueError`` for a name that cannot be one."""
    for name in names:
        if not _NAME.fullmatch(name):
            message = f"{name!r} is no name of an attribute: lower-case letters and digits only"
            raise ValueError(message)
        if name in WRITTEN_HERE or name in REQUIRED or name in _FORMS:
            message = f"{name!r} is an attribute of its own meaning"
            raise ValueError(message)
    return frozenset(names)


def attributes_of(event: dict[str, Any], extensions: Collection[str]) -> tuple[dict[str, Value], list[Fault]]:
    """The further attributes of an event that has the required ones, and the faults of its name and of these.

    ``extensions`` are the names that a city adds to the list.
    """
    faults = _name_faults(event)
    further: dict[str, Value] = {}
    for name, value in event.items():
        if name in REQUIRED or value is None:
            continue
        wrong = _fault(name, value, extensions)
        if wrong is None:
            further[name] = value
        else:
            faults.append(Fault(pointer("", name), wrong))
    return further, faults


def _name_faults(event: dict[str, Any]) -> list[Fault]:
    faults = [] if event["specversion"] == "1.0" else [Fault("/specversion", 'must be "1.0"')]
    source, event_id = event["source"], event["id"]
    wrong = text("/source", source, most=NAME_MOST)
    if not wrong and has_number_segment(source):
        wrong = [Fault("/source", f"has a NIK or NIP as a part of its path: {PERSONAL}")]
    faults += wrong
    if source == own.SOURCE:
        faults.append(Fault("/source", "is the service's own: no event from outside may bear it"))
    if isinstance(event_id, str) and PLAIN.fullmatch(event_id):
        return faults
    wrong = identifier("/id", event_id, most=NAME_MOST)
    if not wrong and is_number(event_id):
        wrong = [Fault("/id", f"is a NIK or NIP: {PERSONAL}")]
    return faults + wrong


def _fault(name: str, value: object, extensions: Collection[str]) -> str | None:
    """The fault of an attribute beside the required ones; ``None`` if it is taken."""
    if name in WRITTEN_HERE:
        return "is not taken from outside: the journal writes it, or data must be JSON"
    if not _NAME.fullmatch(name):
        return "is no attribute name: lower-case letters and digits only"
    form = _FORMS.get(name)
    if form is None and name not in extensions:
        return "is no attribute that is taken here; NERACA_EXTENSIONS names those of a city"
    if not isinstance(value, str | int) or (isinstance(value, int) and not -(2**31) <= value < 2**31):
        return "must be a string, a boolean or an integer of 32 bits"
    if isinstance(value, str) and len(value) > TEXT_MOST:
        return f"must be at most {TEXT_MOST} characters"
    return _typed(value) if form is None else form(value)


def _text(value: object) -> str | None:
    return _typed(value) if isinstance(value, str) else "must be a string"


def _typed(value: object) -> str | None:
    wrong = typed("", value) if isinstance(value, str) else []
    return wrong[0].detail if wrong else None


def _media(value: object) -> str | None:
    media = media_of(value) if isinstance(value, str) else None
    return None if media is not None and media.type == "application/json" else "must be application/json"


def _parent(value: object) -> str | None:
    is_parent = isinstance(value, str) and _PARENT.fullmatch(value) is not None
    return None if is_parent else "must be a trace parent in the W3C's form"


def _state(value: object) -> str | None:
    members = value.split(",") if isinstance(value, str) else [""]
    texts = [member.strip(" \t") for member in members]
    keys = [member.partition("=")[0] for member in texts if member]
    is_state = all(not member or _MEMBER.fullmatch(member) for member in texts) and 1 <= len(keys) <= _MEMBERS_MOST
    return None if is_state and len(set(keys)) == len(keys) else "must be a trace state in the W3C's form"


def _sequence(value: object) -> str | None:
    is_number = isinstance(value, str) and _SEQUENCE.fullmatch(value) is not None and int(value) < _SEQUENCE_END
    return None if is_number else 'must be a whole number from "1" on, below 2147483648, as a string'


def _sequence_type(value: object) -> str | None:
    return None if value == "Integer" else 'must be "Integer"'


_FORMS: Final[dict[str, Callable[[object], str | None]]] = {
    "datacontenttype": _media,
    "dataschema": _text,
    "subject": _text,
    "traceparent": _parent,
    "tracestate": _state,
    "sequence": _sequence,
    "sequencetype": _sequence_type,
}
"""The attributes that are always taken, each with its form: CloudEvents' own, and the extensions of the list."""
