"""Commands on a data directory that serve nothing: export, rebuild, replay and tokens. They are handed the clock."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec

from audit.comparison import Compared, against, folded_apart
from audit.ends import Until, Vector
from audit.folded import Folded
from audit.journal_file import file_lines, fold_file
from audit.replay import checked, concluded, fold_lines
from command_line import Progress, Usage, say
from domain.clock import local_month, parse_instant, utc_text
from domain.intake.recorded import exported
from domain.periods import Period, parse_period
from projections.live import Live
from projections.reading.reader import Reader
from projections.segment import At
from streams.following.follower import catch_up
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory, Place
from streams.replays import Replays

ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
PAGE: Final = 5000
REBUILD_PAGE: Final = 20_000
"""A rebuild writes an account once a page, so larger pages write less."""


def place_of(options: argparse.Namespace, default: str = "var") -> Place:
    """Where journal and balances are kept: the database that is named, else a directory. Raises: ``Usage``."""
    if not options.database:
        return DataDirectory(options.data or Path(default))
    try:
        from streams.places.database import Database  # noqa: PLC0415 - an extra: only who uses a database needs it
    except ModuleNotFoundError as missing:
        message = f"NERACA_DATABASE_URL needs the extra: pip install 'neraca[postgres]' ({missing.name} is missing)"
        raise Usage(message) from None
    return Database(options.database).prepare()


def export(options: argparse.Namespace) -> int:
    """Write the journal as CloudEvents, a line each."""
    journal = Journal.read_only(place_of(options).journal)
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


@contextmanager
def uncollected() -> Iterator[None]:
    """A fold of millions of entries makes no cycles, and the collector would walk its objects again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def rebuild(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Fold the balances anew, beside the ones served, and switch to them."""
    place = place_of(options)
    with place.locked() if options.undivided else place.rebuilding(), uncollected():
        journal = Journal.read_only(place.journal)
        if options.restored:
            journal.begin(journal.zone, now_us())
        generations = place.generations()
        generation, store = generations.begin()
        progress = Progress("events folded:")
        position = catch_up(journal, store, REBUILD_PAGE, progress)
        generations.flip(
            generation, lambda: catch_up(journal, store, REBUILD_PAGE, progress), undivided=options.undivided
        )
        generations.sweep(keep=generation)
        live = Live(journal.id, generation, store, At(position))
        with Reader(live, ZoneInfo(journal.zone), now_us).snapshot() as snapshot:
            position = snapshot.position
            said = {"position": position, "digest": snapshot.digest()}
            vector = snapshot.version.at.vector
            print(ENCODER.encode(said if vector is None else said | {"vector": vector}).decode())
    return 0


def replay(options: argparse.Namespace, now_us: Callable[[], int]) -> int:
    """Fold a journal from zero, without the balances, and print what follows."""
    until, at_us, told = until_of(options.until, "--until"), now_us(), dict[str, Any]()
    since = None if options.since is None else until_of(options.since, "--since")
    with uncollected():
        if since is None:
            folded = whole_of(options, until)
        else:
            lines = lines_of(options, until)
            folded, told["then"], told["between"] = folded_apart(
                lines, since, until, lambda zone: period_of(options.period, zone, at_us), at_us
            )
        if options.against is not None:
            told["against"] = against(folded, options.against)
        zone = folded.opened.data.zone if folded.opened else options.zone
        replayed = concluded(folded, period_of(options.period, zone, at_us), at_us, until.vector)
        print(ENCODER.encode(Compared(replayed.position, replayed.digest, replayed.dinas, **told)).decode())
    return 0


def whole_of(options: argparse.Namespace, until: Until) -> Folded:
    """The journal that is named, folded. Raises: ``ReplayError``."""
    if options.journal is not None:
        return checked(fold_file(options.journal, until, Progress("events folded:")))
    return checked(fold_lines(lines_of(options, until), until.vector))


def lines_of(options: argparse.Namespace, until: Until) -> Iterator[tuple[int, bytes]]:
    """The lines of the journal that is named; of one that is being written to, up to its head of now."""
    progress = Progress("events folded:")
    if options.journal is not None:
        for at, line in file_lines(options.journal, until):
            progress(at)
            yield at, line
        return
    journal = Journal.read_only(place_of(options).journal)
    position, head = 0, journal.head()
    while page := journal.lines(position, PAGE, head):
        for at, line in page:
            if until.ends_before(at, line):
                return
            yield at, line
        position = page[-1][0]
        progress(position)


def replays_of(place: Place, now_us: Callable[[], int]) -> Replays:
    """Replays of the journal at a place, by the command above."""
    options, settings = place.told()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
    command = [sys.executable, str(Path(__file__).with_name("neraca.py")), "replay", *options]
    return Replays(command, kept | settings, now_us)


def until_of(text: str | None, option: str) -> Until:
    """A position, a vector of them as ``/v1/digest`` says it, or an instant of recording. Raises: ``Usage``."""
    if text is None:
        return Until()
    if text.startswith("{"):
        try:
            return Until(vector=msgspec.json.decode(text, type=Vector))
        except msgspec.DecodeError as error:
            message = f"{option}: must be a vector as /v1/digest says it: {error}"
            raise Usage(message) from None
    if text.isascii() and text.isdigit():
        return Until(position=int(text))
    try:
        return Until(instant_us=parse_instant(text))
    except ValueError as error:
        message = f"{option}: must be a position, or a time: {error}"
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
    store, at = place_of(options).token_store(), utc_text(now_us())
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
