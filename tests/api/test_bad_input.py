"""Refused requests, one a row, with the exact status, problem type and pointers; the journal does not change."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import httpx
import pytest

from tests.serving import BATCH, EVENT, NDJSON, Assembled, event, ndjson

PROBLEM: Final = "application/problem+json"
INVALID: Final = "invalid-event"
CASE: Final = {"dinas": "disdukcapil", "service": "ktp-el"}
RECEIPT: Final = {**CASE, "case": "K-9", "received_at": "2026-11-20T08:00:00+07:00"}
DECISION: Final = {**RECEIPT, "completed_at": "2026-11-20T10:00:00+07:00"}
TASK: Final = {"dinas": "disdukcapil", "asn": "a-1", "task": "T-9", "completed_at": "2026-11-20T10:00:00+07:00"}
RATING: Final = {"dinas": "disdukcapil", "survey": "S-9", "overall": 3}
STANDARD: Final = {"service": "ktp-el", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
ON_TIME: Final = {
    "id": "tepat", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "direction": "higher",
    "target": "100", "cap": 120, "min_n": 1, "weight": "1",
}  # fmt: skip
SCHEME: Final = {
    "scheme": "kota", "effective_from": "2026-12-01", "indicators": [ON_TIME], "skm_weight": "1/9",
    "min_coverage": "0.6",
}  # fmt: skip
HISTORY: Final = (
    event("dinas-registered", "reg", {"dinas": "disdukcapil", "name": "Dinas Kependudukan"}),
    event("permit-received", "r1", {**RECEIPT, "case": "K-1"}),
    event("permit-received", "r2", {**RECEIPT, "case": "K-2"}),
    event("permit-paused", "z2", {**CASE, "case": "K-2", "at": "2026-11-21T08:00:00+07:00", "reason": "applicant"}),
    event("permit-received", "r3", {**RECEIPT, "case": "K-3"}),
    event("permit-processed", "p3", {**DECISION, "case": "K-3"}),
    event("satisfaction-rated", "q3", {**CASE, "case": "K-3", "overall": 4}),
    event("satisfaction-rated", "q-s1", {"dinas": "disdukcapil", "survey": "S-1", "unsur": {"waktu": 3}}),
    event("task-completed", "t1", {**TASK, "task": "T-1"}),
    event("task-completed", "t2", {**TASK, "task": "T-2"}),
    event("event-retracted", "x2", {"event": {"source": "/loket", "id": "t2"}, "reason": "duplicate"}),
)


class Refused(NamedTuple):
    """One event, or the bytes of one, and its refusal; ``holder`` is the id of the event that conflicts with it."""

    name: str
    event: dict[str, Any] | bytes
    status: int
    slug: str
    pointers: tuple[str, ...] = ()
    holder: str | None = None


def bad(name: str, kind: str, data: dict[str, Any], *pointers: str, **attributes: object) -> Refused:
    """An event whose fields break the contract."""
    return Refused(name, event(kind, "bad", data, **attributes), 422, INVALID, pointers)


def without(name: str) -> dict[str, Any]:
    """An event that lacks an attribute."""
    return {key: value for key, value in event("task-completed", "bad", TASK).items() if key != name}


def text(body: str) -> bytes:
    """A good event with its data's ``task`` written as given, in JSON source."""
    return json.dumps(event("task-completed", "bad", {**TASK, "task": "@"})).replace('"@"', body).encode()


def nested(depth: int) -> dict[str, Any]:
    """An event that nests so many objects and arrays."""
    inner: Any = []
    for _ in range(depth - 4):
        inner = [inner]
    reverses = {"event": {"source": "/loket", "id": "t1"}, "reason": "typo", "replacement": {**TASK, "x": inner}}
    return event("event-corrected", "bad", reverses)


def pauses(**pause: str) -> dict[str, Any]:
    """A decision with one pause."""
    usual = {"from": "2026-11-20T08:30:00+07:00", "to": "2026-11-20T09:00:00+07:00", "reason": "applicant"}
    return {**DECISION, "pauses": [{**usual, **pause}]}


def scheme(**indicator: object) -> dict[str, Any]:
    """A scheme of one indicator with something changed."""
    return {**SCHEME, "indicators": [{**ON_TIME, **indicator}]}


