"""The commands of many processes that move and serve: `intake`, `api` and `relay`, on one PostgreSQL database.

Only the relay, and an intake with ``--kafka``, need a broker.
"""

import argparse
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from neraca.cluster import database_journal, database_of, kafka_of, listen, stop_signal, watched_balances
from neraca.doors import announce, doors_of
from neraca.elsewhere import add_intake_url, elsewhere_of
from neraca.options import (
    OPERATIONS,
    Command,
    add_address,
    add_kafka,
    add_metrics,
    add_partitions,
    add_process,
    add_shared,
)
from neraca.settings import SETTINGS
from neraca.terminal import say
from neraca.wiring import as_set, begins_strict, extensions, now_us, policy_of, replays_of
from projections.reading.reader import Reader
from streams.intake.noting import NotedIntake
from streams.intake.service import IntakeService

if TYPE_CHECKING:
    from api.app import AppParts
    from streams.places.database import Database
    from streams.places.tokens import TokenStore


def _intake_options(command: argparse.ArgumentParser) -> None:
    add_shared(command)
    add_address(command, 8001)
    add_metrics(command, OPERATIONS)
    add_kafka(command, "take events from the topic neraca.intake too")
    add_partitions(command)


def intake(options: argparse.Namespace) -> int:
    """Take events over HTTP, and with ``--kafka`` from a topic too."""
    from api.app import AppParts  # noqa: PLC0415 - only a command that serves loads the web framework

    doors, _, database = doors_of(options), policy_of(options), database_of(options)
    strict = begins_strict(options, is_open=doors.is_open)
    with database_journal(database, options.zone, strict=strict) as journal, ExitStack() as ending:
        policy, tokens, log = policy_of(options, journal), database.token_store(), database.security_log()
        service = IntakeService(journal, policy, now_us)
        for part in (log, tokens, service):
            ending.callback(part.close)
        live, watcher = watched_balances(database, journal)
        listen(database, watcher, ending)
        intake_port = NotedIntake(service, log, now_us)
        if options.kafka is not None:
            ending.callback(_take_from_kafka(options, database, intake_port, tokens))
        reader = Reader(live, policy.zone, now_us)
        parts = AppParts(
            live,
            reader,
            journal,
            tokens,
            intake_port,
            reads=False,
            away=database.unavailable,
            doors=doors,
            log=log,
        )
        _serve(parts, options, f"Neraca takes events for {database.label}")
    return 0


def _take_from_kafka(
    options: argparse.Namespace, database: "Database", intake: NotedIntake, tokens: "TokenStore"
) -> Callable[[], None]:
    """Start to take events from the topic; call the result to stop."""
    from api.http.problems import problem  # noqa: PLC0415 - only a command that serves loads the web framework
    from streams.intake.kafka import KafkaIntake  # noqa: PLC0415 - an extra
    from streams.intake.parking import ParkedInDatabase  # noqa: PLC0415 - an extra
    from streams.intake.topics import ONE_TOPIC, grants_of  # noqa: PLC0415 - of the same

    parking = ParkedInDatabase(database)
    grants = grants_of(SETTINGS["NERACA_INTAKE_TOPICS"].from_environment, tokens.by_id)
    if grants is ONE_TOPIC:
        say("warning: one topic, neraca.intake, for every sender; NERACA_INTAKE_TOPICS gives each a topic and a grant")
    taking = KafkaIntake(kafka_of(options), intake, parking, problem, now_us, options.partitions, grants=grants)
    taking.extensions = extensions()
    stop = threading.Event()
    thread = threading.Thread(target=taking.run, args=(stop,), name="neraca-kafka-intake", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(10)

    return end


def _api_options(command: argparse.ArgumentParser) -> None:
    add_shared(command)
    add_address(command, 8000)
    add_metrics(command, OPERATIONS)
    add_intake_url(command)


def api(options: argparse.Namespace) -> int:
    """Serve reads and pages of a database that other processes fold; what their forms record goes to an intake."""
    from api.app import AppParts  # noqa: PLC0415 - only a command that serves loads the web framework

    doors, policy, elsewhere = doors_of(options), policy_of(options), elsewhere_of(options)
    database = database_of(options)
    strict = begins_strict(options, is_open=doors.is_open)
    with database_journal(database, options.zone, strict=strict) as journal, ExitStack() as ending:
        live, watcher = watched_balances(database, journal)
        listen(database, watcher, ending)
        replays = replays_of(database)
        ending.callback(replays.close)
        reader, tokens, log = Reader(live, policy.zone, now_us), database.token_store(), database.security_log()
        for part in (log, tokens):
            ending.callback(part.close)
        parts = AppParts(
            live,
            reader,
            journal,
            tokens,
            away=database.unavailable,
            replays=replays,
            doors=doors,
            log=log,
            forms=elsewhere,
        )
        _serve(parts, options, f"Neraca serves {database.label}")
    return 0


def _serve(parts: "AppParts", options: argparse.Namespace, opening: str) -> None:
    """Serve an app until the process is asked to end; the address is printed once it is known."""
    from api.app import build  # noqa: PLC0415 - only a command that serves loads the web framework
    from api.server import serve  # noqa: PLC0415 - the same

    def ready(url: str) -> None:
        announce(opening, url, parts.doors, options.host)

    serve(build(as_set(parts, None)), options.host, options.port, ready, options.metrics_port)


def _relay_options(command: argparse.ArgumentParser) -> None:
    add_process(command)
    command.add_argument(
        "--events", action="store_true", help="also write each event to the topic neraca.events, for other consumers"
    )


def relay(options: argparse.Namespace) -> int:
    """Relay the journal to Kafka while elected; otherwise wait for the turn."""
    from streams.layouts import Layouts  # noqa: PLC0415 - an extra
    from streams.relay.metrics import serve_relay_metrics  # noqa: PLC0415 - an extra
    from streams.relay.relay import Relay  # noqa: PLC0415 - an extra

    database, kafka = database_of(options), kafka_of(options)
    strict = begins_strict(options, is_open=False)
    with database_journal(database, options.zone, strict=strict) as journal:
        watched_balances(database, journal)
        stop = stop_signal()  # only now: while it waits for the others, a signal ends it at once
        run = Relay(
            database, journal, Layouts(database, journal), kafka, partitions=options.partitions, events=options.events
        )
        if options.metrics_port:
            serve_relay_metrics(run.state, journal.head, *options.metrics_port)
        say(f"Neraca relays {database.label} to {kafka.label}")
        run.run(stop)
    return 0


COMMANDS: Final = (
    Command("intake", "take events for a shared database", _intake_options, intake),
    Command("api", "serve reads and pages of a shared database", _api_options, api),
    Command(
        "relay",
        "relay a shared database's journal to Kafka",
        _relay_options,
        relay,
        note="One relay works, the others wait for their turn. An entry that is sent twice counts once.",
    ),
)
