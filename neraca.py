"""The composition root: the one place that wires the rooms of Neraca together, and the commands that serve and take in.

Commands that only read or rebuild a data directory stand in ``commands_offline``.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

import commands_scaled
from audit.folded import ReplayError
from command_line import Progress, Usage, parser, say
from commands_offline import export, place_of, rebuild, replay, replays_of, token
from projections.live import Live
from projections.ports import Grant
from projections.reading.reader import Reader
from projections.segment import At, WrongJournal
from streams.demo.practice import Practice, feeding, never_mixed, practising
from streams.demo.run import NotADemo
from streams.emitting.emitter import Emitter, Outbox, emit
from streams.emitting.http import Client, IntakeClient, NotNow, NotTaken
from streams.following.follower import Follower, UnknownEntry, verified_position
from streams.importing.rows import Mapping, MappingError, ReadError, read_rows
from streams.importing.sending import Imported, LocalSink, Refused, RemoteSink, import_rows
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal, JournalError
from streams.places.directory import DataDirectory, InUse, NoDatabase, Place, serving, sqlite_warning

IMPORT: Final = Grant("import", frozenset({"fact", "rulebook", "reverse"}))
REFUSED_SHOWN: Final = 20
LOG: Final = logging.getLogger("neraca")


def now_us() -> int:
    """The clock: microseconds since the epoch."""
    return time.time_ns() // 1000


def examples() -> Path:
    """Where the shipped examples lie: beside this file in a checkout, under another name when installed."""
    here = Path(__file__).parent
    return here / "examples" if (here / "examples").is_dir() else here / "neraca_examples"


def policy_of(options: argparse.Namespace) -> Policy:
    """Zone and policy as configured. Raises: ``Usage``."""
    try:
        return Policy(ZoneInfo(options.zone), strict=options.unknown == "strict")
    except (ZoneInfoNotFoundError, ValueError):
        message = f"NERACA_ZONE: {options.zone!r} is no time zone; Asia/Jakarta is one"
        raise Usage(message) from None


@contextmanager
def held(place: Place, zone: str) -> Iterator[Journal]:
    """The place for this process alone to fold, its journal open for appending."""
    with place.locked():
        journal = Journal.open(place.journal, zone, now_us())
        try:
            yield journal
        finally:
            journal.close()


@contextmanager
def recording(place: Place, zone: str) -> Iterator[Journal]:
    """A journal open for appending: of a directory alone, of a database beside others who append."""
    if isinstance(place, DataDirectory):
        with held(place, zone) as journal:
            yield journal
        return
    journal = Journal.open(place.journal, zone, now_us())
    try:
        yield journal
    finally:
        journal.close()


def served(place: Place, journal: Journal) -> Live:
    """The generation to serve; a new one when there is none of this version. Raises: ``WrongJournal``."""
    generation, store = serving(place.generations())
    return Live(journal.id, generation, store, At(verified_position(journal, store)))


def reopened(place: Place, journal: Journal) -> Callable[[Live], None]:
    """What a follower does when a rebuild has put another generation in the place of its own."""

    def reopen(live: Live) -> None:
        again = served(place, journal)
        live.served, live.at = again.served, again.at

    return reopen


def simulation(place: Place) -> Path | None:
    """The file that marks a directory's journal as simulated; a database holds no simulation."""
    return place.path / "demo.json" if isinstance(place, DataDirectory) else None


def up(options: argparse.Namespace) -> int:
    """Serve intake, reads and pages from one process; practice begins anew as often as it is asked to."""
    data = {options.demo: Path("var/demo"), options.latihan: Path("var/latihan")}.get(True)
    place = DataDirectory(options.data or data) if data is not None else place_of(options)
    practice = None
    if isinstance(place, DataDirectory):
        practice = practising(place.path, asked=options.latihan)
        if warning := sqlite_warning():
            say(f"warning: {warning}")
    while True:
        _serve(options, place, practice)
        if practice is None or not practice.again:
            return 0
        practice.empty()
        say("practice begins anew")


def _serve(options: argparse.Namespace, place: Place, practice: Practice | None) -> None:
    """Serve a place until told to end; the port that was free the first time is kept."""
    from api.app import Parts, build  # noqa: PLC0415 - the web framework is loaded only by who serves
    from api.server import serve  # noqa: PLC0415 - the same

    policy = policy_of(options)
    with held(place, options.zone) as journal, ExitStack() as ending:
        marker = simulation(place)
        never_mixed(journal.head(), place.shown, marker if options.demo else None, practice)
        live = served(place, journal)
        follower = Follower(journal, live, reopened(place, journal))
        intake = IntakeService(journal, policy, now_us, follower.wake)
        follower.start()
        ending.callback(follower.close)
        ending.callback(intake.close)
        replays = replays_of(place, now_us)
        ending.callback(replays.close)
        city, zone = examples() / "tangsel" / "city.toml", ZoneInfo(options.zone)
        run = feeding(city, intake, marker if options.demo else None, practice, zone)
        if run is not None:
            run.start()
            ending.callback(run.close)
        simulated = run is not None or (marker is not None and marker.exists())
        parts = Parts(
            live, Reader(live, policy.zone, now_us), journal, place.token_store(), intake,
            simulated=simulated, notice=run.notice if run else lambda: None, away=place.away,
            reset=practice.reset if practice else None, replays=replays,
        )  # fmt: skip
        kind = "practice (latihan)" if practice else "a simulated city (data simulasi)" if simulated else place.shown

        def ready(url: str) -> None:
            options.port = int(url.rstrip("/").rpartition(":")[2])
            say(f"Neraca serves {kind} at {url}  (API: {url}docs)")

        serve(build(parts), options.host, options.port, ready)


