"""The command that sends a counter's events: `emit`."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from neraca.cluster import kafka_of
from neraca.options import Command, add_insecure, add_kafka
from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from streams.emitting.client import Client, NotTaken
from streams.emitting.emitter import Emitter, emit_all, emit_as_they_come
from streams.emitting.http import IntakeClient
from streams.emitting.outbox import Outbox
from streams.emitting.sender import Sender

PENDING: Final = 1
"""The exit code when some events are still to be sent."""
REFUSED: Final = 3
"""The exit code when an event was refused for good."""


def _options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        nargs="?",
        help="CloudEvents in NDJSON; - reads standard input as it comes; none sends what the outbox holds",
    )
    target = command.add_mutually_exclusive_group()
    target.add_argument("--url", help="address of the intake, such as http://127.0.0.1:8000 (token: NERACA_TOKEN)")
    add_kafka(target, "produce to the topic neraca.intake instead")
    add_insecure(command)
    command.add_argument(
        "--topic", metavar="NAME", help="with --kafka: produce to neraca.intake.NAME, the topic of this sender's grant"
    )
    command.add_argument("--outbox", type=Path, metavar="FILE", help="keep events in FILE until they are acknowledged")
    command.add_argument(
        "--patience", type=float, default=60.0, metavar="SECONDS", help="how long to try a dead network (%(default)s)"
    )
    command.add_argument(
        "--list",
        action="store_true",
        help="send nothing; print each event of the outbox that was refused for good, and why",
    )
    command.add_argument(
        "--retry", action="store_true", help="send again, before all others, what was refused for good"
    )


def emit_file(options: argparse.Namespace) -> int:
    """Send events until each is acknowledged: code 1 if some are still pending, 3 if one was refused for good."""
    _check(options)
    with ExitStack() as ending:
        outbox = Outbox(options.outbox)
        ending.callback(outbox.close)
        if options.list:
            return _list(outbox)
        if options.retry:
            outbox.retry()
        client = _client_of(options)
        ending.callback(client.close)
        emitter = Emitter(outbox, Sender(client, say, patience_s=options.patience), say)
        try:
            _send(options.file, emitter, outbox)
        except NotTaken as error:
            say(f"neraca emit: this sender is refused, and nothing of it is lost: {error}")
        tally = emitter.tally
        tally.pending = outbox.pending()
        print(tally)
        if (tally.refused or tally.pending) and not outbox.is_durable:
            say("neraca emit: what is refused or pending is kept nowhere but in its file; --outbox FILE keeps it")
        return REFUSED if tally.refused else PENDING if tally.pending else 0


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together. Raises: ``Usage``."""
    if options.outbox is None and (options.list or options.retry or options.file is None):
        message = "--list, --retry and a run without a file need an --outbox"
        raise Usage(message)
    if options.url is None and options.kafka is None and not options.list:
        message = "one of --url and --kafka is required"
        raise Usage(message)
    if options.topic is not None and options.kafka is None:
        message = "--topic needs --kafka: it names a topic of the broker"
        raise Usage(message)


def _send(name: str | None, emitter: Emitter, outbox: Outbox) -> None:
    if name == "-":
        emit_as_they_come(sys.stdin.buffer, emitter, outbox)
    elif name is None:
        emitter.drain()
    else:
        with Path(name).open("rb") as lines:
            emit_all(lines, emitter, outbox)


def _list(outbox: Outbox) -> int:
    """Print each event that was refused for good with its problem, one a line; tell how many wait, and why."""
    for entry in outbox.refused():
        print(json.dumps({"event": _event(entry.line), "problem": entry.problem}, ensure_ascii=False))
    for entry in outbox.waiting():
        say(f"waits, to be sent again: {entry.line.decode(errors='replace')[:200]}: {entry.problem.get('detail')}")
    return 0


def _event(line: bytes) -> object:
    """An event as it was given; a line that is no JSON as its text."""
    try:
        return json.loads(line)
    except ValueError:
        return line.decode(errors="replace")


def _client_of(options: argparse.Namespace) -> Client:
    """The receiver of events: an intake, or a topic."""
    if options.kafka is None:
        return IntakeClient(options.url, SETTINGS["NERACA_TOKEN"].from_environment, insecure=options.insecure)
    kafka = kafka_of(options)
    from streams.emitting.kafka import KafkaClient  # noqa: PLC0415 - an extra
    from streams.intake.topics import topic_of  # noqa: PLC0415 - of the same

    return KafkaClient(kafka) if options.topic is None else KafkaClient(kafka, topic_of(options.topic))


COMMANDS: Final = (
    Command(
        "emit",
        "send events to an intake until they are acknowledged",
        _options,
        emit_file,
        errors=(),
        note="Safe to run twice: an acknowledged event is not sent again, and an event sent twice counts once. An event "
        "refused for now, such as a decision that came before its receipt, stays pending. Exit code 1: some are pending; "
        "3: some were refused for good.",
    ),
)
