"""The shape of a command, and the options that several commands share. An option wins over its setting."""

import argparse
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from neraca.settings import SETTINGS
from neraca.terminal import Usage

PARTITIONS_MOST: Final = 1000
"""More partitions than any city has dinas."""
PORT_MOST: Final = 65535
OPERATIONS: Final = "health, readiness and metrics in full"
DIGITS_MOST: Final = 9
"""More digits than any number of a setting needs."""


class Command(NamedTuple):
    """One command: its name, one line of help, its options, and its body, which returns the exit code.

    ``errors`` are the exceptions that end it with code 1 and their message; ``note`` is printed below its options.
    """

    name: str
    help: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    errors: tuple[type[Exception], ...] = ()
    note: str | None = None


def add_data(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """The data directory. With ``again`` the option is accepted after an action too; the earlier value is the default."""
    path = SETTINGS["NERACA_DATA"]
    default_path = Path(path.from_environment) if path.from_environment else None
    default = argparse.SUPPRESS if again else default_path
    command.add_argument("--data", type=Path, default=default, metavar="DIR", help=f"data directory ({path.default})")
    add_database(command, again=again)


def add_database(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """The database used instead of a data directory."""
    command.add_argument(
        "--database",
        default=argparse.SUPPRESS if again else SETTINGS["NERACA_DATABASE_URL"].from_environment,
        metavar="URL",
        help="a PostgreSQL database in place of --data: postgresql://user:password@host:5432/database",
    )


def add_zone(command: argparse.ArgumentParser) -> None:
    """The settings by which the intake judges events: the time zone, and the treatment of unregistered names."""
    command.add_argument(
        "--zone", default=SETTINGS["NERACA_ZONE"].value, help="time zone whose months count (%(default)s)"
    )
    command.add_argument(
        "--unknown",
        choices=("open", "strict"),
        default=SETTINGS["NERACA_UNKNOWN"].from_environment or None,
        help="events of an unregistered dinas, ASN or service: record and flag them (open), or refuse them (strict); "
        "by default as the journal was begun: strict by up and intake without --open",
    )


def add_shared(command: argparse.ArgumentParser) -> None:
    """The options of every command that works on a database beside other processes."""
    add_database(command)
    add_zone(command)


def add_address(command: argparse.ArgumentParser, default_port: int) -> None:
    """The address to listen on."""
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    command.add_argument("--port", type=port, default=default_port, help="port (%(default)s); 0 takes a free one")
    command.add_argument(
        "--open",
        action="store_true",
        help="whoever reaches this port from this machine is the operator, without a token; on a loopback --host only",
    )


def add_insecure(command: argparse.ArgumentParser) -> None:
    """The wish to send a token where anybody on the way can read it."""
    command.add_argument(
        "--insecure", action="store_true", help="send the token to an http address beyond this machine, in plain text"
    )


def add_kafka(command: Any, purpose: str) -> None:  # noqa: ANN401 - a parser, or a group of its options
    """The broker."""
    command.add_argument(
        "--kafka",
        nargs="?",
        const="",
        metavar="SERVERS",
        help=f"{purpose}; without SERVERS its addresses are those of NERACA_KAFKA",
    )


def add_partitions(command: argparse.ArgumentParser) -> None:
    """The size of a new journal's first layout."""
    command.add_argument(
        "--partitions",
        type=number,
        default=SETTINGS["NERACA_PARTITIONS"].value,
        help="number of partitions in the first layout (%(default)s)",
    )


def add_process(command: argparse.ArgumentParser) -> None:
    """The options of relays and workers: broker, layout, and what tells one process from another."""
    add_shared(command)
    add_kafka(command, "the broker")
    add_partitions(command)
    command.add_argument(
        "--name", default=socket.gethostname(), help="the name of this process among its kind (default: the machine's)"
    )
    add_metrics(command, "Prometheus metrics")


def add_metrics(command: argparse.ArgumentParser, subject: str) -> None:
    """The port of metrics: of this machine alone, unless an address is named."""
    command.add_argument(
        "--metrics-port",
        type=metrics_address,
        metavar="[HOST:]PORT",
        help=f"serve {subject} on this port, for this machine alone unless HOST is named",
    )


def pair(text: str) -> tuple[str, str]:
    """A field and its value, from ``field=value``."""
    field, equals, value = text.partition("=")
    if not equals or not field:
        message = f"{text!r} is not field=value"
        raise argparse.ArgumentTypeError(message)
    return field, value


def port(text: str) -> int:
    """A port, from its digits."""
    if not text.isdigit() or int(text) > PORT_MOST:
        message = f"{text!r} is no port"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def metrics_address(text: str) -> tuple[str, int]:
    """A host and a port, from ``[HOST:]PORT``; the host is this machine's own by default."""
    host, _, digits = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", port(digits)


def number(text: str) -> int:
    """A number of partitions, from its digits."""
    if not text.isdigit() or not 0 < int(text) <= PARTITIONS_MOST:
        message = f"{text!r} is no number from 1 to {PARTITIONS_MOST}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def names(text: str) -> list[str]:
    """Names, from a list separated by commas."""
    return [name for name in text.split(",") if name]


def number_of(name: str, least: int = 0) -> int:
    """A setting that is a whole number from ``least`` on. Raises: ``Usage``."""
    text = SETTINGS[name].value or ""
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MOST or int(text) < least:
        message = f"{name}: {text!r} is no number from {least} on"
        raise Usage(message)
    return int(text)
