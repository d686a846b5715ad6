"""Requests that are refused as a whole, one a row: their media, their size, their query, their method."""

from typing import Final, NamedTuple

from tests.api.bad_events import INVALID, TASK
from tests.serving import BATCH, EVENT, NDJSON, event, ndjson


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
    fields = {"content-type": media} if media is not None else {}
    fields |= {header.replace("_", "-"): value for header, value in headers.items()}
    return Request(name, "POST", "/v1/events", status, slug, pointers, content, fields)


GOOD: Final = ndjson([event("task-completed", "bad", TASK)])
BINARY: Final = {
    "ce_specversion": "1.0",
    "ce_type": "neraca.task-completed.v1",
    "ce_source": "/loket",
    "ce_id": "bad",
    "ce_time": "2026-11-24T11:00:00+07:00",
}
JSON: Final = "application/json"
DATA: Final = ndjson([TASK])
REQUESTS: Final[tuple[Request, ...]] = (
    *(
        posted(f"{media or 'no content type'}", media, 415, "unsupported-media-type", content=GOOD)
        for media in (
            None,
            "",
            "text/plain",
            JSON,
            "application/cloudevents+xml",
            "application/cloudevents",
            "multipart/form-data",
        )
    ),
    *(
        posted(f"charset {charset}", f"{media}; charset={charset}", 415, "unsupported-media-type", content=GOOD)
        for media, charset in ((EVENT, "latin-1"), (BATCH, "utf-16"), (NDJSON, '"iso-8859-1"'))
    ),
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
    *(
        posted(
            f"binary without {name}",
            JSON,
            422,
            INVALID,
            f"/{name[3:]}",
            content=DATA,
            **{key: value for key, value in BINARY.items() if key != name},
        )
        for name in BINARY
    ),
    posted(
        "binary, only a source",
        JSON,
        422,
        INVALID,
        "/specversion",
        "/type",
        "/id",
        "/time",
        content=DATA,
        ce_source="/x",
    ),
    posted("binary without data", JSON, 400, "malformed-json", content=b"", **BINARY),
    posted("binary, data null", JSON, 422, INVALID, "/data", content=b"null", **BINARY),
    posted("binary, a key twice", JSON, 400, "malformed-json", content=b'{"task":"a","task":"b"}', **BINARY),
    posted("binary, attribute position", JSON, 422, INVALID, "/position", content=DATA, **BINARY, ce_position="9"),
    posted("binary, attribute with a dash", JSON, 422, INVALID, "/a-b", content=DATA, **BINARY, ce_a_b="9"),
    posted("binary, attribute not UTF-8", JSON, 400, "malformed-headers", content=DATA, **{**BINARY, "ce_id": "%ff"}),
    posted(
        "binary, field missing",
        JSON,
        422,
        INVALID,
        "/data/task",
        **BINARY,
        content=ndjson([{key: value for key, value in TASK.items() if key != "task"}]),
    ),
    posted(
        "binary, in another charset", f"{JSON}; charset=latin-1", 415, "unsupported-media-type", content=DATA, **BINARY
    ),
    *(
        Request(f"period {period!r}", "GET", f"{path}?period={period}", 422, "invalid-query", ("/period",))
        for path, period in (
            ("/v1/dinas", "2026-13"),
            ("/v1/dinas", "2026-00"),
            ("/v1/dinas", ""),
            ("/v1/dinas", "2026-Q5"),
            ("/v1/rankings/dinas", "2026-S3"),
            ("/v1/dinas/disdukcapil", "0000"),
            ("/v1/dinas/disdukcapil/why", "26-11"),
            ("/v1/asn/a-1", "2026-1"),
            ("/v1/asn/a-1/why", "2026-11-01"),
            ("/v1/dinas/disdukcapil/asn", "now"),
        )
    ),
    *(
        Request(f"limit {limit} of {path}", "GET", f"{path}?limit={limit}", 422, "invalid-query", ("/limit",))
        for path, limit in (
            ("/v1/dinas", "0"),
            ("/v1/dinas", "1001"),
            ("/v1/dinas", "-1"),
            ("/v1/dinas", "x"),
            ("/v1/dinas", ""),
            ("/v1/rankings/dinas", "1.5"),
            ("/v1/dinas/disdukcapil/asn", "0"),
            ("/v1/asn/a-1/why", "1001"),
        )
    ),
    *(
        Request(f"cursor {cursor!r} of {path}", "GET", f"{path}?cursor={cursor}", 422, "invalid-query", ("/cursor",))
        for path, cursor in (
            ("/v1/dinas", "x"),
            ("/v1/dinas", "%00"),
            ("/v1/dinas", "%C3%A9"),
            ("/v1/dinas", "cmFuazox"),
            ("/v1/rankings/dinas", "aWQ6ZA"),
            ("/v1/rankings/dinas", "cmFuazot"),
            ("/v1/asn/a-1/why", "cG9zaXRpb246eA"),
        )
    ),
    Request("ranking of no dinas", "GET", "/v1/rankings/asn", 422, "invalid-query", ("/dinas",)),
    Request("dinas of 201 characters", "GET", f"/v1/dinas/{'x' * 201}", 422, "invalid-query", ("/dinas",)),
    *(
        Request(f"unknown {path}", "GET", path, 404, "not-found")
        for path in (
            "/v1/dinas/nowhere",
            "/v1/dinas/Disdukcapil",
            "/v1/dinas/nowhere/asn",
            "/v1/dinas/nowhere/why",
            "/v1/asn/nobody",
            "/v1/asn/nobody/why",
            "/v1/rankings/asn?dinas=nowhere",
            "/v1/asn/a%2F1",
            "/v1/nothing",
            "/v2/dinas",
            "/nothing",
            "/v1",
        )
    ),
    *(
        Request(f"{method} {path}", method, path, 405, "method-not-allowed")
        for method, path in (
            ("GET", "/v1/events"),
            ("PUT", "/v1/events"),
            ("DELETE", "/v1/events"),
            ("POST", "/v1/dinas"),
            ("DELETE", "/v1/dinas/d"),
            ("PATCH", "/v1/asn/a-1"),
            ("OPTIONS", "/v1/digest"),
            ("POST", "/v1/stream"),
            ("POST", "/metrics"),
        )
    ),
)
