"""From sums of measures to scores and ranks, for the oracle: schemes, indicators, the IKU, places in a ranking.

It shares no code with the project and counts in exact fractions; a float appears only in what is handed out.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from tests.oracle_facts import CAPS, UNSUR, half_up

BASIS_POINTS = {f"capaian_sum_{cap}" for cap in CAPS} | {"respondent_mean_sum", "overall_sum"}


class Indicator(NamedTuple):
    """One indicator of a scheme; `target` and `cap` in percent, `weight` a share of 1."""

    id: str
    numerator: str
    denominator: str
    direction: str
    target: Fraction
    cap: Fraction | None
    min_n: int
    weight: Fraction


class Scheme(NamedTuple):
    """A scheme's rules by which indicators become an IKU."""

    id: str
    indicators: tuple[Indicator, ...]
    skm_weight: Fraction
    min_coverage: Fraction


class Reading(NamedTuple):
    """An indicator as read: value in percent (None without data), capaian in percent (None while insufficient), n."""

    indicator: Indicator
    value: Fraction | None
    capaian: Fraction | None
    n: int


class Weighed(NamedTuple):
    """An IKU, exact (None while insufficient), and what it rests on: the covered weight and indicators, by index."""

    iku: Fraction | None
    weight: Fraction
    covers: tuple[int, ...]


class Place(NamedTuple):
    """A subject's place: best and worst rank inside its covered set, None when unranked."""

    id: str
    best: int | None
    worst: int | None


LEAST_TAPS = 30
"""Below so many answers to a single question their mean says too little."""
CONTOH_2026: dict[str, Any] = {
    "scheme": "contoh-2026",
    "skm_weight": "1/9",
    "min_coverage": "0.60",
    "indicators": [
        {
            "id": "kecepatan",
            "numerator": "capaian_sum_120",
            "denominator": "capaian_n",
            "direction": "higher",
            "target": "100",
            "cap": 120,
            "min_n": 30,
            "weight": "0.4",
        },
        {
            "id": "kepuasan",
            "numerator": "ikm",
            "denominator": "respondents",
            "direction": "higher",
            "target": "88.31",
            "cap": 120,
            "min_n": 30,
            "weight": "0.3",
        },
        {
            "id": "ketepatan_waktu",
            "numerator": "tasks_on_time",
            "denominator": "tasks_with_due",
            "direction": "higher",
            "target": "100",
            "cap": 120,
            "min_n": 10,
            "weight": "0.3",
        },
    ],
}


def edge(value: Fraction | None) -> float | None:
    """Show percent half-up to 2 decimals; absence stays absence."""
    return None if value is None else half_up(100 * value.numerator, value.denominator) / 100


def months_of(period: str) -> list[str]:
    """Periods are sums of months, written `2026-11`, `2026-Q4`, `2026-S2` or `2026`."""
    year, _, part = period.partition("-")
    length = {"": 12, "Q": 3, "S": 6}.get(part[:1], 1)
    last = int(part[1:]) * length if part[:1] in {"Q", "S"} else int(part or 12)
    return [f"{year}-{month:02}" for month in range(last - length + 1, last + 1)]


def scheme_for(rules: Iterable[dict[str, Any]], period: str) -> Scheme:
    """Take the scheme in force on the period's last day; while none is, the built-in `contoh-2026`.

    Of `adopted` no two share an `effective_from`: the later recorded stands.
    """
    last_month = months_of(period)[-1]
    in_force = [rule for rule in rules if rule["effective_from"][:7] <= last_month]
    rule = max(in_force, key=lambda rule: str(rule["effective_from"]), default=CONTOH_2026)
    indicators = tuple(
        Indicator(
            indicator["id"],
            indicator["numerator"],
            indicator["denominator"],
            indicator["direction"],
            Fraction(indicator["target"]),
            None if indicator.get("cap") is None else Fraction(indicator["cap"]),
            indicator["min_n"],
            Fraction(indicator["weight"]),
        )
        for indicator in rule["indicators"]
    )
    return Scheme(rule["scheme"], indicators, Fraction(rule["skm_weight"]), Fraction(rule["min_coverage"]))


