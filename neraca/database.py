"""The command for the owner of a shared database: `database prepare` makes its tables, its roles and their rights."""

import argparse
from pathlib import Path
from typing import Final

from neraca.cluster import database_named
from neraca.options import Command, add_database
from neraca.secret import prepare_secret
from neraca.terminal import say
from streams.places.location import ensure_served


def _options(command: argparse.ArgumentParser) -> None:
    add_database(command)
    actions = command.add_subparsers(dest="action", required=True, metavar="prepare")
    prepare = actions.add_parser(
        "prepare",
        help="make tables, roles and rights, and the file that NERACA_SECRET_FILE names; run it again after each update",
    )
    prepare.add_argument(
        "--secrets",
        type=Path,
        metavar="DIR",
        help="files with the password of each role, one of its name; those that are missing are written",
    )
    add_database(prepare, again=True)


def database(options: argparse.Namespace) -> int:
    """Prepare a database for processes of many roles."""
    from streams.places.roles import ROLES, passwords_in  # noqa: PLC0415 - an extra

    place = database_named(options)
    place.prepare_roles({} if options.secrets is None else passwords_in(options.secrets))
    secret = prepare_secret()
    generations = place.generations()
    if generations.serves_another_version():
        # They are kept until a rebuild, or a worker, replaces them: a rebuild goes on with their partitions.
        say("the balances are of another version: run `neraca rebuild`, or let a worker fold the journal anew")
    else:
        _, store = ensure_served(generations)
        store.engine.dispose()
    for role in ROLES:
        print(role)
    say(f"{place.label} is prepared: the owner makes tables and grants, and serves nothing")
    if secret is not None:
        say(f"the secret of tickets and forms is in {secret}, for intakes and readers")
    return 0


COMMANDS: Final = (
    Command(
        "database",
        "make the tables and roles of a shared database",
        _options,
        database,
        note="Run it as the owner. Each process then connects under its own role, none of which can change a line.",
    ),
)
