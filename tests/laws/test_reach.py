"""The random histories reach what the laws speak of: a law over histories that never reverse proves nothing."""

import random
from collections import Counter

import msgspec

from tests.laws.histories import recorded
from tests.laws.steps import Step
from tests.laws.strategies import KINDS


def test_histories_reach_every_corner() -> None:
    """Each kind taken, each refusal met; correction chains, decisions after a retraction, skew, pauses."""
    dice, seen = random.Random(36_74), Counter[str]()  # noqa: S311 - a seed, so that the run repeats
    for _ in range(25):
        told = [Step(dice.randrange(len(KINDS)), tuple(dice.randrange(5000) for _ in range(9))) for _ in range(70)]
        with recorded(told) as history:
            seen += history.kinds()
            seen += _corners([msgspec.json.decode(line) for _, line in history.lines])
    wanted = {kind for kind in KINDS if kind != "repeat"} | {
        f"again {kind}" for kind in ("permit-processed", "event-corrected", "event-retracted")
    }
    wanted |= {"invalid-event", "natural-key-held", "already-reversed", "content-conflict"}
    wanted |= {
        "correction of a correction",
        "retraction of a correction",
        "decision after a retraction",
        "clock_skew",
        "pauses from the file",
    }
    wanted |= {"standard", "due from the file", "receipt retracted", "no promise"}
    assert {corner for corner in wanted if not seen[corner]} == set()


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