def ikm(total: dict[str, int], weight: Fraction) -> Fraction | None:
    """IKM = 25 * sum of w * NRR over the nine unsur, undefined while one has no answer (PermenPANRB 14/2017)."""
    answers = [total.get(f"unsur_n_{name}", 0) for name in UNSUR]
    if 0 in answers:
        return None
    sums = [total.get(f"unsur_sum_{name}", 0) for name in UNSUR]
    return 25 * weight * sum((Fraction(score, n) for score, n in zip(sums, answers, strict=True)), Fraction(0))


def value_of(indicator: Indicator, total: dict[str, int], skm_weight: Fraction) -> Fraction | None:
    """Divide a count by a count, or a bp sum by a count, in percent; None without anything to divide by."""
    n = total.get(indicator.denominator, 0)
    if n == 0:
        return None
    if indicator.numerator == "ikm":
        return ikm(total, skm_weight)
    ratio = Fraction(total.get(indicator.numerator, 0), n)
    return ratio / 100 if indicator.numerator in BASIS_POINTS else ratio * 100


def read_all(scheme: Scheme, total: dict[str, int]) -> list[Reading]:
    """Capaian is V/T (higher is better) or (2T - V)/T (lower), floored at 0, then capped; none below the minimum n."""
    readings = []
    for indicator in scheme.indicators:
        n = total.get(indicator.denominator, 0)
        value = value_of(indicator, total, scheme.skm_weight)
        capaian = None
        if value is not None and n >= indicator.min_n:
            effective = value if indicator.direction == "higher" else 2 * indicator.target - value
            capaian = max(Fraction(0), 100 * effective / indicator.target)
            capaian = capaian if indicator.cap is None else min(capaian, indicator.cap)
        readings.append(Reading(indicator, value, capaian, n))
    return readings


def weigh(scheme: Scheme, readings: list[Reading]) -> Weighed:
    """IKU = sum of w * capaian over sum of w, of the parts that have one; a missing part is not zero."""
    parts = [(reading.indicator, reading.capaian) for reading in readings if reading.capaian is not None]
    weight = sum((indicator.weight for indicator, _ in parts), Fraction(0))
    covers = tuple(index for index, reading in enumerate(readings) if reading.capaian is not None)
    if weight == 0 or weight < scheme.min_coverage:
        return Weighed(None, weight, covers)
    return Weighed(sum((part.weight * capaian for part, capaian in parts), Fraction(0)) / weight, weight, covers)


def card_parts(scheme: Scheme, total: dict[str, int]) -> dict[str, Any]:
    """Write the `iku` and `indicators` of a scorecard; se, lo and hi are unknown for now."""
    readings = read_all(scheme, total)
    iku = weigh(scheme, readings).iku
    taps = total.get("overall_n", 0)
    return {
        "published": False,
        "waiting": {"ratings": 0, "reversals": 0},
        "overall": {
            "value": edge(Fraction(total["overall_sum"], 100 * taps)) if taps else None,
            "n": taps,
            "state": "ok" if taps >= LEAST_TAPS else "insufficient",
        },
        "iku": {"value": edge(iku), "state": state(iku), "se": None, "lo": None, "hi": None},
        "indicators": [
            {
                "id": reading.indicator.id,
                "value": edge(reading.value),
                "target": edge(reading.indicator.target),
                "capaian": edge(reading.capaian),
                "weight": float(reading.indicator.weight),
                "n": reading.n,
                "state": state(reading.capaian),
            }
            for reading in readings
        ],
    }


def state(score: Fraction | None) -> str:
    """Without a score the data are insufficient."""
    return "insufficient" if score is None else "ok"


def places(scores: dict[str, Weighed]) -> list[Place]:
    """Rank inside one covered set by the IKU as shown; larger covered weight first, the unranked last, ties by id.

    Covered sets of equal weight stand in the order in which the scheme lists their indicators.
    """
    values = {subject: edge(score.iku) for subject, score in scores.items()}
    comparable = {subject: value for subject, value in values.items() if value is not None}

    def order(subject: str) -> tuple[Fraction, tuple[int, ...], float, str]:
        score = scores[subject]
        return -score.weight, score.covers, -comparable[subject], subject

    ranking = []
    for subject in sorted(comparable, key=order):
        mine = comparable[subject]
        peers = [value for peer, value in comparable.items() if scores[peer].covers == scores[subject].covers]
        better, worse = sum(value > mine for value in peers), sum(value < mine for value in peers)
        ranking.append(Place(subject, 1 + better, len(peers) - worse))
    return ranking + [Place(subject, None, None) for subject in sorted(scores.keys() - comparable.keys())]
