"""The commands that keep a Neraca in order: `rebuild` its balances, and manage its tokens."""

import argparse
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from domain.clock import utc_text
from domain.events.decoding import StoppedAtEntry
from neraca.making import add_making, make_token, print_all, rights_of
from neraca.noting import note
from neraca.options import Command, add_data
from neraca.signing_in import add_link, add_sessions, link, sessions_of
from neraca.terminal import Progress, say
from neraca.wiring import now_us, place_of, uncollected
from projections.live import Live
from projections.ports import Lines
from projections.reading.reader import Reader
from projections.segment import At
from streams.following.follower import catch_up
from streams.journal.journal import Journal
from streams.places.location import Location

REBUILD_PAGE: Final = 20_000
"""A rebuild writes an account once a page, so larger pages write less."""


def _rebuild_options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    command.add_argument(
        "--restored", action="store_true", help="the journal was restored from a backup: give it a new id"
    )
    command.add_argument("--undivided", action="store_true", help="hand the balances back from workers to neraca up")


def rebuild(options: argparse.Namespace) -> int:
    """Fold the balances again from the journal, beside the ones served, and switch to them."""
    location = place_of(options)
    with location.locked() if options.undivided else location.rebuilding(), uncollected():
        journal = Journal.read_only(location.journal)
        if options.restored:
            journal.begin(journal.zone, now_us(), strict=journal.is_strict)
        generations = location.generations()
        generation, store = generations.begin()
        progress = Progress("events folded:")
        position = catch_up(journal, store, REBUILD_PAGE, progress)
        generations.flip(
            generation, lambda: catch_up(journal, store, REBUILD_PAGE, progress), undivided=options.undivided
        )
        generations.sweep(keep=generation)
        live = Live(journal.id, generation, store, At(position))
        with Reader(live, ZoneInfo(journal.zone), now_us).snapshot() as snapshot:
            result: dict[str, object] = {"position": snapshot.position, "digest": snapshot.digest()}
            vector = snapshot.version.at.vector
            print(msgspec.json.encode(result if vector is None else result | {"vector": vector}).decode())
    return 0


def _token_options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    actions = command.add_subparsers(dest="action", required=True, metavar="make|list|revoke|link|sessions")
    make = actions.add_parser("make", help="make a token; its secret is printed once")
    add_making(make)
    listing = actions.add_parser("list", help="list all tokens, without their secrets")
    revoke = actions.add_parser("revoke", help="revoke a token")
    revoke.add_argument("id", help="its name")
    sign_in = actions.add_parser("link", help="print a link that signs the operator in once, within ten minutes")
    add_link(sign_in)
    sessions = actions.add_parser("sessions", help="list the sessions of browsers, or end some")
    add_sessions(sessions)
    for action in (make, listing, revoke, sign_in, sessions):
        add_data(action, again=True)


def token(options: argparse.Namespace) -> int:
    """Make, list or revoke tokens; let the operator sign in; list or end sessions."""
    location = place_of(options)
    store, at_us = location.token_store(), now_us()
    if options.action == "make":
        secret = make_token(store, _lines(location), options, at_us)
        note(location, "token-made", options.id, rights_of(options))
        if options.replaces:
            note(location, "token-revoked", options.replaces, f"replaced by {options.id}")
        say("This secret is shown once; only its hash is kept.")
        print(secret)
    elif options.action == "link":
        note(location, "link-made", "local")
        return link(store.sessions, options)
    elif options.action == "sessions":
        for name in options.end:
            note(location, "sessions-ended", name)
        return sessions_of(store.sessions, options)
    elif options.action == "revoke":
        if not store.revoke(options.id, utc_text(at_us)):
            say(f"there is no token {options.id}, or it is revoked already")
            return 1
        note(location, "token-revoked", options.id)
    else:
        print_all(store, at_us)
    return 0


def _lines(location: Location) -> Lines | None:
    """The journal, if one was begun here."""
    return Journal.read_only(location.journal) if location.journal.exists() else None


COMMANDS: Final = (
    Command("rebuild", "fold the balances again from the journal", _rebuild_options, rebuild, errors=(StoppedAtEntry,)),
    Command("token", "make, list and revoke tokens; sign in by a link; list and end sessions", _token_options, token),
)
