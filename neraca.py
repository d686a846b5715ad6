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

from audit.replay import ReplayError
from command_line import Progress, Usage, parser, say
from commands_offline import export, rebuild, replay, token
from projections.generations import Generations, sqlite_engine
from projections.live import Live
from projections.ports import Grant
from projections.reader import Reader
from projections.segment import WrongJournal
from streams.client import IntakeClient, NotNow, NotTaken
from streams.datadir import DataDirectory, InUse, sqlite_warning
from streams.demo import City
from streams.demo_run import DemoRun, NotADemo
from streams.emitter import Emitter, Outbox, emit
from streams.follower import Follower, UnknownEntry, verified_position
from streams.importer import Mapping, MappingError, ReadError, read_rows
from streams.importing import Imported, LocalSink, Refused, RemoteSink, import_rows
from streams.intake import IntakeService
from streams.journal import Journal, JournalError
from streams.recording import Policy
from streams.tokens import TokenStore

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
def held(data: DataDirectory, zone: str) -> Iterator[Journal]:
    """The data directory for this process alone, its journal open for appending."""
    with data.locked():
        journal = Journal.open(data.journal, zone, now_us())
        try:
            yield journal
        finally:
            journal.close()


def served(data: DataDirectory, journal: Journal) -> Live:
    """The generation to serve; a new one when there is none of this version. Raises: ``WrongJournal``."""
    generations = Generations(data.balances)
    current = generations.current()
    if current is None:
        current = generations.begin()
        generations.flip(current[0])
    generation, store = current
    return Live(journal.id, generation, store, verified_position(journal, store))


def up(options: argparse.Namespace) -> int:
    """Serve intake, reads and pages from one process."""
    from api.app import Parts, build  # noqa: PLC0415 - the web framework is loaded only by who serves
    from api.server import serve  # noqa: PLC0415 - the same

    policy, data = policy_of(options), DataDirectory(options.data or Path("var/demo" if options.demo else "var"))
    warning = sqlite_warning()
    if warning:
        say(f"warning: {warning}")
    with held(data, options.zone) as journal, ExitStack() as ending:
        marker = data.path / "demo.json"
        if options.demo and not marker.exists() and journal.head() > 1:
            message = f"{data.path} holds a journal that is no simulation: give the demo a --data of its own"
            raise NotADemo(message)
        live = served(data, journal)
        follower = Follower(journal, live)
        intake = IntakeService(journal, policy, now_us, follower.wake)
        follower.start()
        ending.callback(follower.close)
        ending.callback(intake.close)
        run = (
            DemoRun(City.load(examples() / "tangsel" / "city.toml"), intake, marker, ZoneInfo(options.zone))
            if options.demo
            else None
        )
        if run is not None:
            run.start()
            ending.callback(run.close)
        parts = Parts(
            live, Reader(live, policy.zone, now_us), journal, TokenStore(sqlite_engine(data.tokens)), intake,
            simulated=marker.exists(), notice=run.notice if run else lambda: None,
        )  # fmt: skip
        kind = "a simulated city (data simulasi)" if marker.exists() else f"{data.path}"
        serve(
            build(parts),
            options.host,
            options.port,
            lambda url: say(f"Neraca serves {kind} at {url}  (API: {url}docs)"),
        )
    return 0


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
            journal = ending.enter_context(held(DataDirectory(options.data or Path("var")), options.zone))
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


def emit_file(options: argparse.Namespace) -> int:
    """Send events to an intake until they are acknowledged."""
    outbox = Outbox(options.outbox)
    emitter = Emitter(
        outbox, IntakeClient(options.url, os.environ.get("NERACA_TOKEN")), say, patience_s=options.patience
    )
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
}
REFUSALS: Final = (
    JournalError,
    InUse,
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
