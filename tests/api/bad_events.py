"""Events that are refused for their form alone: JSON, attributes, fields. One row each, and the history around them."""

import json
from typing import Any, Final, NamedTuple

from tests.serving import event

INVALID: Final = "invalid-event"
EXTENSION: Final = "gateway"
"""An attribute that the city of these events has added to the list."""
CASE: Final = {"dinas": "disdukcapil", "service": "ktp-el"}
RECEIPT: Final = {**CASE, "case": "K-9", "received_at": "2026-11-20T08:00:00+07:00"}
DECISION: Final = {**RECEIPT, "completed_at": "2026-11-20T10:00:00+07:00"}
TASK: Final = {"dinas": "disdukcapil", "asn": "a-1", "task": "T-9", "completed_at": "2026-11-20T10:00:00+07:00"}
RATING: Final = {"dinas": "disdukcapil", "survey": "S-9", "overall": 3}
STANDARD: Final = {"service": "ktp-el", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
ON_TIME: Final = {
    "id": "tepat",
    "numerator": "tasks_on_time",
    "denominator": "tasks_with_due",
    "direction": "higher",
    "target": "100",
    "cap": 120,
    "min_n": 1,
    "weight": "1",
}
SCHEME: Final = {
    "scheme": "kota",
    "effective_from": "2026-12-01",
    "indicators": [ON_TIME],
    "skm_weight": "1/9",
    "min_coverage": "0.6",
}
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
FORMS: Final[tuple[Refused, ...]] = (
    *(Refused(name, body, 400, "malformed-json") for name, body in MALFORMED if body),
    *(
        Refused(f"a {name}, not an object", body, 422, INVALID, ("",))
        for name, body in (("list", b"[]"), ("string", b'"x"'), ("null", b"null"), ("number", b"1"))
    ),
    Refused("33 levels deep", nested(33), 422, INVALID, ("",)),
    Refused("1000 levels deep", b"[" * 1000 + b"]" * 1000, 422, INVALID, ("",)),
    Refused("32 levels are read", nested(32), 422, INVALID, ("/data/replacement/x",)),
    *(
        Refused(f"no {name}", without(name), 422, INVALID, (f"/{name}",))
        for name in ("specversion", "type", "source", "id", "time", "data")
    ),
    Refused("nothing", {}, 422, INVALID, ("/specversion", "/type", "/source", "/id", "/time", "/data")),
    Refused("unknown kind", event("permit-lost", "bad", {}), 422, "unknown-type", ("/type",)),
    Refused(
        "unknown version", event("x", "bad", TASK, type="neraca.task-completed.v2"), 422, "unknown-type", ("/type",)
    ),
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
    bad("attribute of no list", "task-completed", TASK, "/partitionkey", partitionkey="d"),
    *(
        bad(f"attribute {name}", "task-completed", TASK, f"/{name}", **{name: "x"})
        for name in ("salt", "leaf", "redaction")
    ),
    bad("a wrong trace parent", "task-completed", TASK, "/traceparent", traceparent="00-0-0-00"),
    bad("a sequence of nought", "task-completed", TASK, "/sequence", sequence="0"),
    bad("id of dots", "task-completed", TASK, "/id", id=".."),
    bad("id in another normal form", "task-completed", TASK, "/id", id="cafe\u0301"),
    bad("case with a character that nobody sees", "permit-received", {**RECEIPT, "case": "K-\u200b9"}, "/data/case"),
    bad("NIK in a task", "task-completed", {**TASK, "task": "surat 327301-150190-0001"}, "/data/task"),
    bad("NIP in a source", "task-completed", TASK, "/source", source="/loket/198502232009011001"),
    bad("attribute an object", "task-completed", TASK, f"/{EXTENSION}", **{EXTENSION: {}}),
    bad("attribute a fraction", "task-completed", TASK, f"/{EXTENSION}", **{EXTENSION: 1.5}),
    bad("attribute beyond 32 bits", "task-completed", TASK, f"/{EXTENSION}", **{EXTENSION: 2**31}),
    bad("subject a number", "task-completed", TASK, "/subject", subject=1),
    bad("datacontenttype", "task-completed", TASK, "/datacontenttype", datacontenttype="text/xml"),
    bad("naive time", "task-completed", TASK, "/time", time="2026-11-24T11:00:00"),
    *(
        bad(f"time {time}", "task-completed", TASK, "/time", time=time)
        for time in (
            "2026-11-24T11:00:00+07:60",
            "2026-11-24T11:00:00+07:99",
            "2026-11-24T11:00:00+24:00",
            "2026-11-23T24:00:00+07:00",
            "2026-11-24T10:60:00+07:00",
            "2026-11-24T10:59:60+07:00",
        )
    ),
    bad("time no moment", "task-completed", TASK, "/time", time="2026-02-30T11:00:00+07:00"),
    bad("time before the calendar", "task-completed", TASK, "/time", time="0001-01-01T00:00:00+14:00"),
    bad("time a number", "task-completed", TASK, "/time", time=1),
    bad("time ahead", "task-completed", TASK, "/time", time=FUTURE),
    Refused("data a list", without("data") | {"data": []}, 422, INVALID, ("/data",)),
    bad("data empty", "task-completed", {}, "/data/dinas", "/data/asn", "/data/task", "/data/completed_at"),
    bad(
        "data of a receipt empty",
        "permit-received",
        {},
        "/data/dinas",
        "/data/service",
        "/data/case",
        "/data/received_at",
    ),
    bad("unknown field of data", "task-completed", {**TASK, "nilai": 1}, "/data/nilai"),
    bad("unknown field ~ and /", "task-completed", {**TASK, "a/b~": 1}, "/data/a~1b~0"),
    bad("field null", "task-completed", {**TASK, "task": None}, "/data/task"),
    bad("field a number", "task-completed", {**TASK, "task": 7}, "/data/task"),
    *(bad(f"{name} empty", "task-completed", {**TASK, name: ""}, f"/data/{name}") for name in ("dinas", "asn", "task")),
    *(
        bad(f"control character in {name}", "task-completed", {**TASK, name: "a\nb"}, f"/data/{name}")
        for name in ("dinas", "asn", "task")
    ),
    bad("C1 control character", "permit-received", {**RECEIPT, "case": "K\x85"}, "/data/case"),
    *(bad(f"slash in {name}", "task-completed", {**TASK, name: "a/b"}, f"/data/{name}") for name in ("dinas", "asn")),
    *(
        bad(f"{name} of 201 characters", "permit-received", {**RECEIPT, name: "x" * 201}, f"/data/{name}")
        for name in ("dinas", "service", "case")
    ),
    bad("NIK as asn", "task-completed", {**TASK, "asn": "3674012345678901"}, "/data/asn"),
    bad("NIP as asn", "asn-registered", {"asn": "198501012010011001"}, "/data/asn"),
    bad("NIK as case", "permit-received", {**RECEIPT, "case": "3674012345678901"}, "/data/case"),
    bad("naive received_at", "permit-received", {**RECEIPT, "received_at": "2026-11-20T08:00:00"}, "/data/received_at"),
    bad("due_at no time", "permit-received", {**RECEIPT, "due_at": "besok"}, "/data/due_at"),
    bad(
        "due_at beyond the calendar",
        "permit-received",
        {**RECEIPT, "due_at": "9999-12-31T23:59:59-14:00"},
        "/data/due_at",
    ),
    bad("received_at ahead", "permit-received", {**RECEIPT, "received_at": FUTURE}, "/data/received_at"),
    bad("completed_at ahead", "task-completed", {**TASK, "completed_at": FUTURE}, "/data/completed_at"),
    bad("assigned_at ahead", "task-completed", {**TASK, "assigned_at": FUTURE}, "/data/assigned_at"),
    *(
        bad(f"{name} of minute 60", kind, {**data, name: "2026-11-20T10:00:00+07:60"}, f"/data/{name}")
        for kind, data, name in (
            ("permit-received", RECEIPT, "received_at"),
            ("permit-received", RECEIPT, "due_at"),
            ("permit-processed", DECISION, "completed_at"),
            ("task-completed", TASK, "assigned_at"),
            ("permit-paused", {**CASE, "case": "K-1", "reason": "payment"}, "at"),
            ("permit-resumed", {**CASE, "case": "K-2"}, "at"),
        )
    ),
    bad(
        "pause that ends at minute 60",
        "permit-processed",
        pauses(to="2026-11-20T09:00:00+07:60"),
        "/data/pauses/0/to",
    ),
    bad("pause ahead", "permit-paused", {**CASE, "case": "K-1", "at": FUTURE, "reason": "payment"}, "/data/at"),
    bad("end of a pause ahead", "permit-processed", pauses(to=FUTURE), "/data/pauses/0/to"),
    bad(
        "two faults, two pointers", "task-completed", {**TASK, "asn": "a/b", "due_at": "x"}, "/data/asn", "/data/due_at"
    ),
    bad("pause reversed", "permit-processed", pauses(to="2026-11-20T08:29:59+07:00"), "/data/pauses/0/to"),
    bad("pause naive", "permit-processed", pauses(**{"from": "2026-11-20T08:30:00"}), "/data/pauses/0/from"),
    bad("pause for no coded reason", "permit-processed", pauses(reason="libur"), "/data/pauses/0/reason"),
    bad(
        "pause without an end",
        "permit-processed",
        {**DECISION, "pauses": [{"from": "2026-11-20T08:30:00+07:00", "reason": "payment"}]},
        "/data/pauses/0/to",
    ),
    bad("pause with a field too many", "permit-processed", pauses(note="x"), "/data/pauses/0/note"),
    bad("outcome unknown", "permit-processed", {**DECISION, "outcome": "lost"}, "/data/outcome"),
    bad("reported_by unknown", "task-completed", {**TASK, "reported_by": "boss"}, "/data/reported_by"),
)
