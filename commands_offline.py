"""Commands on a data directory that serve nothing: export, rebuild, replay and tokens. They are handed the clock."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec

from audit.journal_file import Until, fold_file
from audit.replay import Folded, checked, concluded, fold_lines, uncollected
from command_line import Progress, Usage, say
from domain.clock import local_month, parse_instant, utc_text
from domain.periods import Period, parse_period
from domain.recorded import exported
from projections.generations import Generations, sqlite_engine
from projections.live import Live
from projections.reader import Reader
from streams.datadir import DataDirectory
from streams.follower import catch_up
from streams.journal import Journal
from streams.tokens import TokenStore

ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
PAGE: Final = 5000
REBUILD_PAGE: Final = 20_000
"""A rebuild writes an account once a page, so larger pages write less."""


def export(options: argparse.Namespace) -> int:
    """Write the journal as CloudEvents, a line each."""
    journal = Journal.read_only(DataDirectory(options.data or Path("var")).journal)
    progress, position, head = Progress("events exported:"), 0, journal.head()
    with ExitStack() as ending:
        to: BinaryIO = (
            sys.stdout.buffer if options.journal == "-" else ending.enter_context(Path(options.journal).open("wb"))
        )
        while lines := journal.lines(position, PAGE, head):
            to.writelines(exported(line, at) + b"\n" for at, line in lines)
            position = lines[-1][0]
            progress(position)
    say(f"exported positions 1 to {position}")
    return 0


def rebuild(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Fold the balances anew, beside the ones served, and switch to them."""
    data = DataDirectory(options.data or Path("var"))
    with data.locked():
        journal = Journal.read_only(data.journal)
        if options.restored:
            journal.begin(journal.zone, now_us())
        generations = Generations(data.balances)
        generation, store = generations.begin()
        position = catch_up(journal, store, REBUILD_PAGE, Progress("events folded:"))
        generations.flip(generation)
        generations.sweep(keep=generation)
        with Reader(
            Live(journal.id, generation, store, position), ZoneInfo(journal.zone), now_us
        ).snapshot() as snapshot:
            print(ENCODER.encode({"position": position, "digest": snapshot.digest()}).decode())
    return 0


def replay(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Fold a journal from zero, without the balances, and print what follows."""
    until = until_of(options.until)
    with uncollected():
        if options.journal is not None:
            folded = checked(fold_file(options.journal, until, Progress("events folded:")))
        else:
            folded = checked(replay_data(DataDirectory(options.data or Path("var")), until))
        zone = folded.opened.data.zone if folded.opened else options.zone
        at_us = now_us()
        print(ENCODER.encode(concluded(folded, period_of(options.period, zone, at_us), at_us)).decode())
    return 0


def replay_data(data: DataDirectory, until: Until) -> Folded:
    """A stored journal folded page by page; one that is being written to is read up to its head of now."""
    journal = Journal.read_only(data.journal)
    progress, head = Progress("events folded:"), journal.head()

    def lines() -> Iterator[tuple[int, bytes]]:
        position = 0
        while page := journal.lines(position, PAGE, head):
            for at, line in page:
                if until.ends_before(exported(line, at)):
                    return
                yield at, line
            position = page[-1][0]
            progress(position)

    return fold_lines(lines())


def until_of(text: str | None) -> Until:
    """A position, or an instant of recording. Raises: ``Usage``."""
    if text is None:
        return Until()
    if text.isascii() and text.isdigit():
        return Until(position=int(text))
    try:
        return Until(instant_us=parse_instant(text))
    except ValueError as error:
        message = f"--until: must be a position, or a time: {error}"
        raise Usage(message) from None


def period_of(text: str | None, zone: str, now_us: int) -> Period:
    """The period asked for, the current month by default. Raises: ``Usage``."""
    try:
        return parse_period(text or local_month(now_us, ZoneInfo(zone)))
    except ValueError as error:
        message = f"--period: {error}"
        raise Usage(message) from None


def token(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Make, list and revoke tokens."""
    data = DataDirectory(options.data or Path("var"))
    data.path.mkdir(parents=True, exist_ok=True)
    store, at = TokenStore(sqlite_engine(data.tokens)), utc_text(now_us())
    if options.action == "make":
        try:
            secret = store.make(options.id, options.scope, at, dinas=options.dinas, sources=options.source)
        except ValueError as error:
            raise Usage(str(error)) from None
        say("This secret is shown once; only its hash is kept.")
        print(secret)
    elif options.action == "revoke":
        if not store.revoke(options.id, at):
            say(f"no token {options.id} stands")
            return 1
    else:
        for token_id, scopes, dinas, sources, made, revoked in store.listed():
            names = "".join(
                f" {kind}={names.replace(chr(10), ',')}"
                for kind, names in (("dinas", dinas), ("sources", sources))
                if names
            )
            print(f"{token_id}: {scopes}{names} made {made}" + (f" revoked {revoked}" if revoked else ""))
    return 0
