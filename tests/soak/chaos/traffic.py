"""Counters of many dinas that send to an intake until it answers, through any outage, and note each answer.

Their events are ``tests.faults.traffic``'s; each counter's dinas are its own, so that every partition has facts.
"""

from __future__ import annotations

import http.client
import random
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from tests.faults.harness import Ledger
from tests.faults.traffic import Counter, Event
from tests.serving import BATCH, EVENT, until

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTERS: Final = 8
"""Their dinas fall into every one of 12 partitions."""
PAUSE_S: Final = 0.45
"""The mean pause of one counter between two requests of about ten events."""
AGAIN_S: Final = 0.3


class CityCounter:
    """A counter whose dinas no other counter has."""

    def __init__(self, seed: int, number: int) -> None:
        self._counter = Counter(seed, number)
        self._number = number

    def request(self) -> tuple[list[Event], bool]:
        """The next events, and whether they go as a batch."""
        events, batch = self._counter.request()
        return [event | {"data": self._own(event["data"])} for event in events], batch

    def _own(self, data: Event) -> Event:
        own: Event = {}
        for name, value in data.items():
            if name == "dinas":
                own[name] = f"{value}-{self._number}"
            else:
                own[name] = self._own(value) if name == "replacement" else value
        return own


class Sender(threading.Thread):
    """Sends for one counter until the end is signalled; unanswered events are sent again."""

    def __init__(self, url: str, seed: int, number: int, ledger: Ledger, pause_s: float) -> None:
        super().__init__(name=f"counter-{number}", daemon=True)
        self._url = url
        self._counter = CityCounter(seed, number)
        self._random = random.Random(f"{seed}/pauses/{number}")  # noqa: S311 - a test's choices, not a secret
        self._ledger = ledger
        self._pause_s = pause_s
        self.ending = threading.Event()
        self.flowing = threading.Event()
        self.flowing.set()
        self.idle = threading.Event()

    def run(self) -> None:
        """Send until the end is signalled."""
        with httpx.Client(timeout=60) as client:
            while not self.ending.is_set():
                if not self.flowing.is_set():
                    self.idle.set()
                    self.flowing.wait(0.2)
                    continue
                self.idle.clear()
                self._until_answered(client, *self._counter.request())
                self.ending.wait(self._random.uniform(0, 2 * self._pause_s))
        self.idle.set()

    def _until_answered(self, client: httpx.Client, events: list[Event], batch: bool) -> None:  # noqa: FBT001 - of a pair
        while not self._answered(client, events, batch=batch):
            with self._ledger.lock:
                self._ledger.answers["none"] += 1
                self._ledger.in_doubt.update((event["source"], event["id"]) for event in events)
            if self.ending.wait(AGAIN_S):
                return

    def _answered(self, client: httpx.Client, events: list[Event], *, batch: bool) -> bool:
        body: Any = events if batch else events[0]
        content = httpx.Request("POST", "http://-", json=body).content
        try:
            answer = client.post(
                f"{self._url}/v1/events", content=content, headers={"content-type": BATCH if batch else EVENT}
            )
        except httpx.TransportError:
            return False
        if answer.status_code == http.client.SERVICE_UNAVAILABLE:
            return False
        self._ledger.note(events, answer.status_code, answer.json(), batch=batch)
        return True


class City:
    """All counters of a city, for the length of a ``with``."""

    def __init__(
        self, url: Callable[[], str], seed: int, *, counters: int = COUNTERS, pause_s: float = PAUSE_S
    ) -> None:
        self._url = url
        self._made = seed, counters, pause_s
        self._senders: list[Sender] = []
        self.ledger = Ledger()

    def __enter__(self) -> Self:
        """Begin to send."""
        seed, counters, pause_s = self._made
        self._senders = [Sender(self._url(), seed, number, self.ledger, pause_s) for number in range(1, counters + 1)]
        for sender in self._senders:
            sender.start()
        return self

    def more(self, number: int, within_s: float = 60.0) -> None:
        """Wait until so many more are acknowledged."""
        least = len(self.ledger.acknowledged) + number
        until(
            lambda: len(self.ledger.acknowledged) >= least or self.ledger.problems,
            f"{number} acknowledgements",
            within_s=within_s,
        )

    def hush(self) -> None:
        """Let every request be answered, and send no other."""
        for sender in self._senders:
            sender.flowing.clear()
            sender.idle.clear()
        for sender in self._senders:
            until(sender.idle.is_set, f"{sender.name} has its answer", within_s=90)

    def go_on(self) -> None:
        """Send again."""
        for sender in self._senders:
            sender.flowing.set()

    def __exit__(self, *_: object) -> None:
        """End."""
        for sender in self._senders:
            sender.ending.set()
            sender.flowing.set()
        for sender in self._senders:
            sender.join(70)
