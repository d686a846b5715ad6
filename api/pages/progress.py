"""Progress in the tours of practice: a step is done once its page was reached, its form sent, or its entry recorded.

The deeds of a counter stand in the journal of practice, those of a reader in a cookie of the browser. No script is needed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from api.pages.tours import ROLES, STEPS, Asked, Step, step_of
from domain.clock import stored_instant
from domain.events.names import kind_of
from domain.intake.recorded import read_line

if TYPE_CHECKING:
    from fastapi import Request, Response

    from domain.intake.recorded import Recorded
    from projections.ports import Lines

COOKIE: Final = "latihan"
COUNTERS: Final = "/loket/"
"""The sources of what is recorded at a counter begin so; those of the simulated city do not."""
READ_AT_ONCE: Final = 1000
WAITED_US: Final = 2_000_000
"""An entry that reached the journal so long after it was made waited for a network."""
CODES: Final = frozenset(Step(role, number).code for role in ROLES for number in range(1, STEPS + 1))


class Progress:
    """The steps that are done, by what the journal of practice holds and by what a browser remembers."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._lock = threading.Lock()
        self._position = 0
        self._seen: set[str] = set()

    def of(self, request: Request, journal: str) -> frozenset[str]:
        """The codes of the steps that are done once a request is answered; ``journal`` is the id of the one served."""
        with self._lock:
            self._read_on()
            kinds = frozenset(self._seen)
        codes = {code for code, marks in RECORDED.items() if marks <= kinds}
        return frozenset(codes | self._remembered(request, journal) | _now(request))

    def remember(self, request: Request, response: Response, journal: str) -> None:
        """Have the browser remember the step that a request does. A journal that began anew forgets it."""
        now, before = _now(request), self._remembered(request, journal)
        if now - before:
            value = quote(f"{journal[:8]} {' '.join(sorted(before | now))}")
            response.set_cookie(COOKIE, value, path="/", httponly=True, samesite="strict")

    @staticmethod
    def _remembered(request: Request, journal: str) -> set[str]:
        origin, *codes = unquote(request.cookies.get(COOKIE, "")).split(" ")
        return set(CODES.intersection(codes)) if origin == journal[:8] else set()

    def _read_on(self) -> None:
        while page := self._lines.stored_lines(self._position, READ_AT_ONCE):
            self._position = page[-1][0]
            for _, line in page:
                if COUNTERS.encode() in line:
                    self._seen |= _marks(read_line(line))


def _marks(event: Recorded) -> set[str]:
    """The marks that an entry of a counter leaves: its kind, and whether it waited for a network."""
    if not event.source.startswith(COUNTERS):
        return set()
    has_waited = stored_instant(event.recordedtime) - stored_instant(event.time) > WAITED_US
    return {kind_of(event.type)} | ({WAITED} if has_waited else set())


def _now(request: Request) -> set[str]:
    """The step that a request does: its page is reached, or its form sent."""
    step = step_of(request.query_params.get("tur", ""))
    act = None if step is None else step.asked
    if step is None or act is None:
        return set()
    return {step.code} if _fits(request, act) else set()


def _fits(request: Request, act: Asked) -> bool:
    has_path = not act.path or request.url.path == act.path
    return has_path and (not act.filled or any(request.query_params.get(name) for name in act.filled))


WAITED: Final = "waited"
RECORDED: Final = {
    "petugas-1": {"permit-received"},
    "petugas-2": {"permit-paused", "permit-resumed"},
    "petugas-3": {"permit-processed"},
    "petugas-4": {"permit-received", WAITED},
    "petugas-5": {"satisfaction-rated"},
}
"""The marks in the journal that show a step of the clerk to be done."""
