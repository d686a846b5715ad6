"""The wiring of one process: the clock, the location of journal and balances, the policy, and the replays."""

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from domain.clock import SECOND_US
from domain.intake.attributes import extension_names
from neraca.options import names, number_of
from neraca.secret import secret_of
from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from projections.live import Live
from projections.segment import At, WrongJournal
from projections.store.private import NotPrivate
from streams.following.follower import verified_position
from streams.intake.recording import Policy
from streams.journal.journal import Journal, JournalError
from streams.places.directory import DataDirectory
from streams.places.location import InUse, Location, NoDatabase, ensure_served
from streams.replays import Replays

if TYPE_CHECKING:
    from api.app import AppParts

ERRORS: Final = (JournalError, InUse, NoDatabase, NotPrivate, WrongJournal)
"""The errors of opening a location, its journal or its balances; each message names the fault."""


def now_us() -> int:
    """The clock: microseconds since the epoch."""
    return time.time_ns() // 1000


def examples() -> Path:
    """The folder of the shipped examples: beside the package in a checkout, under another name once installed."""
    root = Path(__file__).parents[1]
    return root / "examples" if (root / "examples").is_dir() else root / "neraca_examples"


def program() -> list[str]:
    """The words that start this program again, by the same code.

    The working directory is searched for modules only where it is the checkout itself: any other may hold anything.
    """
    in_checkout = Path(__file__).parents[1] == Path.cwd()
    return [sys.executable, *(() if in_checkout else ("-P",)), "-m", "neraca"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector off: a fold of millions of entries makes no cycles, and each collection would walk its objects."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def place_of(options: argparse.Namespace) -> Location:
    """The location of journal and balances: the database that is named, else a directory. Raises: ``Usage``, ``NotPrivate``."""
    if not options.database:
        directory = DataDirectory(options.data or Path("var"))
        directory.ensure_private()
        return directory
    try:
        from streams.places.database import Database  # noqa: PLC0415 - an extra: only a database needs it
    except ModuleNotFoundError as missing:
        message = f"NERACA_DATABASE_URL needs the extra: pip install 'neraca[postgres]' ({missing.name} is missing)"
        raise Usage(message) from None
    file = SETTINGS["NERACA_DATABASE_PASSWORD_FILE"].from_environment
    return Database(options.database, Path(file).read_text(encoding="utf-8").strip() if file else None).prepare()


OWN_ROLE: Final = "run `neraca database prepare` as the owner, and each process under its own role"


def warn_of_owner(location: Location) -> None:
    """Warn that a process that serves could change the journal: it connects as the owner of a database's tables."""
    if getattr(location, "is_owner", False):
        say(f"warning: this process owns the tables of {location.label} and could change the journal: {OWN_ROLE}")


def policy_of(options: argparse.Namespace, journal: Journal | None = None) -> Policy:
    """The zone and policy of the options, where these are silent the policy that a journal was begun with. Raises: ``Usage``."""
    is_strict = options.unknown == "strict" if options.unknown else journal is not None and journal.is_strict
    try:
        zone = ZoneInfo(options.zone)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"NERACA_ZONE: {options.zone!r} is no time zone; Asia/Jakarta is one"
        raise Usage(message) from None
    return Policy(zone, strict=is_strict, undo_us=number_of("NERACA_UNDO_S") * SECOND_US)


def begins_strict(options: argparse.Namespace, *, is_open: bool) -> bool:
    """True if a journal that a command begins is to refuse unregistered names: unless it says otherwise, or is open."""
    return (options.unknown or ("open" if is_open else "strict")) == "strict"


def extensions() -> frozenset[str]:
    """The extension attributes that events may have beside those that are always taken. Raises: ``Usage``."""
    try:
        return extension_names(names(SETTINGS["NERACA_EXTENSIONS"].from_environment or ""))
    except ValueError as error:
        message = f"NERACA_EXTENSIONS: {error}"
        raise Usage(message) from None


def as_set(parts: "AppParts", data: Path | None) -> "AppParts":
    """The parts of an app with what the settings say of it; ``data`` is its data directory, if it has one. Raises: ``Usage``."""
    return replace(
        parts,
        extensions=extensions(),
        address_most=number_of("NERACA_ADDRESS_MOST", 1),
        secret=secret_of(data),
        ticket_us=number_of("NERACA_TICKET_S") * SECOND_US,
    )


@contextmanager
def journal_of(location: Location, zone: str) -> Iterator[Journal]:
    """The journal of a location, open for appending; of a directory by one process, of a database beside others."""
    with location.locked() if isinstance(location, DataDirectory) else nullcontext():
        journal = Journal.open(location.journal, zone, now_us())
        try:
            yield journal
        finally:
            journal.close()


@contextmanager
def journal_to_read(location: Location, zone: str) -> Iterator[Journal]:
    """The journal of a location to read it, whoever uses the location. Raises: ``JournalError``."""
    journal = Journal.read_only(location.journal, zone)
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def folded_journal(location: Location, zone: str, *, strict: bool = False) -> Iterator[Journal]:
    """The journal of a location that only this process folds, open for appending; ``strict`` if it is begun now."""
    with location.locked():
        journal = Journal.open(location.journal, zone, now_us(), strict=strict)
        try:
            yield journal
        finally:
            journal.close()


def live_balances(location: Location, journal: Journal) -> Live:
    """The balances to serve; new ones where there are none of this version. Raises: ``WrongJournal``."""
    generation, store = ensure_served(location.generations())
    return Live(journal.id, generation, store, At(verified_position(journal, store)))


def reopener(location: Location, journal: Journal) -> Callable[[Live], None]:
    """The step a follower takes after a rebuild has replaced the balances it serves."""

    def reopen(live: Live) -> None:
        newer = live_balances(location, journal)
        live.served, live.at = newer.served, newer.at

    return reopen


def replays_of(location: Location, clock: Callable[[], int] = now_us) -> Replays:
    """Replays of a location's journal, by the program's own ``neraca replay``."""
    options, settings = location.for_subprocess()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
    return Replays([*program(), "replay", *options], environment | settings, clock)
