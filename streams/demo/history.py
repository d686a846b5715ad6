"""The demo stream: a seeded history of one month, and an endless live stream, of the city in `demo_city`.

All of it is simulated; no link between a rating and a person is real. It makes CloudEvents as dicts and does nothing
with them: no clock, no journal, no network. The same city, seed and month (or start) give the same events.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from streams.demo import city as demo_city
from streams.demo.amending import amended
from streams.demo.city import CLOSING, DAY, HOUR, OPENING, QUARTER, Calendar, City, Event, Service, rules
from streams.demo.unit import Unit

__all__ = ["City", "history", "live", "rules"]

PAUSES: Final = {
    "applicant": (4, 72),
    "payment": (2, 48),
    "blank_stock": (8, 96),
    "system_outage": (1, 6),
    "other_agency": (24, 120),
}
"""The reasons for which a case is paused, and for how many hours."""
LIVE_WORK: Final = {"case": 15, "old case": 12, "survey": 12, "tap": 8, "task": 53}
"""The kinds of new work in the live stream, and the weight of each."""
LIVE_QUICK: Final = 0.3
"""The fraction of live cases that are decided within half an hour, so that a watcher sees some of them end."""
SMALLEST_SAMPLE: Final = 30
AGENDA_MOST: Final = 20_000
"""The number of events that the live stream holds for later at most."""


def history(city: City, seed: int, month: str, until: datetime) -> Iterator[Event]:
    """One local month (`YYYY-MM`) of the city, in order of occurrence, nothing later than `until`.

    A case belongs to the month of its receipt, its later decision included; a case that is open at `until` stays open.
    The events up to an earlier `until` are a prefix of those up to a later one.
    Raises: `ValueError` for a month that is none or an `until` without an offset.
    """
    first = demo_city.first_day(month)
    if until.tzinfo is None:
        message = "until needs an offset"
        raise ValueError(message)
    last = demo_city.local_second(until)
    if last < first.toordinal() * DAY:
        return
    maker = _Maker(city, Random(f"{seed}:{month}"), first, month)  # noqa: S311 - chance to repeat, not a secret
    for unit in maker.units:
        maker.month_of(unit)
    maker.events.sort()
    for at, _, event in maker.events:
        if at > last:
            return
        yield event


def live(city: City, seed: int, start: datetime, rate_per_second: float) -> Iterator[tuple[datetime, Event]]:
    """An endless stream of events, each with the moment at which to emit it; it occurred at most a moment before.

    New work arrives at `rate_per_second` in rush hours and at no less than a fifth of it at any other time; decisions,
    ratings and reversals follow from it. Ids contain the second of `start`, so a restart never repeats one.
    Raises: `ValueError` for a rate that is not positive or a `start` without an offset.
    """
    if rate_per_second <= 0 or start.tzinfo is None:
        message = "the rate must be positive, and start needs an offset"
        raise ValueError(message)
    rng = Random(f"{seed}:live:{start.isoformat()}")  # noqa: S311 - chance to repeat, not a secret
    now = start.astimezone(demo_city.WIB)
    maker = _Maker(city, rng, now.date().replace(day=1), f"{now:%Y-%m-%dT%H%M%S}", hurry=True)
    order, agenda = count(), list[tuple[int, int, Event]]()
    while True:
        at = demo_city.local_second(now)
        busy = demo_city.bustle(at % DAY if maker.calendar.working(at // DAY) else 0)
        now += timedelta(seconds=rng.uniform(0.5, 1.5) / (rate_per_second * busy))
        at = demo_city.local_second(now)
        if at // DAY not in maker.calendar.days:
            maker = _Maker(city, rng, now.date().replace(day=1), f"{now:%Y-%m-%dT%H%M%S}", hurry=True)
        maker.arrival(at, rush=len(agenda) >= AGENDA_MOST)
        for then, _, event in maker.events:
            heappush(agenda, (then, next(order), event))
        maker.events.clear()
        while agenda and agenda[0][0] <= at:
            yield now, heappop(agenda)[2]


class _Maker:
    """Makes events in any order. `events` holds each as (local second, serial number, event)."""

    def __init__(self, city: City, rng: Random, first: date, tag: str, *, hurry: bool = False) -> None:
        """`tag` keeps ids distinct; in a `hurry` (live) the consequences of an event follow soon, at any hour."""
        self.city, self.rng, self.tag, self.hurry = city, rng, tag, hurry
        self.calendar = Calendar(first, city.holidays)
        people = demo_city.roster(city)
        self.units = [Unit(dinas, city, people[dinas.slug], self.calendar, rng) for dinas in city.dinas]
        self.events: list[tuple[int, int, Event]] = []
        self._serial = 0
        # In the live stream small units only do tasks: otherwise hours of a demo would lift them over the minimum sample.
        large = [unit if unit.dinas.cases >= SMALLEST_SAMPLE else None for unit in self.units]
        self._case_weights = [unit.dinas.cases if unit else 0 for unit in large]
        self._survey_weights = [unit.dinas.surveys if unit else 0 for unit in large]
        self._task_weights = [unit.dinas.tasks for unit in self.units]

    def month_of(self, unit: Unit) -> None:
        """Make a month of one dinas: its cases and their consequences, its surveys, its tasks."""
        chance = self.rng.random
        arrivals, many = unit.arrivals, len(unit.arrivals)
        for _ in range(round(unit.dinas.cases * self.rng.uniform(0.96, 1.04))):
            self._case(unit, arrivals[int(chance() * many)] + int(chance() * QUARTER))
        for _ in range(round(unit.dinas.surveys * self.rng.uniform(0.96, 1.04))):
            self._survey(unit, arrivals[int(chance() * many)] + int(chance() * QUARTER))
        for _ in range(round(unit.dinas.surveys * self.city.shares.tapped * self.rng.uniform(0.96, 1.04))):
            self._tap(unit, arrivals[int(chance() * many)] + int(chance() * QUARTER))
        workers: list[str] = []
        for asn in unit.staff[: unit.busy]:
            workers += [asn] * round(self.rng.gauss(demo_city.BUSY_TASKS, 2.0))
        idle = unit.staff[unit.busy :] or unit.staff
        workers += [idle[int(chance() * len(idle))] for _ in range(unit.dinas.tasks - len(workers))]
        for asn in workers:
            self._task(unit, asn, arrivals[int(chance() * many)] + int(chance() * QUARTER))

    def arrival(self, at: int, *, rush: bool) -> None:
        """Make one piece of new work. While much is pending (`rush`), it is no case that needs a later decision."""
        choose = self.rng.choices
        work = choose(list(LIVE_WORK), list(LIVE_WORK.values()))[0]
        if work == "task":
            unit = choose(self.units, self._task_weights)[0]
            some = unit.staff[: unit.busy] if self.rng.random() < self.city.shares.busy_tasks else unit.staff
            self._task(unit, self.rng.choice(some), at)
        elif work == "tap":
            self._tap(choose(self.units, self._survey_weights)[0], at)
        elif work == "survey":
            self._survey(choose(self.units, self._survey_weights)[0], at)
        elif work == "old case" or rush:
            self._old_case(choose(self.units, self._case_weights)[0], at)
        else:
            self._case(choose(self.units, self._case_weights)[0], at)

    def _number(self) -> str:
        self._serial += 1
        return f"{self.tag}-{self._serial:06}"

    def _put(self, at: int, kind: str, source: str, ident: str, data: Event) -> Event:
        event = demo_city.event(kind, source, ident, self.calendar.text(at), data)
        self._serial += 1
        self.events.append((at, self._serial, event))
        return event

    def _later(self, unit: Unit, at: int, seconds: float, deadline: int = 0) -> int:
        """A time about `seconds` after another, at least a minute, and when the office is open unless in a hurry."""
        then = at + int(seconds)
        if not (self.hurry or unit.always):
            then = self.calendar.office(then, int(self.rng.random() * 2400), deadline)
        return max(then, at + 60 + int(self.rng.random() * 540))

    def _soon(self, unit: Unit, at: int, most_hours: float) -> int:
        """A time within some hours after another; in a hurry within ten minutes."""
        return self._later(unit, at, self.rng.random() * (600 if self.hurry else most_hours * HOUR))

    def _span(self, unit: Unit, service: Service) -> float:
        """The service time of a case in seconds, before anything pauses it."""
        return service.hours * HOUR * min(2.5, self.rng.lognormvariate(unit.log_tempo, unit.dinas.spread))

    def _case(self, unit: Unit, at: int) -> None:
        """Make a case that comes in and, unless it is forgotten or withdrawn, is decided, perhaps after a pause."""
        rng, shares = self.rng, self.city.shares
        service = rng.choice(unit.services)
        desk = int(rng.random() * len(unit.counters))
        source, asn = f"/simulasi/{unit.slug}/loket-{desk + 1}", unit.counters[desk]
        ident = f"{service.code}-{self._number()}"
        file: Event = {"dinas": unit.slug, "service": service.slug, "case": ident}
        receipt_at = self.calendar.text(at)
        self._put(at, "permit-received", source, f"{ident}-terima", {**file, "asn": asn, "received_at": receipt_at})
        fate = rng.random()
        if fate < shares.forgotten:
            return
        if fate < shares.forgotten + shares.retracted:
            self._retract(unit, self._soon(unit, at, 8), source, f"{ident}-terima", "withdrawn")
            return
        span, deadline = self._span(unit, service), at + service.hours * HOUR
        if self.hurry and rng.random() < LIVE_QUICK:
            span = rng.uniform(120, 1800)
        pauses: list[Event] = []
        if rng.random() < shares.paused:
            share = rng.uniform(0.1, 0.7)
            pause_at = self._later(unit, at, span * share)
            at = self._pause(unit, pause_at, source, file, pauses)
            span, deadline = span * (1 - share), deadline + at - pause_at
        decision = {**file, "asn": asn, "received_at": receipt_at}
        if rng.choice((pauses, None)):  # half of the paused cases leave their pauses to the file
            decision["pauses"] = pauses
        self._decide(unit, self._later(unit, at, span, deadline), source, decision)

    def _old_case(self, unit: Unit, at: int) -> None:
        """A case is decided whose receipt was never reported: only the decision says when it came in."""
        service = self.rng.choice(unit.services)
        desk = int(self.rng.random() * len(unit.counters))
        receipt_at = at - int(self._span(unit, service))
        if not unit.always:
            receipt_at = min(at - 600, self.calendar.office(receipt_at, int(self.rng.random() * 2400), 0))
        decision = {"dinas": unit.slug, "service": service.slug, "case": f"{service.code}-{self._number()}"}
        decision |= {"asn": unit.counters[desk], "received_at": self.calendar.text(receipt_at)}
        self._decide(unit, at, f"/simulasi/{unit.slug}/loket-{desk + 1}", decision)

    def _pause(self, unit: Unit, at: int, source: str, file: Event, pauses: list[Event]) -> int:
        """Pause and resume an open case; the pause is added to `pauses`, and its end returned."""
        reason = self.rng.choice(list(PAUSES))
        hours = self.rng.uniform(*PAUSES[reason])
        end = self._soon(unit, at, 0) if self.hurry else self._later(unit, at, hours * HOUR)
        start_text, end_text = self.calendar.text(at), self.calendar.text(end)
        case = file["case"]
        self._put(at, "permit-paused", source, f"{case}-jeda", {**file, "at": start_text, "reason": reason})
        self._put(end, "permit-resumed", source, f"{case}-lanjut", {**file, "at": end_text})
        pauses.append({"from": start_text, "to": end_text, "reason": reason})
        return end

    def _decide(self, unit: Unit, at: int, source: str, data: Event) -> None:
        """Make a case's decision, perhaps a rating; another follows a retracted decision, and nobody rates in between."""
        rng, case, rated_at = self.rng, data["case"], 0
        data["completed_at"] = self.calendar.text(at)
        data["outcome"] = "rejected" if rng.random() < self.city.shares.rejected else "issued"
        fact = self._put(at, "permit-processed", source, f"{case}-putus", data)
        start = len(self.events)
        if rng.random() < unit.dinas.rated:
            rated_at = self._soon(unit, at, 60)
            rating = {"dinas": unit.slug, "service": data["service"], "case": case, "unsur": self._unsur(unit)}
            if rng.random() < self.city.shares.rated_asn:
                rating["asn"] = data["asn"]
            rating_event = self._put(rated_at, "satisfaction-rated", source, f"{case}-nilai", rating)
            self._perhaps_reverse(unit, rated_at, rating_event, "test_entry")
        end = len(self.events)
        if retraction_at := self._perhaps_reverse(unit, at, fact, "wrong_case"):
            then = self._soon(unit, retraction_at, 24)
            again = {**data, "completed_at": self.calendar.text(then)}
            self._put(then, "permit-processed", source, f"{case}-putus-2", again)
            if retraction_at < rated_at <= then:
                del self.events[start:end]

    def _unsur(self, unit: Unit) -> dict[str, int]:
        """One citizen's answers; some citizens have no answer on complaints."""
        chance = self.rng.random
        answers = {name: table[int(chance() * 100)] for name, table in unit.moods[int(chance() * 4)]}
        if chance() < self.city.shares.silent:
            del answers["pengaduan"]
        return answers

    def _survey(self, unit: Unit, at: int) -> None:
        """Make a citizen's answers to a survey that names no case."""
        survey = f"srv-{self._number()}"
        data: Event = {"dinas": unit.slug, "survey": survey, "unsur": self._unsur(unit)}
        fact = self._put(at, "satisfaction-rated", f"/simulasi/{unit.slug}/survei", survey, data)
        self._perhaps_reverse(unit, at, fact, "test_entry")

    def _tap(self, unit: Unit, at: int) -> None:
        """Make one tap on a face at the exit, which names no case."""
        tap, answers = f"ketuk-{self._number()}", self.rng.choice(unit.moods[int(self.rng.random() * 4)])[1]
        data: Event = {"dinas": unit.slug, "survey": tap, "overall": answers[int(self.rng.random() * 100)], "scale": 4}
        fact = self._put(at, "satisfaction-rated", f"/simulasi/{unit.slug}/ketuk", tap, data)
        self._perhaps_reverse(unit, at, fact, "test_entry")

    def _task(self, unit: Unit, asn: str, at: int) -> None:
        """Make a finished task; most tasks are due at closing time of a working day."""
        chance, calendar, shares = self.rng.random, self.calendar, self.city.shares
        task = f"t-{self._number()}"
        data: Event = {"dinas": unit.slug, "asn": asn, "task": task, "completed_at": calendar.text(at)}
        if chance() < shares.task_due:
            day = at // DAY
            if chance() < unit.late:
                due = calendar.last_working(day - 1 - int(chance() * 5))
            else:
                due = calendar.next_working(day + int(chance() * 6) + (at % DAY > CLOSING))
            day_given = calendar.last_working(min(day, due) - 1 - int(chance() * 9))
            data["assigned_at"] = calendar.text(day_given * DAY + OPENING + int(chance() * 17) * 1800)
            data["due_at"] = calendar.text(due * DAY + CLOSING)
        data["reported_by"] = "self" if chance() < shares.self_reported else "system"
        fact = self._put(at, "task-completed", f"/simulasi/{unit.slug}/kinerja", task, data)
        self._perhaps_reverse(unit, at, fact, "recorded_twice")

    def _perhaps_reverse(self, unit: Unit, at: int, fact: Event, reason: str) -> int:
        """Seldom correct a fact or, for `reason`, retract it; returns when it was retracted, else 0."""
        chance, shares = self.rng.random(), self.city.shares
        if chance >= shares.corrected + shares.retracted:
            return 0
        then = self._soon(unit, at, 72)
        if chance < shares.retracted:
            self._retract(unit, then, fact["source"], fact["id"], reason)
            return then
        why, replacement = amended(fact, unit, self.rng)
        name = {"source": fact["source"], "id": fact["id"]}
        data: Event = {"event": name, "reason": why, "replacement": replacement}
        self._put(then, "event-corrected", f"/simulasi/{unit.slug}/verifikasi", f"{fact['id']}-koreksi", data)
        return 0

    def _retract(self, unit: Unit, at: int, source: str, ident: str, reason: str) -> None:
        data: Event = {"event": {"source": source, "id": ident}, "reason": reason}
        self._put(at, "event-retracted", f"/simulasi/{unit.slug}/verifikasi", f"{ident}-batal", data)
