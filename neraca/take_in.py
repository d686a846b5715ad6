"""The commands that take events in: `import` a foreign file, and `emit` a counter's events."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from neraca.cluster import kafka_of
from neraca.options import Command, add_data, add_kafka, add_zone, pair
from neraca.settings import SETTINGS
from neraca.terminal import Progress, say
from neraca.wiring import journal_of, now_us, place_of, policy_of
from projections.ports import Grant
from streams.emitting.client import Client, NotNow, NotTaken
from streams.emitting.emitter import Emitter, Outbox, emit
from streams.emitting.http import IntakeClient
from streams.importing.rows import Mapping, ReadError, read_rows
from streams.importing.sending import LocalSink, Refused, RemoteSink, import_rows
from streams.intake.service import IntakeService

IMPORT: Final = Grant("import", frozenset({"fact", "rulebook", "reverse"}))
REFUSALS_SHOWN: Final = 20


def _import_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="CSV or NDJSON, also .gz")
    command.add_argument(
        "--map", type=Path, required=True, metavar="MAPPING.toml", help="which column is which field (see examples/)"
    )
    add_data(command)
    add_zone(command)
    command.add_argument("--url", help="send to a running intake instead of --data (token: NERACA_TOKEN)")
    command.add_argument(
        "--set", type=pair, action="append", default=[], metavar="field=value", help="a fixed value, such as dinas=…"
    )
    command.add_argument(
        "--refused", type=Path, metavar="FILE", help="write each refused row and its reason to FILE, as NDJSON"
    )


def import_file(options: argparse.Namespace) -> int:
    """Import a CSV or NDJSON file by a mapping; the last line, on standard output, counts the rows by outcome."""
    policy = policy_of(options)
    mapping = Mapping.load(options.map, dict(options.set))
    rows = read_rows(options.file, mapping, options.zone)
    progress = Progress("rows read:")
    with ExitStack() as ending:
        refuse = _refusals(ending, options.refused)
        if options.url:
            client = IntakeClient(options.url, SETTINGS["NERACA_TOKEN"].given)
            total = import_rows(rows, RemoteSink(client), refuse, progress)
        else:
            journal = ending.enter_context(journal_of(place_of(options), options.zone))
            intake = IntakeService(journal, policy, now_us)
            ending.callback(intake.close)
            total = import_rows(rows, LocalSink(intake, IMPORT), refuse, progress)
    print(total)
    return 0


def _refusals(ending: ExitStack, path: Path | None) -> Callable[[Refused], None]:
    """Says the first refusals, and writes all of them to a file if one is named."""
    file = ending.enter_context(path.open("wb")) if path else None
    count = 0

    def refuse(refused: Refused) -> None:
        nonlocal count
        count += 1
        if file is not None:
            file.write(msgspec.json.encode(refused) + b"\n")
        if count <= REFUSALS_SHOWN:
            say(f"row {refused.row} refused: {refused.detail}")
        elif count == REFUSALS_SHOWN + 1:
            say("further refusals are not shown" + ("" if file else "; --refused FILE keeps them all"))

    return refuse


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
        "import",
        "import a CSV or NDJSON file by a mapping",
        _import_options,
        import_file,
        errors=(ReadError, NotNow, NotTaken),
        note="Safe to run twice: rows already imported are counted as duplicates. The last line counts the rows by outcome.",
    ),
    Command(
        "emit",
        "send events to an intake until they are acknowledged",
        _emit_options,
        emit_file,
        errors=(NotNow, NotTaken),
        note="Safe to run twice: an acknowledged event is not sent again, and an event sent twice counts once.",
    ),
)
