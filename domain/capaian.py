"""Capaian: achievement against a promise, in basis points (1/100 percent).

Source: (2T - A)/T x 100 for "lower is better", LKjIP Maluku Tengah 2021; floor per case, then half-up, then the cap.
"""

from domain.measures import CAPS


def half_up(numerator: int, denominator: int) -> int:
    """A ratio of integers rounds to the nearest integer, halves upward. ``denominator`` is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


def permit_capaian(elapsed_us: int, promise_us: int) -> int:
    """A permit's uncapped capaian in basis points: 10000 when A = T, 20000 when A = 0, 0 from A = 2T on. T > 0."""
    time_saved_us = 2 * promise_us - elapsed_us
    return half_up(10_000 * time_saved_us, promise_us) if time_saved_us > 0 else 0


def capped(capaian_bp: int) -> tuple[int, ...]:
    """The same capaian under each cap of the closed list."""
    return tuple(capaian_bp if cap is None else min(capaian_bp, cap * 100) for cap in CAPS)
