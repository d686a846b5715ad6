"""Neraca served for tests: the parts of ``neraca up`` assembled in this process, with or without a port.

Nothing is faked but the clock. Waiting is polling with a deadline.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from zoneinfo import ZoneInfo

import httpx
from anyio.from_thread import start_blocking_portal

from api.app import AppParts, build
from api.http.doors import COOKIE, HOST_COOKIE, Doors
from api.server import _Server, config_of
from domain.access.limits import Limits
from domain.clock import HOUR_US, parse_instant, utc_text
from neraca.wiring import folded_journal, live_balances, reopener, replays_of
from projections.reading.reader import Reader
from streams.following.follower import Follower
from streams.intake.noting import NotedIntake
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.places.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from anyio.from_thread import BlockingPortal
    from fastapi import FastAPI

    from api.app import Built
    from streams.places.location import Location

ROOT: Final = Path(__file__).parents[1]
ZONE: Final = "Asia/Jakarta"
NOON: Final = "2026-11-24T12:00:00+07:00"
"""The time of an assembled Neraca's clock until a test moves it."""
EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = "application/x-ndjson"
FORM: Final = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
"""The headers under which a browser sends a form of our own pages."""
ELSEWHERE: Final = "203.0.113.9"
"""The address of another machine."""
HALF_DAY_US: Final = 12 * HOUR_US
POLLED_EVERY_S: Final = 0.005
OPEN: Final = Doors(is_open=True)
"""The doors of a test's Neraca, as under ``--open``, unless the test is about others."""
_Found = TypeVar("_Found")
_NEVER: Final = threading.Event()


