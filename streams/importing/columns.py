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

    def see(self, text: str) -> None:
        """Take one cell into account."""
        if self.has_one_format:
            stated = self._formats[0].read(text)
            if stated is not None:
                self.count(stated)
            return
        found = self._readings(text)
        for one in found:
            for other in range(len(self._formats)):
                if other not in found:
                    self._only[one][other] = True
        for stated in list(found.values())[:1]:
            self.count(stated)

    def count(self, stated: Stated) -> None:
        """Count a cell as a date, a midnight, or another time."""
        if stated.day:
            self.dates += 1
        elif stated.moment.time() == _MIDNIGHT:
            self.midnights += 1
        else:
            self.others += 1

    def first(self, text: str) -> Stated | None:
        """The reading of the first format that fits, as the former version read every cell."""
        for one in self._formats:
            stated = one.read(text)
            if stated is not None:
                return stated
        return None

    def read(self, text: str) -> Stated | None:
        """The moment that a cell states; ``None`` if no format fits.

        A format is left out that another one makes superfluous: the other reads cells that it does not read, and it reads
        none that the other does not. Raises: ``AmbiguousError``.
        """
        found = self._readings(text)
        if len({stated.moment for stated in found.values()}) > 1:
            only = self._only
            found = {
                one: stated
                for one, stated in found.items()
                if not any(only[other][one] and not only[one][other] for other in found)
            }
            if len({stated.moment for stated in found.values()}) > 1:
                raise AmbiguousError(" and ".join(self._names[one] for one in found))
        return next(iter(found.values()), None)

    def _readings(self, text: str) -> dict[int, Stated]:
        return {number: stated for number, one in enumerate(self._formats) if (stated := one.read(text)) is not None}
