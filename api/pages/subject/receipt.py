"""The receipt of a score, on the pages its breakdown (Struk): balances, arithmetic, uncounted events, and the events behind it.

It shows the answer of `api.v1.reads.explained`, so a value that is withheld there never reaches this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace

from api.http.persons import masked
from api.pages.measures import amount, measure_label
from api.pages.page import AddressedPage
from api.pages.sentences import PLAIN_MEASURES, Event, event_row, name_of, notation_of
from api.pages.subject.events import events_table
from api.pages.subject.subject import standing_of
from api.pages.tables import Table
from api.v1.formulas import indicator_line, score_line
from api.v1.reads import explained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Standing
    from projections.reading.why import Formula, Why


class Entry(Struct, frozen=True):
    """A label and its figure."""

    label: str
    figure: str


class ScoreReceipt(Struct, frozen=True):
    """All reasons of a score, in words."""

    why: Why
    balances: tuple[Entry, ...]
    formulas: tuple[Entry, ...]
    unsur: tuple[tuple[str, str, str, str], ...]
    total: str
    not_counted: tuple[Entry, ...]
    events: tuple[Event, ...]


class WhyPage(AddressedPage, frozen=True):
    """Why the score of a dinas or an ASN is what it is."""

    template: ClassVar[str] = "why.html"
    action: ClassVar[Action] = "read-reasons"
    parameters: ClassVar[frozenset[str]] = frozenset({"cursor"})

    name: str
    receipt: ScoreReceipt
    cursor: str | None

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The reasons of the score of the subject that an address names. Raises: ``Refusal``."""
        snapshot, standing = query.snapshot, standing_of(query)
        subject, scheme = standing.subject, snapshot.scheme(query.period)
        why = explained(snapshot, query.period, standing, query.lines, query.listed, query.cursor)
        why = replace(why, events=[masked(event, query.shows) for event in why.events])
        name = name_of(snapshot, subject.id) if subject.kind == "dinas" else subject.id
        return cls(name, receipt(why, standing, scheme, query.words), query.cursor)

    def tables(self, words: Words) -> Tables:
        """The unsur, and the events."""
        return {
            "unsur": lambda: _unsur_table(self.receipt.why.formula, words),
            "events": lambda: events_table(self.receipt.events, self.receipt.why.next, words),
        }


def receipt(why: Why, standing: Standing, scheme: Scheme, words: Words) -> ScoreReceipt:
    """The reasons of a score in words."""
    formula, notation = why.formula, notation_of(words)
    return ScoreReceipt(
        why,
        tuple(_balances(formula, words)),
        tuple(
            Entry(words.named("indicator", part.id), indicator_line(part, formula.skm_weight, notation))
            for part in formula.indicators
        ),
        tuple(
            (words.named("unsur", term.unsur), words.number(term.n), words.number(term.sum), words.percent(term.nrr))
            for part in formula.indicators
            for term in part.unsur
        ),
        score_line(formula, notation),
        tuple(_not_counted(standing, scheme, words)),
        tuple(event_row(event, scheme, words) for event in why.events),
    )


def _balances(formula: Formula, words: Words) -> Iterable[Entry]:
    """The integers that the formula uses, each once."""
    terms = [term for part in formula.indicators for term in (part.numerator, part.denominator) if term is not None]
    balances = {term.measure: term.balance for term in terms}
    return (Entry(measure_label(name, words), words.number(balance)) for name, balance in balances.items())


def _not_counted(standing: Standing, scheme: Scheme, words: Words) -> Iterable[Entry]:
    """Counts of events that are recorded and add nothing to the score, for the measures that the scheme uses."""
    measures = {name for part in scheme.indicators for name in (part.numerator, part.denominator)}
    counts = {name: amount(standing.balance, name) for name in PLAIN_MEASURES}
    with_standard, spans = counts["permits_with_standard"], counts["capaian_n"]
    left_out = {
        "receipt.without_standard": (
            measures & {"capaian_n", "permits_with_standard"},
            counts["permits"] - with_standard,
        ),
        "receipt.without_span": (measures & {"capaian_n"}, with_standard - spans),
        "receipt.without_due": (measures & {"tasks_with_due"}, counts["tasks"] - counts["tasks_with_due"]),
        "receipt.overall": (measures & {"ikm"}, counts["overall_n"]),
        "receipt.still_open": (True, standing.permits_open),
    }
    return (Entry(words(key), words.number(n)) for key, (matters, n) in left_out.items() if matters and n)


def _unsur_table(formula: Formula, words: Words) -> Table:
    terms = [term for part in formula.indicators for term in part.unsur]
    return Table(
        (words("receipt.unsur"), "n", words("receipt.sum"), "NRR"),
        [(words.named("unsur", term.unsur), term.n, term.sum, term.nrr) for term in terms],
    )
