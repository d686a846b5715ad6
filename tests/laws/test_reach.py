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
        steps = [Step(dice.randrange(len(KINDS)), tuple(dice.randrange(5000) for _ in range(9))) for _ in range(70)]
        with recorded(steps) as history:
            lacking -= history.kinds().keys()
            counts = _corners([msgspec.json.decode(line) for _, line in history.lines])
            lacking -= {corner for corner, count in counts.items() if count}
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
    counts, retractions, corrections = Counter[str](), set[str](), set[str]()
    for line in lines:
        data = line["data"]
        assert isinstance(data, dict)
        kind, resolution = str(line["type"]).split(".")[1], data.get("resolved", {})
        key = str([data.get(name) for name in ("dinas", "service", "case")])
        if kind.startswith("event-"):
            what = "correction" if kind == "event-corrected" else "retraction"
            counts[f"{what} of a correction"] += data["event"]["id"] in corrections
            corrections |= {str(line["id"])} if kind == "event-corrected" else set()
            removal = resolution["removes"]
            if kind == "event-retracted" and removal["type"] == "neraca.permit-processed.v1":
                retractions.add(str([removal["data"][name] for name in ("dinas", "service", "case")]))
            counts["receipt retracted"] += kind == "event-retracted" and removal["type"] == "neraca.permit-received.v1"
        if kind == "permit-processed":
            counts["decision after a retraction"] += key in retractions
            counts["clock_skew"] += "clock_skew" in resolution.get("flags", ())
            counts["pauses from the file"] += "pauses" in resolution and "pauses" not in data
            counts["due from the file"] += "due_us" in resolution and "due_at" not in data
            counts["standard"] += "standard" in resolution
            counts["no promise"] += "promise_us" not in resolution
    return counts
