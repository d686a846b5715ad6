"""Commands of a Neraca that outgrew one process: intake, api, relay and worker, each as often as it takes, on PostgreSQL.

They are handed the clock. Relay and worker need Kafka; the rest does not.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from command_line import Usage, say
from commands_offline import place_of, replays_of
from projections.live import At, Live
from projections.reading.reader import Reader
from projections.segment import WrongJournal
from projections.store.store import MOVED_CHANNEL
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import InUse, serving

if TYPE_CHECKING:
    from streams.kafka.settings import KafkaSettings
    from streams.places.database import Database

LOG: Final = logging.getLogger("neraca")


def database_of(options: argparse.Namespace) -> "Database":
    """The database that is named. Raises: ``Usage`` when there is none."""
    if not options.database:
        message = "NERACA_DATABASE_URL, or --database: these commands share a PostgreSQL database"
        raise Usage(message)
    place: Any = place_of(options)
    database: Database = place
    return database


def kafka_of(options: argparse.Namespace) -> "KafkaSettings":
    """The broker that is named. Raises: ``Usage``."""
    from streams.kafka.settings import KafkaSettings  # noqa: PLC0415 - loaded only by who uses it

    try:
        import kafka  # noqa: F401, PLC0415 - an extra, looked for before it is needed
    except ModuleNotFoundError:
        message = "Kafka needs the extra: pip install 'neraca[kafka,postgres]'"
        raise Usage(message) from None
    from streams.kafka.broker import quiet  # noqa: PLC0415 - the same

    quiet()
    return KafkaSettings.of(os.environ, options.kafka if isinstance(options.kafka, str) else None)


@contextmanager
def opened(database: "Database", zone: str, now_us: Callable[[], int]) -> Iterator[Journal]:
    """The journal of a database, begun if it is new; others append to it too."""
    with database.making():
        journal = Journal.open(database.journal, zone, now_us())
    try:
        yield journal
    finally:
        journal.close()


def ended() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending


def live_of(database: "Database", journal: Journal) -> tuple[Live, Any]:
    """What is served of a database that others fold, and what watches it."""
    from streams.following.watcher import WatchedMovement, Watcher  # noqa: PLC0415 - an extra

    generations = database.generations()
    with database.making():
        found = serving(generations)
    live = Live(journal.id, *found, At(0))
    watcher = Watcher(generations, live)
    live.movement = WatchedMovement(watcher, live)
    watcher.look()
    return live, watcher


def watch(database: "Database", watcher: Any, ending: ExitStack) -> None:  # noqa: ANN401 - an extra's
    """What is served, and what metrics tell of it, moves when the balances do."""
    from streams.following.listening import Listener  # noqa: PLC0415 - an extra

    listener = Listener(database, [MOVED_CHANNEL], watcher.look, watcher.waits)
    listener.start()
    ending.callback(listener.close)


def api(options: argparse.Namespace, policy: Policy, now_us: Callable[[], int]) -> int:
    """Serve reads and pages of a database that others fold."""
    from api.app import AppParts, build  # noqa: PLC0415 - the web framework is loaded only by who serves
    from api.server import serve  # noqa: PLC0415 - the same

    database = database_of(options)
    with opened(database, options.zone, now_us) as journal, ExitStack() as ending:
        live, watcher = live_of(database, journal)
        watch(database, watcher, ending)
        replays = replays_of(database, now_us)
        ending.callback(replays.close)
        parts = AppParts(
            live, Reader(live, policy.zone, now_us), journal, database.token_store(), away=database.away,
            replays=replays,
        )  # fmt: skip
        told = f"Neraca serves {database.shown} at "
        serve(build(parts), options.host, options.port, lambda url: say(f"{told}{url}  (API: {url}docs)"))
    return 0


def intake(options: argparse.Namespace, policy: Policy, now_us: Callable[[], int]) -> int:
    """Take events over HTTP, and with ``--kafka`` from a topic too."""
    from api.app import AppParts, build  # noqa: PLC0415 - the web framework is loaded only by who serves
    from api.server import serve  # noqa: PLC0415 - the same

    database = database_of(options)
    with opened(database, options.zone, now_us) as journal, ExitStack() as ending:
        service = IntakeService(journal, policy, now_us)
        ending.callback(service.close)
        live, watcher = live_of(database, journal)
        watch(database, watcher, ending)
        if options.kafka is not None:
            ending.callback(_from_kafka(options, database, service, now_us))
        parts = AppParts(
            live, Reader(live, policy.zone, now_us), journal, database.token_store(), service, reads=False,
            away=database.away,
        )  # fmt: skip
        told = f"Neraca takes events for {database.shown} at "
        serve(build(parts), options.host, options.port, lambda url: say(f"{told}{url}  (API: {url}docs)"))
    return 0


def _from_kafka(
    options: argparse.Namespace, database: "Database", service: IntakeService, now_us: Callable[[], int]
) -> Callable[[], None]:
    """Begin to take from Kafka; what ends it."""
    from api.http.problems import problem  # noqa: PLC0415 - the web framework is loaded only by who serves
    from streams.intake.kafka import KafkaIntake, ParkedInDatabase  # noqa: PLC0415 - an extra

    parking = ParkedInDatabase(database)
    taking = KafkaIntake(kafka_of(options), service, parking, problem, now_us, options.partitions)
    ending = threading.Event()
    thread = threading.Thread(target=taking.run, args=(ending,), name="neraca-kafka-intake", daemon=True)
    thread.start()

    def end() -> None:
        ending.set()
        thread.join(10)

    return end


def relay(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Relay the journal to Kafka, or wait for the turn."""
    from streams.layouts import Layouts  # noqa: PLC0415 - an extra
    from streams.relay.metrics import serve_relay_metrics  # noqa: PLC0415 - an extra
    from streams.relay.relay import Relay  # noqa: PLC0415 - an extra

    database, kafka, ending = database_of(options), kafka_of(options), ended()
    with opened(database, options.zone, now_us) as journal:
        live_of(database, journal)
        run = Relay(
            database, journal, Layouts(database, journal), kafka, partitions=options.partitions, events=options.events
        )
        if options.metrics_port:
            serve_relay_metrics(run.state, journal.head, options.metrics_port)
        say(f"Neraca relays {database.shown} to {kafka.shown}")
        run.run(ending)
    return 0


