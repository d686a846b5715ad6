"""The columns of times, looked at as a whole before a row is read: which format each is written in, and which hold days.

One cell such as ``03/04/2026`` does not show whether the day or the month comes first; its column often does.
"""

from collections.abc import Sequence
from datetime import time
from typing import Final

from streams.importing.formats import Format, Stated

_MIDNIGHT: Final = time()


class AmbiguousError(ValueError):
    """Two formats read a cell differently, and its column does not show which one is meant."""


class Column:
    """The formats that the cells of one field may have, and what all of its cells have shown of them."""

    def __init__(self, formats: Sequence[Format], names: Sequence[str]) -> None:
        self._formats = formats
        self._names = names
        self._only = [[False] * len(formats) for _ in formats]
        self.dates = self.midnights = self.others = 0
        """The numbers of its cells that are dates alone, midnights, and other times."""

    @property
    def has_one_format(self) -> bool:
        """True if no cell can have two readings."""
        return len(self._formats) == 1

    @property
    def holds_days(self) -> bool:
        """True if it has dates alone, and its other cells are all midnight: the same dates, dressed as times."""
        return self.dates > 0 and not self.others

    @property
    def holds_midnights(self) -> bool:
        """True if each of its cells is a midnight, which no clock writes by chance."""
        return self.midnights > 0 and not self.others and not self.dates

    @property
    def is_settled(self) -> bool:
        """True if no further cell can show anything: it has one format, and holds times of day."""
        return self.has_one_format and self.others > 0

    def see(self, text: str) -> None:
        """Take one cell into account."""
        if self.has_one_format:
            statement = self._formats[0].read(text)
            if statement is not None:
                self.count(statement)
            return
        readings = self._readings(text)
        for place in readings:
            for other in range(len(self._formats)):
                if other not in readings:
                    self._only[place][other] = True
        for statement in list(readings.values())[:1]:
            self.count(statement)

    def count(self, statement: Stated) -> None:
        """Count a cell as a date, a midnight, or another time."""
        if statement.day:
            self.dates += 1
        elif statement.moment.time() == _MIDNIGHT:
            self.midnights += 1
        else:
            self.others += 1

    def first(self, text: str) -> Stated | None:
        """The reading of the first format that fits, as the former version read every cell."""
        for place in self._formats:
            statement = place.read(text)
            if statement is not None:
                return statement
        return None

    def read(self, text: str) -> Stated | None:
        """The moment that a cell states; ``None`` if no format fits.

        A format is left out that another one makes superfluous: the other reads cells that it does not read, and it reads
        none that the other does not. Raises: ``AmbiguousError``.
        """
        readings = self._readings(text)
        if len({statement.moment for statement in readings.values()}) > 1:
            only = self._only
            readings = {
                place: statement
                for place, statement in readings.items()
                if not any(only[other][place] and not only[place][other] for other in readings)
            }
            if len({statement.moment for statement in readings.values()}) > 1:
                raise AmbiguousError(" and ".join(self._names[place] for place in readings))
        return next(iter(readings.values()), None)

    def _readings(self, text: str) -> dict[int, Stated]:
        return {
            number: statement
            for number, place in enumerate(self._formats)
            if (statement := place.read(text)) is not None
        }
