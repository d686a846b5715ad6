"""The tables of the pages as rows of figures, each by its name: what `?csv=` of a page answers with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from domain.clock import HOUR_US
from domain.score.scorecard import Rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from api.pages.csv import Cell
    from api.pages.drawing import Indicator
    from api.pages.words import Words
    from domain.score.scorecard import IndicatorLine, Scorecard

Row = tuple["Cell", ...]
Made = dict[str, Any]


class Table(Struct, frozen=True):
    """A head and its rows; of a list that is longer, where it goes on, and the page that lists it if that is another."""

    head: Sequence[str]
    rows: Sequence[Row]
    rest: str | None = None
    page: tuple[str, ...] = ()


def _board(made: Made, words: Words) -> Table:
    board = made["board"]
    parts = [column for head in board.heads for column in (head.name, f"n {head.unit}")]
    head = (
        words("csv.rank_best"), words("csv.rank_worst"), "id", words("board.agency"), words("board.score"), *parts,
        words("subject.covered"), words("board.open"), words("board.overdue"),
    )  # fmt: skip
    return Table(head, [
        (
            *_rank(row.card), row.card.subject.id, row.name, row.card.iku.value, *_parts(row.indicators),
            sum(part.line.weight for part in row.indicators if part.ok),
            row.card.counts.permits_open, row.card.counts.permits_open_overdue,
        )
        for group in board.groups for row in group.rows
    ])  # fmt: skip


def _rank(card: Scorecard) -> tuple[Cell, Cell]:
    return (card.rank.best, card.rank.worst) if isinstance(card.rank, Rank) else (None, None)


def _parts(indicators: Sequence[Indicator]) -> Iterator[Cell]:
    for part in indicators:
        yield from (part.line.capaian, part.line.n)


def _services(made: Made, words: Words) -> Table:
    named = (
        "service",
        "standard_hours",
        "open",
        "overdue",
        "received",
        "decided",
        "rejected",
        "mean_hours",
        "on_time",
        "of_timed",
        "mean_capaian",
    )
    rows = [
        (
            row.id, _hours(row.standard_us), row.open, row.overdue, row.received, row.permits, row.rejected,
            _hours(row.mean_us), row.on_time, row.with_standard, row.capaian,
        )
        for row in made["services"].rows
    ]  # fmt: skip
    return Table([words(f"csv.{name}") for name in named], rows)


def _hours(length_us: int | None) -> Cell:
    """Hours in two decimals, rounded down."""
    return None if length_us is None else Decimal(length_us * 100 // HOUR_US).scaleb(-2)


def _indicators(made: Made, words: Words) -> Table:
    head = [
        words(f"subject.{name}") for name in ("indicator", "value", "target_head", "capaian", "weight", "contribution")
    ]
    return Table([*head, "n"], [
        (
            line.part.name, line.part.line.value, line.part.line.target, line.part.line.capaian, line.part.line.weight,
            line.contribution, line.part.line.n,
        )
        for line in made["view"].lines
    ])  # fmt: skip


def _months(made: Made, words: Words) -> Table:
    head = [
        words(key) for key in ("subject.month", "board.score", "subject.permits", "subject.ratings", "subject.tasks")
    ]
    return Table(head, [
        (month.name, month.card.iku.value, month.card.counts.permits, month.card.counts.ratings, month.card.counts.tasks)
        for month in made["view"].months
    ])  # fmt: skip


def _counts(made: Made, words: Words) -> Table:
    counts = made["view"].card.counts
    return Table(
        (words("csv.what"), words("csv.number")),
        [
            (words(f"count.{name}"), getattr(counts, name))
            for name in counts.__struct_fields__
            if f"count.{name}" in words
        ],
    )


def _staff(made: Made, words: Words) -> Table:
    named = (
        "board.rank",
        "subject.staff_score",
        "subject.permits",
        "subject.ratings",
        "subject.tasks",
        "board.open",
        "board.overdue",
    )
    cards = made["staff"].cards if made["staff"] is not None else ()
    return Table(["ASN", *map(words, named)], [
        (
            card.subject.id, _rank(card)[0], card.iku.value, card.counts.permits, card.counts.ratings, card.counts.tasks,
            card.counts.permits_open, card.counts.permits_open_overdue,
        )
        for card in cards
    ], None if made["staff"] is None else made["staff"].next)  # fmt: skip


def _files(made: Made, words: Words) -> Table:
    named = ("open.file", "csv.service", "open.received", "open.due", "open.state")
    files = made["files"]
    rows, rest = (files.rows, files.next) if files is not None else ((), None)
    page = ("dinas", made["view"].card.subject.id, "files") if "view" in made else ()
    return Table([*map(words, named), "ASN"], [
        (row.case, row.service, row.received_at, row.due_at, row.left if row.overdue else row.paused or row.left, row.asn)
        for row in rows
    ], rest, page)  # fmt: skip


def _events(made: Made, words: Words) -> Table:
    if "receipt" in made:
        rows, rest = made["receipt"].events, made["receipt"].why.next
    else:
        rows, rest = made["events"].rows, made["events"].next
    of = made["view"].card.subject if "view" in made else None
    page = () if of is None else (of.kind, of.id, "events")
    named = ("receipt.position", "receipt.occurred", "receipt.event", "csv.detail", "csv.name", "receipt.posted")
    return Table([words(name) for name in named], [
        (row.at, row.instant, row.what, row.detail, row.name, row.posted) for row in rows
    ], rest, page)  # fmt: skip


def _unsur(made: Made, words: Words) -> Table:
    terms = [term for part in made["receipt"].why.formula.indicators for term in part.unsur]
    return Table(
        (words("receipt.unsur"), "n", words("receipt.sum"), "NRR"),
        [(words.named("unsur", term.unsur), term.n, term.sum, term.nrr) for term in terms],
    )


def _public(made: Made, words: Words) -> Table:
    named = ("board.agency", "csv.service", "csv.standard_hours", "csv.mean_hours", "csv.on_time", "csv.of_timed", "csv.ikm",
             "csv.grade", "csv.respondents")  # fmt: skip
    return Table([words(name) for name in named], [
        (
            unit.name, one.row.id, _hours(one.row.standard_us), _hours(one.row.mean_us), one.row.on_time,
            one.row.with_standard, one.ikm, one.grade, one.respondents,
        )
        for unit in made["public"].units for one in unit.services
    ])  # fmt: skip


def _course(made: Made, words: Words) -> Table:
    named = ("receipt.occurred", "receipt.event", "file.length")
    return Table(
        [words(name) for name in named], [(step.instant, step.what, step.length) for step in made["file"].steps]
    )


def _entries(made: Made, words: Words) -> Table:
    named = ("position", "occurred", "recorded", "kind", "about", "by", "hash")
    listed = made["listed"]
    return Table([words(f"journal.{name}") for name in named], [
        (row.position, row.occurred_at, row.recorded_at, row.kind, row.about, row.by, row.hash) for row in listed.rows
    ], listed.older)  # fmt: skip


def _postings(made: Made, words: Words) -> Table:
    """A row for each measure of each account; lengths in microseconds, as they are posted."""
    named = ("csv.service", "subject.month", "auditor.measure", "journal.amounts")
    return Table([words("journal.dinas"), "ASN", *map(words, named)], [
        (*one.account, f"{added.measure} ({added.unit})" if added.unit else added.measure, added.amount)
        for one in made["entry"].posted for added in one.amounts
    ])  # fmt: skip


def _then_and_now(made: Made, words: Words) -> Table:
    """The indicators of the unit that is told in full, and its score, as the replay that is shown came to them."""
    then, now = words("auditor.then_head"), words("auditor.now_head")
    head = (
        words("difference.id"), words("subject.indicator"), then, f"n {then}", now, f"n {now}", words("auditor.difference"),
        words("difference.then_position"), words("difference.now_position"),
    )  # fmt: skip
    moved = made["moved"]
    if moved is None or moved.picked is None:
        return Table(head, ())
    unit, ends = moved.picked, (moved.then.position, moved.now.position)
    lines = [(name, *(_read(line) for line in pair)) for name, *pair in made["indicators"]]
    lines.append((words("receipt.total"), *((value, None) for value in unit.values)))
    return Table(head, [
        (unit.id, name, *was, *new, None if None in (was[0], new[0]) else new[0] - was[0], *ends) for name, was, new in lines
    ])  # fmt: skip


def _read(line: IndicatorLine | None) -> tuple[Decimal | None, int]:
    return (None, 0) if line is None else (line.value, line.n)


def _digest(made: Made, words: Words) -> Table:
    """The first lines that differ, and how many there are; a line that is no account's as it stands on both sides."""
    head = [words(f"auditor.{name}") for name in ("account", "measure", "served_head", "replayed_head")]
    told = made["compared"]
    first = () if told is None else told.first
    rows: list[Row] = [
        (line.about, *measure) for line in first for measure in line.measures or (("", line.kept, line.replayed),)
    ]
    if told is not None and (told.differs or 0) > len(first):
        rows.append((words("csv.differs", n=words.number(told.differs), shown=words.number(len(first))),))
    return Table(head, rows)


