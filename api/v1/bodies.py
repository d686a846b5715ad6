"""Bodies of the intake: one event, a batch or lines, in each form CloudEvents knows over HTTP, within their bounds."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec
from fastapi import Request
from starlette.datastructures import Headers

from api.http.coding import coding_of, decompressed
from domain.intake.media import media_of, unquoted
from domain.intake.strict_json import MAX_DEPTH, parse_json, too_deep
from domain.intake.wire import RULE_MOST, Submission, read_event, read_sized, too_large
from domain.refusal import Fault, Refusal, attempt, invalid

BODY_MOST: Final = 16 * 2**20
EVENTS_MOST: Final = 10_000
EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"
_PREFIX: Final = "ce-"
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
"""Takes an array apart without reading its events: each is measured before it costs memory."""
_LINE: Final = re.compile(rb"\S[^\n]*")
"""A line that is not blank, from its first visible byte on."""
_Item = TypeVar("_Item")
Event = Submission | Refusal


class Body(NamedTuple):
    """A request to the intake: its media type, its content as it came, and the extension attributes that it may use."""

    media: str
    is_packed: bool
    content: bytes
    headers: Headers
    extensions: Collection[str]


async def body_of(request: Request, extensions: Collection[str]) -> Body:
    """The body of a request that is one of ours. Raises: ``Refusal``."""
    media, is_packed = _media(request), coding_of(request.headers.getlist("content-encoding"))
    return Body(media, is_packed, await _content(request), request.headers, extensions)


def events_of(body: Body) -> list[Event] | Event:
    """The events of a request, each with its refusal; of a single one itself.

    Raises: ``Refusal`` for a request that cannot be taken apart.
    """
    content = decompressed(body.content, BODY_MOST) if body.is_packed else body.content
    if body.media == BATCH:
        elements = _counted(_elements(content))
        return [_read_element(index, bytes(element), body.extensions) for index, element in enumerate(elements)]
    if body.media == NDJSON:
        lines = _counted([line[0] for line in islice(_LINE.finditer(content), EVENTS_MOST + 1)])
        return [attempt(read_event, line, body.extensions) for line in lines]
    if body.media == EVENT:
        return attempt(read_event, content, body.extensions)
    return attempt(_from_headers, body.headers, content, body.extensions)


def _media(request: Request) -> str:
    values = request.headers.getlist("content-type")
    if len(values) > 1:
        raise Refusal("malformed-headers", "content-type: stands more than once")
    media = media_of(values[0]) if values else None
    binary = any(header.startswith(_PREFIX) for header in request.headers)
    is_ours = media is not None and (media.type in (EVENT, BATCH, NDJSON) or (media.type == JSON and binary))
    if media is None or not is_ours or not media.is_utf8:
        detail = f"send {EVENT}, {BATCH}, {NDJSON}, or {JSON} with {_PREFIX} headers, in UTF-8"
        raise Refusal("unsupported-media-type", detail)
    return media.type


async def _content(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            raise Refusal("too-large", f"a request holds at most {BODY_MOST} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _elements(body: bytes) -> list[msgspec.Raw]:
    """The texts of the events of a batch. Raises: ``Refusal``."""
    try:
        return _ELEMENTS.decode(body)
    except msgspec.ValidationError:
        raise invalid(Fault("", "must be a JSON array of events")) from None
    except msgspec.DecodeError as error:
        raise Refusal("malformed-json", str(error)) from None
    except RecursionError:
        raise too_deep() from None


def _read_element(index: int, text: bytes, extensions: Collection[str]) -> Event:
    """One event of a batch, or its refusal. Raises: ``Refusal`` for a text that makes the whole batch no JSON of ours."""
    if len(text) > RULE_MOST:
        return too_large(RULE_MOST)
    event = attempt(parse_json, text, f"/{index}", depth=MAX_DEPTH - 1)
    if isinstance(event, Refusal):
        if event.slug != "too-large":
            raise event
        return event
    return attempt(read_sized, event, len(text), extensions)


def _counted(events: Sequence[_Item]) -> Sequence[_Item]:
    if len(events) > EVENTS_MOST:
        raise Refusal("too-large", f"a request holds at most {EVENTS_MOST} events")
    return events


def _from_headers(headers: Headers, body: bytes, extensions: Collection[str]) -> Submission:
    """The binary mode of the CloudEvents HTTP binding: an attribute in each ``ce-`` header. Raises: ``Refusal``."""
    event: dict[str, Any] = {"datacontenttype": headers["content-type"]}
    attributes = [(name, value) for name, value in headers.items() if name.startswith(_PREFIX)]
    for name, times in Counter(name for name, _ in attributes).items():
        if times > 1:
            raise Refusal("malformed-headers", f"{name}: stands more than once")
        if name == f"{_PREFIX}data":
            raise Refusal("malformed-headers", f"{name}: data is the body")
    size = len(body) + sum(len(name) + len(value) for name, value in attributes)
    if size > RULE_MOST:
        raise too_large(RULE_MOST)
    event |= {name.removeprefix(_PREFIX): _attribute(name, value) for name, value in attributes}
    event["data"] = parse_json(body)
    return read_sized(event, size, extensions)


def _attribute(name: str, value: str) -> str:
    """A header's value as the HTTP binding has it decoded (section 3.1.3.2): quotes first, then one round of percents."""
    try:
        text = value.encode("latin-1").decode()
        return unquote(unquoted(text) if text.startswith('"') else text, errors="strict")
    except UnicodeDecodeError:
        raise Refusal("malformed-headers", f"{name}: must be percent-encoded UTF-8") from None
    except ValueError as error:
        raise Refusal("malformed-headers", f"{name}: {error}") from None
