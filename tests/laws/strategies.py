"""A strategy for each kind of event: its data in a random history, the awkward included.

A new kind has a row in ``STRATEGIES`` and a function that draws its data.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from domain.clock import parse_instant, utc_text
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
        "2026-09-30T16:59:59.999999Z",
        "2026-09-30T17:00:00Z",
        "2026-09-30T23:59:59Z",
        "2026-08-31T17:00:00Z",
        "2026-06-30T20:00:00Z",
        "2025-12-31T17:00:00Z",
        "2026-09-15T03:00:00Z",
    )
)
"""Instants whose month is another in Jakarta than in UTC, and their neighbours."""

Data = dict[str, Any]


class Dice:
    """Hands out a step's numbers, in turn and for ever: the same numbers, the same event."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self._numbers = numbers
        self._at = 0

    def roll(self, sides: int) -> int:
        """A number from 0 to ``sides`` - 1."""
        self._at += 1
        number = self._numbers[self._at % len(self._numbers)] if self._numbers else 0
        return (number // (1 + (self._at // max(len(self._numbers), 1)) * 7)) % sides

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


class Scene:
    """The clock of a history, and the instants of the receipts so far."""

    def __init__(self) -> None:
        self.now_us = OPENED
        self.receipts: dict[tuple[str, ...], int] = {}

    def past(self, dice: Dice) -> int:
        """An instant before now, one of the awkward ones now and then."""
        return dice.pick(EDGES) if dice.chance(3) else self.now_us - dice.roll(2000) * HOUR // 4

    def data(self, kind: str, dice: Dice) -> Data:
        """The fields of an event of a kind."""
        case = {"dinas": dice.pick(DINAS), "service": dice.pick(SERVICES), "case": dice.pick(CASES)}
        draw = STRATEGIES[kind].data
        if draw is None:
            message = f"an event of kind {kind} says something of another event"
            raise ValueError(message)
        return draw(self, case, dice)


def _received(scene: Scene, case: Data, dice: Dice) -> Data:
    received_us = scene.receipts[tuple(case.values())] = scene.past(dice)
    data = case | {"received_at": text_of(received_us, dice)}
    if dice.chance(3):
        data["due_at"] = text_of(received_us + (dice.roll(200) - 10) * HOUR, dice)
    return data | ({"asn": dice.pick(ASN)} if dice.chance(2) else {})


def _paused(scene: Scene, case: Data, dice: Dice) -> Data:
    return case | {"at": text_of(scene.now_us - dice.roll(20) * HOUR, dice), "reason": dice.pick(REASONS)}


def _resumed(scene: Scene, case: Data, dice: Dice) -> Data:
    return case | {"at": text_of(scene.now_us - dice.roll(20) * HOUR, dice)}


def _decided(scene: Scene, case: Data, dice: Dice) -> Data:
    receipt = scene.receipts.get(tuple(case.values()))
    received_us = scene.past(dice) if receipt is None or dice.chance(4) else receipt
    span_us = dice.pick(
        (0, 1, HOUR, 2 * HOUR, 2 * HOUR + 1, 3 * HOUR, 24 * HOUR, 72 * HOUR, 90 * HOUR, -30_000_000, -60_000_001)
    )
    completed_us = received_us + span_us
    data = case | {"completed_at": text_of(completed_us, dice)}
    if received_us != receipt or dice.chance(4):
        data["received_at"] = text_of(received_us, dice)
    if dice.chance(3):
        early = (received_us - HOUR, received_us, received_us + 1, received_us + HOUR)
        due_us = dice.pick((*early, completed_us - 1, completed_us, completed_us + HOUR))
        data["due_at"] = text_of(due_us, dice)
    if dice.chance(3):
        data["pauses"] = [_pause(received_us, dice) for _ in range(dice.roll(4))]
    data |= {"asn": dice.pick(ASN)} if dice.chance(2) else {}
    return data | ({"outcome": dice.pick(("issued", "rejected"))} if dice.chance(2) else {})


def _pause(received_us: int, dice: Dice) -> dict[str, str]:
    begin = received_us + (dice.roll(8) - 2) * HOUR // 2
    return {
        "from": text_of(begin, dice),
        "to": text_of(begin + dice.roll(5) * HOUR // 2, dice),
        "reason": dice.pick(REASONS),
    }


def _task(scene: Scene, _: Data, dice: Dice) -> Data:
    completed_us = scene.past(dice)
    data = {
        "dinas": dice.pick(DINAS),
        "asn": dice.pick(ASN),
        "task": f"t-{dice.roll(9)}",
        "completed_at": text_of(completed_us, dice),
    }
    if not dice.chance(3):
        data["due_at"] = text_of(completed_us + dice.pick((0, -1, HOUR, -HOUR)), dice)
    return data | ({"reported_by": dice.pick(("self", "system"))} if dice.chance(2) else {})


def _rating(_: Scene, case: Data, dice: Dice) -> Data:
    data = dict(case)
    if dice.chance(2):
        data = {"dinas": case["dinas"], "survey": f"s-{dice.roll(30)}"}
    data |= {"asn": dice.pick(ASN)} if dice.chance(2) else {}
    if dice.chance(3):
        scale = dice.pick((2, 3, 4, 5, 7, 10))
        return data | {"overall": dice.roll(scale) + 1, "scale": scale}
    if dice.chance(6):
        return data | {"overall": dice.roll(4) + 1}
    names = [unsur for unsur in UNSUR if not dice.chance(9)] or ["waktu"]
    return data | {"unsur": {unsur: dice.roll(4) + 1 for unsur in names}}


def _day(scene: Scene, dice: Dice) -> str:
    return utc_text(scene.now_us + (dice.roll(160) - 120) * 24 * HOUR)[:10]


def _standard(scene: Scene, _: Data, dice: Dice) -> Data:
    day = _day(scene, dice)
    data = {
        "service": dice.pick(SERVICES),
        "amount": dice.pick((1, 2, 3, 24, 72)),
        "unit": "wall_hours",
        "effective_from": day,
    }
    return data | ({"dinas": dice.pick(DINAS)} if dice.chance(2) else {})


def _dinas(scene: Scene, _: Data, dice: Dice) -> Data:
    _day(scene, dice)
    return {"dinas": dice.pick((*DINAS, "dinkes")), "name": f"Dinas {dice.roll(5)}"}


def _asn(scene: Scene, _: Data, dice: Dice) -> Data:
    _day(scene, dice)
    return {"asn": dice.pick((*ASN, "a-9"))}


def _assignment(scene: Scene, _: Data, dice: Dice) -> Data:
    day = _day(scene, dice)
    until = {"effective_to": dice.pick((None, "2026-12-31"))} if dice.chance(2) else {}
    return {"asn": dice.pick((*ASN, "a-8")), "dinas": dice.pick(DINAS), "effective_from": day} | until


def _scheme(scene: Scene, _: Data, dice: Dice) -> Data:
    _day(scene, dice)
    cap = dice.pick((100, 110, 120, None))
    speed = {"id": "kecepatan", "numerator": f"capaian_sum_{cap or 'none'}", "denominator": "capaian_n", "cap": cap}
    rejections = {
        "id": "ditolak",
        "numerator": "permits_rejected",
        "denominator": "permits",
        "cap": 120,
        "direction": "lower",
    }
    satisfaction = {"id": "kepuasan", "numerator": "ikm", "denominator": "respondents", "cap": 120, "target": "88.31"}
    appreciation = {
        "id": "apresiasi",
        "numerator": "overall_sum",
        "denominator": "overall_n",
        "cap": None,
        "target": "75",
    }
    punctual = {"id": "ketepatan_waktu", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "cap": 100}
    usual = {"direction": "higher", "target": "40", "min_n": dice.pick((1, 1, 2, 3)), "weight": "0.2"}
    return {
        "scheme": f"uji-{dice.roll(9)}",
        "effective_from": dice.pick(("2026-01-01", "2026-11-01", "2026-12-01", "2026-10-01")),
        "indicators": [usual | indicator for indicator in (speed, rejections, satisfaction, appreciation, punctual)],
        "skm_weight": dice.pick(("1/9", "0.111", "0.11")),
        "min_coverage": dice.pick(("0.2", "0.4", "0.6")),
    }


class Strategy(NamedTuple):
    """A kind's share of twenty events, and the function that draws its data (``None``: an event about another one)."""

    weight: int
    data: Callable[[Scene, Data, Dice], Data] | None


STRATEGIES: Final = {
    "permit-received": Strategy(2, _received),
    "permit-processed": Strategy(3, _decided),
    "permit-paused": Strategy(1, _paused),
    "permit-resumed": Strategy(1, _resumed),
    "task-completed": Strategy(1, _task),
    "satisfaction-rated": Strategy(2, _rating),
    "event-retracted": Strategy(2, None),
    "event-corrected": Strategy(2, None),
    "repeat": Strategy(1, None),
    "standard-set": Strategy(1, _standard),
    "scheme-adopted": Strategy(1, _scheme),
    "dinas-registered": Strategy(1, _dinas),
    "asn-registered": Strategy(1, _asn),
    "asn-assigned": Strategy(1, _assignment),
}
KINDS: Final = tuple(kind for kind, strategy in STRATEGIES.items() for _ in range(strategy.weight))
"""The kinds of a step; ``repeat`` sends an earlier event again."""
