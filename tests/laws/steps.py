"""One step of a random history made into an event: every event the intake may receive, the awkward included.

Steps are plain numbers that Hypothesis draws and shrinks; a clerk reads them against the earlier events.
"""

import copy
from typing import Any, Final, NamedTuple

from domain.clock import parse_instant, utc_text
from domain.events import kinds
from domain.events.names import kind_of, type_of
from tests.laws.strategies import HOUR, KINDS, Dice, Scene, text_of

TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""An extension attribute as a tracer adds it: an event that is sent again may travel with another."""


class Step(NamedTuple):
    """The kind of an event, and the numbers that decide its fields."""

    kind: int
    numbers: tuple[int, ...]


class Clerk(Scene):
    """Turns steps into events, and remembers them, so that a later step can repeat or reverse one."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def event(self, step: Step) -> dict[str, Any]:
        """The event of the next step, told at the clock's time."""
        dice = Dice(step.numbers)
        self.now_us += (dice.roll(30) + 1) * HOUR // 2
        kind = KINDS[step.kind % len(KINDS)]
        if kind == "repeat":
            return self._repeat(dice)
        data = self._reversal(kind, dice) if kind.startswith("event-") else self.data(kind, dice)
        event = {
            "specversion": "1.0",
            "type": type_of(kind),
            "source": dice.pick(("/loket/1", "/loket/2")),
            "id": f"e-{len(self.said)}",
            "time": text_of(self.past(dice), dice),
            "data": data,
        }
        self.said.append(event)
        return event

    def _repeat(self, dice: Dice) -> dict[str, Any]:
        """The same again: word for word, with an instant spelt otherwise, or with other content."""
        if not self.said:
            return self.event(Step(KINDS.index("task-completed"), (3, 1)))
        again = copy.deepcopy(self.said[-1 - dice.roll(len(self.said))])
        if dice.chance(3):
            again["data"] |= {"dinas": "other"}
        elif dice.chance(2):
            again |= {"time": utc_text(parse_instant(again["time"])), "traceparent": TRACE}
        return again

    def _reversal(self, kind: str, dice: Dice) -> dict[str, Any]:
        """Any earlier event may be named, reversals and rules included; now and then one that does not exist."""
        if not self.said or dice.chance(12):
            return {"event": {"source": "/nowhere", "id": "none"}, "reason": "salah_input"} | (
                {"replacement": {}} if kind == "event-corrected" else {}
            )
        target = self.said[-1 - dice.roll(min(len(self.said), 8))]
        data: dict[str, Any] = {"event": {name: target[name] for name in ("source", "id")}, "reason": "salah_input"}
        if kind == "event-corrected":
            data["replacement"] = self._replacement(target, dice)
        return data

    def _replacement(self, target: dict[str, Any], dice: Dice) -> dict[str, Any]:
        """The effective fact with other data under its old key; now and then under another, which is refused."""
        content, kind = self._stated(target)
        if kind not in kinds.KINDS or kinds.KINDS[kind].role != "fact" or "dinas" not in content:
            return {}
        new = self.data(kind, dice)
        if dice.chance(10):
            return new
        for name in kinds.KINDS[kind].fixed_fields(content):
            new.pop(name, None)
            new |= {name: content[name]} if name in content else {}
        return new

    def _stated(self, event: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The data an event puts in force, and their kind; a correction has the kind of the fact it leads back to."""
        data: dict[str, Any] = event["data"]
        kind = kind_of(event["type"])
        if kind not in {"event-corrected", "event-retracted"}:
            return data, kind
        target = next((submission for submission in self.said if submission["id"] == data["event"]["id"]), None)
        return data.get("replacement", {}), self._stated(target)[1] if target and target is not event else ""
