"""The limits of a new token: the ones that its roles need, and the ones that would not hold for all of its roles."""

from typing import Final

from msgspec import Struct

OF_DINAS: Final = frozenset({"counter", "rate", "leader", "rules", "correct"})
"""The roles that a limit to some dinas holds for."""
WRITING: Final = frozenset({"counter", "rate", "rules", "correct"})
"""The roles that record: a limit to some sources, or to so many events an hour, holds for these."""


class Limits(Struct, frozen=True):
    """The limits that a token is made with; ``every_dinas`` is a leader's of the whole city."""

    dinas: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    asn: str = ""
    every_dinas: bool = False
    events_hour: int | None = None


def refusal_of(roles: frozenset[str], limits: Limits) -> str | None:
    """The sentence that says why a token with these roles cannot have these limits; ``None`` if all of them hold."""
    return _of_combination(roles) or _missing(roles, limits) or _without_effect(roles, limits)


def _of_combination(roles: frozenset[str]) -> str | None:
    if not roles:
        return "a token needs a role"
    if {"counter", "rate"} <= roles:
        return "counter never goes with rate: who records a case does not rate it"
    if "keys" in roles and len(roles) > 1:
        return "keys goes with no other role: who makes tokens sees nobody"
    return None


def _missing(roles: frozenset[str], limits: Limits) -> str | None:
    if "counter" in roles and not (limits.dinas and limits.sources):
        return "counter needs --dinas and --source"
    if "leader" in roles and not (limits.dinas or limits.every_dinas):
        return "leader needs --dinas, or --all for the whole city"
    if "asn" in roles and not limits.asn:
        return "asn needs --asn"
    return None


def _without_effect(roles: frozenset[str], limits: Limits) -> str | None:
    others = sorted(roles - OF_DINAS)
    if limits.dinas is not None and others:
        return f"--dinas does not limit {', '.join(others)}: make a token of its own"
    if limits.every_dinas and ("leader" not in roles or limits.dinas is not None):
        return "--all is for leader, without --dinas"
    if limits.asn and "asn" not in roles:
        return "--asn is for the role asn"
    is_recording = bool(roles & WRITING)
    if limits.sources is not None and not is_recording:
        return "--source limits what is recorded, and none of these roles records"
    if limits.events_hour is not None and not is_recording:
        return "--events-hour limits what is recorded, and none of these roles records"
    return None