def reversal(kind: str, target: str, **more: object) -> dict[str, Any]:
    """A retraction or correction of an event of the history."""
    return event(kind, "bad", {"event": {"source": "/loket", "id": target}, "reason": "typo", **more})


FUTURE: Final = "2026-11-24T12:05:01+07:00"
MALFORMED: Final = (
    ("not JSON", b"{"),
    ("empty", b""),
    ("a key twice", text('"T-1", "task": "T-2"')),
    ("a key twice, spelt by an escape", text('"T-1", "t\\u0061sk": "T-2"')),
    ("NaN", text("NaN")),
    ("minus Infinity", text("-Infinity")),
    ("1e400", text("1e400")),
    ("an integer of 41 digits", text("1" * 41)),
    ("a lone high surrogate", text('"\\ud800"')),
    ("a lone low surrogate in a key", text('"T", "\\udc00": 1')),
    ("bad UTF-8", text('"@@"').replace(b"@@", b"\xff\xfe")),
    ("an overlong UTF-8 slash", text('"@@"').replace(b"@@", b"\xc0\xaf")),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("a raw control character in a string", text('"a\x01b"')),
    ("text after the value", text('"T-1"') + b" {}"),
)
EVENTS: Final[tuple[Refused, ...]] = (
    *(Refused(name, body, 400, "malformed-json") for name, body in MALFORMED if body),
    *(Refused(f"a {name}, not an object", body, 422, INVALID, ("",)) for name, body in (
        ("list", b"[]"), ("string", b'"x"'), ("null", b"null"), ("number", b"1"))),
    Refused("33 levels deep", nested(33), 422, INVALID, ("",)),
    Refused("1000 levels deep", b"[" * 1000 + b"]" * 1000, 422, INVALID, ("",)),
    Refused("32 levels are read", nested(32), 422, INVALID, ("/data/replacement/x",)),
    *(Refused(f"no {name}", without(name), 422, INVALID, (f"/{name}",))
      for name in ("specversion", "type", "source", "id", "time", "data")),
    Refused("nothing", {}, 422, INVALID, ("/specversion", "/type", "/source", "/id", "/time", "/data")),
    Refused("unknown kind", event("permit-lost", "bad", {}), 422, "unknown-type", ("/type",)),
    Refused("unknown version", event("x", "bad", TASK, type="neraca.task-completed.v2"), 422, "unknown-type", ("/type",)),
    Refused("foreign type", event("x", "bad", TASK, type="com.example.done"), 422, "unknown-type", ("/type",)),
    Refused("type is a number", event("x", "bad", TASK, type=1), 422, "unknown-type", ("/type",)),
    Refused("opening of a journal", event("journal-opened", "bad", {}), 422, "unknown-type", ("/type",)),
    Refused("a kind not built yet", event("feedback-given", "bad", {}), 422, "unknown-type", ("/type",)),
    bad("specversion 0.3", "task-completed", TASK, "/specversion", specversion="0.3"),
    bad("empty source", "task-completed", TASK, "/source", source=""),
    bad("id of 501 characters", "task-completed", TASK, "/id", id="x" * 501),
    bad("id a number", "task-completed", TASK, "/id", id=7),
    bad("control character in id", "task-completed", TASK, "/id", id="a\x00b"),
    bad("attribute position", "task-completed", TASK, "/position", position=7),
    bad("attribute recordedtime", "task-completed", TASK, "/recordedtime", recordedtime="2026-11-24T05:00:00Z"),
    bad("attribute data_base64", "task-completed", TASK, "/data_base64", data_base64="e30="),
    bad("attribute in capitals", "task-completed", TASK, "/Gateway", Gateway="g"),
    bad("attribute with ~ and /", "task-completed", TASK, "/a~1b~0", **{"a/b~": "g"}),
    bad("attribute an object", "task-completed", TASK, "/gateway", gateway={}),
    bad("attribute a fraction", "task-completed", TASK, "/gateway", gateway=1.5),
    bad("attribute beyond 32 bits", "task-completed", TASK, "/gateway", gateway=2**31),
    bad("datacontenttype", "task-completed", TASK, "/datacontenttype", datacontenttype="text/xml"),
    bad("naive time", "task-completed", TASK, "/time", time="2026-11-24T11:00:00"),
    *(bad(f"time {time}", "task-completed", TASK, "/time", time=time) for time in (
        "2026-11-24T11:00:00+07:60", "2026-11-24T11:00:00+07:99", "2026-11-24T11:00:00+24:00", "2026-11-23T24:00:00+07:00",
        "2026-11-24T10:60:00+07:00", "2026-11-24T10:59:60+07:00")),
    bad("time no moment", "task-completed", TASK, "/time", time="2026-02-30T11:00:00+07:00"),
    bad("time before the calendar", "task-completed", TASK, "/time", time="0001-01-01T00:00:00+14:00"),
    bad("time a number", "task-completed", TASK, "/time", time=1),
    bad("time ahead", "task-completed", TASK, "/time", time=FUTURE),
    Refused("data a list", without("data") | {"data": []}, 422, INVALID, ("/data",)),
    bad("data empty", "task-completed", {}, "/data/dinas", "/data/asn", "/data/task", "/data/completed_at"),
    bad("data of a receipt empty", "permit-received", {}, "/data/dinas", "/data/service", "/data/case", "/data/received_at"),
    bad("unknown field of data", "task-completed", {**TASK, "nilai": 1}, "/data/nilai"),
    bad("unknown field ~ and /", "task-completed", {**TASK, "a/b~": 1}, "/data/a~1b~0"),
    bad("field null", "task-completed", {**TASK, "task": None}, "/data/task"),
    bad("field a number", "task-completed", {**TASK, "task": 7}, "/data/task"),
    *(bad(f"{name} empty", "task-completed", {**TASK, name: ""}, f"/data/{name}") for name in ("dinas", "asn", "task")),
    *(bad(f"control character in {name}", "task-completed", {**TASK, name: "a\nb"}, f"/data/{name}")
      for name in ("dinas", "asn", "task")),
    bad("C1 control character", "permit-received", {**RECEIPT, "case": "K\x85"}, "/data/case"),
    *(bad(f"slash in {name}", "task-completed", {**TASK, name: "a/b"}, f"/data/{name}") for name in ("dinas", "asn")),
    *(bad(f"{name} of 201 characters", "permit-received", {**RECEIPT, name: "x" * 201}, f"/data/{name}")
      for name in ("dinas", "service", "case")),
    bad("NIK as asn", "task-completed", {**TASK, "asn": "3674012345678901"}, "/data/asn"),
    bad("NIP as asn", "asn-registered", {"asn": "198501012010011001"}, "/data/asn"),
    bad("NIK as case", "permit-received", {**RECEIPT, "case": "3674012345678901"}, "/data/case"),
    bad("naive received_at", "permit-received", {**RECEIPT, "received_at": "2026-11-20T08:00:00"}, "/data/received_at"),
    bad("due_at no time", "permit-received", {**RECEIPT, "due_at": "besok"}, "/data/due_at"),
    bad("due_at beyond the calendar", "permit-received", {**RECEIPT, "due_at": "9999-12-31T23:59:59-14:00"}, "/data/due_at"),
    bad("received_at ahead", "permit-received", {**RECEIPT, "received_at": FUTURE}, "/data/received_at"),
    bad("completed_at ahead", "task-completed", {**TASK, "completed_at": FUTURE}, "/data/completed_at"),
    bad("assigned_at ahead", "task-completed", {**TASK, "assigned_at": FUTURE}, "/data/assigned_at"),
    *(bad(f"{name} of minute 60", kind, {**data, name: "2026-11-20T10:00:00+07:60"}, f"/data/{name}")
      for kind, data, name in (
          ("permit-received", RECEIPT, "received_at"), ("permit-received", RECEIPT, "due_at"),
          ("permit-processed", DECISION, "completed_at"), ("task-completed", TASK, "assigned_at"),
          ("permit-paused", {**CASE, "case": "K-1", "reason": "payment"}, "at"),
          ("permit-resumed", {**CASE, "case": "K-2"}, "at"))),
    bad("pause that ends at minute 60", "permit-processed", pauses(to="2026-11-20T09:00:00+07:60"), "/data/pauses/0/to"),
    bad("pause ahead", "permit-paused", {**CASE, "case": "K-1", "at": FUTURE, "reason": "payment"}, "/data/at"),
    bad("end of a pause ahead", "permit-processed", pauses(to=FUTURE), "/data/pauses/0/to"),
    bad("two faults, two pointers", "task-completed", {**TASK, "asn": "a/b", "due_at": "x"}, "/data/asn", "/data/due_at"),
    bad("pause reversed", "permit-processed", pauses(to="2026-11-20T08:29:59+07:00"), "/data/pauses/0/to"),
    bad("pause naive", "permit-processed", pauses(**{"from": "2026-11-20T08:30:00"}), "/data/pauses/0/from"),
    bad("pause for no coded reason", "permit-processed", pauses(reason="libur"), "/data/pauses/0/reason"),
    bad("pause without an end", "permit-processed",
        {**DECISION, "pauses": [{"from": "2026-11-20T08:30:00+07:00", "reason": "payment"}]}, "/data/pauses/0/to"),
    bad("pause with a field too many", "permit-processed", pauses(note="x"), "/data/pauses/0/note"),
    bad("outcome unknown", "permit-processed", {**DECISION, "outcome": "lost"}, "/data/outcome"),
    bad("reported_by unknown", "task-completed", {**TASK, "reported_by": "boss"}, "/data/reported_by"),
    bad("decision without a receipt", "permit-processed",
        {**CASE, "case": "K-9", "completed_at": "2026-11-20T10:00:00+07:00"}, "/data/received_at"),
    bad("decision 61 s before its receipt", "permit-processed",
        {**DECISION, "completed_at": "2026-11-20T07:58:59+07:00"}, "/data/completed_at"),
    bad("pausing what is not open", "permit-paused",
        {**CASE, "case": "K-9", "at": "2026-11-21T08:00:00+07:00", "reason": "payment"}, "/data/case"),
    bad("pausing what is decided", "permit-paused",
        {**CASE, "case": "K-3", "at": "2026-11-21T08:00:00+07:00", "reason": "payment"}, "/data/case"),
    bad("pausing what is paused", "permit-paused",
        {**CASE, "case": "K-2", "at": "2026-11-22T08:00:00+07:00", "reason": "payment"}, "/data/case"),
    bad("resuming what runs", "permit-resumed", {**CASE, "case": "K-1", "at": "2026-11-21T08:00:00+07:00"}, "/data/case"),
    bad("resuming before the pause", "permit-resumed",
        {**CASE, "case": "K-2", "at": "2026-11-21T08:00:00+07:00"}, "/data/at"),
    bad("neither case nor survey", "satisfaction-rated", {"dinas": "d", "overall": 3}, "/data/case"),
    bad("case and survey", "satisfaction-rated", {**RATING, **CASE, "case": "K-1"}, "/data/case"),
    bad("case without service", "satisfaction-rated", {"dinas": "d", "case": "K-1", "overall": 3}, "/data/service"),
    bad("neither unsur nor overall", "satisfaction-rated", {"dinas": "d", "survey": "S-9"}, "/data/unsur"),
    bad("unsur and overall", "satisfaction-rated", {**RATING, "unsur": {"waktu": 3}}, "/data/unsur"),
    *(bad(name, "satisfaction-rated", {"dinas": "d", "survey": "S-9", "unsur": unsur}, f"/data/unsur{pointer}")
      for name, unsur, pointer in (
          ("unsur unknown", {"cuaca": 3}, "/cuaca"), ("unsur 0", {"waktu": 0}, "/waktu"),
          ("unsur 5", {"waktu": 5}, "/waktu"), ("unsur empty", {}, ""))),
    bad("overall beyond 4", "satisfaction-rated", {**RATING, "overall": 5}, "/data/overall"),
    bad("overall beyond its scale", "satisfaction-rated", {**RATING, "overall": 6, "scale": 5}, "/data/overall"),
    bad("overall 0", "satisfaction-rated", {**RATING, "overall": 0}, "/data/overall"),
    bad("overall a fraction", "satisfaction-rated", {**RATING, "overall": 3.5}, "/data/overall"),
    bad("overall true", "satisfaction-rated", {**RATING, "overall": True}, "/data/overall"),
    bad("scale 11", "satisfaction-rated", {**RATING, "scale": 11}, "/data/scale"),
    bad("scale 1", "satisfaction-rated", {**RATING, "scale": 1}, "/data/scale"),
    *(bad(f"standard in {unit}", "standard-set", {**STANDARD, "unit": unit}, "/data/unit")
      for unit in ("working_minutes", "working_days", "hours")),
    *(bad(f"standard of {amount}", "standard-set", {**STANDARD, "amount": amount}, "/data/amount")
      for amount in (0, -1, 10**30, "24")),
    bad("standard from no date", "standard-set", {**STANDARD, "effective_from": "2026-02-30"}, "/data/effective_from"),
    bad("assignment reversed", "asn-assigned",
        {"asn": "a-1", "dinas": "d", "effective_from": "2026-02-01", "effective_to": "2026-01-31"}, "/data/effective_to"),
    bad("dinas without a name", "dinas-registered", {"dinas": "d", "name": ""}, "/data/name"),
    bad("scheme not on a month's first", "scheme-adopted", {**SCHEME, "effective_from": "2026-12-02"}, "/data/effective_from"),
    bad("scheme of the past", "scheme-adopted", {**SCHEME, "effective_from": "2026-10-01"}, "/data/effective_from"),
    bad("weights short of 1", "scheme-adopted", scheme(weight="0.999999999999"), "/data/indicators"),
    bad("no indicators", "scheme-adopted", {**SCHEME, "indicators": []}, "/data/indicators"),
    bad("an indicator twice", "scheme-adopted",
        {**SCHEME, "indicators": [{**ON_TIME, "weight": "0.5"}] * 2}, "/data/indicators"),
    *(bad(f"{name} {value!r}", "scheme-adopted", scheme(**{name: value}), f"/data/indicators/0/{name}")
      for name, value in (
          ("cap", 105), ("target", "0"), ("target", "-1"), ("weight", 1), ("weight", "1e0"), ("min_n", 0),
          ("direction", "up"), ("numerator", "permits_elapsed_us"), ("denominator", "capaian_sum_120"))),
    bad("cap beside its measure's name", "scheme-adopted",
        scheme(numerator="capaian_sum_110", denominator="capaian_n"), "/data/indicators/0/cap"),
    bad("ikm over permits", "scheme-adopted", scheme(numerator="ikm", denominator="permits"), "/data/indicators/0/denominator"),
    bad("skm_weight 0", "scheme-adopted", {**SCHEME, "skm_weight": "0"}, "/data/skm_weight"),
    bad("skm_weight by zero", "scheme-adopted", {**SCHEME, "skm_weight": "1/0"}, "/data/skm_weight"),
    bad("min_coverage beyond 1", "scheme-adopted", {**SCHEME, "min_coverage": "1.1"}, "/data/min_coverage"),
    *(Refused(name, body, 422, INVALID, (pointer,)) for name, body, pointer in (
        ("retraction of nothing", reversal("event-retracted", "nowhere"), "/data/event"),
        ("retraction of a rule", reversal("event-retracted", "reg"), "/data/event"),
        ("retraction of a retraction", reversal("event-retracted", "x2"), "/data/event"),
        ("retraction of a pause", reversal("event-retracted", "z2"), "/data/event"),
        ("retraction in free text", reversal("event-retracted", "t1", reason="Salah ketik"), "/data/reason"),
        ("retraction naming no source", event("event-retracted", "bad", {"event": {"id": "t1"}, "reason": "x"}),
         "/data/event/source"),
        ("correction without data", reversal("event-corrected", "t1"), "/data/replacement"),
        ("correction that moves dinas", reversal("event-corrected", "t1", replacement={**TASK, "dinas": "d2"}),
         "/data/replacement/dinas"),
        ("correction that moves case", reversal("event-corrected", "r1", replacement=RECEIPT), "/data/replacement/case"),
        ("correction that moves service",
         reversal("event-corrected", "r1", replacement={**RECEIPT, "case": "K-1", "service": "kk"}),
         "/data/replacement/service"),
        ("correction that moves survey", reversal("event-corrected", "q-s1", replacement=RATING),
         "/data/replacement/survey"),
        ("correction into the future", reversal("event-corrected", "t1", replacement={**TASK, "completed_at": FUTURE}),
         "/data/replacement/completed_at"),
        ("correction to another kind", reversal("event-corrected", "r1", replacement={**RECEIPT, "task": "T"}),
         "/data/replacement/task"))),
    Refused("retraction twice", reversal("event-retracted", "t2"), 409, "already-reversed", holder="x2"),
    Refused("correction of what is retracted", reversal("event-corrected", "t2", replacement=TASK), 409,
            "already-reversed", holder="x2"),
    Refused("same name, other data", event("task-completed", "t1", TASK), 409, "content-conflict", holder="t1"),
    Refused("same name, other time",
            event("task-completed", "t1", {**TASK, "task": "T-1"}, time="2026-11-24T10:00:00+07:00"), 409,
            "content-conflict", holder="t1"),
    Refused("a second receipt", event("permit-received", "bad", {**RECEIPT, "case": "K-1"}), 409,
            "natural-key-held", holder="r1"),
    Refused("a second decision", event("permit-processed", "bad", {**DECISION, "case": "K-3"}), 409,
            "natural-key-held", holder="p3"),
    Refused("a second rating", event("satisfaction-rated", "bad", {**CASE, "case": "K-3", "overall": 1}), 409,
            "natural-key-held", holder="q3"),
    Refused("a survey answered again", event("satisfaction-rated", "bad", {**RATING, "survey": "S-1"}), 409,
            "natural-key-held", holder="q-s1"),
)  # fmt: skip