def worker(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Fold partitions, started anew whenever the process ends."""
    from streams.worker.supervisor import Exit, Supervisor  # noqa: PLC0415 - an extra

    if not options.alone:
        database_of(options)
        kafka_of(options)
        with tempfile.TemporaryDirectory(prefix="neraca-worker-") as directory:
            words = [sys.executable, str(Path(__file__).with_name("neraca.py")), *sys.argv[1:], "--alone", directory]
            return Supervisor(words).run()
    from streams.kafka.broker import NoBroker  # noqa: PLC0415 - an extra

    try:
        return _fold_alone(options, now_us)
    except (WrongJournal, InUse) as error:
        say(f"neraca worker: {error}")
        return Exit.REFUSED
    except NoBroker as error:
        say(f"neraca worker: {error}")
        return Exit.READ_AGAIN


def _fold_alone(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """One process of a worker."""
    from streams.worker.lease import claimed  # noqa: PLC0415 - an extra
    from streams.worker.parts import fold_partitions  # noqa: PLC0415 - an extra

    database, kafka = database_of(options), kafka_of(options)
    with (
        opened(database, options.zone, now_us) as journal,
        database.connected(f"worker {options.name}") as standing,
    ):
        live_of(database, journal)
        database.share_folding(standing)
        say(f"Neraca worker {options.name} folds {database.shown} from {kafka.shown}")
        epoch = claimed(standing, options.name, Path(options.alone))
        fold_partitions(database, journal, kafka, options, epoch)
    return 0


def layout(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Say how the journal is cut into partitions, or cut it otherwise from now on."""
    from streams.layouts import Layouts  # noqa: PLC0415 - an extra

    database = database_of(options)
    with opened(database, options.zone, now_us) as journal:
        layouts = Layouts(database, journal)
        if options.into is not None:
            try:
                new = layouts.change(options.into)
            except ValueError as error:
                say(f"neraca layout: {error}")
                return 1
            print(f"layout {new.number}: {new.partitions} partitions after position {new.from_position}")
            return 0
        with database.connected("layout") as db:
            for one in layouts.known(db):
                print(f"layout {one.number}: {one.partitions} partitions after position {one.from_position}")
    return 0


def resume(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Let partitions that stand still go on, once the cause is gone: the relay sends them again what they may have missed."""
    from streams.worker.resuming import resumed, stopped  # noqa: PLC0415 - an extra

    database = database_of(options)
    with opened(database, options.zone, now_us):
        standing = stopped(database)
        for source, why in standing.items():
            say(f"{source}: {why}")
        chosen = [one for one in standing if options.partition is None or one.endswith(f"/{options.partition}")]
        for source in resumed(database, chosen):
            print(f"{source} goes on")
        if not chosen:
            say("no such partition stands still")
    return 0 if chosen else 1
