"""The journal on a page: a query in an address, and the entries it finds as rows in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from api.http.problems import bad_query
from api.pages.auditor.search import KNOWN_KINDS, Entry, Wanted, searched
from api.pages.instants import asked_instant, input_text, said_in_full
from api.pages.page import Need, ReadingPage
from api.pages.sentences import LATE_US, name_of, reason_of, what
from api.pages.tables import Table
from api.pages.targets import Target, target_of
from api.v1.reads import cursor_of, number_after
from domain.clock import DAY_US, local_date, parse_date, stored_instant
from domain.events.kinds import KINDS, NAMES
from domain.events.names import kind_of
from domain.intake.personal import looks_personal
from domain.intake.recorded import Recorded, read_line
from domain.periods import Period, parse_period

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from projections.ports import Lines
    from projections.reading.reader import Snapshot

AUDIT: Final = Need("audit")
"""The scope of all pages of an auditor."""
ROWS: Final = 50
DAYS_FROM: Final = 2
_SIGNS: Final = {"fact": "", "note": "❚❚", "reversal": "−", "rule": "§"}
"""The mark of an entry, by the role of its kind."""
_OWN_SIGNS: Final = {"event-corrected": "±", "permit-resumed": "▶"}


class Row(Struct, frozen=True):
    """An entry of the journal in words; ``late`` is the time between its occurrence and its recording, if that is long."""

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
    target: Target | None


class Filter(Struct, frozen=True):
    """A query of the journal: as it is searched, as an address has it, as the form shows it, and its times in words."""

    wanted: Wanted
    cursor: str | None
    whole: bool
    query: dict[str, str]
    fields: dict[str, str]
    times: tuple[str, ...]


class Listed(Struct, frozen=True):
    """A page of the journal; ``opens`` is a position that the text of the query names."""

    rows: tuple[Row, ...]
    low: int
    high: int
    older: str | None
    jumped: bool
    opens: int | None


class About(Struct, frozen=True):
    """The journal in general, and the choices that its filters offer."""

    head: int
    journal: str
    opened: str
    zone: str
    dinas: list[tuple[str, str]]
    kinds: tuple[tuple[str, str], ...]


class JournalPage(ReadingPage, frozen=True):
    """A page of the journal."""

    template: ClassVar[str] = "journal.html"
    action: ClassVar[Action] = "audit"
    parameters: ClassVar[frozenset[str]] = frozenset(
        {"dinas", "kind", "q", "from", "to", "touches", "after", "until", "whole", "cursor"}
    )

    search: Filter
    listed: Listed
    size: int
    about: About

    @classmethod
    def of(cls, query: PageQuery, head: int) -> Self:
        """The entries that an address asks for, up to the journal's head. Raises: ``Refusal``."""
        search = filter_of(query.parameters, query.words)
        page = listed(query.snapshot, query.lines, head, search, query.words, query.most(ROWS))
        return cls(search, page, ROWS, about_journal(query, head))

    def tables(self, words: Words) -> Tables:
        """The entries."""
        return {"entries": lambda: _table(self.listed, words)}


def filter_of(query: Mapping[str, str], words: Words) -> Filter:
    """The query of the journal in an address. Raises: ``Refusal``."""
    kind, text = query.get("kind", ""), query.get("q", "").strip()[:200]
    if looks_personal(text):
        raise bad_query("q", "looks like a NIK or NIP, which the journal never holds")
    if kind and kind not in KNOWN_KINDS:
        raise bad_query("kind", "is no kind of entry")
    from_us, to_us = (asked_instant(query, name, words.zone) for name in ("from", "to"))
    touches, after, until = _period(query), _position(query, "after"), _position(query, "until")
    criteria = Wanted(query.get("dinas", ""), kind, text, from_us, to_us, touches, after or 0, until)
    instants = [(name, at_us) for name, at_us in (("from", from_us), ("to", to_us)) if at_us is not None]
    fields = {name: query[name] for name in ("dinas", "kind", "touches", "after", "until") if query.get(name)}
    fields |= {"q": text} if text else {}
    fields |= {name: input_text(at_us, words.zone) for name, at_us in instants}
    empty = dict.fromkeys(("dinas", "kind", "q", "from", "to", "touches", "after", "until"), "")
    times = tuple(words(f"journal.{name}_said", moment=said_in_full(at_us, words)) for name, at_us in instants)
    whole = query.get("whole") == "1"
    return Filter(
        criteria, query.get("cursor"), whole, fields | ({"whole": "1"} if whole else {}), empty | fields, times
    )


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
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 19  # noqa: PLR2004 - digits of 63 bits
    return int(digits) if is_number else None


