"""The traffic of a city's counters, from a seed: facts, corrections, retractions, rules, and the same again."""

import random
from typing import Any, Final

from domain.measures import UNSUR

Event = dict[str, Any]
DINAS: Final = ("disdukcapil", "dpmptsp", "dinkes")
SERVICES: Final = ("ktp-el", "kia", "siup")
KINDS: Final = {
    "receive": 6,
    "pause": 2,
    "resume": 2,
    "decide": 6,
    "task": 8,
    "rate": 5,
    "retract": 2,
    "correct": 3,
    "rule": 1,
    "repeat": 3,
}
PERIOD: Final = "2026"
"""The whole of what is sent falls into this period."""


class Counter:
    """One counter: its next event follows from its earlier ones, whether or not these arrived."""

    def __init__(self, seed: int, number: int) -> None:
        self.source = f"/loket/{number}"
        self._random = random.Random(f"{seed}/{number}")  # noqa: S311 - a test's choices, not a secret
        self._number = number
        self._said: list[Event] = []
        self._reversible: list[tuple[str, str, Event]] = []
        self._open: dict[str, tuple[str, str, bool]] = {}

    def request(self) -> tuple[list[Event], bool]:
        """The next events, and whether they go as a batch."""
        size = self._random.choice((1, 1, 1, 2, 5, 20, 40))
        return [self._next() for _ in range(size)], size > 1 or self._random.random() < 0.2

    def _next(self) -> Event:
        while True:
            (kind,) = self._random.choices(list(KINDS), list(KINDS.values()))
            event = getattr(self, f"_{kind}")()
            if event is not None:
                self._said.append(event)
                assert isinstance(event, dict)
                return event

    def _time(self) -> str:
        pick = self._random.randrange
        return f"2026-{pick(7, 11):02}-{pick(1, 29):02}T{pick(8, 16):02}:{pick(60):02}:{pick(60):02}+07:00"

    def _event(self, kind: str, data: Event, *, fact: bool = False) -> Event:
        name = f"e{len(self._said)}"
        if fact:
            self._reversible.append((name, kind, data))
        return {
            "specversion": "1.0",
            "type": f"neraca.{kind}.v1",
            "source": self.source,
            "id": name,
            "time": self._time(),
            "data": data,
        }

    def _asn(self) -> str:
        return f"a-{self._random.randrange(12)}"

    def _receive(self) -> Event:
        dinas, service = self._random.choice(DINAS), self._random.choice(SERVICES)
        case = f"K-{self._number}-{len(self._said)}"
        self._open[case] = (dinas, service, False)
        data = {"dinas": dinas, "service": service, "case": case, "received_at": self._time(), "asn": self._asn()}
        if self._random.random() < 0.3:
            data["due_at"] = self._time()
        return self._event("permit-received", data, fact=True)

    def _noted(self, kind: str, *, is_paused: bool) -> Event | None:
        cases = [case for case, (*_, now) in self._open.items() if now is not is_paused]
        if not cases:
            return None
        case = self._random.choice(cases)
        dinas, service, _ = self._open[case]
        self._open[case] = (dinas, service, is_paused)
        clock = f"2026-11-0{2 if is_paused else 3}T{len(self._said) % 24:02}:{len(self._said) // 24 % 60:02}:00+07:00"
        data = {"dinas": dinas, "service": service, "case": case, "at": clock}
        return self._event(kind, data | ({"reason": "applicant"} if is_paused else {}))

    def _pause(self) -> Event | None:
        return self._noted("permit-paused", is_paused=True)

    def _resume(self) -> Event | None:
        return self._noted("permit-resumed", is_paused=False)

    def _decide(self) -> Event:
        data: Event = {"asn": self._asn(), "outcome": self._random.choice(("issued", "issued", "rejected"))}
        if self._open and self._random.random() < 0.6:
            case = self._random.choice(list(self._open))
            dinas, service, _ = self._open.pop(case)
            data |= {"dinas": dinas, "service": service, "case": case, "completed_at": "2026-11-10T10:00:00+07:00"}
        else:
            data |= {"dinas": self._random.choice(DINAS), "service": self._random.choice(SERVICES)}
            data |= {"case": f"D-{self._number}-{len(self._said)}", "received_at": "2026-07-01T08:00:00+07:00"}
            data["completed_at"] = self._time()
        return self._event("permit-processed", data, fact=True)

    def _task(self) -> Event:
        data = {"dinas": self._random.choice(DINAS), "asn": self._asn(), "task": f"t{len(self._said)}"}
        data |= {"completed_at": self._time(), "due_at": self._time()}
        return self._event("task-completed", data, fact=True)

    def _rate(self) -> Event:
        is_shared = self._random.random() < 0.1
        survey = f"shared-{self._random.randrange(200)}" if is_shared else f"s-{self._number}-{len(self._said)}"
        data: Event = {"dinas": self._random.choice(DINAS), "survey": survey, "asn": self._asn()}
        if self._random.random() < 0.5:
            data["unsur"] = {name: self._random.randrange(1, 5) for name in self._random.sample(UNSUR, 6)}
        else:
            data |= {"overall": self._random.randrange(1, 6), "scale": 5}
        return self._event("satisfaction-rated", data, fact=True)

    def _reversed(self) -> tuple[str, str, Event] | None:
        if not self._reversible:
            return None
        return self._reversible.pop(self._random.randrange(len(self._reversible)))

    def _retract(self) -> Event | None:
        target = self._reversed()
        if target is None:
            return None
        return self._event("event-retracted", {"event": {"source": self.source, "id": target[0]}, "reason": "mistake"})

    def _correct(self) -> Event | None:
        target = self._reversed()
        if target is None:
            return None
        name, kind, data = target
        replacement = data | {"asn": self._asn()}
        event = self._event(
            "event-corrected",
            {"event": {"source": self.source, "id": name}, "reason": "mistake", "replacement": replacement},
        )
        self._reversible.append((event["id"], kind, replacement))
        return event

    def _rule(self) -> Event:
        if self._random.random() < 0.5:
            name = f"Dinas {len(self._said)}"
            return self._event("dinas-registered", {"dinas": self._random.choice(DINAS), "name": name})
        data = {"service": self._random.choice(SERVICES), "amount": self._random.randrange(1, 900)}
        return self._event("standard-set", data | {"unit": "wall_hours", "effective_from": "2026-01-01"})

    def _repeat(self) -> Event | None:
        return self._random.choice(self._said[-200:]) if self._said else None
