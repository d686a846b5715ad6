"""The command that serves everything from one process: `up`."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from domain.events.decoding import UnknownEntry
from neraca.options import OPERATIONS, Command, add_address, add_data, add_metrics, add_zone
from neraca.terminal import say
from neraca.wiring import (
    address_most,
    examples,
    extensions,
    folded_journal,
    live_balances,
    now_us,
    place_of,
    policy_of,
    reopener,
    replays_of,
)
from projections.reading.reader import Reader
from streams.demo.practice import Practice, feeding, never_mixed, practising
from streams.demo.run import NotADemo
from streams.following.follower import Follower
from streams.intake.service import IntakeService
from streams.places.directory import DataDirectory
from streams.places.location import Location
from streams.places.sqlite_version import sqlite_warning


def _options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    add_zone(command)
    add_address(command, 8000, beyond="; beyond this machine tokens are needed")
    add_metrics(command, OPERATIONS)
    demo_options = command.add_mutually_exclusive_group()
    demo_options.add_argument(
        "--demo", action="store_true", help="simulate a city's counters, in ./var/demo unless --data is given"
    )
    demo_options.add_argument(
        "--latihan",
        action="store_true",
        help="practice mode: a small simulated city in ./var/latihan with guided tours, which a button starts again",
    )


def up(options: argparse.Namespace) -> int:
    """Serve intake, reads and pages from one process; practice starts again as often as a page asks for it."""
    directory = {options.demo: Path("var/demo"), options.latihan: Path("var/latihan")}.get(True)
    location = DataDirectory(options.data or directory) if directory is not None else place_of(options)
    practice = None
    if isinstance(location, DataDirectory):
        practice = practising(location.path, wish=options.latihan)
        if warning := sqlite_warning():
            say(f"warning: {warning}")
    while True:
        _serve(options, location, practice)
        if practice is None or not practice.again:
            return 0
        practice.empty()
        say("practice starts again")


def _serve(options: argparse.Namespace, location: Location, practice: Practice | None) -> None:
    """Serve a location until the process is asked to end; the port that was free the first time is kept."""
    from api.app import AppParts, build  # noqa: PLC0415 - only a command that serves loads the web framework
    from api.server import serve  # noqa: PLC0415 - the same

    policy = policy_of(options)
    with folded_journal(location, options.zone) as journal, ExitStack() as ending:
        marker = _demo_marker(location)
        demo = marker if options.demo else None
        never_mixed(journal.head(), location.label, demo, practice)
        live = live_balances(location, journal)
        follower = Follower(journal, live, reopener(location, journal))
        intake = IntakeService(journal, policy, now_us, follower.wake)
        follower.start()
        ending.callback(follower.close)
        ending.callback(intake.close)
        replays = replays_of(location)
        ending.callback(replays.close)
        run = feeding(examples() / "tangsel" / "city.toml", intake, demo, practice, ZoneInfo(options.zone))
        if run is not None:
            run.start()
            ending.callback(run.close)
        is_simulation = run is not None or (marker is not None and marker.exists())
        parts = AppParts(
            live,
            Reader(live, policy.zone, now_us),
            journal,
            location.token_store(),
            intake,
            simulated=is_simulation,
            notice=run.notice if run else lambda: None,
            away=location.unavailable,
            reset=practice.reset if practice else None,
            replays=replays,
            extensions=extensions(),
            address_most=address_most(),
        )
        kind = "a simulated city (data simulasi)" if is_simulation else location.label
        kind = "practice (latihan)" if practice else kind
        serve(
            build(parts),
            options.host,
            options.port,
            _announcement(options, f"Neraca serves {kind}"),
            options.metrics_port,
        )


def _demo_marker(location: Location) -> Path | None:
    """The file that marks a directory's journal as simulated; a database holds no simulation."""
    return location.path / "demo.json" if isinstance(location, DataDirectory) else None


def _announcement(options: argparse.Namespace, opening: str) -> Callable[[str], None]:
    """Says the address once it is known, and keeps its port for the next start."""

    def announce(url: str) -> None:
        options.port = int(url.rstrip("/").rpartition(":")[2])
        say(f"{opening} at {url}  (API: {url}docs)")

    return announce


COMMANDS: Final = (
    Command("up", "serve intake, reads and pages from one process", _options, up, errors=(NotADemo, UnknownEntry)),
)
