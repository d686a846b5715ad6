"""The command that serves everything from one process: `up`."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from domain.events.decoding import StoppedAtEntry
from neraca.doors import FirstLink, announce, doors_of, reachable
from neraca.options import OPERATIONS, Command, add_address, add_data, add_metrics, add_zone
from neraca.terminal import say
from neraca.wiring import (
    as_set,
    begins_strict,
    examples,
    folded_journal,
    live_balances,
    now_us,
    place_of,
    policy_of,
    reopener,
    replays_of,
    warn_of_owner,
)
from projections.reading.reader import Reader
from streams.demo.practice import Practice, feeding, never_mixed, practising
from streams.demo.run import NotADemo
from streams.following.follower import Follower
from streams.intake.noting import NotedIntake
from streams.intake.service import IntakeService
from streams.places.directory import DataDirectory
from streams.places.location import Location
from streams.places.sqlite_version import sqlite_warning

if TYPE_CHECKING:
    from api.app import AppParts
    from api.http.doors import Doors


def _options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    add_zone(command)
    add_address(command, 8000)
    add_metrics(command, OPERATIONS)
    demo_options = command.add_mutually_exclusive_group()
    demo_options.add_argument(
        "--demo",
        action="store_true",
        help="simulate a city's counters, in ./var/demo unless --data is given; --open on a loopback --host",
    )
    demo_options.add_argument(
        "--latihan",
        action="store_true",
        help="practice mode: a small simulated city in ./var/latihan with guided tours, which a button starts again; --open on a "
        "loopback --host",
    )


def up(options: argparse.Namespace) -> int:
    """Serve intake, reads and pages from one process; practice starts again as often as a page asks for it."""
    directory = {options.demo: Path("var/demo"), options.latihan: Path("var/latihan")}.get(True)
    doors = doors_of(options, simulation=directory is not None)
    location = DataDirectory(options.data or directory) if directory is not None else place_of(options)
    practice = None
    if isinstance(location, DataDirectory):
        location.ensure_private()
        practice = practising(location.path, wish=options.latihan)
        if warning := sqlite_warning():
            say(f"warning: {warning}")
    warn_of_owner(location)
    while True:
        _serve(options, location, practice, doors)
        if practice is None or not practice.again:
            return 0
        practice.empty()
        say("practice starts again")


def _serve(options: argparse.Namespace, location: Location, practice: Practice | None, doors: "Doors") -> None:
    """Serve a location until the process is asked to end; the port that was free the first time is kept."""
    from api.app import AppParts  # noqa: PLC0415 - only a command that serves loads the web framework

    policy_of(options)  # a wrong zone is told of before a journal is begun
    strict = begins_strict(options, is_open=doors.is_open or options.demo or practice is not None)
    with folded_journal(location, options.zone, strict=strict) as journal, ExitStack() as ending:
        policy, marker = policy_of(options, journal), _demo_marker(location)
        demo = marker if options.demo else None
        never_mixed(journal.head(), location.label, demo, practice)
        live = live_balances(location, journal)
        follower = Follower(journal, live, reopener(location, journal))
        intake = IntakeService(journal, policy, now_us, follower.wake)
        replays, log, tokens = replays_of(location), location.security_log(), location.token_store()
        follower.start()
        for part in (tokens, log, follower, intake, replays):
            ending.callback(part.close)
        run = feeding(examples() / "tangsel" / "city.toml", intake, demo, practice, ZoneInfo(options.zone))
        if run is not None:
            run.start()
            ending.callback(run.close)
        link = FirstLink(_directory(options, location))
        parts = AppParts(
            live,
            Reader(live, policy.zone, now_us),
            journal,
            tokens,
            NotedIntake(intake, log, now_us),
            simulated=run is not None or (marker is not None and marker.exists()),
            notice=run.notice if run else lambda: None,
            away=location.unavailable,
            reset=practice.reset if practice else None,
            replays=replays,
            doors=doors,
            log=log,
            link_spent=link.forget,
        )
        _serve_app(options, parts, location, partial(link.show, tokens))


def _serve_app(
    options: argparse.Namespace, parts: "AppParts", location: Location, show_link: Callable[["Doors", str], None]
) -> None:
    """Serve an app until the process is asked to end; the operator is told the address, and how to sign in."""
    from api.app import build  # noqa: PLC0415 - only a command that serves loads the web framework
    from api.server import serve  # noqa: PLC0415 - the same

    kind = "a simulated city (data simulasi)" if parts.simulated else location.label
    kind = "practice (latihan)" if parts.reset else kind

    def ready(url: str) -> None:
        options.port = int(url.rstrip("/").rpartition(":")[2])  # kept for the next start
        announce(f"Neraca serves {kind}", url, parts.doors, options.host)
        show_link(parts.doors, reachable(url))

    data = location.path if isinstance(location, DataDirectory) else None
    serve(build(as_set(parts, data)), options.host, options.port, ready, options.metrics_port)


def _demo_marker(location: Location) -> Path | None:
    """The file that marks a directory's journal as simulated; a database holds no simulation."""
    return location.path / "demo.json" if isinstance(location, DataDirectory) else None


def _directory(options: argparse.Namespace, location: Location) -> Path:
    """The directory of what is kept beside the journal: its own, or that of the settings where it is in a database."""
    return location.path if isinstance(location, DataDirectory) else options.data or Path("var")


COMMANDS: Final = (
    Command("up", "serve intake, reads and pages from one process", _options, up, errors=(NotADemo, StoppedAtEntry)),
)
