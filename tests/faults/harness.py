"""Kills a serving Neraca while counters send to it, and starts it again on the same data, over and over.

Counters send until they are answered: events in flight when the process died are sent again, most of the time.
"""

import http.client
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from tests.faults.traffic import Counter, Event
from tests.process import Process
from tests.serving import BATCH, EVENT, ROOT, until

ACKNOWLEDGED_LEAST: Final = 20
"""How many acknowledgements lie between two kills at least."""
RESENT: Final = 0.9
"""The share of unanswered events that a counter sends again; the outcome of the others stays unknown."""
WHILE_STARTING: Final = 0.1
"""How often a kill is followed by another before the process is ready."""
Name = tuple[str, str]


class Server(Process):
    """``neraca up``; while its port does not answer yet it is not ready."""

    def _ready(self) -> bool:
        try:
            return super()._ready()
        except httpx.TransportError:
            return False


@dataclass
class Ledger:
    """The answers that counters received, and the events still in doubt."""

    positions: dict[Name, int] = field(default_factory=dict)
    acknowledged: set[Name] = field(default_factory=set)
    refused: set[Name] = field(default_factory=set)
    in_doubt: set[Name] = field(default_factory=set)
    answers: Tally[str] = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self, name: Name, position: int | None) -> None:
        """An event is recorded, and (of a receipt) at which position."""
        self.acknowledged.add(name)
        if position is not None and self.positions.setdefault(name, position) != position:
            self.problems.append(f"{name} was receipted at {self.positions[name]} and at {position}")

    def note(self, events: list[Event], status: int, answer: Any, *, batch: bool) -> None:  # noqa: ANN401 - any JSON
        """An answer has come."""
        names = [(event["source"], event["id"]) for event in events]
        with self.lock:
            self.answers[str(status)] += 1
            if status == http.client.OK and batch:
                indexes = {rejection["index"] for rejection in answer["rejected"]}
                for index, name in enumerate(names):
                    if index in indexes:
                        self.refused.add(name)
                    else:
                        self.acknowledge(name, None)
                self.answers["repeats"] += answer["duplicates"]
            elif status in {http.client.OK, http.client.CREATED}:
                self.acknowledge(names[0], answer["position"])
                self.answers["repeats"] += status == http.client.OK
            elif status in {http.client.CONFLICT, http.client.UNPROCESSABLE_ENTITY}:
                self.refused.update(names)
            else:
                self.problems.append(f"{names[0]} was answered {status}: {answer}")


class Sender(threading.Thread):
    """A counter that sends without pause, to wherever the process is."""

    def __init__(self, seed: int, number: int, ledger: Ledger) -> None:
        super().__init__(name=f"counter-{number}", daemon=True)
        self._counter = Counter(seed, number)
        self._random = random.Random(f"{seed}/sender/{number}")  # noqa: S311 - a test's choices, not a secret
        self._ledger = ledger
        self.address: str | None = None
        self.ending = False
        self.moved = threading.Event()

    def run(self) -> None:
        """Send until the end is signalled."""
        pending: tuple[list[Event], bool] | None = None
        while not self.ending:
            self.moved.wait()
            address = self.address
            if address is None or self.ending:
                continue
            connection = http.client.HTTPConnection(address, timeout=20)
            try:
                while not self.ending:
                    pending = pending or self._counter.request()
                    self._send(connection, *pending)
                    pending = None
            except (OSError, http.client.HTTPException):
                pending = self._unanswered(pending)
                if self.address == address:
                    self.moved.clear()
            finally:
                connection.close()

    def _unanswered(self, pending: tuple[list[Event], bool] | None) -> tuple[list[Event], bool] | None:
        with self._ledger.lock:
            self._ledger.in_doubt.update((event["source"], event["id"]) for event in (pending or ([], False))[0])
            self._ledger.answers["none"] += 1
        return pending if self._random.random() < RESENT else None

    def _send(self, connection: http.client.HTTPConnection, events: list[Event], batch: bool) -> None:  # noqa: FBT001 - of a pair
        body = json.dumps(events if batch else events[0])
        connection.request("POST", "/v1/events", body, {"content-type": BATCH if batch else EVENT})
        response = connection.getresponse()
        self._ledger.note(events, response.status, json.loads(response.read()), batch=batch)


@dataclass
class Survived:
    """The result of a run of kills."""

    seed: int
    kills: int = 0
    kills_while_starting: int = 0
    seconds: float = 0.0
    recovery_s: list[float] = field(default_factory=list)
    least_between: int = 0
    lines: list[Event] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    served: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, Any] = field(default_factory=dict)


def run(directory: Path, *, kills: int, seed: int, clients: int = 4) -> Survived:
    """Start, send, kill, start again, so many times; then serve once more, to be compared by ``checks``."""
    data, chance = directory / "data", random.Random(seed)  # noqa: S311 - a test's choices, not a secret
    outcome, began, between = Survived(seed), time.monotonic(), list[int]()
    senders = [Sender(seed, number, outcome.ledger) for number in range(clients)]
    for sender in senders:
        sender.start()
    try:
        while outcome.kills < kills:
            server = _started(data, outcome, senders)
            least = ACKNOWLEDGED_LEAST + chance.randrange(60)
            between.append(_killed(server, senders, outcome.ledger, least, chance.random() * 0.02))
            outcome.kills += 1
            if chance.random() < WHILE_STARTING:
                _killed_while_starting(data, chance.random() * 1.5)
                outcome.kills_while_starting += 1
        server = _started(data, outcome, senders)
        until(_acknowledgements(outcome.ledger, ACKNOWLEDGED_LEAST), "acknowledgements after the last kill")
    finally:
        for sender in senders:
            sender.ending = True
            sender.moved.set()
        for sender in senders:
            sender.join(30)
    with server:
        server.settle()
        outcome.served = httpx.get(f"{server.url}/v1/digest").json()
        cards = httpx.get(f"{server.url}/v1/dinas?period=2026&limit=1000").json()["items"]
    outcome.cards = {card["subject"]["id"]: card for card in cards}
    outcome.least_between, outcome.seconds = min(between), time.monotonic() - began
    return outcome


def _acknowledgements(ledger: Ledger, more: int) -> Any:  # noqa: ANN401 - a condition
    before = len(ledger.acknowledged)
    return lambda: len(ledger.acknowledged) - before >= more or ledger.problems


def _started(data: Path, outcome: Survived, senders: list[Sender]) -> Server:
    began = time.monotonic()
    server = Server(data)
    outcome.recovery_s.append(time.monotonic() - began)
    head = httpx.get(f"{server.url}/readyz").json()["head"]
    last = max(outcome.ledger.positions.values(), default=0)
    if head < last:
        outcome.ledger.problems.append(f"position {last} was acknowledged, but the journal ends at {head}")
    for sender in senders:
        sender.address = urlsplit(server.url).netloc
        sender.moved.set()
    return server


def _killed(server: Server, senders: list[Sender], ledger: Ledger, least: int, delay_s: float) -> int:
    """Kill it at a moment of chance after so many acknowledgements; how many there were."""
    before = len(ledger.acknowledged)
    until(_acknowledgements(ledger, least), f"{least} acknowledgements")
    threading.Event().wait(delay_s)
    for sender in senders:
        sender.address = None
        sender.moved.clear()
    server.kill()
    return len(ledger.acknowledged) - before


def _killed_while_starting(data: Path, delay_s: float) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-m", "neraca", "up", "--open", "--port", "0", "--data", str(data)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        starting.wait(delay_s)
    except subprocess.TimeoutExpired:
        starting.kill()
        starting.wait()
