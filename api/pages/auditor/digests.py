"""A digest beside the one that a replay came to, with the first lines that differ; and the checks made before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from api.pages.measures import measure_label
from api.pages.sentences import name_of
from api.pages.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.pages.tables import Row
    from api.pages.words import Words
    from domain.score.replayed import Difference
    from projections.ports import Done, Question
    from projections.reading.reader import Snapshot

GROUPED: Final = 8


class Differing(Struct, frozen=True):
    """A line that differs, in words: its subject, and for an account each measure that differs with both amounts."""

    about: str
    measures: tuple[tuple[str, int, int], ...]
    kept: str | None
    replayed: str | None


class Comparison(Struct, frozen=True):
    """A digest beside that of a replay; ``served_us`` is the time at which it was served, if that is known here."""

    question: Question
    replayed: str
    served_us: int | None
    position: int
    took_s: float
    at_us: int
    differs: int | None
    first: tuple[Differing, ...]

    @property
    def same(self) -> bool:
        """True if both are equal."""
        return self.question.digest == self.replayed

    @property
    def in_groups(self) -> tuple[str, str]:
        """Both digests, the compared one first, as one reads them aloud."""
        return grouped(self.question.digest), grouped(self.replayed)


def compared(question: Question, answer: Done, served_us: int | None, words: Words, snapshot: Snapshot) -> Comparison:
    """The digest of a question beside that of the replay."""
    result, against = answer.replayed, answer.replayed.against
    return Comparison(
        question,
        result.digest,
        served_us,
        result.position,
        answer.took_s,
        answer.at_us,
        None if against is None else against.differs,
        () if against is None else tuple(_differing(difference, words, snapshot) for difference in against.first),
    )


def _differing(difference: Difference, words: Words, snapshot: Snapshot) -> Differing:
    sides = [_read(difference.kept), _read(difference.replayed)]
    either: dict[str, Any] = next(side for side in sides if side)
    if "account" in either:
        dinas, *names = either["account"]
        about = " · ".join(filter(None, (name_of(snapshot, dinas), *names)))
        before, after = (side.get("measures", {}) for side in sides)
        measures = tuple(
            (measure_label(name, words), before.get(name, 0), after.get(name, 0))
            for name in dict.fromkeys((*before, *after))
            if before.get(name) != after.get(name)
        )
        return Differing(about, measures, difference.kept, difference.replayed)
    about = words("auditor.file", names=" · ".join(either["file"])) if "file" in either else words("auditor.rule")
    return Differing(about, (), difference.kept, difference.replayed)


def _read(line: str | None) -> dict[str, Any]:
    parts: dict[str, Any] = {} if line is None else msgspec.json.decode(line)
    return parts


def grouped(digest: str) -> str:
    """A digest in groups of eight digits."""
    return " ".join(digest[start : start + GROUPED] for start in range(0, len(digest), GROUPED))


def digest_table(comparison: Comparison | None, words: Words) -> Table:
    """The first lines that differ, and their number; a line that is no account's is shown unchanged on both sides."""
    head = [words(f"auditor.{name}") for name in ("account", "measure", "served_head", "replayed_head")]
    first = () if comparison is None else comparison.first
    rows: list[Row] = [
        (line.about, *measure) for line in first for measure in line.measures or (("", line.kept, line.replayed),)
    ]
    if comparison is not None and (comparison.differs or 0) > len(first):
        rows.append((words("csv.differs", n=comparison.differs, shown=len(first)),))
    return Table(head, rows)


def checks_table(checks: Sequence[Comparison], words: Words) -> Table:
    """Checks with all digits of both digests."""
    names = (
        "auditor.compared_with",
        "csv.read_at",
        "journal.position",
        "auditor.kept_head",
        "auditor.replayed_head",
        "auditor.result",
        "csv.checked_at",
    )
    return Table(
        [words(name) for name in names],
        [
            (
                words("auditor.noted" if check.served_us is None else "auditor.served_head"),
                None if check.served_us is None else words.sortable(check.served_us),
                check.position,
                check.question.digest,
                check.replayed,
                words("auditor.same" if check.same else "auditor.different"),
                words.sortable(check.at_us),
            )
            for check in checks
        ],
    )
