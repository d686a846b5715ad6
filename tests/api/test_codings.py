"""Bodies in gzip are read within the limits of plain ones; answers in gzip are the same answers, and no secret is among them."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from api.http.coding import decompressed, takes_gzip
from domain.refusal import Refusal
from tests.serving import BATCH, NDJSON, Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-20T10:00:00+07:00"}
MIB: Final = 2**20
MOST: Final = 16 * MIB


def task(number: int) -> dict[str, object]:
    """A task of its own."""
    return event("task-completed", f"c{number}", {**TASK, "task": f"T-{number}"})


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """Thirty dinas with a task each, so that lists are long."""
    with Assembled(tmp_path_factory.mktemp("codings") / "data") as neraca_of:
        tasks = [event("task-completed", f"t{n}", {**TASK, "dinas": f"d-{n}", "task": f"U-{n}"}) for n in range(30)]
        assert neraca_of.post(tasks, BATCH).json()["accepted"] == 30
        neraca_of.settle()
        yield neraca_of


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "identity, gzip", "gzip,"])
def test_a_body_in_gzip_is_the_body_that_it_holds(city: Assembled, coding: str) -> None:
    body = json.dumps(task(1)).encode()
    assert city.post(gzip.compress(body), headers={"content-encoding": coding}).status_code in (200, 201)
    assert city.post(body, headers={"content-encoding": "identity"}).status_code == 200
    lines = b"\n".join(json.dumps(task(number)).encode() for number in range(2, 5))
    several = gzip.compress(lines[:50]) + gzip.compress(b"") + gzip.compress(lines[50:]) + b"\0" * 40_000
    tally = city.post(several, NDJSON, headers={"content-encoding": coding}).json()
    assert tally["accepted"] + tally["duplicates"] == 3


@pytest.mark.parametrize(
    "coding", ["deflate", "br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "gzip;q=1", "*"]
)
def test_any_other_coding_is_refused_and_gzip_is_named(city: Assembled, coding: str) -> None:
    answer = city.post(zlib.compress(b"{}"), headers={"content-encoding": coding})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip")
    assert answer.json()["type"] == "urn:neraca:problem:unsupported-media-type"
    form = city.ask("POST", "/asn", content=b"", headers={"content-encoding": coding})
    assert form.status_code == 415


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{}", "not gzip"),
        (b"", "cut short"),
        (gzip.compress(b"{}", mtime=0)[:-1], "cut short"),
        (gzip.compress(b"x" * 100_000, mtime=0)[:40], "cut short"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8, "not gzip"),
        (gzip.compress(b"{}", mtime=0) + b"junk", "not gzip"),
        (gzip.compress(b"{}", mtime=0) + b"\0\0junk", "not gzip"),
    ],
)
def test_a_broken_body_is_refused_by_what_is_wrong_with_it(city: Assembled, body: bytes, word: str) -> None:
    head = city.journal.head()
    answer = city.post(body, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:neraca:problem:malformed-encoding")
    assert word in answer.json()["detail"]
    assert city.journal.head() == head


def test_the_limit_is_that_of_the_content_and_a_bomb_is_never_unpacked(city: Assembled) -> None:
    """A bomb in one member and one in many are refused at the limit; a body at the limit is read."""
    full = gzip.compress(json.dumps(task(9)).encode().ljust(MOST, b"\n"))
    assert city.post(full, NDJSON, headers={"content-encoding": "gzip"}).json()["accepted"] == 1
    for bomb in (gzip.compress(b" " * (MOST + 1)), gzip.compress(b" " * MIB) * 17, gzip.compress(b" " * MIB) * 2_000):
        answer = city.post(bomb, headers={"content-encoding": "gzip"})
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:neraca:problem:too-large")
    with pytest.raises(Refusal, match="at most"):
        decompressed(gzip.compress(b"") * 20_000, MOST)
    count = city.post(gzip.compress(b"{}\n" * 10_001), NDJSON, headers={"content-encoding": "gzip"})
    assert count.status_code == 413


@pytest.mark.parametrize(
    ("accept", "outcome"),
    [
        ([], False),
        (["gzip"], True),
        (["br, GZIP;q=0.5"], True),
        (["br", "x-gzip"], True),
        (["*"], True),
        (["identity"], False),
        (["gzip;q=0"], False),
        (["gzip; q=0.000, *"], False),
        (["*;q=0"], False),
        (["deflate"], False),
        (["gzip;q=1.0"], True),
    ],
)
def test_gzip_is_sent_to_those_alone_who_take_it(accept: list[str], outcome: bool) -> None:  # noqa: FBT001 - a parameter
    assert takes_gzip(accept) == outcome


@pytest.mark.parametrize(
    "path", ["/v1/dinas", "/", "/publik", "/static/live.js", "/static/neraca.css", "/openapi.json", "/metrics"]
)
def test_an_answer_in_gzip_is_the_same_answer_under_a_tag_of_its_own(city: Assembled, path: str) -> None:
    plain, packing = (city.get(path, headers={"accept-encoding": coding}) for coding in ("identity", "gzip"))
    assert "content-encoding" not in plain.headers
    assert packing.headers["content-encoding"] == "gzip"
    assert packing.text == plain.text or path in ("/", "/publik", "/metrics")
    for answer in (plain, packing):
        assert "accept-encoding" in answer.headers["vary"]
    assert int(packing.headers.get("content-length", 0)) < len(packing.content)
    tags = [answer.headers.get("etag") for answer in (plain, packing)]
    assert tags == [None, None] or tags[0] != tags[1]
    for answer in (plain, packing):
        if "etag" in answer.headers:
            same = city.get(path, headers={"accept-encoding": "gzip", "if-none-match": answer.headers["etag"]})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", answer.headers["etag"])
            assert "accept-encoding" in same.headers["vary"]
    head = city.ask("HEAD", path, headers={"accept-encoding": "gzip"})
    assert (head.headers.get("content-encoding"), head.content) == ("gzip", b"")


def test_what_is_short_or_not_text_or_secret_is_not_compressed(city: Assembled) -> None:
    """Pages that hold a secret, or what the caller wrote beside it, say `no-store`."""
    for path in ("/healthz", "/masuk", "/asn", "/nilai?dinas=d&service=s&case=1", "/dinas/nobody"):
        answer = city.get(path, headers={"accept": "text/html"})
        assert "content-encoding" not in answer.headers, path
    assert city.get("/masuk").headers["cache-control"] == "no-store"


def test_a_stream_of_events_is_never_held_back(city: Assembled) -> None:
    """Its first message comes at once, as it is."""
    with (
        Listening(city) as server,
        httpx.Client(base_url=server.url, headers={"accept-encoding": "gzip"}) as client,
        client.stream("GET", "/v1/stream") as stream,
    ):
        assert "content-encoding" not in stream.headers
        assert next(stream.iter_raw()).startswith(b"event: position")


def test_a_long_download_is_compressed_on_its_way(city: Assembled) -> None:
    plain, packing = (
        city.get("/auditor/journal.ndjson", headers={"accept-encoding": coding}) for coding in ("identity", "gzip")
    )
    assert (packing.headers["content-encoding"], packing.content) == ("gzip", plain.content)


def test_a_file_whose_address_names_its_content_is_kept_for_a_year(city: Assembled) -> None:
    """Every address of a page that names a version; with any other version a file is asked for anew."""
    immutable = "public, max-age=31536000, immutable"
    text = city.get("/loket").text
    file_address = {part.partition('"')[0] for part in text.split('"/static/')[1:] if "?v=" in part.partition('"')[0]}
    assert len(file_address) > 5
    for address in file_address:
        path = f"/static/{address}"
        assert city.get(path).headers["cache-control"] == immutable, path
        assert city.get(f"{path}0").headers["cache-control"] == "no-cache"
        assert city.get(path.partition("?")[0]).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/v1/dinas", "/v1/dinas/d-1/why", "/", "/publik", "/dinas/d-1", "/static/live.js"])
def test_whoever_has_the_answer_is_told_so_in_every_form_of_the_condition(city: Assembled, path: str) -> None:
    tag = city.get(path).headers["etag"]
    for value in ("*", " * ", tag, f"W/{tag}", f'"x", {tag}', f'"x",W/{tag}', f'W/"y" , {tag}, "z"'):
        assert city.get(path, headers={"if-none-match": value}).status_code == 304, value
    for value in ('"x"', tag.strip('"'), f'"x{tag[1:]}', ""):
        assert city.get(path, headers={"if-none-match": value}).status_code == 200, value
    assert city.get("/v1/dinas/nobody", headers={"if-none-match": "*"}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/dinas/d-1%2Fwhy",
        "/v1/dinas/d-1%2fwhy",
        "/v1%2Fdinas/d-1",
        "/dinas/d-1%2Fwhy",
        "/static%2Flive.js",
        "/v1/asn/a%2F1",
    ],
)
def test_an_encoded_slash_is_no_step_of_an_address(city: Assembled, path: str) -> None:
    assert city.get(path).status_code == 404
    assert city.get(path.replace("%2F", "/").replace("%2f", "/").replace("a/1", "a-1")).status_code == 200


BINARY: Final = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-type": "neraca.task-completed.v1",
    "ce-source": "/loket",
    "ce-time": "2026-11-24T03:00:00Z",
}


def sent(city: Assembled, *headers: tuple[str, str]) -> httpx.Response:
    """An event in binary mode with further headers, which stand in for those of their names."""
    names = {name for name, _ in headers}
    every = [*((name, value) for name, value in BINARY.items() if name not in names), *headers]

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(city.built.app, client=("127.0.0.1", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in every]
            return await client.post("/v1/events", content=json.dumps(TASK).encode(), headers=raw)

    return city._loop.call(asked)


@pytest.mark.parametrize(
    ("source_text", "expectation"),
    [
        ('"q-1"', "q-1"),
        (r'"q \"2\" \\"', r'q "2" \ '.rstrip()),
        ("q%203", "q 3"),
        ('"q%204"', "q 4"),
        ("q%255", "q%5"),
        ("q%", "q%"),
        ("q+6", "q+6"),
        ('q"7"', 'q"7"'),
        ("q%E2%82%AC", "q€"),
        ("q\xe2\x82\xac", "q€"),
    ],
)
def test_a_header_is_unquoted_and_then_decoded_once(city: Assembled, source_text: str, expectation: str) -> None:
    """HTTP binding 3.1.3.2; so one event of an old and of a new sender is one event."""
    first = sent(city, ("ce-id", source_text))
    assert (first.status_code, first.json()["event"]["id"]) in ((201, expectation), (200, expectation)), first.text
    plain = expectation.isascii() and expectation.isalnum()
    again = sent(
        city,
        ("ce-id", expectation if plain else source_text),
        ("ce-source", '"/loket"'),
        ("ce-type", '"neraca.task-completed.v1"'),
        ("ce-time", '"2026-11-24T03:00:00Z"'),
    )
    assert (again.status_code, again.json()["event"]["id"]) == (200, expectation), again.text


@pytest.mark.parametrize(
    "headers",
    [
        [("ce-id", "a"), ("ce-id", "b")],
        [("ce-id", "a"), ("ce-id", "a")],
        [("ce-id", "a"), ("ce-subject", "x"), ("CE-Subject", "y")],
        [("ce-id", '"a')],
        [("ce-id", '"a"b')],
        [("ce-id", '"a\\"')],
        [("ce-id", "%ff")],
        [("ce-id", "a"), ("ce-data", "{}")],
        [("ce-id", "a"), ("content-type", "application/json"), ("content-type", "application/json")],
    ],
)
def test_a_header_that_cannot_be_read_or_stands_twice_is_400(city: Assembled, headers: list[tuple[str, str]]) -> None:
    answer = sent(city, *headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:neraca:problem:malformed-headers")


@pytest.mark.parametrize(
    "media", ["APPLICATION/JSON", "application/json; charset=UTF-8", 'application/json;profile=x; Charset="utf-8"']
)
def test_a_media_type_is_read_whatever_its_case_and_with_its_parameters(city: Assembled, media: str) -> None:
    assert sent(city, ("content-type", media), ("ce-id", f"m-{media}")).status_code == 201
    for bad in (
        "application/json; profile=x; charset=latin-1",
        "application/json; charset",
        "application/json; charset=utf-16",
    ):
        assert sent(city, ("content-type", bad), ("ce-id", "m")).status_code == 415, bad