def listed(snapshot: Snapshot, lines: Lines, head: int, search: Filter, words: Words, limit: int = ROWS) -> Listed:
    """A page of the entries that a query finds, the newest first. Raises: ``Refusal`` for a cursor of another list."""
    before = number_after(search.cursor, "journal") or head + 1
    page = searched(lines, search.wanted, min(before, head + 1), limit, whole=search.whole)
    position = position_of(search.wanted.text) if search.wanted.text else None
    return Listed(
        rows_of(snapshot, page.entries, words),
        page.low,
        page.high,
        cursor_of("journal", str(page.low)) if page.more else None,
        page.jumped,
        position if position is not None and 0 < position <= head else None,
    )


def rows_of(snapshot: Snapshot, entries: Sequence[Entry], words: Words) -> tuple[Row, ...]:
    """Entries in words."""
    return tuple(row_of(snapshot, entry, words) for entry in entries)


def row_of(snapshot: Snapshot, entry: Entry, words: Words) -> Row:
    """An entry in words."""
    event = entry.event
    occurred_us, recorded_us = stored_instant(event.time), stored_instant(event.recordedtime)
    return Row(
        entry.position,
        words.moment(occurred_us, short=True),
        words.sortable(occurred_us),
        words.moment(recorded_us, short=True),
        words.sortable(recorded_us),
        _late(recorded_us - occurred_us, words),
        what(event.type, event.data, words),
        sign_of(event),
        " · ".join(_about(snapshot, event, words)),
        event.recordedby,
        short_hash(event),
        target_of(event.type, event.data, entry.position),
    )


def sign_of(event: Recorded) -> str:
    """The mark of an entry that is no fact."""
    kind = KINDS.get(kind_of(event.type))
    return _SIGNS["rule"] if kind is None else _OWN_SIGNS.get(kind.name, _SIGNS[kind.role])


def short_hash(event: Recorded) -> str:
    """The first letters of an entry's hash, or of its id if it has none."""
    return (event.contenthash.partition(":")[2] or event.id)[:8]


def _late(late_us: int, words: Words) -> str:
    if late_us <= LATE_US:
        return ""
    days = late_us // DAY_US
    length = words.duration(late_us) if days < DAYS_FROM else words("journal.days", n=days)
    return words("journal.late", length=length)


def _about(snapshot: Snapshot, event: Recorded, words: Words) -> Iterator[str]:
    """The unit and the names in an entry; for a reversal those of the fact, and the event that it reverses."""
    fact = event.resolved.adds or event.resolved.removes
    type_, data = (fact.type, fact.data) if fact else (event.type, event.data)
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
        yield reason_of(event.data["reason"], words)


def kinds(words: Words) -> tuple[tuple[str, str], ...]:
    """Every kind of entry with its name: a reversal of any kind, a decision of any outcome."""
    own = {kind: f"journal.kind_{kind}" for kind in KNOWN_KINDS}
    return tuple((kind, words(key) if key in words else words.named("kind", kind)) for kind, key in own.items())


def opened_at(lines: Lines) -> int:
    """The instant at which the journal was opened."""
    return stored_instant(read_line(lines.lines_at([1])[1]).recordedtime)


def about_journal(query: PageQuery, head: int) -> About:
    """The journal in general, for a page of it."""
    words, snapshot = query.words, query.snapshot
    first_day = words.day(local_date(opened_at(query.lines), words.zone))
    return About(head, snapshot.version.journal[:13], first_day, zone_of(query), _units(query), kinds(words))


def zone_of(query: PageQuery) -> str:
    """``WIB``: the zone of the pages as it is written."""
    return query.words.moment(query.now_us).rpartition(" ")[2]


def _units(query: PageQuery) -> list[tuple[str, str]]:
    """The ids and names of all dinas that are registered or have figures in the period, by name."""
    snapshot = query.snapshot
    ids = {*snapshot.rulebook.dinas(), *(standing.subject.id for standing in snapshot.dinas(query.period))}
    return sorted(((dinas, name_of(snapshot, dinas)) for dinas in ids), key=lambda pair: (pair[1], pair[0]))


def _table(page: Listed, words: Words) -> Table:
    names = ("position", "occurred", "recorded", "kind", "about", "by", "hash")
    return Table(
        [words(f"journal.{name}") for name in names],
        [(row.position, row.occurred_at, row.recorded_at, row.kind, row.about, row.by, row.hash) for row in page.rows],
        page.older,
    )
