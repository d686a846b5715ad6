"""Runs the simulated city through the real intake: rules, the last full month, this month, older months, then live events."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from domain.clock import moment_of, parse_instant
from domain.intake.wire import read_submission
from domain.refusal import Refusal
from projections.ports import Grant, Unavailable
from projections.store.private import write_private
from streams.demo import history as demo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from projections.ports import Intake

GRANT: Final = Grant("demo", frozenset({"counter", "rate", "rules", "correct"}), alone=True)
BATCH: Final = 500
MONTHS: Final = 4
RATE: Final = 5.0
SEED: Final = 3674
LOG: Final = logging.getLogger("neraca.demo")


class Progress(Struct):
    """The steps of a demo that are already in its data directory."""

    seed: int
    until: str
    done: list[str]


class NotADemo(Exception):  # noqa: N818 - a state of the data
    """The directory holds a journal that is no simulation; the two are never mixed."""


class DemoRun:
    """Two threads: one fills a demo with its history, the other feeds it live events."""

    def __init__(
        self,
        city: demo.City,
        intake: Intake,
        marker: Path,
        zone: ZoneInfo,
        *,
        seed: int = SEED,
        months: int = MONTHS,
        rate: float = RATE,
    ) -> None:
        self._city = city
        self._intake = intake
        self._marker = marker
        self._zone = zone
        self._months = months
        self._rate = rate
        self._ending = threading.Event()
        self._progress = self._load_progress(seed)
        self._threads = [
            threading.Thread(target=self._run, name="neraca-demo-history", daemon=True),
            threading.Thread(target=self._live, name="neraca-demo-live", daemon=True),
        ]

    def start(self) -> None:
        """Begin, or continue."""
        self._threads[0].start()

    def close(self) -> None:
        """Stop feeding."""
        self._ending.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def notice(self) -> str | None:
        """The number of steps done, while history is being loaded; else ``None``."""
        missing = len(self._steps()) - len(self._progress.done)
        return f"{len(self._progress.done)}/{len(self._steps())}" if missing else None

    def _load_progress(self, seed: int) -> Progress:
        if self._marker.exists():
            return msgspec.json.decode(self._marker.read_bytes(), type=Progress)
        progress = Progress(seed, datetime.now(self._zone).isoformat(timespec="seconds"), [])
        write_private(self._marker, msgspec.json.encode(progress))
        return progress

    def _steps(self) -> list[str]:
        """The steps: rules, then months. The last full one comes first, then the running one, then earlier ones."""
        until = moment_of(parse_instant(self._progress.until), self._zone)
        months = [until.strftime("%Y-%m")]
        first = until.replace(day=1)
        for _ in range(self._months):
            first = (first - timedelta(days=1)).replace(day=1)
            months.append(first.strftime("%Y-%m"))
        return ["rules", months[1], months[0], *months[2:]]

    def _run(self) -> None:
        until = moment_of(parse_instant(self._progress.until), self._zone)
        for step in self._steps():
            if step not in self._progress.done:
                if step == "rules":
                    since = (until.replace(day=1) - timedelta(days=31 * (self._months + 2))).date()
                    success = self._submit(demo.rules(self._city, since))
                else:
                    success = self._submit(demo.history(self._city, self._progress.seed, step, until))
                if not success:
                    return
                self._progress.done.append(step)
                write_private(self._marker, msgspec.json.encode(self._progress))
            if step == until.strftime("%Y-%m"):
                self._threads[1].start()

    def _submit(self, events: Iterable[dict[str, Any]]) -> bool:
        stream = iter(events)
        while batch := list(islice(stream, BATCH)):
            if self._ending.is_set():
                return False
            self._record(batch)
        return True

    def _record(self, batch: list[dict[str, Any]]) -> None:
        outcomes = self._intake.submit([read_submission(event) for event in batch], GRANT)
        for event, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                LOG.warning("the demo's own event %s was refused: %s", event["id"], outcome.detail)

    def _live(self) -> None:
        start = datetime.now(self._zone)
        for moment, event in demo.live(self._city, self._progress.seed, start, self._rate):
            if self._ending.wait(max((moment - datetime.now(self._zone)).total_seconds(), 0)):
                return
            try:
                self._record([event])
            except Unavailable as error:
                LOG.warning("a live event of the demo was not recorded: %s", error)