def _checks(made: Made, words: Words) -> Table:
    named = ("auditor.compared_with", "csv.read_at", "journal.position", "auditor.kept_head", "auditor.replayed_head",
             "auditor.result", "csv.checked_at")  # fmt: skip
    return Table([words(name) for name in named], [
        (
            words("auditor.noted" if one.served_us is None else "auditor.served_head"),
            None if one.served_us is None else words.sortable(one.served_us), one.position, one.question.digest,
            one.replayed, words("auditor.same" if one.same else "auditor.different"), words.sortable(one.at_us),
        )
        for one in made["others"]
    ])  # fmt: skip


TABLES: Final[dict[str, dict[str, Callable[[Made, Words], Table]]]] = {
    "board.html": {"board": _board},
    "dinas.html": {
        "files": _files, "indicators": _indicators, "services": _services, "counts": _counts, "months": _months,
        "staff": _staff,
    },
    "asn.html": {"indicators": _indicators, "months": _months, "counts": _counts, "files": _files, "events": _events},
    "why.html": {"unsur": _unsur, "events": _events},
    "events.html": {"events": _events},
    "files.html": {"files": _files},
    "file.html": {"course": _course},
    "public.html": {"public": _public},
    "journal.html": {"entries": _entries},
    "entry.html": {"postings": _postings},
    "auditor.html": {"indicators": _then_and_now, "digest": _digest, "checks": _checks},
}  # fmt: skip
"""Every table of every page, by the page's template and the table's name."""
