"""One step of a random history made into an event: everything the intake may be told, the awkward included.

Steps are plain numbers that Hypothesis draws and shrinks; a clerk reads them against what was said before.
"""

import copy
from typing import Any, Final, NamedTuple

from domain.clock import parse_instant, utc_text
from domain.events import kinds
from domain.events.names import kind_of, type_of
from domain.measures import UNSUR

HOUR: Final = 3_600_000_000
ZONE: Final = "Asia/Jakarta"
OPENED: Final = parse_instant("2026-09-28T09:00:00+07:00")
"""When the first step is taken; each takes a few hours, so that a history crosses months."""
DINAS: Final = ("disdukcapil", "dpmptsp")
SERVICES: Final = ("ktp-el", "kia")
CASES: Final = ("K-1", "K-2", "K-3")
ASN: Final = ("a-1", "a-2", "a-3")
REASONS: Final = ("applicant", "payment", "blank_stock")
EDGES: Final = tuple(
    parse_instant(text)
    for text in (
        "2026-09-30T16:59:59.999999Z", "2026-09-30T17:00:00Z", "2026-09-30T23:59:59Z", "2026-08-31T17:00:00Z",
        "2026-06-30T20:00:00Z", "2025-12-31T17:00:00Z", "2026-09-15T03:00:00Z",
    )
)  # fmt: skip
"""Instants whose month is another in Jakarta than in UTC, and their neighbours."""
KINDS: Final = (
    "permit-received", "permit-received", "permit-processed", "permit-processed", "permit-processed", "permit-paused",
    "permit-resumed", "task-completed", "satisfaction-rated", "satisfaction-rated",
    "event-retracted", "event-retracted", "event-corrected", "event-corrected", "repeat", "standard-set",
    "scheme-adopted", "dinas-registered", "asn-registered", "asn-assigned",
)  # fmt: skip


class Step(NamedTuple):
    """What kind of thing is said, and the numbers that decide its fields."""

    kind: int
    numbers: tuple[int, ...]


