"""The changes that a correction of the demo makes to a fact."""

from datetime import timedelta
from random import Random

from streams.demo.city import Event, local_moment
from streams.demo.unit import Unit


def amended(fact: Event, unit: Unit, rng: Random) -> tuple[str, Event]:
    """A code for a correction, and the corrected data: an earlier completion, another ASN, or another answer."""
    data: Event = fact["data"]
    if "unsur" in data:
        name = rng.choice(list(data["unsur"]))
        answer = rng.choice([n for n in (1, 2, 3, 4) if n != data["unsur"][name]])
        return "wrong_answer", {**data, "unsur": {**data["unsur"], name: answer}}
    if "overall" in data:
        return "wrong_answer", {**data, "overall": rng.choice([n for n in (1, 2, 3, 4) if n != data["overall"]])}
    if "case" in data and len(unit.counters) > 1 and rng.choice((True, False)):
        return "wrong_asn", {**data, "asn": rng.choice([asn for asn in unit.counters if asn != data["asn"]])}
    completion = local_moment(data["completed_at"])
    start = data.get("received_at") or data.get("assigned_at")
    earlier = completion - timedelta(minutes=rng.randint(5, 90))
    if start:
        earlier = max(earlier, min(completion, local_moment(start) + timedelta(minutes=1)))
    return "wrong_time", {**data, "completed_at": earlier.isoformat()}
