"""The Kafka binding of CloudEvents 1.0: a journal line becomes a record in binary mode, and a record becomes an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from domain.intake.media import media_of
from domain.intake.recorded import read_line, stated
from domain.intake.strict_json import parse_json
from domain.intake.wire import RULE_MOST, Submission, read_sized, too_large
from domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

STRUCTURED: Final = "application/cloudevents+json"
_ANY_STRUCTURED: Final = "application/cloudevents"
_JSON: Final = "application/json"
_PREFIX: Final = "ce_"
_CONTENT_TYPE: Final = "content-type"
_CONTENT_TYPE_ATTRIBUTE: Final = "datacontenttype"
Headers = list[tuple[str, bytes | None]]


def binary_record(position: int, line: bytes) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a journal line: its dinas, its ``data`` as JSON, and its attributes."""
    event = read_line(line)
    dinas = next((data["dinas"] for data in stated(event.data) if data.get("dinas")), "")
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "type": event.type,
        "source": event.source,
        "id": event.id,
        "time": event.time,
        **event.attributes,
        "recordedtime": event.recordedtime,
        "recordedby": event.recordedby,
        "contenthash": event.contenthash,
        "position": position,
    }
    media = attributes.pop(_CONTENT_TYPE_ATTRIBUTE, _JSON)
    headers: Headers = [(f"{_PREFIX}{name}", _attribute(value)) for name, value in attributes.items()]
    headers.append((_CONTENT_TYPE, _attribute(media)))
    return dinas.encode(), msgspec.json.encode(event.data), headers


def _attribute(value: str | int | bool) -> bytes:  # noqa: FBT001 - the types an attribute has
    """An attribute in the spelling that CloudEvents gives to its type."""
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode()


def event_of(value: bytes | None, headers: Headers, extensions: Collection[str] = ()) -> Submission:
    """The event of a record, structured or binary; ``extensions`` as in ``read_submission``. Raises: ``Refusal``."""
    contents: dict[str, bytes | None] = {}
    for name, content in headers or ():
        if name.lower() in contents and name.lower().startswith((_PREFIX, _CONTENT_TYPE)):
            raise Refusal("malformed-headers", f"{name.lower()}: stands more than once")
        contents[name.lower()] = content
    attributes = {
        name.removeprefix(_PREFIX): _text(name, content)
        for name, content in contents.items()
        if name.startswith(_PREFIX)
    }
    if _CONTENT_TYPE in contents:
        attributes[_CONTENT_TYPE_ATTRIBUTE] = _text(_CONTENT_TYPE, contents[_CONTENT_TYPE])
    names = media_of(attributes.get(_CONTENT_TYPE_ATTRIBUTE, ""))
    media = "" if names is None else names.type
    if (names is not None and not names.is_utf8) or (media.startswith(_ANY_STRUCTURED) and media != STRUCTURED):
        detail = f"{media}: send {STRUCTURED}, or {_JSON} with {_PREFIX} headers, an event a record"
        raise Refusal("unsupported-media-type", detail)
    names_and_texts = ((name, content) for name, content in contents.items() if name.startswith(_PREFIX))
    size = len(value or b"") + sum(len(name) + len(content or b"") for name, content in names_and_texts)
    if size > RULE_MOST:
        raise too_large(RULE_MOST)
    event = parse_json(value or b"")
    if media == STRUCTURED or not attributes.keys() - {_CONTENT_TYPE_ATTRIBUTE}:
        return read_sized(event, size, extensions)
    return read_sized({**attributes, "data": event}, size, extensions)


def _text(name: str, content: bytes | None) -> str:
    try:
        if content is not None:
            return content.decode()
    except UnicodeDecodeError:
        raise Refusal("malformed-headers", f"{name}: must be UTF-8") from None
    raise Refusal("malformed-headers", f"{name}: must have a value")
