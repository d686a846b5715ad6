"""The command that takes a foreign file in: `import`."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from neraca.options import Command, add_data, add_zone, pair
from neraca.settings import SETTINGS
from neraca.terminal import Progress, say
from neraca.wiring import journal_of, now_us, place_of, policy_of
from projections.ports import Grant
from streams.emitting.client import NotNow, NotTaken
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
            total = import_rows(rows, RemoteSink(client, say), refuse, progress)
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


COMMANDS: Final = (
    Command(
        "import",
        "import a CSV or NDJSON file by a mapping",
        _import_options,
        import_file,
        errors=(ReadError, NotNow, NotTaken),
        note="Safe to run twice: rows already imported are counted as duplicates. The last line counts the rows by outcome.",
    ),
)
