"""The parts of the OpenAPI document about requests and answers, drawn from the same structs that are served."""

from typing import Any, Final

import msgspec

from api.v1.answers import CaseAnswer, FilesAnswer, JournalAnswer, LateAnswer, RecentAnswer, Series
from domain.events import submitted as events
from domain.events.kinds import KINDS
from domain.score.scorecard import Scorecard
from projections.ports import Receipt

REF: Final = "#/components/schemas/{name}"


class Problem(msgspec.Struct):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    """The first faults, up to 20."""
    more: int | msgspec.UnsetType = msgspec.UNSET
    """The number of faults that are not listed."""
    holder: dict[str, str | int] | msgspec.UnsetType = msgspec.UNSET
    retry: bool | msgspec.UnsetType = msgspec.UNSET
    """True if a later event or a later time may lift the refusal: keep the event, and send it again."""


class Rejected(msgspec.Struct):
    """An event of a batch that was not recorded."""

    index: int
    problem: Problem


class Tally(msgspec.Struct):
    """The outcome of a batch."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]
    receipts: list[Receipt | None] | msgspec.UnsetType = msgspec.UNSET
    """Of each event by its index, null for a rejected one; where `Prefer: return=representation` asks for them."""


class Page(msgspec.Struct):
    """A page of scorecards; ``next`` is the cursor of the page after it, or null."""

    period: str
    position: int
    items: list[Scorecard]
    next: str | None


class DigestAnswer(msgspec.Struct, omit_defaults=True):
    """The digest of all that is folded up to a position; ``vector`` says how far each part is, where parts are apart."""

    position: int
    digest: str
    vector: dict[str, Any] | None = None


class MethodSection(msgspec.Struct):
    """A section of the rules in words: its title and its paragraphs, each in Bahasa Indonesia and in English."""

    id: str
    title: dict[str, str]
    paragraphs: list[dict[str, str]]


class MethodAnswer(msgspec.Struct):
    """The rules of the figures in words, with what they do not close."""

    sections: list[MethodSection]


_TYPES: Final = (
    Receipt,
    Tally,
    Page,
    DigestAnswer,
    MethodAnswer,
    Series,
    FilesAnswer,
    CaseAnswer,
    RecentAnswer,
    LateAnswer,
    JournalAnswer,
    Problem,
    Scorecard,
    *(kind.submitted for kind in KINDS.values()),
    events.EventName,
)


def _anything(_: type) -> dict[str, Any]:
    """The values of a correction's `replacement`: which they may be, the fact's own kind says."""
    return {}


_, COMPONENTS = msgspec.json.schema_components(_TYPES, schema_hook=_anything, ref_template=REF)


def _ref(kind: type) -> dict[str, Any]:
    return {"$ref": REF.format(name=kind.__name__)}


def _json(kind: type | None, media: str = "application/json") -> dict[str, Any]:
    return {"content": {media: {"schema": _ref(kind) if kind else {"type": "object"}}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, **_json(Problem, "application/problem+json")}


def _envelope() -> dict[str, Any]:
    one_of = [
        {
            "type": "object",
            "title": kind.name,
            "required": ["specversion", "type", "source", "id", "time", "data"],
            "properties": {
                "specversion": {"const": "1.0"},
                "type": {"const": kind.type},
                "source": {"type": "string", "minLength": 1, "maxLength": 500},
                "id": {"type": "string", "minLength": 1, "maxLength": 500},
                "time": {"type": "string", "format": "date-time"},
                "data": _ref(kind.submitted),
            },
        }
        for kind in KINDS.values()
    ]
    return {"oneOf": one_of, "title": "CloudEvent"}


def _as_served(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema with decimals as the JSON numbers they are served as."""
    if isinstance(schema, list):
        return [_as_served(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "number"}
    return {name: _as_served(part) for name, part in schema.items()}


COMPONENTS = {**_as_served(COMPONENTS), "CloudEvent": _envelope()}
_EVENT: Final = {"$ref": REF.format(name="CloudEvent")}

EVENTS_DOC: Final[dict[str, Any]] = {
    "tags": ["intake"],
    "summary": "Record events",
    "status_code": 201,
    "responses": {
        200: {
            "description": "A repeat's first receipt; of a batch or NDJSON, what became of each",
            "content": {"application/json": {"schema": {"oneOf": [_ref(Receipt), _ref(Tally)]}}},
        },
        201: {"description": "Recorded, durably", **_json(Receipt)},
        400: _problem("Not strict JSON, not the gzip it is said to be, or a CloudEvents header that cannot be read"),
        401: _problem("A token is needed"),
        403: _problem("The token does not cover this"),
        409: _problem("Other content under the same name, a held key, or a second reversal"),
        413: _problem("More than 16 MiB, decompressed too, or 10,000 events"),
        415: _problem("None of the content types taken, or a content coding other than gzip"),
        422: _problem("A field breaks the contract: see errors"),
        503: _problem("Nothing was recorded: send the same again"),
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": _EVENT},
                "application/cloudevents-batch+json": {"schema": {"type": "array", "items": _EVENT}},
                "application/x-ndjson": {"schema": {"type": "string", "description": "a CloudEvent in JSON a line"}},
                "application/json": {"schema": {"type": "object", "description": "data; attributes in ce- headers"}},
            },
        },
    },
}


QUERY_REFUSED: Final = _problem("A parameter is not known here, or stands more than once")
"""The refusal that every route may answer with."""


def read_doc(
    answer: type | None, summary: str, *, of_subject: bool = False, needs_token: bool = False
) -> dict[str, Any]:
    """The documentation of a read: its answer, and the problems that it may have instead."""
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": summary, **_json(answer)},
        304: {"description": "As the ETag says, nothing has changed"},
        422: _problem("The query cannot be answered"),
    }
    if of_subject:
        responses[404] = _problem("Nothing ever named this subject")
    if needs_token:
        responses[401] = _problem("Beyond this machine a token is needed")
        responses[403] = _problem("The token does not cover this")
    return {"tags": ["reads"], "summary": summary, "responses": responses}


STREAM_DOC: Final[dict[str, Any]] = {
    "tags": ["reads"],
    "summary": "What moves, as it moves (server-sent events)",
    "responses": {200: {"description": "Events `position`, `moved`, `reset`; ids to resume by"}},
}
