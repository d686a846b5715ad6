"""How a replay is told: each unit then and now with what lies between, and digest beside digest with what differs.

Every figure here is one that the replay printed, or the difference of two of them.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from api.pages.drawing import anchor_of, name_of
from api.pages.subject.receipt import measure_label
from domain.events.kinds import KINDS
from domain.fold.partition import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.pages.csv import Cell
    from api.pages.words import Words
    from domain.score.replayed import Difference, Replayed, StateAt
    from domain.score.scorecard import IndicatorLine, Scorecard
    from projections.ports import Done, Question
    from projections.reading.reader import Snapshot

GROUPED: Final = 8
ZERO: Final = Decimal(0)
_OPEN: Final = ("permits_open", "permits_open_overdue")


class Unit(Struct, frozen=True):
    """A unit then and now, and the entries between that bear on it, by kind."""

    id: str
    anchor: str
    name: str
    then: Scorecard | None
    now: Scorecard | None
    kinds: dict[str, int]
    query: dict[str, str]

    @property
    def values(self) -> tuple[Decimal | None, Decimal | None]:
        """Its scores."""
        return _value(self.then), _value(self.now)

    @property
    def difference(self) -> Decimal | None:
        """How its score moved, where it had one at both ends."""
        then, now = self.values
        return None if then is None or now is None else now - then

    @property
    def changed(self) -> bool:
        """Whether anything told of it differs; open files are of now, and of no period."""
        return _told(self.then) != _told(self.now)

    @property
    def events(self) -> int:
        """How many entries bear on it."""
        return sum(self.kinds.values())


class Side(Struct, frozen=True):
    """One pan of the scales: up to which position, how many units are scored and how many are not."""

    position: int
    scored: int
    insufficient: int


class Moved(Struct, frozen=True):
    """Then and now: both pans, the units that changed, and how many did not."""

    then: Side
    now: Side
    units: tuple[Unit, ...]
    unchanged: int
    picked: Unit | None


def _value(card: Scorecard | None) -> Decimal | None:
    return None if card is None else card.iku.value


def _told(card: Scorecard | None) -> object:
    if card is None:
        return None
    counts = {name: n for name, n in msgspec.structs.asdict(card.counts).items() if name not in _OPEN}
    return (card.iku, card.indicators, card.scheme, card.registered, counts)


def units_of(question: Question, replayed: Replayed, snapshot: Snapshot) -> list[Unit]:
    """Every unit of either end, by name."""
    then = replayed.then.dinas if replayed.then else {}
    units = [
        Unit(
            dinas, anchor_of(dinas), name_of(snapshot, dinas), then.get(dinas), replayed.dinas.get(dinas),
            _kinds(replayed, dinas), _journal_query(question, replayed, dinas),
        )
        for dinas in {*then, *replayed.dinas}
    ]  # fmt: skip
    return sorted(units, key=lambda unit: (unit.name, unit.id))


def _kinds(replayed: Replayed, dinas: str) -> dict[str, int]:
    between = replayed.between
    if between is None:
        return {}
    return dict(Counter(between.dinas.get(dinas, {})) + Counter(between.every))


def _journal_query(question: Question, replayed: Replayed, dinas: str) -> dict[str, str]:
    """What the journal is to be asked for exactly these entries."""
    after = replayed.then.position if replayed.then else 0
    until = question.until
    if until.startswith("{"):
        partitions = msgspec.json.decode(until)["partitions"]
        until = str(partitions[partition_of(dinas, len(partitions))])
    return {"dinas": dinas, "touches": question.period, "after": str(after), "until": until}


def moved(question: Question, replayed: Replayed, snapshot: Snapshot, picked: str) -> Moved | None:
    """Then and now; ``None`` where no earlier end was asked for. What moved most comes first, a score that came or went before."""
    if replayed.then is None:
        return None
    units = units_of(question, replayed, snapshot)
    changed = sorted(
        (unit for unit in units if unit.changed),
        key=lambda unit: (unit.values.count(None) != 1, -abs(unit.difference or ZERO)),
    )
    chosen = next((unit for unit in units if unit.id == picked), None)
    return Moved(_side(replayed.then), _side(replayed), tuple(changed), len(units) - len(changed), chosen)


def _side(state: StateAt) -> Side:
    scored = sum(card.iku.value is not None for card in state.dinas.values())
    return Side(state.position, scored, len(state.dinas) - scored)


def causes(unit: Unit, words: Words) -> str:
    """The entries between that bear on a unit, by kind, in words."""
    said = [_cause(kind, words.number(unit.kinds[kind]), words) for kind in KINDS if kind in unit.kinds]
    return ", ".join(said) or words("cause.none")


def _cause(kind: str, number: str, words: Words) -> str:
    return words(f"cause.{kind}", n=number) if f"cause.{kind}" in words else f"{kind}: {number}"


def indicators_of(unit: Unit, words: Words) -> Iterator[tuple[str, IndicatorLine | None, IndicatorLine | None]]:
    """Each indicator of either end by its name, then and now."""
    then, now = ({line.id: line for line in card.indicators} if card else {} for card in (unit.then, unit.now))
    for one in dict.fromkeys((*then, *now)):
        yield words.named("indicator", one), then.get(one), now.get(one)


def table_of(
    question: Question, replayed: Replayed, snapshot: Snapshot, words: Words
) -> tuple[list[str], Iterator[list[Cell]]]:
    """Then and now of every unit as a table: its head, and its rows."""
    names = ("id", "name", "then", "now", "difference", "then_position", "now_position", "cause", "events")
    then = replayed.then

    def rows() -> Iterator[list[Cell]]:
        for unit in units_of(question, replayed, snapshot):
            cause = causes(unit, words)
            yield [
                unit.id, unit.name, *unit.values, unit.difference, then.position if then else None, replayed.position,
                cause, unit.events,
            ]  # fmt: skip

    return [words(f"difference.{name}") for name in names], rows()


class Differing(Struct, frozen=True):
    """A line that differs, in words: what it is about, and of an account each measure that differs on both sides."""

    about: str
    measures: tuple[tuple[str, int, int], ...]
    kept: str | None
    replayed: str | None


class Comparison(Struct, frozen=True):
    """A digest beside the one that a replay came to; ``served_us``: when it was served, where that is known here."""

    question: Question
    replayed: str
    served_us: int | None
    events: int
    took_s: float
    at_us: int
    differs: int | None
    first: tuple[Differing, ...]

    @property
    def same(self) -> bool:
        """Whether both are one."""
        return self.question.digest == self.replayed

    @property
    def position(self) -> int:
        """Up to which position both hold."""
        return self.events


def compared(question: Question, done: Done, served_us: int | None, words: Words, snapshot: Snapshot) -> Comparison:
    """A digest that was asked to be compared, and what the replay came to."""
    replayed, against = done.replayed, done.replayed.against
    return Comparison(
        question, replayed.digest, served_us, replayed.position, done.took_s, done.at_us,
        None if against is None else against.differs,
        () if against is None else tuple(_differing(one, words, snapshot) for one in against.first),
    )  # fmt: skip


def _differing(one: Difference, words: Words, snapshot: Snapshot) -> Differing:
    sides = [_read(one.kept), _read(one.replayed)]
    either: dict[str, Any] = next(side for side in sides if side)
    if "account" in either:
        dinas, *names = either["account"]
        about = " · ".join(filter(None, (name_of(snapshot, dinas), *names)))
        kept, replayed = (side.get("measures", {}) for side in sides)
        measures = tuple(
            (measure_label(name, words), kept.get(name, 0), replayed.get(name, 0))
            for name in dict.fromkeys((*kept, *replayed)) if kept.get(name) != replayed.get(name)
        )  # fmt: skip
        return Differing(about, measures, one.kept, one.replayed)
    about = words("auditor.file", names=" · ".join(either["file"])) if "file" in either else words("auditor.rule")
    return Differing(about, (), one.kept, one.replayed)


def _read(line: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if line is None else msgspec.json.decode(line)
    return found


def grouped(digest: str) -> str:
    """A digest in groups of eight, as one reads it aloud."""
    return " ".join(digest[start : start + GROUPED] for start in range(0, len(digest), GROUPED))
