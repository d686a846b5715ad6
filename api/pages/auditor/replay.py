"""Then and now: each unit at both ends of a replay, and the kinds of entries between that bear on it.

Every figure here is one that the replay printed, or the difference of two of them.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from api.pages.drawing import weighs_taps
from api.pages.links import anchor_of
from api.pages.sentences import name_of
from api.pages.tables import Table
from domain.events.kinds import KINDS
from domain.fold.partition import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.pages.words import Words
    from domain.rules.scheme import Scheme
    from domain.score.replayed import Replayed, StateAt
    from domain.score.scorecard import IndicatorLine, Overall, Scorecard
    from projections.ports import Question
    from projections.reading.reader import Snapshot

ZERO: Final = Decimal(0)
_OPEN: Final = ("permits_open", "permits_open_overdue")


class Unit(Struct, frozen=True):
    """A unit then and now, the cause in words, and the number and the query of the entries between that bear on it."""

    id: str
    anchor: str
    name: str
    then: Scorecard | None
    now: Scorecard | None
    cause: str
    events: int
    query: dict[str, str]

    @property
    def values(self) -> tuple[Decimal | None, Decimal | None]:
        """Its scores."""
        return _value(self.then), _value(self.now)

    @property
    def difference(self) -> Decimal | None:
        """The change of its score, if it had one at both ends."""
        then, now = self.values
        return None if then is None or now is None else now - then

    @property
    def changed(self) -> bool:
        """True if anything shown of it differs; open files are those of now, in any period."""
        return _comparable(self.then) != _comparable(self.now)


class Side(Struct, frozen=True):
    """One pan of the scales: a position, and the units that are scored and those that are not."""

    position: int
    scored: int
    insufficient: int


class Moved(Struct, frozen=True):
    """Then and now: both pans, the units that changed, and the number of those that did not."""

    then: Side
    now: Side
    units: tuple[Unit, ...]
    unchanged: int
    picked: Unit | None


class IndicatorEnds(NamedTuple):
    """An indicator then and now, or the answers by one tap beside them."""

    name: str
    then: IndicatorLine | Overall | None
    now: IndicatorLine | Overall | None


def _value(card: Scorecard | None) -> Decimal | None:
    return None if card is None else card.iku.value


def _comparable(card: Scorecard | None) -> object:
    if card is None:
        return None
    counts = {name: n for name, n in msgspec.structs.asdict(card.counts).items() if name not in _OPEN}
    return (card.iku, card.indicators, card.overall, card.scheme, card.registered, counts)


def units_of(question: Question, result: Replayed, snapshot: Snapshot, words: Words) -> list[Unit]:
    """Every unit of either end, by name."""
    then = result.then.dinas if result.then else {}
    units = []
    for dinas in {*then, *result.dinas}:
        kinds = _kinds(result, dinas)
        units.append(
            Unit(
                dinas,
                anchor_of(dinas),
                name_of(snapshot, dinas),
                then.get(dinas),
                result.dinas.get(dinas),
                causes_of(kinds, words),
                sum(kinds.values()),
                _journal_query(question, result, dinas),
            )
        )
    return sorted(units, key=lambda unit: (unit.name, unit.id))


def _kinds(result: Replayed, dinas: str) -> dict[str, int]:
    """The number of entries between that bear on a dinas, by kind."""
    between = result.between
    if between is None:
        return {}
    return dict(Counter(between.dinas.get(dinas, {})) + Counter(between.every))


def causes_of(kinds: dict[str, int], words: Words) -> str:
    """Numbers of entries by kind, in words."""
    causes = [_cause(kind, kinds[kind], words) for kind in KINDS if kind in kinds]
    return ", ".join(causes) or words("cause.none")


def _cause(kind: str, number: int, words: Words) -> str:
    return words(f"cause.{kind}", n=number) if f"cause.{kind}" in words else f"{kind}: {words.number(number)}"


def _journal_query(question: Question, result: Replayed, dinas: str) -> dict[str, str]:
    """The query of the journal that finds exactly these entries."""
    after = result.then.position if result.then else 0
    until = question.until
    if until.startswith("{"):
        partitions = msgspec.json.decode(until)["partitions"]
        until = str(partitions[partition_of(dinas, len(partitions))])
    return {"dinas": dinas, "touches": question.period, "after": str(after), "until": until}


def moved(question: Question, result: Replayed, snapshot: Snapshot, words: Words, unit_id: str) -> Moved | None:
    """Then and now; ``None`` without an earlier end. A score that came or went is first, then the largest change."""
    if result.then is None:
        return None
    units = units_of(question, result, snapshot, words)
    changes = sorted(
        (unit for unit in units if unit.changed),
        key=lambda unit: (unit.values.count(None) != 1, -abs(unit.difference or ZERO)),
    )
    unit_picked = next((unit for unit in units if unit.id == unit_id), None)
    return Moved(_side(result.then), _side(result), tuple(changes), len(units) - len(changes), unit_picked)


def _side(state: StateAt) -> Side:
    number_scored = sum(card.iku.value is not None for card in state.dinas.values())
    return Side(state.position, number_scored, len(state.dinas) - number_scored)


def indicators_of(unit: Unit, scheme: Scheme, words: Words) -> tuple[IndicatorEnds, ...]:
    """Each indicator of either end, then and now; answers by one tap stand by themselves unless the scheme weighs them."""
    then, now = ({line.id: line for line in card.indicators} if card else {} for card in (unit.then, unit.now))
    names = dict.fromkeys((*then, *now))
    ends = [IndicatorEnds(words.named("indicator", name), then.get(name), now.get(name)) for name in names]
    taps = [None if card is None else card.overall for card in (unit.then, unit.now)]
    if any(overall is not None and overall.n for overall in taps) and not weighs_taps(scheme):
        ends.append(IndicatorEnds(words("csv.impression"), *taps))
    return tuple(ends)


def units_table(question: Question, result: Replayed, snapshot: Snapshot, words: Words) -> Table:
    """Every unit then and now."""
    names = ("id", "name", "then", "now", "difference", "then_position", "now_position", "cause", "events")
    ends = (result.then.position if result.then else None, result.position)
    return Table(
        [words(f"difference.{name}") for name in names],
        [
            (unit.id, unit.name, *unit.values, unit.difference, *ends, unit.cause, unit.events)
            for unit in units_of(question, result, snapshot, words)
        ],
    )


def indicators_table(page: Moved | None, indicators: Sequence[IndicatorEnds], words: Words) -> Table:
    """The indicators and the score of the picked unit, as the replay on the page came to them."""
    then, now = words("auditor.then_head"), words("auditor.now_head")
    head = (
        words("difference.id"),
        words("subject.indicator"),
        then,
        f"n {then}",
        now,
        f"n {now}",
        words("auditor.difference"),
        words("difference.then_position"),
        words("difference.now_position"),
    )
    if page is None or page.picked is None:
        return Table(head, ())
    unit, ends = page.picked, (page.then.position, page.now.position)
    lines: list[tuple[str, tuple[Decimal | None, int | None], tuple[Decimal | None, int | None]]] = [
        (indicator.name, _read(indicator.then), _read(indicator.now)) for indicator in indicators
    ]
    was, is_now = unit.values
    lines.append((words("receipt.total"), (was, None), (is_now, None)))
    return Table(
        head,
        [(unit.id, name, *old, *new, _gap(old[0], new[0]), *ends) for name, old, new in lines],
    )


def _gap(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    return None if old is None or new is None else new - old


def _read(line: IndicatorLine | Overall | None) -> tuple[Decimal | None, int | None]:
    return (None, 0) if line is None else (line.value, line.n)
