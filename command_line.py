"""The command line's words: commands, options, the help that teaches them, and what is said while they run.

Settings come from the environment; options win.
"""

import argparse
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


class Usage(Exception):  # noqa: N818 - an answer to the person at the terminal
    """A command was asked for wrongly."""


EPILOG = """
a first look, on a simulated city:
  neraca up --demo                            then open http://127.0.0.1:8000/

a journal of your own:
  neraca up                                   serves ./var
  neraca emit events.ndjson --url http://127.0.0.1:8000
  neraca replay --period 2026-11              proves what is served: compare the digest with /v1/digest

settings: NERACA_DATA (./var), NERACA_ZONE (Asia/Jakarta), NERACA_UNKNOWN (open, strict), NERACA_TOKEN (for --url)
"""


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place that speaks


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


def _data(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """``again``: after the action too, where what stands before it holds unless it is said anew."""
    data = os.environ.get("NERACA_DATA")
    command.add_argument(
        "--data", type=Path, default=argparse.SUPPRESS if again else Path(data) if data else None, metavar="DIR",
        help="data directory (default ./var)",
    )  # fmt: skip
    _database(command, again=again)


def _database(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    command.add_argument(
        "--database", default=argparse.SUPPRESS if again else os.environ.get("NERACA_DATABASE_URL"), metavar="URL",
        help="a PostgreSQL database in the place of --data: postgresql://user:password@host:5432/database",
    )  # fmt: skip


def _zone(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--zone",
        default=os.environ.get("NERACA_ZONE", "Asia/Jakarta"),
        help="time zone whose months are counted (%(default)s)",
    )
    command.add_argument(
        "--unknown", choices=("open", "strict"), default=os.environ.get("NERACA_UNKNOWN", "open"),
        help="events of unregistered dinas or ASN: record and flag them (open), or refuse them (strict)",
    )  # fmt: skip


def _pair(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals or not field:
        message = f"{text!r} is not field=value"
        raise argparse.ArgumentTypeError(message)
    return field, value


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:  # noqa: PLR2004 - the last port
        message = f"{text!r} is no port"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = argparse.ArgumentParser(
        prog="neraca", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Live, explainable, provable performance scores of civil servants (ASN) and agencies (dinas).",
    )  # fmt: skip
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _up(commands.add_parser("up", help="serve intake, reads and pages from one process"))
    _import(commands.add_parser("import", help="import a CSV or NDJSON file by a mapping"))
    _emit(commands.add_parser("emit", help="send events to an intake until they are acknowledged"))
    _export(commands.add_parser("export", help="write the journal as CloudEvents, a line each"))
    _rebuild(commands.add_parser("rebuild", help="fold the balances anew from the journal"))
    _replay(commands.add_parser("replay", help="fold a journal from zero and print position, digest and scorecards"))
    _token(commands.add_parser("token", help="make, list and revoke tokens"))
    _intake(commands.add_parser("intake", help="take events for a shared database"))
    _api(commands.add_parser("api", help="serve reads and pages of a shared database"))
    _relay(commands.add_parser("relay", help="relay a shared database's journal to Kafka"))
    _worker(commands.add_parser("worker", help="fold partitions from Kafka into a shared database"))
    _layout(commands.add_parser("layout", help="say, or change, into how many partitions the journal is cut"))
    _resume(commands.add_parser("resume", help="let partitions that stand still go on"))
    return root


def _up(command: argparse.ArgumentParser) -> None:
    _data(command)
    _zone(command)
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (%(default)s); beyond it tokens are needed"
    )
    command.add_argument("--port", type=_port, default=8000, help="port (%(default)s); 0 takes a free one")
    simulated = command.add_mutually_exclusive_group()
    simulated.add_argument(
        "--demo", action="store_true", help="simulate a city's counters, under ./var/demo unless --data is given"
    )
    simulated.add_argument(
        "--latihan", action="store_true",
        help="practise: a small simulated city under ./var/latihan, with guided tours, that can be begun anew",
    )  # fmt: skip


def _import(command: argparse.ArgumentParser) -> None:
    command.epilog = (
        "Safe to run twice: rows already imported are counted as duplicates. "
        "The last line counts what became of each row."
    )
    command.add_argument("file", type=Path, help="CSV or NDJSON, also .gz")
    command.add_argument(
        "--map", type=Path, required=True, metavar="MAPPING.toml", help="which column is which field (see examples/)"
    )
    _data(command)
    _zone(command)
    command.add_argument("--url", help="send to a running intake instead of --data (token: NERACA_TOKEN)")
    command.add_argument(
        "--set", type=_pair, action="append", default=[], metavar="field=value", help="a fixed value, such as dinas=…"
    )
    command.add_argument("--refused", type=Path, metavar="FILE", help="write every refused row and its reason, NDJSON")


def _emit(command: argparse.ArgumentParser) -> None:
    command.epilog = "Safe to run twice: what was acknowledged is not sent again, and what is sent again counts once."
    command.add_argument("file", help="CloudEvents in NDJSON; - reads standard input as it comes")
    to = command.add_mutually_exclusive_group(required=True)
    to.add_argument("--url", help="address of the intake, such as http://127.0.0.1:8000 (token: NERACA_TOKEN)")
    _kafka(to, "produce to the topic neraca.intake instead")
    command.add_argument("--outbox", type=Path, metavar="FILE", help="keep events here until they are acknowledged")
    command.add_argument(
        "--patience", type=float, default=60.0, metavar="SECONDS", help="how long to try a dead network (%(default)s)"
    )


def _export(command: argparse.ArgumentParser) -> None:
    _data(command)
    command.add_argument("--journal", required=True, metavar="FILE.ndjson", help="where to; - is standard output")


def _rebuild(command: argparse.ArgumentParser) -> None:
    _data(command)
    command.add_argument(
        "--restored", action="store_true", help="the journal was put back from a backup: give it a new id"
    )
    command.add_argument(
        "--undivided", action="store_true", help="balances that workers folded are to be folded by neraca up again"
    )


def _replay(command: argparse.ArgumentParser) -> None:
    _data(command)
    command.add_argument("--zone", default=os.environ.get("NERACA_ZONE", "Asia/Jakarta"), help=argparse.SUPPRESS)
    command.add_argument("--journal", type=Path, metavar="FILE.ndjson", help="an exported journal instead of --data")
    command.add_argument("--period", help="2026-11, 2026-Q4, 2026-S2 or 2026 (default: the current month)")
    command.add_argument(
        "--until", metavar="POSITION|TIME", help="fold no further than this position, or this time of recording"
    )
    command.add_argument(
        "--since", metavar="POSITION|TIME",
        help="also print what was known then, and how many events that bear on each dinas were recorded since",
    )  # fmt: skip
    command.add_argument(
        "--against", type=Path, metavar="LINES",
        help="compare with a file of the lines that a digest covers, and print the first that differ",
    )  # fmt: skip


def _token(command: argparse.ArgumentParser) -> None:
    _data(command)
    actions = command.add_subparsers(dest="action", required=True, metavar="make|list|revoke")
    make = actions.add_parser("make", help="make a token; its secret is printed once")
    make.add_argument("id", help="who holds it: recorded with every event, never a personal name")
    make.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=("fact", "rulebook", "reverse", "read", "audit"),
        help="may be repeated",
    )
    make.add_argument("--dinas", type=_names, help="facts of these dinas only, separated by commas")
    make.add_argument("--source", type=_names, help="events of these sources only, separated by commas")
    listing = actions.add_parser("list", help="all tokens, without their secrets")
    revoke = actions.add_parser("revoke", help="end a token")
    revoke.add_argument("id")
    for action in (make, listing, revoke):
        _data(action, again=True)


def _kafka(command: Any, help_text: str) -> None:  # noqa: ANN401 - a parser, or a group of one
    command.add_argument(
        "--kafka", nargs="?", const="", metavar="SERVERS",
        help=f"{help_text}; the bootstrap servers are NERACA_KAFKA's unless named here",
    )  # fmt: skip


def _partitions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--partitions", type=_number, default=_number(os.environ.get("NERACA_PARTITIONS", "12")),
        help="into how many partitions the first layout cuts the journal (%(default)s)",
    )  # fmt: skip


