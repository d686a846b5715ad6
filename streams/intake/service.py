"""The intake service: one writer gathers requests, decides their events in one append, and answers once these are durable.

With a full disk it refuses, and recovers; with a failing disk it ends the process, and the restart verifies the journal.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from domain.events.decoding import StoppedAtEntry
from domain.intake.wire import Submission
from domain.refusal import Refusal, attempt
from domain.rules.rulebook import Rulebook
from projections.ports import Grant, Outcome, Unavailable
from streams.intake.keyed import Keyed, keyed, prefetch
from streams.intake.permitting import as_granted, refusal_of
from streams.intake.recording import Policy, Recording
from streams.journal.journal import OperationalError, PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.journal.journal import Appending, Journal

GROUP_MOST: Final = 1000
"""The number of events that one transaction gathers from waiting requests; a larger request is still one transaction."""
WAITING_MOST: Final = 20_000
"""The number of events that may wait for the writer; beyond it a request has to come again."""
LOG: Final = logging.getLogger("neraca.intake")


class _Request:
    def __init__(self, events: Sequence[Submission | Refusal], grant: Grant) -> None:
        self.events = events
        self.grant = grant
        self.answer: Future[list[Outcome]] = Future()


class IntakeService:
    """Takes submissions into a journal through one writer thread; ``submit`` blocks until its events are durable."""

    def __init__(
        self, journal: Journal, policy: Policy, now_us: Callable[[], int], on_append: Callable[[], None] = lambda: None
    ) -> None:
        self._journal = journal
        self._policy = policy
        self._now_us = now_us
        self._appended = on_append
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._waiting = 0
        self._closed = False
        self._lock = threading.Lock()
        self._rulebook: Rulebook | None = None
        self._thread = threading.Thread(target=self._run, name="neraca-writer", daemon=True)
        self._thread.start()

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """The outcomes of some events, in order, once all accepted events are durable.

        Raises: ``Unavailable`` when nothing was recorded: too much waits, the disk is full, or the service ends.
        """
        now_us = self._now_us()
        events_and_refusals = [_authorised(event, grant, now_us) for event in events]
        if not any(isinstance(event, Submission) for event in events_and_refusals):
            return [event for event in events_and_refusals if isinstance(event, Refusal)]
        request = _Request(events_and_refusals, grant)
        with self._lock:
            if self._closed or (self._waiting and self._waiting + len(events) > WAITING_MOST):
                message = "too many events are waiting to be recorded; send the same again"
                raise Unavailable(message)
            self._waiting += len(events)
            self._queue.put(request)
        return request.answer.result()

    def close(self) -> None:
        """Record the waiting requests, then stop."""
        with self._lock:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        running = True
        while running:
            group, running = self._gather()
            if not group:
                continue
            try:
                answers = self._record(group)
            except OperationalError as error:
                self._rulebook = None
                _end_on_a_failing_disk(error)
                _fail(group, Unavailable(f"nothing was recorded: {error}"))
            except StoppedAtEntry as error:
                LOG.critical("nothing is recorded: %s", error)
                self._rulebook = None
                _fail(group, Unavailable(f"nothing was recorded: {error}"))
            except Exception as error:  # a fault of one group must reach its callers, not end the writer
                LOG.exception("nothing of a group of %d requests was recorded", len(group))
                self._rulebook = None
                _fail(group, error if isinstance(error, PersistenceError) else RuntimeError(str(error)))
            else:
                for request, outcomes in zip(group, answers, strict=True):
                    request.answer.set_result(outcomes)
                self._appended()

    def _gather(self) -> tuple[list[_Request], bool]:
        """The waiting requests, up to a group; an end mark closes the last one."""
        group: list[_Request] = []
        size, running, item = 0, True, self._queue.get()
        while True:
            if item is None:
                running = False
                break
            group.append(item)
            size += len(item.events)
            if size >= GROUP_MOST:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
        with self._lock:
            self._waiting -= size
        return group, running

    def _record(self, group: list[_Request]) -> list[list[Outcome]]:
        with self._journal.appending() as append:
            recording = Recording(append, self._rules(append), self._policy, self._now_us())
            queries = [[_keyed(event) for event in request.events] for request in group]
            prefetch(append, [query for events in queries for query in events if isinstance(query, Keyed)])
            return [
                [_decide(recording, query, request.grant) for query in events]
                for request, events in zip(group, queries, strict=True)
            ]

    def _rules(self, append: Appending) -> Rulebook:
        """The rulebook, brought up to date inside the lock: another process may have recorded rules."""
        rulebook = self._rulebook = self._rulebook or Rulebook()
        rulebook.read(append.rules_since(rulebook.position))
        return rulebook


def _authorised(event: Submission | Refusal, grant: Grant, now_us: int) -> Submission | Refusal:
    """An event that the grant covers, as far as the event tells, or its refusal."""
    if isinstance(event, Refusal):
        return event
    event = as_granted(event, grant)
    return refusal_of(event, grant, now_us) or event


def _keyed(event: Submission | Refusal) -> Keyed | Refusal:
    return event if isinstance(event, Refusal) else keyed(event)


def _decide(recording: Recording, query: Keyed | Refusal, grant: Grant) -> Outcome:
    return query if isinstance(query, Refusal) else attempt(recording.record, query, grant)


def _fail(group: list[_Request], error: Exception) -> None:
    for request in group:
        request.answer.set_exception(error)


def _end_on_a_failing_disk(error: Exception) -> None:
    """End the process on an I/O error: the write may be partial; only a restart verifies it. Other errors may pass."""
    if "disk I/O error" in str(error):
        LOG.critical("the journal's disk failed, ending the process: %s", error)
        os._exit(74)
