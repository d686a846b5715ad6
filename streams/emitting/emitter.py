"""A counter's emitter: it sends an outbox until every event is acknowledged or refused for good, over a bad network.

A repeat counts once, since the intake recognises it. An event that the intake refuses for now, such as a decision that came
before its receipt, is sent again after those that came later, and by each later run.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from streams.emitting.case_order import CaseOrder
from streams.emitting.client import NotNow
from streams.emitting.sender import EVENTS_MOST
from streams.retrying import Failures, Pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.emitting.outbox import Outbox
    from streams.emitting.sender import Delivered, Sender

HELD: Final = Pauses(2.0, 60.0)
"""The pauses between attempts at events that were refused for now, while more may arrive."""
HELD_BACK: Final = {"detail": "waits for an earlier pause or resumption of its case", "retry": True}
LOOK_S: Final = 1.0
"""The pause of a running emitter after its patience with a network has ended: it never gives up while events may arrive."""


class Tally(Struct):
    """The number of events emitted, by their outcome."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    pending: int = 0

    def __str__(self) -> str:
        """The last line of `neraca emit`."""
        return f"accepted={self.accepted} duplicates={self.duplicates} refused={self.refused} pending={self.pending}"


class Emitter:
    """Sends an outbox to an intake."""

    def __init__(self, outbox: Outbox, sender: Sender, say: Callable[[str], None]) -> None:
        self._outbox = outbox
        self._sender = sender
        self._say = say
        self._order = CaseOrder(outbox.held(0, -1))
        self.tally = Tally()

    @property
    def settled(self) -> int:
        """The number of events that the intake has recorded."""
        return self.tally.accepted + self.tally.duplicates

    def drain(self, *, events_waiting: bool = True) -> bool:
        """Send until nothing is left that can be; false when the network stays down longer than the patience.

        With ``held`` events refused for now are tried too, and again as long as any of them is settled.
        Raises: ``NotTaken`` when the intake refuses this sender.
        """
        try:
            while self._send_fresh() or (events_waiting and self._send_held()):
                pass
        except NotNow as error:
            self._say(f"not acknowledged: {error}")
            return False
        return True

    def _send_fresh(self) -> bool:
        """Send the oldest events that nobody refused; false when there are none."""
        batch = self._outbox.fresh(EVENTS_MOST)
        sendable, back = self._order.sendable(batch)
        if sendable:
            self._settle(sendable, self._sender.send([line for _, line in sendable]))
        elif back:
            self._outbox.settle([], {}, {number: HELD_BACK for number, _ in back})
        return bool(batch)

    def _send_held(self) -> bool:
        """Try each event that was refused for now; true if any is settled, which may lift another's refusal."""
        after, outcomes = 0, 0
        while batch := self._outbox.held(after, EVENTS_MOST):
            sendable, _ = self._order.sendable(batch)
            after = batch[-1][0]
            if sendable:
                delivery = self._sender.send([line for _, line in sendable])
                outcomes += self._settle(sendable, delivery)
                after = after if delivery.number == len(sendable) else sendable[delivery.number - 1][0]
        return outcomes > 0

    def _settle(self, batch: list[tuple[int, bytes]], delivery: Delivered) -> int:
        """Note the outcome of the leading events of a batch; the number of those that wait no longer."""
        answer, lines_out = delivery.answer, batch[: delivery.number]
        problems = {lines_out[rejection.index][0]: rejection for rejection in answer.rejected}
        refusals = {number: rejection.problem for number, rejection in problems.items() if not rejection.for_now}
        events_waiting = {number: rejection.problem for number, rejection in problems.items() if rejection.for_now}
        for number, line in lines_out:
            if number in events_waiting:
                self._order.waits(number, line)
                if (self._outbox.problem(number) or {}).get("detail") != events_waiting[number].get("detail"):
                    self._tell("waits, to be sent again", line, events_waiting[number])
            else:
                self._order.is_settled(number)
                if number in refusals:
                    self._tell("refused", line, refusals[number])
        self._outbox.settle([number for number, _ in lines_out], refusals, events_waiting)
        self.tally.accepted += answer.accepted
        self.tally.duplicates += answer.duplicates
        self.tally.refused += len(refusals)
        return len(lines_out) - len(events_waiting)

    def _tell(self, outcome: str, line: bytes, problem: dict[str, object]) -> None:
        self._say(f"{outcome}: {line.decode(errors='replace')[:200]}: {problem.get('detail')}")


def emit_all(lines: Iterable[bytes], emitter: Emitter, outbox: Outbox) -> bool:
    """Keep all events, then send them. True when each is acknowledged or refused, for now or for good.

    Raises: ``NotTaken`` when the intake refuses this sender; waiting events stay in the outbox.
    """
    group: list[bytes] = []
    for line in lines:
        if line.strip():
            group.append(line.strip())
        if len(group) >= EVENTS_MOST:
            outbox.put(group)
            group.clear()
    outbox.put(group)
    return emitter.drain()


class _Feed:
    """Keeps events as they arrive, in threads of its own: a dead network holds none of them up."""

    def __init__(self, lines: Iterable[bytes], outbox: Outbox) -> None:
        self._lines = lines
        self._outbox = outbox
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.arrived = threading.Event()
        self.ended = threading.Event()
        self.error: Exception | None = None
        for work in (self._read, self._keep):
            threading.Thread(target=work, name="neraca-feed", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._lines:
                if line.strip():
                    self._queue.put(line.strip())
        except Exception as error:  # noqa: BLE001 - it is raised again where events are sent
            self.error = error
        self._queue.put(None)

    def _keep(self) -> None:
        """Keep what has arrived, as many at once as there are: each transaction waits for the disk."""
        try:
            while group := self._group():
                self._outbox.put(group)
                self.arrived.set()
        except Exception as error:  # noqa: BLE001 - it is raised again where events are sent
            self.error = error
        self.ended.set()
        self.arrived.set()

    def _group(self) -> list[bytes]:
        group: list[bytes] = []
        line = self._queue.get()
        while line is not None:
            group.append(line)
            if len(group) >= EVENTS_MOST or self._queue.empty():
                return group
            line = self._queue.get()
        if group:
            self._queue.put(None)  # the end is met again after this group
        return group


def emit_as_they_come(lines: Iterable[bytes], emitter: Emitter, outbox: Outbox) -> bool:
    """Send events as they arrive, for as long as more may come. True as of ``emit_all``.

    Raises: as ``emit_all``; and the error of reading ``lines``.
    """
    feed, failures, due_s = _Feed(lines, outbox), Failures(HELD), 0.0
    while True:
        feed.arrived.clear()
        is_over = feed.ended.is_set()
        outcomes, events_waiting = emitter.settled, is_over or time.monotonic() >= due_s
        complete = emitter.drain(events_waiting=events_waiting)
        if is_over:
            break
        if emitter.settled > outcomes:
            failures.clear()
            due_s = min(due_s, time.monotonic() + HELD.first_s)
        if events_waiting:
            due_s = time.monotonic() + (failures.pause_s(0.0) or HELD.longest_s)
        feed.arrived.wait(max(0.0, due_s - time.monotonic()) if complete else LOOK_S)
    if feed.error is not None:
        raise feed.error
    return complete