class Dice:
    """Hands out a step's numbers, in turn and for ever: the same numbers, the same event."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self._numbers = numbers
        self._at = 0

    def roll(self, sides: int) -> int:
        """A number from 0 to ``sides`` - 1."""
        self._at += 1
        drawn = self._numbers[self._at % len(self._numbers)] if self._numbers else 0
        return (drawn // (1 + (self._at // max(len(self._numbers), 1)) * 7)) % sides

    def pick(self, items: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any of the items
        """One of some items."""
        return items[self.roll(len(items))]

    def chance(self, one_in: int) -> bool:
        """Happens once in so many rolls."""
        return self.roll(one_in) == one_in - 1


def text_of(us: int, dice: Dice) -> str:
    """One instant has many spellings."""
    utc = utc_text(us)
    if dice.chance(2):
        return utc
    hours = dice.pick((7, 9, -5))
    return utc_text(us + hours * HOUR)[:-1] + f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"


class Clerk:
    """Turns steps into events, and remembers what was said, so that a later step can repeat or reverse it."""

    def __init__(self) -> None:
        self.now_us = OPENED
        self.said: list[dict[str, Any]] = []
        self._receipts: dict[tuple[str, str, str], int] = {}

    def event(self, step: Step) -> dict[str, Any]:
        """The event of the next step, told at the clock's time."""
        dice = Dice(step.numbers)
        self.now_us += (dice.roll(30) + 1) * HOUR // 2
        kind = KINDS[step.kind % len(KINDS)]
        if kind == "repeat":
            return self._repeat(dice)
        data = self._reversal(kind, dice) if kind.startswith("event-") else self.data(kind, dice)
        event = {
            "specversion": "1.0", "type": type_of(kind), "source": dice.pick(("/loket/1", "/loket/2")),
            "id": f"e-{len(self.said)}", "time": text_of(self._past(dice), dice), "data": data,
        }  # fmt: skip
        self.said.append(event)
        return event

    def _past(self, dice: Dice) -> int:
        return dice.pick(EDGES) if dice.chance(3) else self.now_us - dice.roll(2000) * HOUR // 4

    def _repeat(self, dice: Dice) -> dict[str, Any]:
        """The same again: word for word, with an instant spelt otherwise, or with other content."""
        if not self.said:
            return self.event(Step(KINDS.index("task-completed"), (3, 1)))
        again = copy.deepcopy(self.said[-1 - dice.roll(len(self.said))])
        if dice.chance(3):
            again["data"] |= {"dinas": "other"}
        elif dice.chance(2):
            again |= {"time": utc_text(parse_instant(again["time"])), "extension": 7}
        return again

    def _reversal(self, kind: str, dice: Dice) -> dict[str, Any]:
        """Anything said before may be named, reversals and rules included; now and then nothing that exists."""
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
        """The effective fact told differently under its old key; now and then under another, which is refused."""
        stated, kind = self._stated(target)
        if kind not in kinds.KINDS or kinds.KINDS[kind].role != "fact" or "dinas" not in stated:
            return {}
        new = self.data(kind, dice)
        if dice.chance(10):
            return new
        for name in kinds.KINDS[kind].fixed_fields(stated):
            new.pop(name, None)
            new |= {name: stated[name]} if name in stated else {}
        return new

    def _stated(self, event: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """What an event puts in force, and of which kind: of a correction, that of the fact it leads back to."""
        data: dict[str, Any] = event["data"]
        kind = kind_of(event["type"])
        if kind not in {"event-corrected", "event-retracted"}:
            return data, kind
        named = next((one for one in self.said if one["id"] == data["event"]["id"]), None)
        return data.get("replacement", {}), self._stated(named)[1] if named and named is not event else ""

    def data(self, kind: str, dice: Dice) -> dict[str, Any]:  # noqa: PLR0911 - a return for each kind
        """The fields of an event of a kind."""
        case = {"dinas": dice.pick(DINAS), "service": dice.pick(SERVICES), "case": dice.pick(CASES)}
        match kind:
            case "permit-received":
                return case | self._received(tuple(case.values()), dice)
            case "permit-paused":
                return case | {"at": text_of(self.now_us - dice.roll(20) * HOUR, dice), "reason": dice.pick(REASONS)}
            case "permit-resumed":
                return case | {"at": text_of(self.now_us - dice.roll(20) * HOUR, dice)}
            case "permit-processed":
                return case | self._decided(tuple(case.values()), dice)
            case "task-completed":
                return self._task(dice)
            case "satisfaction-rated":
                return _rating(case, dice)
            case _:
                return self._rule(kind, dice)

    def _received(self, case: tuple[str, ...], dice: Dice) -> dict[str, Any]:
        received_us = self._past(dice)
        self._receipts[case[0], case[1], case[2]] = received_us
        data = {"received_at": text_of(received_us, dice)}
        if dice.chance(3):
            data["due_at"] = text_of(received_us + (dice.roll(200) - 10) * HOUR, dice)
        return data | ({"asn": dice.pick(ASN)} if dice.chance(2) else {})

    def _decided(self, case: tuple[str, ...], dice: Dice) -> dict[str, Any]:
        filed = self._receipts.get((case[0], case[1], case[2]))
        received_us = self._past(dice) if filed is None or dice.chance(4) else filed
        taken = dice.pick(
            (0, 1, HOUR, 2 * HOUR, 2 * HOUR + 1, 3 * HOUR, 24 * HOUR, 72 * HOUR, 90 * HOUR, -30_000_000, -60_000_001)
        )
        completed_us = received_us + taken
        data: dict[str, Any] = {"completed_at": text_of(completed_us, dice)}
        if received_us != filed or dice.chance(4):
            data["received_at"] = text_of(received_us, dice)
        if dice.chance(3):
            data["due_at"] = text_of(
                dice.pick((completed_us, completed_us - 1, received_us, received_us - HOUR, completed_us + HOUR)), dice
            )
        if dice.chance(3):
            data["pauses"] = [_pause(received_us, dice) for _ in range(dice.roll(4))]
        data |= {"asn": dice.pick(ASN)} if dice.chance(2) else {}
        return data | ({"outcome": dice.pick(("issued", "rejected"))} if dice.chance(2) else {})

    def _task(self, dice: Dice) -> dict[str, Any]:
        completed_us = self._past(dice)
        data = {
            "dinas": dice.pick(DINAS),
            "asn": dice.pick(ASN),
            "task": f"t-{dice.roll(9)}",
            "completed_at": text_of(completed_us, dice),
        }
        if not dice.chance(3):
            data["due_at"] = text_of(completed_us + dice.pick((0, -1, HOUR, -HOUR)), dice)
        return data | ({"reported_by": dice.pick(("self", "system"))} if dice.chance(2) else {})

    def _rule(self, kind: str, dice: Dice) -> dict[str, Any]:
        day = utc_text(self.now_us + (dice.roll(160) - 120) * 24 * HOUR)[:10]
        match kind:
            case "standard-set":
                data = {
                    "service": dice.pick(SERVICES),
                    "amount": dice.pick((1, 2, 3, 24, 72)),
                    "unit": "wall_hours",
                    "effective_from": day,
                }
                return data | ({"dinas": dice.pick(DINAS)} if dice.chance(2) else {})
            case "scheme-adopted":
                return _scheme(dice)
            case "dinas-registered":
                return {"dinas": dice.pick((*DINAS, "dinkes")), "name": f"Dinas {dice.roll(5)}"}
            case "asn-registered":
                return {"asn": dice.pick((*ASN, "a-9"))}
            case "asn-assigned":
                until = {"effective_to": dice.pick((None, "2026-12-31"))} if dice.chance(2) else {}
                return {"asn": dice.pick((*ASN, "a-8")), "dinas": dice.pick(DINAS), "effective_from": day} | until
            case _:
                message = f"tests/laws/steps.py makes no event of kind {kind}"
                raise ValueError(message)


def _pause(received_us: int, dice: Dice) -> dict[str, str]:
    begin = received_us + (dice.roll(8) - 2) * HOUR // 2
    return {
        "from": text_of(begin, dice),
        "to": text_of(begin + dice.roll(5) * HOUR // 2, dice),
        "reason": dice.pick(REASONS),
    }


def _rating(case: dict[str, str], dice: Dice) -> dict[str, Any]:
    data: dict[str, Any] = dict(case)
    if dice.chance(2):
        data = {"dinas": case["dinas"], "survey": f"s-{dice.roll(30)}"}
    data |= {"asn": dice.pick(ASN)} if dice.chance(2) else {}
    if dice.chance(3):
        scale = dice.pick((2, 3, 4, 5, 7, 10))
        return data | {"overall": dice.roll(scale) + 1, "scale": scale}
    if dice.chance(6):
        return data | {"overall": dice.roll(4) + 1}
    answered = [unsur for unsur in UNSUR if not dice.chance(9)] or ["waktu"]
    return data | {"unsur": {unsur: dice.roll(4) + 1 for unsur in answered}}


def _scheme(dice: Dice) -> dict[str, Any]:
    cap = dice.pick((100, 110, 120, None))
    speed = {"id": "kecepatan", "numerator": f"capaian_sum_{cap or 'none'}", "denominator": "capaian_n", "cap": cap}
    rejected = {
        "id": "ditolak",
        "numerator": "permits_rejected",
        "denominator": "permits",
        "cap": 120,
        "direction": "lower",
    }
    pleased = {"id": "kepuasan", "numerator": "ikm", "denominator": "respondents", "cap": 120, "target": "88.31"}
    asked = {"id": "apresiasi", "numerator": "overall_sum", "denominator": "overall_n", "cap": None, "target": "75"}
    punctual = {"id": "ketepatan_waktu", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "cap": 100}
    usual = {"direction": "higher", "target": "40", "min_n": dice.pick((1, 1, 2, 3)), "weight": "0.2"}
    return {
        "scheme": f"uji-{dice.roll(9)}",
        "effective_from": dice.pick(("2026-01-01", "2026-11-01", "2026-12-01", "2026-10-01")),
        "indicators": [usual | one for one in (speed, rejected, pleased, asked, punctual)],
        "skm_weight": dice.pick(("1/9", "0.111", "0.11")), "min_coverage": dice.pick(("0.2", "0.4", "0.6")),
    }  # fmt: skip
