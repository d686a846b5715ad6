"""The commands that prove what is served: `export` the journal, and `replay` it from zero."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from audit.comparison import compared, folded_apart
from audit.ends import Until
from audit.folded import Folded, ReplayError
from audit.journal_file import file_lines, fold_file
from audit.replay import PublishedRatings, checked, concluded, fold_lines
from domain.events.decoding import StoppedAtEntry
from domain.intake.recorded import exported
from domain.score.replayed import Replayed
from neraca.noting import note
from neraca.options import Command, add_data
from neraca.points import read_period, read_until
from neraca.settings import SETTINGS
from neraca.terminal import Progress, Usage, say
from neraca.wiring import now_us, place_of, uncollected
from streams.journal.journal import Journal

PAGE: Final = 1000
"""Lines read at once: their bytes fit the processor's cache."""
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def _export_options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    command.add_argument(
        "--journal", required=True, metavar="FILE.ndjson", help="the file to write; - is standard output"
    )


def export(options: argparse.Namespace) -> int:
    """Write the journal as CloudEvents, one a line."""
    place = place_of(options)
    journal = Journal.read_only(place.journal)
    progress, position, head = Progress("events exported:"), 0, journal.head()
    note(place, "taken", "journal", f"up to {head}")
    with ExitStack() as ending:
        file: BinaryIO = (
            sys.stdout.buffer if options.journal == "-" else ending.enter_context(Path(options.journal).open("wb"))
        )
        while lines := journal.lines(position, PAGE, head):
            file.writelines(exported(line, at) + b"\n" for at, line in lines)
            position = lines[-1][0]
            progress(position)
    say(f"exported positions 1 to {position}")
    return 0


def _replay_options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    command.add_argument("--zone", default=SETTINGS["NERACA_ZONE"].value, help=argparse.SUPPRESS)
    command.add_argument("--journal", type=Path, metavar="FILE.ndjson", help="an exported journal instead of --data")
    command.add_argument("--period", help="2026-11, 2026-Q4, 2026-S2 or 2026 (default: the current month)")
    command.add_argument(
        "--until", metavar="POINT", help="fold no further than this position, or this time of recording"
    )
    command.add_argument(
        "--since",
        metavar="POINT",
        help="also print the state at that point, and count the events recorded since that affect each dinas",
    )
    command.add_argument(
        "--against",
        type=Path,
        metavar="LINES",
        help="compare with a file of the lines that a digest covers, and print the first that differ",
    )

    command.add_argument(
        "--published",
        action="store_true",
        help="print what is published of ratings, as everybody but auditors is served it",
    )


def replay(options: argparse.Namespace) -> int:
    """Fold a journal from zero, without the balances, and print the result as one line of JSON."""
    until, at_us, extra = read_until(options.until, "--until"), now_us(), dict[str, Any]()
    since = None if options.since is None else read_until(options.since, "--since")
    ratings = PublishedRatings() if options.published else None
    if ratings is not None and since is not None:
        message = "--published and --since do not go together: an earlier state is compared exactly"
        raise Usage(message)
    with uncollected():
        if since is None:
            run = _folded(options, until, ratings)
        else:
            lines = _lines(options, until)
            run, extra["then"], extra["between"] = folded_apart(
                lines, since, until, lambda zone: read_period(options.period, zone, at_us), at_us
            )
        if options.against is not None:
            extra["against"] = compared(run, options.against)
        zone = run.opened.data.zone if run.opened else options.zone
        result = concluded(run, read_period(options.period, zone, at_us), at_us, until.vector, ratings)
        print(ENCODER.encode(Replayed(result.position, result.digest, result.dinas, **extra)).decode())
    return 0


def _folded(options: argparse.Namespace, until: Until, ratings: PublishedRatings | None) -> Folded:
    """The journal of the options, folded; by one process if ratings are followed. Raises: ``ReplayError``."""
    if options.journal is not None and ratings is None:
        return checked(fold_file(options.journal, until, Progress("events folded:")))
    return checked(fold_lines(_lines(options, until), until.vector, ratings))


def _lines(options: argparse.Namespace, until: Until) -> Iterator[tuple[int, bytes]]:
    """The lines of the journal of the options; of one that is being written to, up to its present head."""
    progress = Progress("events folded:")
    if options.journal is not None:
        for position, line in file_lines(options.journal, until):
            progress(position)
            yield position, line
        return
    journal = Journal.read_only(place_of(options).journal)
    last, head = 0, journal.head()
    while page := journal.lines(last, PAGE, head):
        within = until.within(page)
        yield from within
        if len(within) < len(page):
            return
        last = page[-1][0]
        progress(last)


COMMANDS: Final = (
    Command(
        "export", "write the journal as CloudEvents, one a line", _export_options, export, errors=(StoppedAtEntry,)
    ),
    Command(
        "replay",
        "fold a journal from zero and print position, digest and scorecards",
        _replay_options,
        replay,
        errors=(ReplayError, StoppedAtEntry),
    ),
)
