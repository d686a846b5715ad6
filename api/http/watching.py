"""Watching: what the security log must hold of a request is written before its answer leaves.

A reading of a person that cannot be written down is not answered (503). Refusals of one caller that are alike are counted,
so that nobody fills the log.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool

from api.http.doors import CALLER, caller_address
from api.http.problems import problem_response, unavailable
from domain.clock import MINUTE_US, local_date
from domain.intake.personal import looks_personal
from domain.intake.texts import ID_MOST
from projections.ports import Unavailable
from projections.security import ADDRESS, Look, Note, keep_or_tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from projections.security import SecurityLog

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
SHOWN: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED, HTTPStatus.PARTIAL_CONTENT})
PERSON: Final = "{asn}"
"""A path with this step is about one person."""
LISTS: Final = frozenset(
    {
        "/v1/dinas/{dinas}/asn",
        "/v1/dinas/{dinas}/why",
        "/v1/dinas/{dinas}/events",
        "/v1/dinas/{dinas}/file",
        "/v1/dinas/{dinas}/files",
        "/v1/dinas/{dinas}/late/permits",
        "/v1/dinas/{dinas}/late/tasks",
        "/v1/rankings/asn",
        "/v1/journal",
        "/dinas/{dinas}",
        "/dinas/{dinas}/why",
        "/dinas/{dinas}/events",
        "/dinas/{dinas}/file",
        "/dinas/{dinas}/files",
        "/dinas/{dinas}/late",
        "/auditor/journal",
        "/auditor/journal/{position}",
        "/auditor/journal/{position}/line",
        "/auditor/journal/{position}/canonical",
    }
)
"""Paths whose answers name persons to callers who may see them."""
TAKEN: Final = frozenset({"/auditor/journal.ndjson", "/auditor/digest.ndjson", "/auditor/differences.csv"})
"""Paths of files that are taken away."""
ALIKE_MOST: Final = 1_000
"""So many kinds of refusal are told apart at once; further ones are counted as one."""


class Security:
    """Writes to the log, and counts what it writes; ``count`` takes the kind of each."""

    def __init__(
        self, log: SecurityLog, now_us: Callable[[], int], zone: tzinfo, count: Callable[[str, int], None]
    ) -> None:
        self._log, self._now_us, self._zone, self._count = log, now_us, zone, count
        self._lock = threading.Lock()
        self._alike: dict[Note, tuple[int, int]] = {}

    def note(self, what: str, who: str = "", whose: str = "", detail: str = "", number: int = 1) -> None:
        """Keep a note of the request at hand. Raises: ``Unavailable``."""
        self._count(what, number)
        self._log.note(self._now_us(), Note(what, who, whose, detail, ADDRESS.get(), number))

    def look(self, who: str, page: str, person: str = "") -> None:
        """Count a look of the request at hand. Raises: ``Unavailable``."""
        now_us = self._now_us()
        self._count("person-read" if person else "list-read", 1)
        day = local_date(now_us, self._zone).isoformat()
        self._log.look(now_us, Look(day, who, page, person, ADDRESS.get()))

    def refused(self, who: str, whose: str, detail: str) -> None:
        """Keep a note of a refusal, or count it with those like it of the same minute."""
        self._count("refused", 1)
        note, now_us = Note("refused", who, whose, detail, ADDRESS.get()), self._now_us()
        with self._lock:
            if note not in self._alike and len(self._alike) >= ALIKE_MOST:
                note = Note("refused", detail="many")
            begun_us, number = self._alike.get(note, (0, 0))
            is_due = now_us - begun_us >= MINUTE_US
            self._alike[note] = (now_us, 0) if is_due else (begun_us, number + 1)
        if is_due:
            if number:
                keep_or_tell(self._log, now_us, replace(note, count=number))
            keep_or_tell(self._log, now_us, note)
            self._forget(now_us)

    def _forget(self, now_us: int) -> None:
        """Write down and forget the counts of minutes that are over."""
        with self._lock:
            over = {note: each for note, each in self._alike.items() if now_us - each[0] >= MINUTE_US}
            for note in over:
                del self._alike[note]
        for note, (_, number) in over.items():
            if number:
                keep_or_tell(self._log, now_us, replace(note, count=number))

    def close(self) -> None:
        """Write down the counts of the minute that runs."""
        self._forget(self._now_us() + MINUTE_US)


class Nowhere:
    """A log that keeps nothing, of an app that is given none."""

    def note(self, at_us: int, note: Note) -> None:
        """Keep nothing."""

    def look(self, at_us: int, look: Look) -> None:
        """Count nothing."""


class Watched:
    """ASGI middleware around the app's routes: an answer that must be written down is written down first."""

    def __init__(self, app: ASGIApp, security: Security) -> None:
        self._app = app
        self._security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer once the log has it."""
        is_withheld = False
        ADDRESS.set(caller_address(scope))

        async def sending(message: Message) -> None:
            nonlocal is_withheld
            if is_withheld:
                return
            try:
                if message["type"] == "http.response.start":
                    await self._written(scope, message["status"])
            except Unavailable as error:
                is_withheld = True
                await problem_response(*unavailable(error))(scope, receive, send)
                return
            await send(message)

        await self._app(scope, receive, sending)

    async def _written(self, scope: Scope, status: int) -> None:
        """Write down an answer, if the log must hold it. Raises: ``Unavailable``."""
        route, who = getattr(scope.get("route"), "path", ""), scope.get(CALLER)
        if status in REFUSED and route:
            detail = f"{status} {scope['method']} {route}"
            await run_in_threadpool(self._security.refused, who or "", _whose(scope), detail)
        elif status in SHOWN and who is not None:
            if PERSON in route:
                await run_in_threadpool(self._security.look, who, route, _whose(scope))
            elif route in LISTS:
                await run_in_threadpool(self._security.look, who, _page(scope, route))
            elif route in TAKEN:
                await run_in_threadpool(self._security.note, "taken", who, route, _query(scope))


def _whose(scope: Scope) -> str:
    """The subject that a path names; none where a person typed a personal number there, which no log holds, or no name."""
    parameters: dict[str, Any] = scope.get("path_params") or {}
    whose = str(parameters.get("asn") or parameters.get("dinas") or "")
    return "" if len(whose) > ID_MOST or looks_personal(whose) else whose


def _page(scope: Scope, route: str) -> str:
    """The path and the query of a list; its route alone where either holds a personal number."""
    query = _query(scope)
    steps = map(str, (scope.get("path_params") or {}).values())
    if any(map(looks_personal, steps)) or (scope["query_string"] and not query):
        return route
    return f"{scope['path']}?{query}" if query else scope["path"]


def _query(scope: Scope) -> str:
    """The query of an address; none where one of its words is a personal number."""
    query = scope["query_string"].decode("utf-8", "replace")
    words = (word for pair in parse_qsl(query, keep_blank_values=True) for word in pair)
    return "" if any(map(looks_personal, words)) else query
