"""Instants in forms: a native input in the zone of the pages, and the same in words beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from api.http.problems import bad_query
from domain.clock import instant_of, moment_of, parse_instant, parse_local

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from api.pages.words import Words

_OFFSET: Final = re.compile(r"[Zz]$|[+-]\d\d:\d\d$", re.ASCII)


def asked_instant(query: Mapping[str, str], name: str, zone: tzinfo) -> int | None:
    """The instant of a local time, or of a time with an offset; ``None`` without one. Raises: ``Refusal``."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        instant_us = parse_instant(text) if _OFFSET.search(text) else instant_of(parse_local(text).replace(tzinfo=zone))
        moment_of(instant_us, zone)  # it must lie on the calendar of the zone too, in which the page writes it
    except (ValueError, OverflowError):
        raise bad_query(name, "must be a time such as 2026-11-01T00:00") from None
    return instant_us


def input_text(instant_us: int | None, zone: tzinfo) -> str:
    """An instant as the value of a native input; with seconds only if it has some."""
    if instant_us is None:
        return ""
    local = moment_of(instant_us, zone).replace(tzinfo=None)
    whole = local.second == local.microsecond == 0
    return local.isoformat(timespec="minutes" if whole else "milliseconds" if local.microsecond else "seconds")


def said_in_full(instant_us: int, words: Words) -> str:
    """``Minggu, 1 November 2026, 00.00 WIB``."""
    weekday = words("weekday.names").split()[moment_of(instant_us, words.zone).weekday()]
    return f"{weekday}, {words.moment(instant_us)}"
