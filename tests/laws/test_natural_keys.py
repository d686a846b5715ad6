"""A fact of any kind is stated once under its natural key; one of a kind without a key may be stated again."""

from typing import Any

import pytest

from domain.events.kinds import KINDS, Kind
from domain.refusal import Refusal
from projections.ports import Outcome
from tests.laws.histories import desk
from tests.laws.steps import Clerk, Step
from tests.laws.strategies import KINDS as DRAWN
from tests.laws.strategies import OPENED, Dice

FACTS = [kind for kind in KINDS.values() if kind.role == "fact"]
STEPS = range(12)


def stated_twice(kind: Kind, number: int) -> tuple[dict[str, Any], list[Outcome]]:
    """The data of a fact, and what the intake answers to it under one id and under another."""
    with desk() as counter:
        event = Clerk().event(Step(DRAWN.index(kind.name), tuple(range(number, number + 9))))
        counter.now_us = OPENED + 2000 * 3_600_000_000
        if kind.name == "permit-processed":
            event["data"] |= {"received_at": event["data"]["completed_at"]}
        if kind.name == "satisfaction-rated" and "case" in event["data"]:
            case = {name: event["data"][name] for name in ("dinas", "service", "case")}
            instants = {"received_at": event["time"], "completed_at": event["time"]}
            decision = {**event, "id": "decision", "type": KINDS["permit-processed"].type, "data": case | instants}
            counter.tell(decision)
        return event["data"], counter.tell(event, event | {"id": "again"})


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.name)
def test_a_fact_is_stated_once_under_its_natural_key(kind: Kind) -> None:
    """Told again under another id, a fact with a key is refused by it, and one without is another fact."""
    for number in STEPS:
        data, (first, again) = stated_twice(kind, number)
        assert not isinstance(first, Refusal), first
        is_held = isinstance(again, Refusal) and again.slug == "natural-key-held"
        assert is_held == bool(kind.natural_keys), data


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.name)
def test_every_natural_key_of_a_kind_is_met(kind: Kind) -> None:
    """The strategy of a kind draws data of each of its keys, so that the laws meet them all."""
    clerk = Clerk()
    examples = [clerk.data(kind.name, Dice(tuple(range(number, number + 9)))) for number in range(60)]
    assert {key.subject for key in kind.natural_keys} == {
        next(key.subject for key in kind.natural_keys if key.applies(data)) for data in examples if kind.natural_keys
    }
