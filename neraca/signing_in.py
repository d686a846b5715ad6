"""The actions of `neraca token` about browsers: a sign-in link, and the sessions that stand."""

import argparse
from typing import TYPE_CHECKING

from domain.clock import utc_text
from neraca.doors import make_link
from neraca.settings import SETTINGS
from neraca.terminal import say
from neraca.wiring import now_us

if TYPE_CHECKING:
    from streams.places.sessions import SessionStore

HERE = "http://127.0.0.1:8000"


def add_link(action: argparse.ArgumentParser) -> None:
    """The options of `token link`."""
    action.add_argument(
        "--url",
        default=SETTINGS["NERACA_URL"].from_environment or HERE,
        help=f"the address that the browser reaches (NERACA_URL, else {HERE})",
    )


def add_sessions(action: argparse.ArgumentParser) -> None:
    """The options of `token sessions`."""
    action.add_argument(
        "--end",
        action="append",
        default=[],
        metavar="NAME",
        help="end the session of this name, or all sessions of the token of this id; may be repeated",
    )


def link(sessions: "SessionStore", options: argparse.Namespace) -> int:
    """Print a new sign-in link; an earlier one that nobody has spent ends."""
    say("This link signs the operator in once, within ten minutes.")
    print(make_link(sessions, options.url))
    return 0


def sessions_of(sessions: "SessionStore", options: argparse.Namespace) -> int:
    """End the sessions that are named; without a name, list all that stand."""
    if not options.end:
        for session in sessions.standing(now_us()):
            times = (utc_text(at_us) for at_us in (session.begun_us, session.seen_us, session.until_us))
            print("{}: {} begun {} seen {} ends {}".format(session.name, session.token, *times))
        return 0
    unknown = 0
    for name in options.end:
        count = sessions.end_named(name)
        unknown += not count
        say(
            f"{name}: {f'sessions ended: {count}' if count else 'no session has this name, and no token of it a session'}"
        )
    return 1 if unknown else 0
