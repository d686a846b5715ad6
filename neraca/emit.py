"""The command that sends a counter's events: `emit`."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from neraca.cluster import kafka_of
from neraca.options import Command, add_kafka
from neraca.settings import SETTINGS
from neraca.terminal import say
from streams.emitting.client import Client, NotNow, NotTaken
from streams.emitting.emitter import Emitter, Outbox, emit
from streams.emitting.http import IntakeClient


def _emit_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="CloudEvents in NDJSON; - reads standard input as it comes")
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument("--url", help="address of the intake, such as http://127.0.0.1:8000 (token: NERACA_TOKEN)")
    add_kafka(target, "produce to the topic neraca.intake instead")
    command.add_argument("--outbox", type=Path, metavar="FILE", help="keep events in FILE until they are acknowledged")
    command.add_argument(
        "--patience", type=float, default=60.0, metavar="SECONDS", help="how long to try a dead network (%(default)s)"
    )


def emit_file(options: argparse.Namespace) -> int:
    """Send events until each is acknowledged; code 1 if some are still pending when patience ends."""
    outbox = Outbox(options.outbox)
    emitter = Emitter(outbox, _client_of(options), say, patience_s=options.patience)
    with ExitStack() as ending:
        lines: BinaryIO = (
            sys.stdin.buffer if options.file == "-" else ending.enter_context(Path(options.file).open("rb"))
        )
        complete = emit(lines, emitter, outbox)
    tally = emitter.tally
    print(f"accepted={tally.accepted} duplicates={tally.duplicates} refused={tally.refused} pending={tally.pending}")
    return 0 if complete else 1


def _client_of(options: argparse.Namespace) -> Client:
    """The receiver of events: an intake, or a topic."""
    if options.kafka is None:
        return IntakeClient(options.url, SETTINGS["NERACA_TOKEN"].given)
    kafka = kafka_of(options)
    from streams.emitting.kafka import KafkaClient  # noqa: PLC0415 - an extra

    return KafkaClient(kafka)


COMMANDS: Final = (
    Command(
        "emit",
        "send events to an intake until they are acknowledged",
        _emit_options,
        emit_file,
        errors=(NotNow, NotTaken),
        note="Safe to run twice: an acknowledged event is not sent again, and an event sent twice counts once.",
    ),
)
