"""The facts of an import that nothing promises: no standard of their time is recorded, and they state no deadline.

They count as volume and never as late. A standard that is recorded afterwards judges them only by `neraca resolve`.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from domain.clock import local_date, parse_instant
from domain.events.kinds import BY_TYPE, DECISION, RECEIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo
    from typing import Any

    from domain.rules.rulebook import Rulebook
    from streams.importing.rows import Row

FIRST: Final = 500
"""The number of rows that are looked at before any is sent."""
NAMED: Final = 5
"""The number of services that a message names."""
REMEDY: Final = "they count as volume. Record the standards first, or run neraca resolve --record afterwards"


class Unpromised:
    """Counts the rows of an import that no standard of a rulebook is for."""

    def __init__(self, rulebook: Rulebook, zone: tzinfo) -> None:
        self._rulebook = rulebook
        self._zone = zone
        self.services: Counter[tuple[str, str]] = Counter()

    def watched(self, rows: Iterable[Row], say: Callable[[str], None]) -> Iterator[Row]:
        """The same rows; ``say`` hears before the first one of services without a standard, and of their number after the last."""
        source = iter(rows)
        first = list(islice(source, FIRST))
        ahead = Counter(name for row in first if (name := self._unpromised(row)) is not None)
        if ahead:
            say(f"no standard of its time is recorded for {_named(ahead)}: {REMEDY}")
        for row in chain(first, source):
            name = self._unpromised(row)
            if name is not None:
                self.services[name] += 1
            yield row
        if self.services:
            say(f"rows without a standard of their time: {self.services.total():,} ({_named(self.services)}); {REMEDY}")

    def _unpromised(self, row: Row) -> tuple[str, str] | None:
        """Dinas and service of a row that nothing promises; the promise of a file without ``received_at`` is its receipt's."""
        kind = None if row.event is None else BY_TYPE.get(str(row.event["type"]))
        if row.event is None or kind is None or kind.natural_keys not in ((RECEIPT,), (DECISION,)):
            return None
        data: dict[str, Any] = row.event["data"]  # type: ignore[assignment]  # an event's data is an object
        if "due_at" in data or "received_at" not in data:
            return None
        try:
            day = local_date(parse_instant(data["received_at"]), self._zone)
        except ValueError:
            return None  # the intake refuses it, and says why
        dinas, service = str(data.get("dinas")), str(data.get("service"))
        return None if self._rulebook.standard(dinas, service, day) else (dinas, service)


def _named(services: Counter[tuple[str, str]]) -> str:
    """The most frequent services, each with its dinas."""
    names = [f"{service} of {dinas}" for (dinas, service), _ in services.most_common(NAMED)]
    rest = len(services) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")