class Request(NamedTuple):
    """A request that is refused as a whole."""

    name: str
    method: str
    path: str
    status: int
    slug: str
    pointers: tuple[str, ...] = ()
    content: bytes | None = None
    headers: dict[str, str] | None = None


def posted(
    name: str, media: str | None, status: int, slug: str, *pointers: str, content: bytes = b"{}", **headers: str
) -> Request:
    """A request to the intake."""
    said = {"content-type": media} if media is not None else {}
    said |= {header.replace("_", "-"): value for header, value in headers.items()}
    return Request(name, "POST", "/v1/events", status, slug, pointers, content, said)


GOOD: Final = ndjson([event("task-completed", "bad", TASK)])
BINARY: Final = {
    "ce_specversion": "1.0", "ce_type": "neraca.task-completed.v1", "ce_source": "/loket", "ce_id": "bad",
    "ce_time": "2026-11-24T11:00:00+07:00",
}  # fmt: skip
JSON: Final = "application/json"
DATA: Final = ndjson([TASK])
REQUESTS: Final[tuple[Request, ...]] = (
    *(posted(f"{media or 'no content type'}", media, 415, "unsupported-media-type", content=GOOD)
      for media in (None, "", "text/plain", JSON, "application/cloudevents+xml", "application/cloudevents", "multipart/form-data")),
    *(posted(f"charset {charset}", f"{media}; charset={charset}", 415, "unsupported-media-type", content=GOOD)
      for media, charset in ((EVENT, "latin-1"), (BATCH, "utf-16"), (NDJSON, '"iso-8859-1"'))),
    posted("empty event", EVENT, 400, "malformed-json", content=b""),
    posted("empty batch body", BATCH, 400, "malformed-json", content=b""),
    posted("a batch cut short", BATCH, 400, "malformed-json", content=b"[" + GOOD),
    posted("NaN in a batch", BATCH, 400, "malformed-json", content=b"[NaN]"),
    posted("a batch that is an object", BATCH, 422, INVALID, "", content=GOOD),
    posted("a batch 33 deep", BATCH, 422, INVALID, "", content=b"[" * 33 + b"]" * 33),
    posted("bytes beyond the limit", EVENT, 413, "too-large", content=b" " * (16 * 2**20) + b"1"),
    posted("bytes beyond the limit, lines", NDJSON, 413, "too-large", content=b"\n" * (16 * 2**20 + 1)),
    posted("10,001 events", BATCH, 413, "too-large", content=b"[" + b"{}," * 10_000 + b"{}]"),
    posted("10,001 lines", NDJSON, 413, "too-large", content=b"{}\n" * 10_001),
    *(posted(f"binary without {name}", JSON, 422, INVALID, f"/{name[3:]}", content=DATA,
             **{key: value for key, value in BINARY.items() if key != name}) for name in BINARY),
    posted("binary, only a source", JSON, 422, INVALID, "/specversion", "/type", "/id", "/time", content=DATA, ce_source="/x"),
    posted("binary without data", JSON, 400, "malformed-json", content=b"", **BINARY),
    posted("binary, data null", JSON, 422, INVALID, "/data", content=b"null", **BINARY),
    posted("binary, a key twice", JSON, 400, "malformed-json", content=b'{"task":"a","task":"b"}', **BINARY),
    posted("binary, attribute position", JSON, 422, INVALID, "/position", content=DATA, **BINARY, ce_position="9"),
    posted("binary, attribute with a dash", JSON, 422, INVALID, "/a-b", content=DATA, **BINARY, ce_a_b="9"),
    posted("binary, attribute not UTF-8", JSON, 400, "malformed-headers", content=DATA, **{**BINARY, "ce_id": "%ff"}),
    posted("binary, field missing", JSON, 422, INVALID, "/data/task", **BINARY,
           content=ndjson([{key: value for key, value in TASK.items() if key != "task"}])),
    posted("binary, in another charset", f"{JSON}; charset=latin-1", 415, "unsupported-media-type", content=DATA, **BINARY),
    *(Request(f"period {period!r}", "GET", f"{path}?period={period}", 422, "invalid-query", ("/period",))
      for path, period in (
          ("/v1/dinas", "2026-13"), ("/v1/dinas", "2026-00"), ("/v1/dinas", ""), ("/v1/dinas", "2026-Q5"),
          ("/v1/rankings/dinas", "2026-S3"), ("/v1/dinas/disdukcapil", "0000"), ("/v1/dinas/disdukcapil/why", "26-11"),
          ("/v1/asn/a-1", "2026-1"), ("/v1/asn/a-1/why", "2026-11-01"), ("/v1/dinas/disdukcapil/asn", "now"))),
    *(Request(f"limit {limit} of {path}", "GET", f"{path}?limit={limit}", 422, "invalid-query", ("/limit",))
      for path, limit in (
          ("/v1/dinas", "0"), ("/v1/dinas", "1001"), ("/v1/dinas", "-1"), ("/v1/dinas", "x"), ("/v1/dinas", ""),
          ("/v1/rankings/dinas", "1.5"), ("/v1/dinas/disdukcapil/asn", "0"), ("/v1/asn/a-1/why", "1001"))),
    *(Request(f"cursor {cursor!r} of {path}", "GET", f"{path}?cursor={cursor}", 422, "invalid-query", ("/cursor",))
      for path, cursor in (
          ("/v1/dinas", "x"), ("/v1/dinas", "%00"), ("/v1/dinas", "%C3%A9"), ("/v1/dinas", "cmFuazox"),
          ("/v1/rankings/dinas", "aWQ6ZA"), ("/v1/rankings/dinas", "cmFuazot"), ("/v1/asn/a-1/why", "cG9zaXRpb246eA"))),
    Request("ranking of no dinas", "GET", "/v1/rankings/asn", 422, "invalid-query", ("/dinas",)),
    Request("dinas of 201 characters", "GET", f"/v1/dinas/{'x' * 201}", 422, "invalid-query", ("/dinas",)),
    *(Request(f"unknown {path}", "GET", path, 404, "not-found") for path in (
        "/v1/dinas/nowhere", "/v1/dinas/Disdukcapil", "/v1/dinas/nowhere/asn", "/v1/dinas/nowhere/why", "/v1/asn/nobody",
        "/v1/asn/nobody/why", "/v1/rankings/asn?dinas=nowhere", "/v1/asn/a%2F1", "/v1/nothing", "/v2/dinas", "/nothing", "/v1")),
    *(Request(f"{method} {path}", method, path, 405, "method-not-allowed") for method, path in (
        ("GET", "/v1/events"), ("PUT", "/v1/events"), ("DELETE", "/v1/events"), ("POST", "/v1/dinas"), ("DELETE", "/v1/dinas/d"),
        ("PATCH", "/v1/asn/a-1"), ("OPTIONS", "/v1/digest"), ("POST", "/v1/stream"), ("POST", "/metrics"))),
)  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """A journal with one of everything that may conflict with an event."""
    with Assembled(tmp_path_factory.mktemp("bad") / "data") as assembled:
        assembled.record(*HISTORY)
        yield assembled