def until(
    condition: Callable[[], _Found | None],
    what: str,
    *,
    within_s: float = 30.0,
    pause: Callable[[float], object] = _NEVER.wait,
) -> _Found:
    """Poll until ``condition`` is truthy, and return its value. Raises: ``TimeoutError`` that names ``what``."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            message = f"not within {within_s} s: {what}"
            raise TimeoutError(message)
        pause(POLLED_EVERY_S)


class Clock:
    """A clock that shows the instant set by a test."""

    def __init__(self, text: str = NOON) -> None:
        self.us = parse_instant(text)

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        return self.us

    def set(self, text: str) -> None:
        """Set the clock."""
        self.us = parse_instant(text)


class Assembled:
    """The parts of ``neraca up`` in this process, over a real journal and real balances, asked through ASGI."""

    def __init__(
        self,
        where: Path | Location,
        *,
        clock: Clock | None = None,
        strict: bool = False,
        doors: Doors = OPEN,
        extensions: Collection[str] = (),
    ) -> None:
        self._extensions = extensions
        self.clock = clock or Clock()
        self.secret = b"s" * 32
        self.doors = doors
        self._ending = ExitStack()
        place = DataDirectory(where) if isinstance(where, Path) else where
        self.journal = self._ending.enter_context(folded_journal(place, ZONE))
        policy = Policy(ZoneInfo(ZONE), strict=strict)
        self.live = live_balances(place, self.journal)
        follower = Follower(self.journal, self.live, reopener(place, self.journal))
        self.intake = IntakeService(self.journal, policy, self.clock, follower.wake)
        follower.start()
        self.tokens, self.log = place.token_store(), place.security_log()
        self._ending.callback(self.log.close)
        self._ending.callback(self._dispose)
        self._ending.callback(self.tokens._engine.dispose)
        self._ending.callback(follower.close)
        self._ending.callback(self.intake.close)
        self.reader = Reader(self.live, policy.zone, self.clock)
        self.replays = replays_of(place, self.clock)
        self._ending.callback(self.replays.close)

    def _dispose(self) -> None:
        """Give back the generation that is served by then."""
        self.live.store.engine.dispose()

    @cached_property
    def built(self) -> Built:
        """The app, built when it is first needed: many tests never ask for a page."""
        return build(self.parts)

    @property
    def parts(self) -> AppParts:
        """The parts of the app."""
        parts = (self.live, self.reader, self.journal, self.tokens, NotedIntake(self.intake, self.log, self.clock))
        return AppParts(
            *parts,
            replays=self.replays,
            doors=self.doors,
            log=self.log,
            secret=self.secret,
            extensions=self._extensions,
        )

    @cached_property
    def _loop(self) -> BlockingPortal:
        """An event loop in a thread of its own: a test that drives a browser has one in its own thread already."""
        return self._ending.enter_context(start_blocking_portal())

    @property
    def framework(self) -> FastAPI:
        """The framework's object inside the app."""
        return self.built.framework

    def __enter__(self) -> Self:
        """Serve until the end of a ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give everything back."""
        self.close()

    def close(self) -> None:
        """Give everything back."""
        self._ending.close()

    def token(
        self,
        token_id: str,
        *roles: str,
        dinas: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
        asn: str = "",
        until_us: int | None = None,
    ) -> str:
        """A new token's ``authorization`` header."""
        of_dinas, of_sources = (None if names is None else frozenset(names) for names in (dinas, sources))
        limits = Limits(of_dinas, of_sources, asn)
        return f"Bearer {self.tokens.make(token_id, roles, utc_text(self.clock()), limits, until_us=until_us)}"

    def cookie(self, token_id: str, *, secure: bool = False) -> dict[str, str]:
        """The header of a browser that has signed in with a token."""
        secret = self.tokens.sessions.begin(token_id, self.clock(), lasts_us=HALF_DAY_US, idle_us=HALF_DAY_US)
        return {"cookie": f"{HOST_COOKIE if secure else COOKIE}={secret}"}

    def ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        caller: str = "127.0.0.1",
        host: str = "127.0.0.1",
        app: Built | None = None,
    ) -> httpx.Response:
        """One request, as of a ``caller`` address to a ``host`` name; an exception of the app is its 500.

        ``app``: another one over the same parts.
        """

        async def options() -> httpx.Response:
            transport = httpx.ASGITransport(
                (app or self.built).app, raise_app_exceptions=False, client=(caller, 40_000)
            )
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return await client.request(method, path, content=content, headers=headers)

        return self._loop.call(options)

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - the keywords of ``ask``
        """Read."""
        return self.ask("GET", path, **options)

    def post(
        self,
        body: object,
        media: str = EVENT,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,  # noqa: ANN401 - the keywords of ``ask``
    ) -> httpx.Response:
        """Post to the intake; a body that is not bytes is written as JSON."""
        content = body if isinstance(body, bytes) else httpx.Request("POST", "http://-", json=body).content
        return self.ask(
            "POST", "/v1/events", content=content, headers={"content-type": media, **(headers or {})}, **options
        )

    def record(self, *events: Mapping[str, object]) -> list[int]:
        """Record events that must be taken, one a request, and fold them; their positions."""
        positions = []
        for event in events:
            response = self.post(event)
            assert response.status_code in (200, 201), response.text
            positions.append(int(response.json()["position"]))
        self.settle()
        return positions

    def settle(self) -> int:
        """Wait until balances have reached the journal's head; the position."""
        until(lambda: self.live.position >= self.journal.head() or self.live.stopped, "balances at the journal's head")
        assert self.live.stopped is None, self.live.stopped
        return self.live.position


class Listening:
    """An assembled Neraca on a real port, served in a thread as a process serves it; its streams end with it."""

    def __init__(self, neraca: Assembled, port: int = 0) -> None:
        listener = socket.create_server(("127.0.0.1", port))
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = _Server(config_of(neraca.built), neraca.built)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        until(lambda: self._server.started, "uvicorn listens")
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.should_exit = True
        self._thread.join()


def event(kind: str, event_id: str, data: Mapping[str, object], **attributes: object) -> dict[str, Any]:
    """A CloudEvent of a kind; what is left out is usual."""
    usual = {
        "specversion": "1.0",
        "type": f"neraca.{kind}.v1",
        "source": "/loket",
        "id": event_id,
        "time": "2026-11-24T11:00:00+07:00",
    }
    return {**usual, "data": dict(data), **attributes}


def ndjson(lines: Iterable[object]) -> bytes:
    """Events a line each; a line that is bytes is taken as it is."""
    return b"\n".join(
        line if isinstance(line, bytes) else httpx.Request("POST", "http://-", json=line).content for line in lines
    )
