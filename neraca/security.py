"""The command that shows the security log: `security log`."""

import argparse
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from domain.clock import day_begins_us, parse_date, parse_instant, utc_text
from neraca.options import Command, add_data
from neraca.settings import SETTINGS
from neraca.terminal import Usage
from neraca.wiring import place_of

DATE_CHARS: Final = 10


def _options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    actions = command.add_subparsers(dest="action", required=True, metavar="log")
    log = actions.add_parser(
        "log", help="print the log, one JSON object a line: notes, then looks at persons and lists"
    )
    log.add_argument(
        "--since", metavar="TIME", help="from a day (2026-11-24) or an instant (2026-11-24T10:00:00+07:00) on"
    )
    add_data(log, again=True)


def security(options: argparse.Namespace) -> int:
    """Print the security log."""
    store, since_us = place_of(options).security_log(), _since_us(options.since)
    for entry in store.notes(since_us):
        note = msgspec.structs.asdict(entry.note)
        _print({"at": utc_text(entry.at_us), **note})
    for row in store.looks(since_us):
        look = msgspec.structs.asdict(row.look)
        times = {"first": utc_text(row.first_us), "last": utc_text(row.last_us)}
        _print({"what": "person-read" if row.look.person else "list-read", **look, "count": row.count, **times})
    store.close()
    return 0


def _print(row: dict[str, object]) -> None:
    print(msgspec.json.encode(row).decode())


def _since_us(text: str | None) -> int:
    """The instant from which on the log is printed. Raises: ``Usage``."""
    if text is None:
        return 0
    zone = ZoneInfo(SETTINGS["NERACA_ZONE"].value or "")
    try:
        if len(text) == DATE_CHARS:
            return day_begins_us(parse_date(text), zone)
        return parse_instant(text)
    except ValueError as error:
        message = f"--since: {error}"
        raise Usage(message) from None


COMMANDS: Final = (Command("security", "show the security log", _options, security),)
