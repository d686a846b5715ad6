"""Content codings: answers are compressed for those who take gzip, and bodies in gzip are read, within the same limits.

An answer that holds a secret beside what its caller wrote is never compressed: its length would tell the secret letter by
letter (BREACH). Such pages are sent with ``no-store``. A stream of events is never held back to be compressed.
"""

from __future__ import annotations

import asyncio
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GZIP: Final = frozenset({"gzip", "x-gzip"})
LEAST: Final = 1_024
"""Shorter answers fit into one packet either way."""
LEVEL: Final = 6
IN_A_THREAD: Final = 128 * 1024
"""A longer part is compressed beside the event loop."""
KEPT_MOST: Final = 256 * 1024
"""A longer answer is compressed anew for each caller."""
_TEXTS: Final = ("text/", "application/json", "application/x-ndjson", "application/javascript", "image/svg+xml")
_STREAM: Final = "text/event-stream"
_MARK: Final = "-gzip"
"""The end of the tag of an answer in gzip."""
MEMBERS_MOST: Final = 10_000
"""The most members of a body in gzip: blocks of 64 KiB would be 256."""
_AT_ONCE: Final = 16 * 1024
_WINDOW: Final = 31
"""zlib's window of 32 KiB with the header and the trailer of gzip."""


def takes_gzip(values: Sequence[str]) -> bool:
    """True if ``Accept-Encoding`` names gzip, or ``*``, with any weight but 0 (RFC 9110 section 12.5.3)."""
    weights: dict[str, bool] = {}
    for item in ",".join(values).split(","):
        coding, _, parameter = item.partition(";")
        name, _, weight = parameter.partition("=")
        is_nought = name.strip().lower() == "q" and not weight.strip().strip("0.")
        weights["gzip" if coding.strip().lower() in GZIP else coding.strip().lower()] = not is_nought
    return weights.get("gzip", weights.get("*", False))


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> bytes:
    """A whole answer in gzip, kept for the next caller of the same."""
    coder = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW)
    return coder.compress(body) + coder.flush()


class Compressed:
    """ASGI middleware that compresses texts for callers who take gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back, compressed or as it is."""
        headers = Headers(scope=scope)
        answer = _Answer(send, headers.getlist("if-none-match"), takes=takes_gzip(headers.getlist("accept-encoding")))
        await self._app({**scope, "headers": [_plain(header) for header in scope["headers"]]}, receive, answer.send)


class _Answer:
    """One answer on its way: its start waits for the first part of its body, by which its length may be known."""

    def __init__(self, send: Send, conditions: Sequence[str], *, takes: bool) -> None:
        self._send = send
        self._conditions = conditions
        self._takes = takes
        self._start: Message | None = None
        self._coder: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the app on."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": list(message.get("headers", ()))}  # another caller may get the same list
            headers = MutableHeaders(raw=message["headers"])
            if _may_differ(message["status"], headers):
                headers.add_vary_header("accept-encoding")
                if self._takes and message["status"] != 304:  # noqa: PLR2004 - Not Modified
                    self._start = message
                    return
                self._tag_as_asked(headers)
        elif message["type"] == "http.response.body":
            message = await self._body(message)
        await self._send(message)

    def _tag_as_asked(self, headers: MutableHeaders) -> None:
        """The tag of a 304 is that of the answer the caller has, which may be the compressed one."""
        etag = _tag_in_gzip(headers.get("etag", ""))
        if etag and any(etag in text for text in self._conditions):
            headers["etag"] = etag

    async def _body(self, message: Message) -> Message:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            headers = MutableHeaders(raw=start["headers"])
            if not more and len(body) < LEAST:
                await self._send(start)
                return message
            _mark(headers)
            if not more:
                packing = _compressed(body) if len(body) <= KEPT_MOST else await asyncio.to_thread(_packed, body)
                headers["content-length"] = str(len(packing))
                await self._send(start)
                return {**message, "body": packing}
            self._coder = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW)
            await self._send(start)
        if self._coder is None:
            return message
        return {**message, "body": await self._part(self._coder, body, last=not more)}

    async def _part(self, coder: zlib._Compress, body: bytes, *, last: bool) -> bytes:
        packing = await asyncio.to_thread(coder.compress, body) if len(body) > IN_A_THREAD else coder.compress(body)
        return packing + coder.flush() if last else packing


def _packed(body: bytes) -> bytes:
    return _compressed.__wrapped__(body)


def _may_differ(status: int, headers: MutableHeaders) -> bool:
    """True if an answer of this kind is compressed for those who take it."""
    if status == 304:  # noqa: PLR2004 - Not Modified, which says nothing of its type
        return True
    media = headers.get("content-type", "")
    if not media.startswith(_TEXTS) or media.startswith(_STREAM):
        return False
    if status == 206 or "content-encoding" in headers or "content-range" in headers:  # noqa: PLR2004 - a part
        return False
    return "no-store" not in headers.get("cache-control", "") or "content-disposition" in headers


def _mark(headers: MutableHeaders) -> None:
    """Say that the answer is in gzip, under a tag of its own: other bytes never have the same."""
    headers["content-encoding"] = "gzip"
    for name in ("content-length", "accept-ranges"):
        del headers[name]
    etag = _tag_in_gzip(headers.get("etag", ""))
    if etag:
        headers["etag"] = etag


def _tag_in_gzip(etag: str) -> str:
    """The tag of an answer in gzip, by that of the plain one; none without one."""
    return f'{etag[:-1]}{_MARK}"' if etag else ""


def _plain(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header of a request, where a condition names compressed answers by the tags of the plain ones."""
    name, value = header
    return (name, value.replace(f'{_MARK}"'.encode(), b'"')) if name == b"if-none-match" else header


def coding_of(values: Sequence[str]) -> bool:
    """True if a request's ``Content-Encoding`` is gzip, false if it is none. Raises: ``Refusal`` for any other."""
    codings = [coding.strip().lower() for text in values for coding in text.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if codings and (len(codings) > 1 or codings[0] not in GZIP):
        raise Refusal("unsupported-media-type", f"content-encoding {', '.join(codings)}: send gzip, or none")
    return bool(codings)


def decompressed(body: bytes, most: int) -> bytes:
    """A body in gzip, of one member or several; no more than the limit is ever held. Raises: ``Refusal``."""
    parts, size, members = list[bytes](), 0, 0
    decoder = None
    for at in range(0, len(body), _AT_ONCE):
        rest = body[at : at + _AT_ONCE]
        while rest:
            if decoder is None:
                rest = rest.lstrip(b"\0") if members else rest  # padding behind a member says nothing
                if not rest:
                    break
                decoder, members = zlib.decompressobj(_WINDOW), members + 1
            part, rest = _inflated(decoder, rest, most - size + 1)
            parts.append(part)
            size += len(part)
            if size > most or members > MEMBERS_MOST:
                raise Refusal("too-large", f"a request holds at most {most} bytes, decompressed too")
            if decoder.eof:
                decoder = None
    if decoder is not None or not members:
        raise Refusal("malformed-encoding", "the gzip body is cut short")
    return b"".join(parts)


def _inflated(decoder: zlib._Decompress, packing: bytes, most: int) -> tuple[bytes, bytes]:
    """A part of a member, and the bytes behind its end."""
    try:
        return decoder.decompress(packing, most), decoder.unused_data
    except zlib.error as error:
        raise Refusal("malformed-encoding", f"the body is not gzip: {error}") from None