def _number(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1000:  # noqa: PLR2004 - more partitions than a city has dinas
        message = f"{text!r} is no number from 1 to 1000"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _metrics(command: argparse.ArgumentParser) -> None:
    command.add_argument("--metrics-port", type=_port, help="serve Prometheus metrics on this port")


def _name(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", default=socket.gethostname(), help="who it is among its kind (%(default)s)")


def _listening(command: argparse.ArgumentParser, port: int) -> None:
    _database(command)
    _zone(command)
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    command.add_argument("--port", type=_port, default=port, help="port (%(default)s); 0 takes a free one")


def _intake(command: argparse.ArgumentParser) -> None:
    _listening(command, 8001)
    _kafka(command, "take events from the topic neraca.intake too")
    _partitions(command)


def _api(command: argparse.ArgumentParser) -> None:
    _listening(command, 8000)


def _relay(command: argparse.ArgumentParser) -> None:
    command.epilog = "One relay works, the others wait for their turn. What it sends twice is counted once."
    _database(command)
    _zone(command)
    _kafka(command, "the broker")
    _partitions(command)
    _name(command)
    _metrics(command)
    command.add_argument(
        "--events", action="store_true", help="also write each event to the topic neraca.events, for other consumers"
    )


def _worker(command: argparse.ArgumentParser) -> None:
    command.epilog = "Ends its process to begin anew whenever that is the cure; nothing it folded is folded twice."
    _database(command)
    _zone(command)
    _kafka(command, "the broker")
    _partitions(command)
    _name(command)
    _metrics(command)
    command.add_argument("--alone", nargs="?", const=tempfile.gettempdir(), metavar="DIR", help=argparse.SUPPRESS)


def _layout(command: argparse.ArgumentParser) -> None:
    command.epilog = "The new layout begins at the journal's head; workers drain the old one, then go on in the new."
    _database(command)
    _zone(command)
    command.add_argument("--into", type=_number, metavar="PARTITIONS", help="cut it into so many from now on")


def _resume(command: argparse.ArgumentParser) -> None:
    command.epilog = "First see that the cause is gone: each standing partition is shown with its own."
    _database(command)
    _zone(command)
    command.add_argument("--partition", type=int, help="this one alone (default: all that stand still)")
