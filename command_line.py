"""The command line's words: commands, options, the help that teaches them, and what is said while they run.

Settings come from the environment; options win.
"""

import argparse
import os
import sys
import time
from pathlib import Path


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


def _data(command: argparse.ArgumentParser) -> None:
    data = os.environ.get("NERACA_DATA")
    command.add_argument(
        "--data", type=Path, default=Path(data) if data else None, metavar="DIR", help="data directory (default ./var)"
    )


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
    return root


def _up(command: argparse.ArgumentParser) -> None:
    _data(command)
    _zone(command)
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (%(default)s); beyond it tokens are needed"
    )
    command.add_argument("--port", type=_port, default=8000, help="port (%(default)s); 0 takes a free one")
    command.add_argument(
        "--demo", action="store_true", help="simulate a city's counters, under ./var/demo unless --data is given"
    )


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
    command.add_argument(
        "--url", required=True, help="address of the intake, such as http://127.0.0.1:8000 (token: NERACA_TOKEN)"
    )
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


def _replay(command: argparse.ArgumentParser) -> None:
    _data(command)
    command.add_argument("--zone", default=os.environ.get("NERACA_ZONE", "Asia/Jakarta"), help=argparse.SUPPRESS)
    command.add_argument("--journal", type=Path, metavar="FILE.ndjson", help="an exported journal instead of --data")
    command.add_argument("--period", help="2026-11, 2026-Q4, 2026-S2 or 2026 (default: the current month)")
    command.add_argument(
        "--until", metavar="POSITION|TIME", help="fold no further than this position, or this time of recording"
    )


def _token(command: argparse.ArgumentParser) -> None:
    _data(command)
    actions = command.add_subparsers(dest="action", required=True, metavar="make|list|revoke")
    make = actions.add_parser("make", help="make a token; its secret is printed once")
    make.add_argument("id", help="who holds it: recorded with every event, never a personal name")
    make.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=("fact", "rulebook", "reverse", "read"),
        help="may be repeated",
    )
    make.add_argument("--dinas", type=_names, help="facts of these dinas only, separated by commas")
    make.add_argument("--source", type=_names, help="events of these sources only, separated by commas")
    actions.add_parser("list", help="all tokens, without their secrets")
    revoke = actions.add_parser("revoke", help="end a token")
    revoke.add_argument("id")
