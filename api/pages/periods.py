"""The period of a page: the one in its address; else the current month, or the last full one while that is thin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from domain.periods import Period, alike, parse_period

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.pages.words import Words
    from projections.reading.reader import Snapshot


class Thin(Struct, frozen=True):
    """Why the running period is not shown: the dinas with an IKU in it, of those active in the period shown."""

    ok: int
    of: int
    period: Period


class Chosen(Struct, frozen=True):
    """The period shown, the current month, and the running period if it was to be shown and is thin."""

    period: Period
    current: Period
    thin: Thin | None = None

    @property
    def ended(self) -> bool:
        """True if the period shown has ended."""
        return self.period.months[-1] < self.current.name

    @property
    def running(self) -> bool:
        """True if the period shown runs now."""
        return self.current.name in self.period.months

    @property
    def future(self) -> bool:
        """True if the period shown has not begun."""
        return self.period.months[0] > self.current.name

    @property
    def live(self) -> bool:
        """True if the page goes on with the running period: it shows that, or another one while that is thin."""
        return self.running or self.thin is not None


class Choice(Struct, frozen=True):
    """An option of the period selector."""

    name: str
    label: str
    selected: bool


class Choices(Struct, frozen=True):
    """A labelled run of options."""

    label: str
    options: tuple[Choice, ...]


def choose(snapshot: Snapshot, request: Period | None, current: Period, *, follow: bool = False) -> Chosen:
    """The period of a page: the one asked for; else the running month, or the last full one while that is thin.

    ``follow``: the page was opened while its period ran. Once that has ended, the page goes on with the running period
    of the same length, by the same rule.
    """
    if request is not None and not (follow and request.months[-1] < current.name):
        return Chosen(request, current)
    return _running(snapshot, alike(request or current, current.name), current)


def _running(snapshot: Snapshot, running: Period, current: Period) -> Chosen:
    """Thin: fewer than half of the dinas with facts in the last full period have an ok IKU in the running one."""
    full = max((month for month in snapshot.months() if month < running.months[0]), default=None)
    if full is None:
        return Chosen(running, current)
    last = alike(running, full)
    active = {standing.subject.id for standing in snapshot.dinas(last) if any(standing.balance)}
    ok = sum(
        snapshot.score(standing, running).value is not None
        for standing in snapshot.dinas(running)
        if standing.subject.id in active
    )
    if 2 * ok < len(active):
        return Chosen(last, current, Thin(ok, len(active), running))
    return Chosen(running, current)


def choices(months: Iterable[str], choice: Chosen, words: Words) -> tuple[Choices, ...]:
    """Every period that has data, and the shown and the current one; the newest first."""
    months_known = [parse_period(month) for month in {*months, choice.current.name}]
    names = {choice.period.name}
    for month in months_known:
        quarter, half = (month.first + 2) // 3, (month.first + 5) // 6
        names |= {month.name, f"{month.name[:4]}-Q{quarter}", f"{month.name[:4]}-S{half}", month.name[:4]}
    periods = sorted((parse_period(name) for name in names), key=lambda p: (p.year, p.last, p.first), reverse=True)
    groups: dict[str, list[Choice]] = {"page.months": [], "page.runs": [], "page.years": []}
    for period in periods:
        kind = "page.years" if len(period.name) == len("2026") else "page.months"
        kind = "page.runs" if period.name[5:6] in ("Q", "S") else kind
        label = words.period(period)
        if choice.current.name in period.months:
            label = words("page.running", period=label)
        groups[kind].append(Choice(period.name, label, period.name == choice.period.name))
    return tuple(Choices(words(key), tuple(options)) for key, options in groups.items())
