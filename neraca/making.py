"""Making tokens: their roles and limits as options, of which each holds or is refused; and the list of all tokens."""

import argparse
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from domain.access.grant import OLD_SCOPES, ROLES, roles_of
from domain.access.limits import WRITING, Limits, refusal_of
from domain.clock import day_begins_us, parse_date, parse_instant, utc_text
from domain.intake.personal import has_number_segment, looks_personal
from domain.intake.recorded import read_line, stated
from neraca.options import names
from neraca.settings import SETTINGS
from neraca.terminal import Usage
from projections.ports import Lines, LineSearch
from streams.places.tokens import TokenRow, TokenStore

FOUND_AT_ONCE: Final = 1000
ID_MOST: Final = 200
"""The longest id as an address has it: the source of ratings under its tickets is made of it."""


def add_making(make: argparse.ArgumentParser) -> None:
    """The options of ``neraca token make``."""
    make.add_argument("id", help="the name of its holder, recorded with every event; never a personal name")
    choices = (*ROLES, *OLD_SCOPES)
    make.add_argument(
        "--role",
        "--scope",
        dest="roles",
        action="append",
        required=True,
        choices=choices,
        metavar="ROLE",
        help=f"what its holder may do: {', '.join(ROLES)}; may be repeated. "
        f"--scope is its old name, and takes the old names too: {', '.join(OLD_SCOPES)}",
    )
    make.add_argument("--dinas", type=names, help="of these dinas alone, separated by commas")
    make.add_argument("--source", type=names, help="events of these sources alone, separated by commas")
    make.add_argument("--asn", default="", help="the ASN that the role asn belongs to")
    make.add_argument("--all", action="store_true", dest="every_dinas", help="a leader of every dinas, without persons")
    make.add_argument(
        "--expires", metavar="WHEN", help="it ends then: a date (at its end), or an instant with its offset"
    )
    make.add_argument("--events-hour", type=_number, metavar="N", help="the most events that it records in an hour")
    make.add_argument("--replaces", metavar="ID", help="a token that ends as this one is made; its sources become free")


def make_token(store: TokenStore, lines: Lines | None, options: argparse.Namespace, now_us: int) -> str:
    """The secret of a new token. ``lines`` are the journal's, if there is one. Raises: ``Usage``."""
    _check_names(options)
    limits = Limits(_set(options.dinas), _set(options.source), options.asn, options.every_dinas, options.events_hour)
    roles = roles_of(frozenset(options.roles), has_limit=limits.dinas is not None or limits.every_dinas)
    why = refusal_of(roles, limits)
    if why is not None:
        raise Usage(why)
    until_us = None if options.expires is None else _end(options.expires)
    if until_us is not None and until_us <= now_us:
        message = "--expires: lies in the past"
        raise Usage(message)
    if lines is not None and roles & {"counter", "rate"}:
        _check_use(lines, store.rows(), limits, options.replaces, now_us)
    try:
        return store.make(
            options.id, sorted(roles), utc_text(now_us), limits, until_us=until_us, replaces=options.replaces
        )
    except ValueError as error:
        raise Usage(str(error)) from None


def _check_names(options: argparse.Namespace) -> None:
    """An id fits an address, and no number of a person names a token, dinas or ASN: each event holds it. Raises: ``Usage``."""
    if len(quote(options.id, safe="")) > ID_MOST:
        message = (
            f"the id: at most {ID_MOST} characters, where one that is not ASCII counts as it is written in an address"
        )
        raise Usage(message)
    names_of = {"the id": [options.id], "--dinas": options.dinas or [], "--asn": [options.asn]}
    wrong = [name for name, words in names_of.items() if any(map(looks_personal, words))]
    wrong += ["--source"] if any(map(has_number_segment, options.source or [])) else []
    if wrong:
        message = f"{' and '.join(wrong)}: a NIK or a NIP names nobody here; give an id that tells nothing of a person"
        raise Usage(message)


def _set(words: Sequence[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        message = f"{text!r} is no number of events"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _end(text: str) -> int:
    """The instant of an end: a date lasts through its end in the zone of the months."""
    try:
        day = parse_date(text)
    except ValueError:
        try:
            return parse_instant(text)
        except ValueError as error:
            message = f"--expires: {error}"
            raise Usage(message) from None
    zone = ZoneInfo(SETTINGS["NERACA_ZONE"].value or "")
    return day_begins_us(day + timedelta(days=1), zone)


def _check_use(lines: Lines, rows: Sequence[TokenRow], limits: Limits, replaces: str | None, now_us: int) -> None:
    """A source that a token without sources has used is not free. Only where there is such a token the journal is searched.

    Raises: ``Usage``.
    """
    anywhere = {row.grant.id: row for row in rows if row.grant.sources is None and row.grant.roles & WRITING}
    for source in sorted(limits.sources or ()) if anywhere else ():
        for recorder, dinas in _uses(lines, source, anywhere.keys()):
            if anywhere[recorder].stands(now_us) and recorder != replaces:
                message = f"the source {source} was used by the token {recorder}: name another, or end it by --replaces"
                raise Usage(message)
            if not dinas <= (limits.dinas or frozenset()):
                message = f"the source {source} was used by the token {recorder} for another dinas: name another"
                raise Usage(message)


def _uses(lines: Lines, source: str, recorders: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The recorders and the dinas of the events under a source, the newest first."""
    search = LineSearch(texts=(('"source":' + msgspec.json.encode(source).decode(),),))
    until = lines.head()
    while until > 0:
        page = lines.newest(search, 0, until, FOUND_AT_ONCE)
        for _, line in page.lines:
            event = read_line(line)
            if event.source == source and event.recordedby in recorders:
                yield event.recordedby, frozenset(data["dinas"] for data in stated(event.data) if data.get("dinas"))
        until = page.reached


def rights_of(options: argparse.Namespace) -> str:
    """The roles and limits of a new token, in words."""
    names = {"dinas": options.dinas, "source": options.source, "asn": [options.asn] if options.asn else None}
    limits = [f"{kind}={','.join(values)}" for kind, values in names.items() if values]
    more = [f"expires={options.expires}"] if options.expires else []
    more += [f"replaces={options.replaces}"] if options.replaces else []
    return " ".join([*options.roles, *(["all"] if options.every_dinas else []), *limits, *more])


def print_all(store: TokenStore, now_us: int) -> None:
    """One line for each token."""
    for row in store.rows():
        print(" ".join(filter(None, _columns(row, now_us))))


def _columns(row: TokenRow, now_us: int) -> Iterator[str]:
    grant = row.grant
    yield f"{grant.id}: {' '.join(sorted(grant.roles))}"
    if grant.dinas is not None:
        yield f"dinas={','.join(sorted(grant.dinas))}"
    if grant.sources is not None:
        yield f"sources={','.join(sorted(grant.sources))}"
    yield f"asn={grant.asn}" if grant.asn else ""
    yield f"events-hour={grant.events_hour}" if grant.events_hour is not None else ""
    yield f"made {row.made}"
    if grant.until_us is not None:
        yield f"{'expires' if now_us < grant.until_us else 'ended'} {utc_text(grant.until_us)}"
    yield f"revoked {row.revoked}" if row.revoked else ""
    if row.is_old_counter and row.stands(now_us):
        yield "old: replace it by one with --dinas and --source"
