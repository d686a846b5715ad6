"""One city as two processes serve it: an intake that listens, and a reader that passes its forms on under a proof."""

from __future__ import annotations

import base64
import json
import socket
import threading
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import msgspec
from msgspec.structs import replace

from api.app import build
from api.http.tickets import Case
from projections.forwarding import PATH, SCHEME, Claims, proof_of
from projections.security import ADDRESS
from streams.intake.elsewhere import IntakeElsewhere
from tests.attacks.test_h2_ratings import CASE, Hall
from tests.pages.counter import tickets_of
from tests.pages.reading import FAR, Page
from tests.serving import BATCH, Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.access.grant import Grant

STRANGER: Final = b"x" * 32
"""A secret of another installation."""


class Split(NamedTuple):
    """One city as two processes serve it: an intake that listens, and a reader that passes its forms on."""

    intake: Hall
    reader: Hall
    listening: Listening
    elsewhere: IntakeElsewhere

    def grant(self) -> Grant:
        """The grant of a new ticket of the case."""
        return tickets_of(self.intake.neraca).grant_of(self.reader.ticket(), Case(**CASE))

    def proof(self, body: bytes, grant: Grant, *, secret: bytes | None = None, late_us: int = 0) -> str:
        """The header of a proof that was made ``late_us`` ago."""
        city = self.intake.neraca
        return f"{SCHEME} {proof_of(secret or city.secret, body, grant, city.clock() - late_us)}"

    def send(self, body: bytes, *authorization: str, path: str = PATH) -> httpx.Response:
        """A request to the intake, from another machine."""
        headers = httpx.Headers([("content-type", BATCH), *(("authorization", text) for text in authorization)])
        return self.intake.neraca.ask("POST", path, content=body, headers=headers, **FAR)


def reader_of(city: Assembled, elsewhere: IntakeElsewhere | None, secret: bytes | None = None) -> Assembled:
    """A city as a process serves it that does not write its journal."""
    reader = copy(city)
    reader.built = build(replace(city.parts, intake=None, forms=elsewhere, secret=secret or city.secret))
    return reader


def elsewhere_of(city: Assembled, url: str, secret: bytes | None = None) -> IntakeElsewhere:
    return IntakeElsewhere(url, secret or city.secret, city.clock, ADDRESS.get)


def at(hall: Hall, city: Assembled) -> Hall:
    """The callers of a hall, at another process."""
    there = copy(hall)
    there.neraca = city
    return there


def batch(*events: dict[str, Any]) -> bytes:
    return json.dumps(events).encode()


def altered(proof: str, **changes: object) -> str:
    """A proof with other claims under its old hash."""
    text, _, mac = proof.removeprefix(f"{SCHEME} ").partition(".")
    claims = replace(msgspec.json.decode(base64.urlsafe_b64decode(text), type=Claims), **changes)
    return f"{SCHEME} {base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode()}.{mac}"


def form_of(answer: httpx.Response) -> dict[str, str]:
    """The fields of a page's form as a browser would send them: what is typed, and what is chosen."""
    inputs = [attributes for tag, attributes in Page(answer.text).tags if tag == "input"]
    fields = [field for field in inputs if field.get("type") != "radio" or "checked" in field]
    return {str(field["name"]): str(field["value"]) for field in fields}


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """A server that answers every request with some bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(content)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def answer_of(status: str, content: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(content)}\r\n\r\n{content}".encode()
