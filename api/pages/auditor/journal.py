"""The journal on a page: what was asked of it, its entries as rows in words, and one entry with all it takes to check it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from api.http.problems import bad_query
from api.pages.auditor.search import KNOWN_KINDS, Entry, Wanted, searched
from api.pages.drawing import name_of
from api.pages.instants import asked_instant, input_text, said_in_full
from api.pages.subject.receipt import measure_label, what
from api.v1.reads import cursor_of, number_after
from domain.canonical import canonical
from domain.clock import DAY_US, SECOND_US, parse_date, parse_instant, utc_text
from domain.events.entries import decode
from domain.events.kinds import KINDS, NAMES
from domain.events.names import kind_of
from domain.fold.postings import postings_of
from domain.intake.recorded import Recorded, read_line
from domain.measures import MEASURES
from domain.periods import Period, parse_period
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from api.pages.words import Words
    from domain.fold.postings import Account
    from projections.ports import Lines
    from projections.reading.reader import Snapshot

ROWS: Final = 50
LATE_US: Final = 60 * SECOND_US
"""An entry recorded longer than this after it occurred is marked."""
DAYS_FROM: Final = 2
LARGEST: Final = 2**62
_SIGNS: Final = {"fact": "", "note": "❚❚", "reversal": "−", "rule": "§"}
"""What marks an entry, by the role of its kind."""
_OWN_SIGNS: Final = {"event-corrected": "±", "permit-resumed": "▶"}


class Row(Struct, frozen=True):
    """An entry of the journal in words; ``late`` says how long after it occurred it was recorded, where that is long."""

    position: int
    occurred: str
    occurred_at: str
    recorded: str
    recorded_at: str
    late: str
    kind: str
    sign: str
    about: str
    by: str
    hash: str


class Filter(Struct, frozen=True):
    """What a reader asked of the journal: as it is searched, and as the form shows it."""

    wanted: Wanted
    cursor: str | None
    whole: bool
    query: dict[str, str]
    fields: dict[str, str]
    said: tuple[str, ...]


class Listed(Struct, frozen=True):
    """A page of the journal."""

    rows: tuple[Row, ...]
    low: int
    high: int
    older: str | None
    jumped: bool
    opens: int | None
    """A position that the text asked for names."""


def asked_of(query: Mapping[str, str], words: Words) -> Filter:
    """What is asked of the journal by an address. Raises: ``Refusal``."""
    kind, text = query.get("kind", ""), query.get("q", "").strip()[:200]
    if kind and kind not in KNOWN_KINDS:
        raise bad_query("kind", "is no kind of entry")
    from_us, to_us = (asked_instant(query, name, words.zone) for name in ("from", "to"))
    touches, after, until = _period(query), _position(query, "after"), _position(query, "until")
    wanted = Wanted(query.get("dinas", ""), kind, text, from_us, to_us, touches, after or 0, until)
    kept = {name: query[name] for name in ("dinas", "kind", "touches", "after", "until") if query.get(name)}
    kept |= {"q": text} if text else {}
    times = {name: input_text(at, words.zone) for name, at in (("from", from_us), ("to", to_us)) if at is not None}
    said = tuple(
        words(f"journal.{name}_said", moment=said_in_full(at, words))
        for name, at in (("from", from_us), ("to", to_us)) if at is not None
    )  # fmt: skip
    fields = dict.fromkeys(("dinas", "kind", "q", "from", "to", "touches", "after", "until"), "") | kept | times
    whole = query.get("whole") == "1"
    return Filter(wanted, query.get("cursor"), whole, kept | times | ({"whole": "1"} if whole else {}), fields, said)


def _period(query: Mapping[str, str]) -> Period | None:
    try:
        return parse_period(query["touches"]) if query.get("touches") else None
    except ValueError as error:
        raise bad_query("touches", str(error)) from None


def _position(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    position = position_of(text)
    if position is None:
        raise bad_query(name, "must be a position of the journal")
    return position


def position_of(text: str) -> int | None:
    """A position as people write it, its digits grouped or not; ``None`` for any other text."""
    digits = text.replace(".", "").replace(",", "").replace("\N{NO-BREAK SPACE}", "").strip()
    known = digits.isascii() and digits.isdigit() and len(digits) < 19  # noqa: PLR2004 - digits of 63 bits
    return int(digits) if known else None


def listed(snapshot: Snapshot, lines: Lines, head: int, asked: Filter, words: Words, limit: int = ROWS) -> Listed:
    """A page of the entries that were asked for, the newest first. Raises: ``Refusal`` for a cursor of another list."""
    before = number_after(asked.cursor, "journal") or head + 1
    found = searched(lines, asked.wanted, min(before, head + 1), limit, whole=asked.whole)
    position = position_of(asked.wanted.text) if asked.wanted.text else None
    return Listed(
        tuple(row(snapshot, entry, words) for entry in found.entries), found.low, found.high,
        cursor_of("journal", str(found.low)) if found.more else None, found.jumped,
        position if position is not None and 0 < position <= head else None,
    )  # fmt: skip


def row(snapshot: Snapshot, entry: Entry, words: Words) -> Row:
    """An entry in words."""
    event = entry.event
    occurred, recorded = parse_instant(event.time), parse_instant(event.recordedtime)
    return Row(
        entry.position, words.moment(occurred, short=True), words.sortable(occurred),
        words.moment(recorded, short=True), words.sortable(recorded),
        _late(recorded - occurred, words), what(event.type, event.data, words), sign_of(event),
        " · ".join(_about(snapshot, event, words)), event.recordedby, short_hash(event),
    )  # fmt: skip


def sign_of(event: Recorded) -> str:
    """What marks an entry that is no fact."""
    kind = KINDS.get(kind_of(event.type))
    return _SIGNS["rule"] if kind is None else _OWN_SIGNS.get(kind.name, _SIGNS[kind.role])


def short_hash(event: Recorded) -> str:
    """The first letters of what identifies an entry."""
    return (event.contenthash.partition(":")[2] or event.id)[:8]


def _late(late_us: int, words: Words) -> str:
    if late_us <= LATE_US:
        return ""
    days = late_us // DAY_US
    length = words.duration(late_us) if days < DAYS_FROM else words("journal.days", n=words.number(days))
    return words("journal.late", length=length)


def _about(snapshot: Snapshot, event: Recorded, words: Words) -> Iterator[str]:
    """The unit and the names an entry says; of a reversal those of the fact, and which event it reverses."""
    embedded = event.resolved.adds or event.resolved.removes
    type_, data = (embedded.type, embedded.data) if embedded else (event.type, event.data)
    if data.get("dinas"):
        yield data["dinas"] if "name" in data else name_of(snapshot, data["dinas"])
    kind = KINDS.get(kind_of(type_))
    yield from (data[name] for name in (kind.names if kind else (*NAMES, "zone")) if data.get(name))
    if "amount" in data:
        yield words("journal.hours", n=words.number(data["amount"]))
    if "effective_from" in data:
        yield words("journal.effective", day=words.day(parse_date(data["effective_from"])))
    if "event" in event.data:
        yield words("journal.reverses", source=event.data["event"]["source"], id=event.data["event"]["id"])
    if "reason" in event.data:
        yield words("receipt.reason", reason=words.named("pause", event.data["reason"]))


class Amount(Struct, frozen=True):
    """What is added to one measure; of a length in microseconds with its unit."""

    measure: str
    amount: int
    unit: str


class Posted(Struct, frozen=True):
    """What an entry adds to one account."""

    account: Account
    amounts: tuple[Amount, ...]


class Whole(Struct, frozen=True):
    """One entry: in words, its bytes as stored, the bytes its hash is of, and what it posts."""

    row: Row
    event: Recorded
    line: str
    pretty: str
    canonical: str
    computed: str
    line_hash: str
    posted: tuple[Posted, ...]
    readable: bool
    previous: int | None
    next: int | None


def stored(lines: Lines, text: str) -> tuple[int, bytes]:
    """The position that an address names, and its line. Raises: ``Refusal`` when the journal has none there."""
    position = position_of(text)
    line = lines.lines_at([position]).get(position) if position and position < LARGEST else None
    if position is None or line is None:
        raise Refusal("not-found", "the journal has no such position", Fault("/position", "is not in the journal"))
    return position, line


def hashed_bytes(event: Recorded) -> bytes:
    """The canonical bytes that an entry's content hash is of: what was said, without what was resolved."""
    data = {name: value for name, value in event.data.items() if name != "resolved"}
    return canonical({"data": data, "time": utc_text(parse_instant(event.time)), "type": event.type})