def import_file(options: argparse.Namespace) -> int:
    """Import a CSV or NDJSON file by a mapping."""
    policy = policy_of(options)
    mapping = Mapping.load(options.map, dict(options.set))
    rows = read_rows(options.file, mapping, options.zone)
    progress = Progress("rows read:")
    with ExitStack() as ending:
        refuse = refusals(ending, options.refused)
        if options.url:
            client = IntakeClient(options.url, os.environ.get("NERACA_TOKEN"))
            total = import_rows(rows, RemoteSink(client, again), refuse, progress)
        else:
            journal = ending.enter_context(recording(place_of(options), options.zone))
            intake = IntakeService(journal, policy, now_us)
            ending.callback(intake.close)
            total = import_rows(rows, LocalSink(intake, IMPORT), refuse, progress)
    return told(total)


def told(total: Imported) -> int:
    """The last line of an import, on standard output."""
    print(total)
    return 0


def again(attempt: int) -> bool:
    """Wait before another attempt, longer each time; not for ever."""
    time.sleep(min(0.2 * 2**attempt, 10.0))
    return attempt < 10  # noqa: PLR2004 - about a minute


def refusals(ending: ExitStack, path: Path | None) -> Callable[[Refused], None]:
    """Says the first refusals, and writes all of them to a file where one is named."""
    file = ending.enter_context(path.open("wb")) if path else None
    count = 0

    def refuse(refused: Refused) -> None:
        nonlocal count
        count += 1
        if file is not None:
            file.write(msgspec.json.encode(refused) + b"\n")
        if count <= REFUSED_SHOWN:
            say(f"row {refused.row} refused: {refused.detail}")
        elif count == REFUSED_SHOWN + 1:
            say("further refusals are not shown" + ("" if file else "; --refused FILE keeps them all"))

    return refuse


def client_of(options: argparse.Namespace) -> Client:
    """Where events are sent: an intake, or a topic."""
    if options.kafka is None:
        return IntakeClient(options.url, os.environ.get("NERACA_TOKEN"))
    kafka = commands_scaled.kafka_of(options)
    from streams.intake.kafka import KafkaClient  # noqa: PLC0415 - an extra

    return KafkaClient(kafka)


def emit_file(options: argparse.Namespace) -> int:
    """Send events to an intake until they are acknowledged."""
    outbox = Outbox(options.outbox)
    emitter = Emitter(outbox, client_of(options), say, patience_s=options.patience)
    with ExitStack() as ending:
        lines: BinaryIO = (
            sys.stdin.buffer if options.file == "-" else ending.enter_context(Path(options.file).open("rb"))
        )
        sent = emit(lines, emitter, outbox)
    tally = emitter.tally
    print(f"accepted={tally.accepted} duplicates={tally.duplicates} refused={tally.refused} pending={tally.pending}")
    return 0 if sent else 1


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "up": up,
    "import": import_file,
    "emit": emit_file,
    "export": export,
    "rebuild": partial(rebuild, now_us=now_us),
    "replay": partial(replay, now_us=now_us),
    "token": partial(token, now_us=now_us),
    "intake": lambda options: commands_scaled.intake(options, policy_of(options), now_us),
    "api": lambda options: commands_scaled.api(options, policy_of(options), now_us),
    "relay": partial(commands_scaled.relay, now_us=now_us),
    "worker": partial(commands_scaled.worker, now_us=now_us),
    "layout": partial(commands_scaled.layout, now_us=now_us),
    "resume": partial(commands_scaled.resume, now_us=now_us),
}
REFUSALS: Final = (
    JournalError,
    InUse,
    NoDatabase,
    WrongJournal,
    NotADemo,
    UnknownEntry,
    ReplayError,
    ReadError,
    NotNow,
    NotTaken,
    OSError,
)


def settle_memory() -> None:
    """Let the collector leave alone what was loaded to stay, and look at the rest less often: events hold no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def main(arguments: list[str] | None = None) -> int:
    """Run a command: 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = parser().parse_args(arguments)
    settle_memory()
    try:
        return COMMANDS[options.command](options)
    except (Usage, MappingError, ValueError) as error:
        say(f"neraca {options.command}: {error}")
        return 2
    except REFUSALS as error:
        say(f"neraca {options.command}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
