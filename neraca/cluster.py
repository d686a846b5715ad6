"""The wiring of many processes: one PostgreSQL database, and the Kafka broker between them."""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TypeVar

from neraca.terminal import Usage, say
from neraca.wiring import OWN_ROLE, now_us, place_of, warn_of_owner
from projections.live import Live
from projections.segment import At
from projections.store.store import MOVED_CHANNEL
from streams.journal.journal import Journal
from streams.places.location import ensure_served

if TYPE_CHECKING:
    from streams.following.watcher import Watcher
    from streams.kafka.settings import KafkaSettings
    from streams.places.database import Database

AWAITED_S: Final = 0.5
"""How often a process looks whether another one has begun the journal, or the balances."""
T = TypeVar("T")


def database_named(options: argparse.Namespace) -> "Database":
    """The database of the options. Raises: ``Usage`` when there is none."""
    if not options.database:
        message = "NERACA_DATABASE_URL, or --database: these commands share a PostgreSQL database"
        raise Usage(message)
    location: Any = place_of(options)
    database: Database = location
    return database


def database_of(options: argparse.Namespace) -> "Database":
    """The same for a process that works on it beside others, which should not be its owner. Raises: ``Usage``."""
    database = database_named(options)
    warn_of_owner(database)
    return database


def kafka_of(options: argparse.Namespace) -> "KafkaSettings":
    """The broker of the options. Raises: ``Usage``."""
    from streams.kafka.settings import KafkaSettings  # noqa: PLC0415 - loaded only where Kafka is used

    if find_spec("kafka") is None:
        message = "Kafka needs the extra: pip install 'neraca[kafka,postgres]'"
        raise Usage(message)
    from streams.kafka.broker import quiet  # noqa: PLC0415 - the same

    quiet()
    return KafkaSettings.of(os.environ, options.kafka if isinstance(options.kafka, str) else None)


@contextmanager
def database_journal(
    database: "Database", zone: str, clock: Callable[[], int] = now_us, *, strict: bool = True
) -> Iterator[Journal]:
    """The journal of a database. An intake or the owner begins it, ``strict`` or not; the others wait until then."""
    if database.appends:
        with database.making():
            journal = Journal.open(database.journal, zone, clock(), strict=strict)
    else:
        waiting = f"{database.label}: waiting until an intake begins the journal"
        journal = _awaited(lambda: Journal.begun(database.journal, zone), waiting)
    try:
        yield journal
    finally:
        journal.close()


def _awaited(look: Callable[[], T | None], waiting: str) -> T:
    """The value of a look, as soon as another process has made it."""
    value = look()
    if value is None:
        say(waiting)
    while value is None:
        time.sleep(AWAITED_S)
        value = look()
    return value


def watched_balances(database: "Database", journal: Journal) -> tuple[Live, "Watcher"]:
    """The balances that other processes fold, as served here, and the watcher that keeps them current.

    A role that may not begin them waits until a worker has.
    """
    from streams.following.watcher import WatchedMovement, Watcher  # noqa: PLC0415 - an extra

    generations = database.generations()
    if not database.makes_balances:
        waiting = f"{database.label}: waiting for balances of this version: start a worker, or {OWN_ROLE}"
        _awaited(generations.serving, waiting)
    with database.making():
        generation, store = ensure_served(generations)
    live = Live(journal.id, generation, store, At(0))
    watcher = Watcher(generations, live)
    live.movement = WatchedMovement(watcher, live)
    watcher.look()
    return live, watcher


def listen(database: "Database", watcher: "Watcher", ending: ExitStack) -> None:
    """Let the watcher look whenever the balances move, until ``ending``."""
    from streams.following.listening import Listener  # noqa: PLC0415 - an extra

    listener = Listener(database, [MOVED_CHANNEL], watcher.look, watcher.waits)
    listener.start()
    ending.callback(listener.close)


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
