"""One agency of the demo at work: its people, its counters, its pace and the mood of its citizens."""

from math import log
from random import Random

from streams.demo.city import BUSY_TASKS, UNSUR, Calendar, City, Dinas


class Unit:
    """A dinas at work in one month: its people, its drift from its habits, and the tables that chance draws from."""

    def __init__(self, dinas: Dinas, city: City, staff: list[str], calendar: Calendar, rng: Random) -> None:
        """`staff` is the dinas's roster; the drift is drawn from `rng`."""
        self.slug = dinas.slug
        self.dinas = dinas
        self.staff = staff
        self.busy = min(dinas.asn, max(dinas.counters, round(dinas.tasks * city.shares.busy_tasks / BUSY_TASKS)))
        self.counters = staff[: dinas.counters]
        self.always = dinas.open == "always"
        self.arrivals = calendar.arrivals(always=self.always)
        by_slug = {service.slug: service for service in city.services}
        self.services = [by_slug[slug] for slug, weight in dinas.services.items() for _ in range(weight)]
        self.log_tempo = log(dinas.tempo * rng.uniform(0.96, 1.04))
        self.late = dinas.late * rng.uniform(0.85, 1.15)
        satisfaction = dinas.satisfied + rng.uniform(-0.03, 0.03)
        self.moods = [_answers(satisfaction + shift) for shift in (-0.2, 0.0, 0.0, 0.2)]


def _answers(satisfaction: float) -> list[tuple[str, list[int]]]:
    """A hundred answers to each unsur whose mean is near `satisfied` (of 4)."""
    tables = []
    for name, shift in UNSUR.items():
        mean = min(3.95, satisfaction + shift)
        twos = round(15 * (4 - mean))
        fours = max(0, round(100 * (mean - 3)) + 2 + twos)
        tables.append((name, ([1] + [2] * twos + [4] * fours + [3] * 100)[:100]))
    return tables
