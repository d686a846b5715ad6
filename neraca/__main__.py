"""The command line: all commands, their help, and the exit code of each."""

import argparse
import gc
import logging
import sys
from typing import Final

from neraca import database, emit, folding, keep, prove, resolve, scaled, security, serve, take_in
from neraca.options import Command
from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from neraca.wiring import ERRORS
from streams.importing.rows import MappingError

COMMANDS: Final[dict[str, Command]] = {
    command.name: command
    for group in (serve, take_in, emit, resolve, prove, keep, security, database, scaled, folding)
    for command in group.COMMANDS
}
REFUSALS: Final[tuple[type[Exception], ...]] = (
    OSError,
    *ERRORS,
    *(error for command in COMMANDS.values() for error in command.errors),
)
EXAMPLES: Final = """
a first look, on a simulated city:
  neraca up --demo                            then open http://127.0.0.1:8000/

a journal of your own:
  neraca up --open                            serves ./var to this machine, without tokens
  neraca emit events.ndjson --url http://127.0.0.1:8000
  neraca replay --period 2026-11              proves what is served: compare the digest with /v1/digest

settings in the environment (an option wins over its setting):
"""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    settings = "\n".join(
        f"  {setting.name:<24}{setting.help.replace('`', '')} ({setting.default or 'none'})"
        for setting in SETTINGS.values()
    )
    root = argparse.ArgumentParser(
        prog="neraca",
        epilog=EXAMPLES + settings,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Live, explainable, provable performance scores of civil servants (ASN) and agencies (dinas).",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.options(commands.add_parser(command.name, help=command.help, epilog=command.note))
    return root


def settle_memory() -> None:
    """Exempt loaded code from garbage collection, and collect the rest less often: events hold no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def main(arguments: list[str] | None = None) -> int:
    """Run a command: 0 when it succeeded, 1 when it could not, 2 when the command line or a mapping is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = parser().parse_args(arguments)
    settle_memory()
    try:
        return COMMANDS[options.command].run(options)
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
