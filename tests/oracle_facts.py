"""The numbers of one fact, for the oracle: instants, time paused, and the measures a single fact posts.

It shares no code with the project; everything here is a pure function of what was submitted.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Line = dict[str, Any]
Span = tuple[int, int]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
LONGEST_PROMISE_US = 438_300 * HOUR_US
"""Fifty years: a promise for longer than that is none."""
SKEW_US = 60_000_000
UNSUR = ("persyaratan", "prosedur", "waktu", "biaya", "produk", "kompetensi", "perilaku", "pengaduan", "sarana")
CAPS = {"100": 100, "110": 110, "120": 120, "none": None}


def half_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers, a half going up."""
    return (2 * numerator + denominator) // (2 * denominator)


def us_of(text: str) -> int:
    """Count an RFC 3339 instant in whole microseconds since 1970-01-01T00:00:00Z."""
    return us_at(datetime.fromisoformat(text.upper()))


def us_at(moment: datetime) -> int:
    """Count an aware moment in whole microseconds, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def paused_within(spans: Iterable[Span], start: int, end: int | None) -> int:
    """Pauses count once where they overlap, and only inside the case's span (`end` None: no end yet); microseconds."""
    total, counted_to = 0, start
    for begin, finish in sorted(spans):
        low, high = max(begin, counted_to), finish if end is None else min(finish, end)
        if high > low:
            total, counted_to = total + high - low, high
    return total


def task_measures(data: Line) -> dict[str, int]:
    """Tasks are on time when completed at or before their due time; without one they are only volume.

    A due time over fifty years after the assignment is none; of a task without one, after its completion.
    """
    due = data.get("due_at")
    assigned_at: str = data.get("assigned_at") or data["completed_at"]
    if due is not None and us_of(due) - us_of(assigned_at) > LONGEST_PROMISE_US:
        due = None
    return {
        "tasks": 1,
        "tasks_with_due": int(due is not None),
        "tasks_on_time": int(due is not None and us_of(data["completed_at"]) <= us_of(due)),
        "tasks_self_reported": int(data.get("reported_by") == "self"),
    }


def rating_measures(data: Line) -> dict[str, int]:
    """Respondents post each unsur answered, by name, and the mean of r/4 in bp; a single question posts r/scale."""
    answers = data.get("unsur")
    if answers is None:
        share = half_up(10_000 * data["overall"], data.get("scale") or 4)
        return {"overall_n": 1, "overall_sum": share, "overall_sq": share * share}
    mean = half_up(10_000 * sum(answers.values()), 4 * len(answers))
    measures = {"respondents": 1, "respondent_mean_sum": mean, "respondent_mean_sq": mean * mean}
    for name in UNSUR:
        if name in answers:
            measures |= {f"unsur_n_{name}": 1, f"unsur_sum_{name}": answers[name]}
    return measures


PLAIN: dict[str, tuple[str | None, Callable[[Line], dict[str, int]]]] = {
    "task-completed": ("completed_at", task_measures),
    "satisfaction-rated": (None, rating_measures),
}
"""Facts that no case knows of: the field of the instant at which each counts (None: its time), and what it posts."""


def capaian_measures(elapsed_us: int, promise: int | None) -> dict[str, int]:
    """Capaian is (2T - A)/T, floored at 0, then half-up to bp, then capped; T <= 0 has none."""
    if promise is None or promise <= 0:
        return {}
    capaian = half_up(10_000 * max(0, 2 * promise - elapsed_us), promise)
    measures = {"capaian_n": 1}
    for name, cap in CAPS.items():
        amount = capaian if cap is None else min(capaian, cap * 100)
        measures |= {f"capaian_sum_{name}": amount, f"capaian_sq_{name}": amount * amount}
    return measures


def permit_measures(data: Line, pauses: list[Span], standard_us: int | None) -> dict[str, int]:
    """Decisions are in time at or before their `due_at`, as raw instants; else within their standard on the clock.

    A completion before the receipt counts as 0 elapsed: the clocks of two systems differ.
    """
    received_us, completed_us = us_of(data["received_at"]), us_of(data["completed_at"])
    elapsed_us = max(0, completed_us - received_us) - paused_within(pauses, received_us, completed_us)
    due = us_of(data["due_at"]) if "due_at" in data else None
    promise = standard_us if due is None else due - received_us
    if promise is not None and promise > LONGEST_PROMISE_US:
        promise = None
    in_time = promise is not None and (elapsed_us <= promise if due is None else completed_us <= due)
    return {
        "permits": 1,
        "permits_with_standard": int(promise is not None),
        "permits_on_time": int(in_time),
        "permits_rejected": int(data.get("outcome") == "rejected"),
        "permits_elapsed_us": elapsed_us,
    } | capaian_measures(elapsed_us, promise)
