"""One entry of the journal with all that is needed to check it: its bytes, the bytes its hash is of, and its postings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar, Final, Self

import msgspec
from msgspec import Struct

from api.pages.auditor.journal import position_of, row_of, zone_of
from api.pages.auditor.search import Entry
from api.pages.measures import measure_label
from api.pages.page import ReadingPage
from api.pages.tables import Table
from domain.canonical import canonical
from domain.clock import stored_instant, utc_text
from domain.events.entries import decode
from domain.fold.postings import postings_of
from domain.intake.recorded import Recorded, as_submitted, read_line
from domain.measures import MEASURES
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from api.pages.auditor.journal import Row
    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.fold.postings import Account
    from projections.ports import Lines

LARGEST: Final = 2**62


class Amount(Struct, frozen=True):
    """The amount added to one measure; a length in microseconds has that as its unit."""

    measure: str
    amount: int
    unit: str


class Posted(Struct, frozen=True):
    """The amounts that an entry adds to one account."""

    account: Account
    amounts: tuple[Amount, ...]


class WholeEntry(Struct, frozen=True):
    """One entry: in words, its bytes as stored, the bytes its hash is of, and its postings.

    ``course`` has the positions of the fact that it reverses, and of the reversals of it.
    """

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
    course: tuple[int, ...]


class EntryPage(ReadingPage, frozen=True):
    """One entry of the journal."""

    template: ClassVar[str] = "entry.html"
    action: ClassVar[Action] = "audit"

    entry: WholeEntry
    zone: str

    @classmethod
    def of(cls, query: PageQuery, position: str, head: int) -> Self:
        """The entry at a position of a journal up to its head. Raises: ``Refusal``."""
        return cls(whole_entry(query, position, head), zone_of(query))

    def tables(self, words: Words) -> Tables:
        """Its postings."""
        return {"postings": lambda: _table(self.entry, words)}


def stored(lines: Lines, text: str) -> tuple[int, bytes]:
    """The position that an address names, and its line. Raises: ``Refusal`` if the journal has none there."""
    position = position_of(text)
    line = lines.lines_at([position]).get(position) if position and position < LARGEST else None
    if position is None or line is None:
        raise Refusal("not-found", "the journal has no such position", Fault("/position", "is not in the journal"))
    return position, line


def hashed_bytes(event: Recorded) -> bytes:
    """The canonical bytes that an entry's content hash is of: its data without the resolved fields."""
    data = as_submitted(event.data)
    return canonical({"data": data, "time": utc_text(stored_instant(event.time)), "type": event.type})


def whole_entry(query: PageQuery, text: str, head: int) -> WholeEntry:
    """One entry with all that is needed to check it. Raises: ``Refusal``."""
    position, line = stored(query.lines, text)
    event = read_line(line)
    content = hashed_bytes(event)
    postings, readable = _posted(line, query.words)
    return WholeEntry(
        row_of(query.snapshot, Entry(position, line, event), query.words),
        event,
        line.decode(),
        msgspec.json.format(line, indent=2).decode(),
        content.decode(),
        f"v1:{hashlib.sha256(content).hexdigest()}",
        hashlib.sha256(line).hexdigest(),
        postings,
        readable,
        position - 1 if position > 1 else None,
        position + 1 if position < head else None,
        tuple(other for other, _ in query.lines.course_of(position) if other != position),
    )


def _posted(line: bytes, words: Words) -> tuple[tuple[Posted, ...], bool]:
    """The postings of a line; none and ``False`` for a line that this version cannot read."""
    try:
        entry = decode(line)
    except msgspec.DecodeError:
        return (), False
    postings = []
    for posting in postings_of(entry):
        amounts = [(MEASURES[index], amount) for index, amount in posting.amounts if amount]
        postings.append(Posted(posting.account, tuple(_amount(name, amount, words) for name, amount in amounts)))
    return tuple(postings), True


def _amount(measure: str, amount: int, words: Words) -> Amount:
    return Amount(measure_label(measure, words), amount, "µs" if measure.endswith("_us") else "")


def _table(entry: WholeEntry, words: Words) -> Table:
    """A row for each measure of each account; lengths in microseconds, as they are posted."""
    names = ("csv.service", "subject.month", "auditor.measure", "journal.amounts")
    return Table(
        [words("journal.dinas"), "ASN", *(words(name) for name in names)],
        [
            (*posting.account, f"{amount.measure} ({amount.unit})" if amount.unit else amount.measure, amount.amount)
            for posting in entry.posted
            for amount in posting.amounts
        ],
    )
