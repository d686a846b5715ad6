"""The composition root and command line: the one place that wires the rooms of Neraca together."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from audit.journal_file import Until, fold_file
from audit.replay import Folded, ReplayError, checked, concluded, fold_lines
from command_line import Usage, parser
from domain.clock import instant_of, local_month, parse_instant, utc_text
from domain.periods import Period, parse_period
from domain.recorded import exported
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
from streams.follower import Follower, UnknownEntry, catch_up, verified_position
from streams.importer import Mapping, MappingError, ReadError, read_rows
from streams.importing import Imported, LocalSink, Refused, RemoteSink, import_rows
from streams.intake import IntakeService
from streams.journal import Journal, JournalError
from streams.recording import Policy
from streams.tokens import TokenStore

IMPORT: Final = Grant("import", frozenset({"fact", "rulebook", "reverse"}))
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
REFUSED_SHOWN: Final = 20
PAGE: Final = 5000
LOG: Final = logging.getLogger("neraca")


def now_us() -> int:
    """The clock: microseconds since the epoch."""
    return time.time_ns() // 1000


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Says how far long work is, at most every two seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._said = time.monotonic()

    def __call__(self, number: int) -> None:
        """``number`` are done."""
        if time.monotonic() - self._said >= 2.0:  # noqa: PLR2004 - seconds
            self._said = time.monotonic()
            say(f"{self._what} {number:,}")


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
    from api.server import serve  # noqa: PLC0415

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


def rebuild(options: argparse.Namespace) -> int:
    """Fold the balances anew, beside the ones served, and switch to them."""
    data = DataDirectory(options.data or Path("var"))
    with data.locked():
        journal = Journal.read_only(data.journal)
        if options.restored:
            journal.begin(journal.zone, now_us())
        generations = Generations(data.balances)
        generation, store = generations.begin()
        position = catch_up(journal, store, PAGE, Progress("events folded:"))
        generations.flip(generation)
        generations.sweep(keep=generation)
        with Reader(
            Live(journal.id, generation, store, position), ZoneInfo(journal.zone), now_us
        ).snapshot() as snapshot:
            print(ENCODER.encode({"position": position, "digest": snapshot.digest()}).decode())
    return 0


def replay(options: argparse.Namespace) -> int:
    """Fold a journal from zero, without the balances, and print what follows."""
    until = until_of(options.until)
    if options.journal is not None:
        folded = checked(fold_file(options.journal, until, Progress("events folded:")))
    else:
        folded = checked(replay_data(DataDirectory(options.data or Path("var")), until))
    zone = folded.opened.data.zone if folded.opened else options.zone
    print(ENCODER.encode(concluded(folded, period_of(options.period, zone), now_us())).decode())
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


def period_of(text: str | None, zone: str) -> Period:
    """The period asked for, the current month by default. Raises: ``Usage``."""
    try:
        return parse_period(text or local_month(now_us(), ZoneInfo(zone)))
    except ValueError as error:
        message = f"--period: {error}"
        raise Usage(message) from None


def token(options: argparse.Namespace) -> int:
    """Make, list and revoke tokens."""
    data = DataDirectory(options.data or Path("var"))
    data.path.mkdir(parents=True, exist_ok=True)
    store, at = TokenStore(sqlite_engine(data.tokens)), utc_text(instant_of(datetime.now(UTC)))
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


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "up": up, "import": import_file, "emit": emit_file, "export": export, "rebuild": rebuild, "replay": replay, "token": token,
}  # fmt: skip
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


def main(arguments: list[str] | None = None) -> int:
    """Run a command: 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = parser().parse_args(arguments)
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