def whole_entry(snapshot: Snapshot, lines: Lines, text: str, head: int, words: Words) -> Whole:
    """One entry with all it takes to check it. Raises: ``Refusal``."""
    position, line = stored(lines, text)
    event = read_line(line)
    said = hashed_bytes(event)
    posted, readable = _posted(line, words)
    return Whole(
        row(snapshot, Entry(position, line, event), words), event, line.decode(),
        msgspec.json.format(line, indent=2).decode(), said.decode(), f"v1:{hashlib.sha256(said).hexdigest()}",
        hashlib.sha256(line).hexdigest(), posted, readable,
        position - 1 if position > 1 else None, position + 1 if position < head else None,
    )  # fmt: skip


def _posted(line: bytes, words: Words) -> tuple[tuple[Posted, ...], bool]:
    """What a line posts; nothing, and ``False``, of one that this version cannot read."""
    try:
        entry = decode(line)
    except msgspec.DecodeError:
        return (), False
    return tuple(
        Posted(posting.account, tuple(
            Amount(measure_label(MEASURES[index], words), amount, "µs" if MEASURES[index].endswith("_us") else "")
            for index, amount in posting.amounts if amount
        ))
        for posting in postings_of(entry)
    ), True  # fmt: skip


def kinds(words: Words) -> tuple[tuple[str, str], ...]:
    """Every kind of entry, and its name: a reversal whatever it reverses, a decision whatever was decided."""
    own = {kind: f"journal.kind_{kind}" for kind in KNOWN_KINDS}
    return tuple((kind, words(key) if key in words else words.named("kind", kind)) for kind, key in own.items())
