"""The question of an auditor's replay: read from a form, kept in an address, and written as the command that answers it.

The served balances are read once, when a form is sent: their position and digest are then in the address of the answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from api.http.problems import bad_query
from api.pages.auditor.journal import opened_at, position_of
from api.pages.instants import asked_instant, input_text, said_in_full
from domain.clock import MINUTE_US, instant_of, moment_of, parse_instant, utc_text
from domain.fold.partition import vector_of
from projections.ports import Question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from starlette.datastructures import QueryParams

    from api.pages.words import Words
    from api.v1.reads import Reads
    from domain.periods import Period
    from projections.ports import Lines, Replays
    from projections.reading.reader import Snapshot

HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
ANSWER: Final = frozenset({"period", "since", "until", "digest"})
"""The parameters of an address that hold a question."""
PARTITIONS_MOST: Final = 1000


class Asking(Struct, frozen=True):
    """The desk's form: a position, else an instant as its value and in words; its bounds; and the command.

    ``then`` is the earlier instant of the question in words, if it has one.
    """

    position: str
    at: str
    moment: str
    then: str
    command: str
    least: str
    most: str


def end_of(snapshot: Snapshot) -> str:
    """The end of a replay that a reading corresponds to: a position, or the vector of partitions folded apart."""
    vector = snapshot.version.at.vector
    return str(snapshot.position) if vector is None else msgspec.json.encode(vector).decode()


def start_replay(
    snapshot: Snapshot, lines: Lines, replays: Replays, query: Mapping[str, str], words: Words, now_us: int
) -> str:
    """Keep the served balances, begin the replay that a form asks for, and give the answer's address. Raises: ``Refusal``."""
    until, since = end_of(snapshot), earlier_end(snapshot, lines, query, words.zone, now_us)
    digest = replays.keep(until, snapshot.digest_lines(), now_us)
    question = Question(query["period"], until, since, digest)
    replays.ask(question, begin=True)
    tour = {"tur": query["tur"]} if query.get("tur") else {}
    return f"/auditor?{urlencode(address(question, words) | tour)}#hasil"


def address(question: Question, words: Words) -> dict[str, str]:
    """A question as the parameters of an address."""
    parts = {"period": question.period, "since": question.since, "until": question.until, "digest": question.digest}
    return {name: text for name, text in parts.items() if text} | ({"lang": "en"} if words.code == "en" else {})


def earlier_end(snapshot: Snapshot, lines: Lines, query: Mapping[str, str], zone: tzinfo, now_us: int) -> str:
    """The earlier end that a form asks for: its position, else its instant; ``""`` for neither. Raises: ``Refusal``."""
    text = query.get("position", "").strip()
    if text:
        position = position_of(text)
        if position is None or not 0 < position <= snapshot.position:
            raise bad_query("position", "must be a position that is folded")
        return str(position)
    at_us = asked_instant(query, "at", zone)
    if at_us is None:
        return ""
    if not opened_at(lines) <= at_us <= now_us:
        raise bad_query("at", "must lie between the journal's opening and now")
    return utc_text(at_us)


def question_in(reads: Reads, query: QueryParams) -> Question | None:
    """The question in an address about the served balances; ``None`` if it has none. Raises: ``Refusal``."""
    reader = reads.reader
    return question_of(query, reader.live.position, reads.period(query.get("period")).name, reader.zone)


def question_of(query: Mapping[str, str], position: int, period: str, zone: tzinfo) -> Question | None:
    """The question about a period in an address, up to a position; ``None`` if it has none. Raises: ``Refusal``."""
    if not query.get("until"):
        return None
    until = _end(query, "until", position)
    since = query.get("since", "").strip()
    if since:
        last = int(until) if until.isdigit() else position
        since = utc_text(_instant(since, zone)) if position_of(since) is None else _end(query, "since", last)
    digest = re.sub(r"\s", "", query.get("digest", "")).lower()
    if digest and not HEX.fullmatch(digest):
        raise bad_query("digest", "must be 64 hexadecimal digits")
    return Question(period, until, since, digest)


def _instant(text: str, zone: tzinfo) -> int:
    try:
        instant_us = parse_instant(text)
        moment_of(instant_us, zone)  # it must lie on the calendar of the zone too, in which the page writes it
    except (ValueError, OverflowError) as error:
        raise bad_query("since", str(error)) from None
    return instant_us


def _end(query: Mapping[str, str], name: str, position: int) -> str:
    text = query[name].strip()
    if name == "until" and text.startswith("{"):
        try:
            vector = vector_of(text)
        except msgspec.DecodeError:
            vector = None
        if vector is not None and len(vector.partitions) <= PARTITIONS_MOST:
            return text
        raise bad_query(name, "must be a vector as /v1/digest says it")
    end = position_of(text)
    if end is None or not 0 < end <= position:
        raise bad_query(name, "must be a position that is folded")
    return str(end)


def asking(question: Question | None, period: Period, opened_us: int, words: Words, now_us: int) -> Asking:
    """The form with the instant of the question; without one, the instant at which the period ended, or today began.

    No instant lies before the journal's opening or beyond now.
    """
    zone = words.zone
    since = "" if question is None else question.since
    position = since if since.isdigit() else ""
    has_instant = bool(since) and not position
    at_us = parse_instant(since) if has_instant else _usual(period, opened_us, zone, now_us)
    moment = "" if position else said_in_full(at_us, words)
    return Asking(
        position,
        "" if position else input_text(at_us, zone),
        moment,
        moment if has_instant else "",
        "" if question is None else command(question),
        input_text(_whole(opened_us), zone),
        input_text(now_us // MINUTE_US * MINUTE_US, zone),
    )


def _whole(at_us: int) -> int:
    """The first whole minute not before an instant."""
    return -(-at_us // MINUTE_US) * MINUTE_US


def _usual(period: Period, opened_us: int, zone: tzinfo, now_us: int) -> int:
    """The instant at which a period ended, or today began; in a journal opened after it, the first whole minute."""
    day = moment_of(now_us, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    year, month = (period.year, period.last + 1) if period.last < 12 else (period.year + 1, 1)  # noqa: PLR2004 - months
    is_over = (year, month) <= (day.year, day.month)
    usual_us = instant_of(day.replace(year=year, month=month, day=1) if is_over else day)
    return min(max(usual_us, _whole(opened_us)), now_us)


def command(question: Question) -> str:
    """The command that prints the same of a journal that was downloaded."""
    until = f"'{question.until}'" if question.until.startswith("{") else question.until
    since = f" --since {question.since}" if question.since else ""
    return f"neraca replay --journal jurnal.ndjson --period {question.period}{since} --until {until}"
