"""The commands that fold partitions and keep them moving: `worker`, `layout` and `resume`."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from neraca.cluster import database_journal, database_of, kafka_of, watched_balances
from neraca.options import Command, add_process, add_shared, number
from neraca.terminal import say
from neraca.wiring import begins_strict, program
from projections.segment import WrongJournal
from streams.places.location import InUse


def _worker_options(command: argparse.ArgumentParser) -> None:
    add_process(command)
    command.add_argument("--alone", nargs="?", const=tempfile.gettempdir(), metavar="DIR", help=argparse.SUPPRESS)


def worker(options: argparse.Namespace) -> int:
    """Fold partitions in a process that is started again whenever it ends."""
    from streams.worker.supervisor import Exit, Supervisor  # noqa: PLC0415 - an extra

    if not options.alone:
        database_of(options)
        kafka_of(options)
        with tempfile.TemporaryDirectory(prefix="neraca-worker-") as directory:
            return Supervisor([*program(), *sys.argv[1:], "--alone", directory]).run()
    from streams.kafka.broker import NoBroker  # noqa: PLC0415 - an extra

    try:
        return _fold(options)
    except (WrongJournal, InUse) as error:
        say(f"neraca worker: {error}")
        return Exit.REFUSED
    except NoBroker as error:
        say(f"neraca worker: {error}")
        return Exit.READ_AGAIN


def _fold(options: argparse.Namespace) -> int:
    """Fold in this process until it ends."""
    from streams.worker.lease import acquire  # noqa: PLC0415 - an extra
    from streams.worker.parts import fold_partitions  # noqa: PLC0415 - an extra

    database, kafka = database_of(options), kafka_of(options)
    with (
        database_journal(database, options.zone, strict=begins_strict(options, is_open=False)) as journal,
        database.connected(f"worker {options.name}") as connection,
    ):
        watched_balances(database, journal)
        database.share_folding(connection)
        say(f"Neraca worker {options.name} folds {database.label} from {kafka.label}")
        epoch = acquire(connection, options.name, Path(options.alone))
        fold_partitions(database, journal, kafka, options, epoch)
    return 0


def _layout_options(command: argparse.ArgumentParser) -> None:
    add_shared(command)
    command.add_argument("--into", type=number, metavar="PARTITIONS", help="the new number of partitions, from now on")
    command.add_argument(
        "--sign", action="store_true", help="begin a new layout, with a new key that signs its segments, from now on"
    )


def layout(options: argparse.Namespace) -> int:
    """Show the layouts of the journal, or add one."""
    from streams.layouts import Layouts  # noqa: PLC0415 - an extra

    database = database_of(options)
    with database_journal(database, options.zone, strict=begins_strict(options, is_open=False)) as journal:
        layouts = Layouts(database, journal)
        if options.into is not None or options.sign:
            try:
                new = layouts.change(options.into)
            except ValueError as error:
                say(f"neraca layout: {error}")
                return 1
            print(f"layout {new.number}: {new.partitions} partitions after position {new.from_position}")
            return 0
        with database.connected("layout") as connection:
            keys = layouts.key_names(connection)
            for entry in layouts.every(connection):
                print(f"layout {entry.number}: {entry.partitions} partitions after position {entry.from_position}")
                key = keys.get(entry.number)
                say(
                    "  "
                    + (f"signed by key {key}" if key else "not signed: neraca layout --sign begins a layout that is")
                )
    return 0


def _resume_options(command: argparse.ArgumentParser) -> None:
    add_shared(command)
    command.add_argument("--partition", type=int, help="this one alone (default: all that are stopped)")


def resume(options: argparse.Namespace) -> int:
    """Let stopped partitions go on; the relay sends again what they may have missed."""
    from streams.relay.resuming import resume_all, stop_reasons  # noqa: PLC0415 - an extra

    database = database_of(options)
    with database_journal(database, options.zone, strict=begins_strict(options, is_open=False)):
        reasons = stop_reasons(database)
        for source, reason in reasons.items():
            say(f"{source}: {reason}")
        suffix = "" if options.partition is None else f"/{options.partition}"
        sources = [source for source in reasons if source.endswith(suffix)]
        for source in resume_all(database, sources):
            print(f"{source} goes on")
        if not sources:
            say("no such partition is stopped")
    return 0 if sources else 1


COMMANDS: Final = (
    Command(
        "worker",
        "fold partitions from Kafka into a shared database",
        _worker_options,
        worker,
        note="Restarts itself after any fault; nothing is counted twice.",
    ),
    Command(
        "layout",
        "show or change the number of partitions",
        _layout_options,
        layout,
        note="The new layout begins at the journal's head; workers finish the old one, then go on in the new.",
    ),
    Command(
        "resume",
        "let stopped partitions go on",
        _resume_options,
        resume,
        note="Fix the cause first; each stopped partition is listed with its reason.",
    ),
)