def must_be(
    problem: dict[str, Any], status: int, slug: str, pointers: tuple[str, ...], holder: str | None = None
) -> None:
    """A problem says exactly this."""
    assert problem["type"] == f"urn:neraca:problem:{slug}", problem
    assert problem["status"] == status
    assert all((problem["title"], problem["detail"]))
    assert [fault["pointer"] for fault in problem.get("errors", [])] == list(pointers), problem
    assert ("errors" in problem) == (status == 422)
    assert all(fault["detail"] for fault in problem.get("errors", []))
    if holder is None:
        assert "holder" not in problem
    else:
        assert problem["holder"]["id"] == holder
        assert problem["holder"]["source"] == "/loket"
        assert problem["holder"]["position"] >= 1


def must_refuse(
    response: httpx.Response, status: int, slug: str, pointers: tuple[str, ...], holder: str | None = None
) -> None:
    """A response is this problem."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    must_be(response.json(), status, slug, pointers, holder)


@pytest.mark.parametrize("row", EVENTS, ids=lambda row: row.name)
def test_a_bad_event_is_refused_by_name_and_leaves_no_trace(city: Assembled, row: Refused) -> None:
    """A bad event gets one exact status and problem type, a pointer to every faulty field, and moves nothing."""
    head = city.journal.head()
    must_refuse(city.post(row.event), row.status, row.slug, row.pointers, row.holder)
    assert city.journal.head() == head


@pytest.mark.parametrize("media", [BATCH, NDJSON])
def test_a_bad_event_among_others_is_refused_as_it_is_alone(city: Assembled, media: str) -> None:
    """Each mode refuses an event with the same problem; in a batch and in lines the index says which event it is."""
    readable = [
        row for row in EVENTS if isinstance(row.event, dict) and "levels" not in row.name
    ]  # a batch is one level more
    rows = readable if media == BATCH else EVENTS
    lines = [row.event if isinstance(row.event, bytes) else ndjson([row.event]) for row in rows]
    head = city.journal.head()
    response = city.post(b"[" + b",".join(lines) + b"]" if media == BATCH else b"\n".join(lines), media)
    assert response.status_code == 200, response.text
    tally = response.json()
    assert (tally["accepted"], tally["duplicates"]) == (0, 0)
    assert [rejected["index"] for rejected in tally["rejected"]] == list(range(len(rows)))
    for row, rejected in zip(rows, tally["rejected"], strict=True):
        must_be(rejected["problem"], row.status, row.slug, row.pointers, row.holder)
    assert city.journal.head() == head


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: row.name)
def test_a_bad_request_is_refused_whole(city: Assembled, row: Request) -> None:
    """A request that cannot be read gets one exact status and problem type, and moves nothing."""
    head = city.journal.head()
    response = city.ask(row.method, row.path, content=row.content, headers=row.headers)
    must_refuse(response, row.status, row.slug, row.pointers)
    assert ("allow" in response.headers) == (row.status == 405)
    if row.status == 405:
        assert response.headers["allow"] == ("POST" if row.path == "/v1/events" else "GET")
    assert city.journal.head() == head


def test_what_lies_just_inside_the_limits_is_taken(neraca: Assembled) -> None:
    """Each limit is the last value that is taken: 200 characters, 5 minutes ahead, 60 s of skew, a deadline of any day."""
    limit = "2026-11-24T12:05:00+07:00"
    taken = [
        event("task-completed", "x" * 500, {**TASK, "task": "t" * 200, "completed_at": limit}, time=limit),
        event("task-completed", "15 digits", {**TASK, "asn": "123456789012345"}),
        event("task-completed", "17 digits", {**TASK, "asn": "12345678901234567"}),
        event("task-completed", "slash", {**TASK, "task": "a/b"}),
        event("permit-received", "late", {**RECEIPT, "due_at": "2099-01-01T00:00:00+07:00"}),
        event("permit-processed", "skew", {**RECEIPT, "case": "K-10", "completed_at": "2026-11-20T07:59:00+07:00"}),
        event("permit-processed", "mikro", {**DECISION, "case": "K-11", "completed_at": "2026-11-20T10:00:00.123456Z"}),
        event("standard-set", "ahead", {**STANDARD, "effective_from": "2030-01-01"}),
        event("scheme-adopted", "scheme", SCHEME),
        event("satisfaction-rated", "ten", {**RATING, "overall": 10, "scale": 10}, gateway=2**31 - 1, live=True),
        event(
            "task-completed",
            "old",
            {**TASK, "completed_at": "1999-01-01T00:00:00+07:00"},
            time="1999-01-01T00:00:00+07:00",
        ),
    ]
    assert neraca.post([*taken], BATCH).json() == {"accepted": len(taken), "duplicates": 0, "rejected": []}
