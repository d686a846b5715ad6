"""The random histories reach the cases of the laws: a law over histories that never reverse proves nothing."""

import random
from collections import Counter

import msgspec

from tests.laws.histories import recorded
from tests.laws.steps import Step
from tests.laws.strategies import KINDS

HISTORIES_MOST = 120
"""The rarest corner is met once in some tens of histories; the search ends when the last one is met."""


def test_histories_reach_every_corner() -> None:
    """Each kind taken, each refusal met; correction chains, decisions after a retraction, skew, pauses."""
    dice, lacking = random.Random(36_74), wanted()  # noqa: S311 - a seed, so that the run repeats
    for _ in range(HISTORIES_MOST):
        told = [Step(dice.randrange(len(KINDS)), tuple(dice.randrange(5000) for _ in range(9))) for _ in range(70)]
        with recorded(told) as history:
            lacking -= history.kinds().keys()
            seen = _corners([msgspec.json.decode(line) for _, line in history.lines])
            lacking -= {corner for corner, count in seen.items() if count}
        if not lacking:
            break
    assert lacking == set()


def wanted() -> set[str]:
    """All that random histories must come to."""
    again = {f"again {kind}" for kind in ("permit-processed", "event-corrected", "event-retracted")}
    refusals = {"invalid-event", "natural-key-held", "already-reversed", "content-conflict"}
    corners = {
        "correction of a correction",
        "retraction of a correction",
        "decision after a retraction",
        "receipt retracted",
        "clock_skew",
        "pauses from the file",
        "due from the file",
        "standard",
        "no promise",
    }
    return {kind for kind in KINDS if kind != "repeat"} | again | refusals | corners


def _corners(lines: list[dict[str, object]]) -> Counter[str]:
    seen, retracted, corrections = Counter[str](), set[str](), set[str]()
    for line in lines:
        data = line["data"]
        assert isinstance(data, dict)
        kind, resolved = str(line["type"]).split(".")[1], data.get("resolved", {})
        key = str([data.get(name) for name in ("dinas", "service", "case")])
        if kind.startswith("event-"):
            what = "correction" if kind == "event-corrected" else "retraction"
            seen[f"{what} of a correction"] += data["event"]["id"] in corrections
            corrections |= {str(line["id"])} if kind == "event-corrected" else set()
            removed = resolved["removes"]
            if kind == "event-retracted" and removed["type"] == "neraca.permit-processed.v1":
                retracted.add(str([removed["data"][name] for name in ("dinas", "service", "case")]))
            seen["receipt retracted"] += kind == "event-retracted" and removed["type"] == "neraca.permit-received.v1"
        if kind == "permit-processed":
            seen["decision after a retraction"] += key in retracted
            seen["clock_skew"] += "clock_skew" in resolved.get("flags", ())
            seen["pauses from the file"] += "pauses" in resolved and "pauses" not in data
            seen["due from the file"] += "due_us" in resolved and "due_at" not in data
            seen["standard"] += "standard" in resolved
            seen["no promise"] += "promise_us" not in resolved
    return seen
