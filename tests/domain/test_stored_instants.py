"""What a journal holds is read as it was when it was recorded, whatever is refused today: instants, and ids."""

import json
import re
from datetime import UTC, datetime
from typing import Final

import pytest

from domain import clock
from domain.clock import HOUR_US, SECOND_US, parse_instant, stored_instant
from domain.events.entries import decode
from domain.fold.casefiles import changes_of
from domain.fold.postings import postings_of

STORED: Final = {
    "2026-11-20T10:00:00+07:60": 1795132800000000 + 2 * HOUR_US,
    "2026-11-20T10:00:00+07:99": 1795132800000000 + 2 * HOUR_US - 39 * 60 * SECOND_US,
    "2026-11-20T10:00:00-07:60": 1795132800000000 + 18 * HOUR_US,
    "2026-11-20T24:00:00+07:00": 1795132800000000 + 17 * HOUR_US,
    "2026-11-20t24:00:00.000z": 1795132800000000 + 24 * HOUR_US,
    "2026-11-20 10:00:00.5+07:00": 1795132800000000 + 3 * HOUR_US + 500_000,
    "2026-11-20T10:00:00.123456789Z": 1795132800000000 + 10 * HOUR_US + 123_456,
}
"""Every form that a former version took, on whichever Python, and its count from the 20th of November, 00:00 UTC."""


class Stricter(datetime):
    """A parser as Python may have one day: it reads nothing but the plainest form."""

    @classmethod
    def fromisoformat(cls, text: str) -> datetime:  # type: ignore[override]  # the name of its parameter is positional
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+\d\d:[0-5]\d", text):
            raise ValueError(text)
        return datetime.fromisoformat(text)


class Laxer(datetime):
    """A parser that takes any text."""

    @classmethod
    def fromisoformat(cls, text: str) -> datetime:  # type: ignore[override]  # the name of its parameter is positional
        return datetime.min.replace(year=len(text), tzinfo=UTC)


@pytest.mark.parametrize("parser", [datetime, Stricter, Laxer])
def test_what_is_stored_is_read_as_it_was_whatever_the_python(
    parser: type[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is submitted is judged alike by every Python: each form of a former version alone is refused."""
    monkeypatch.setattr(clock, "datetime", parser)
    stored_instant.cache_clear()
    parse_instant.cache_clear()
    assert {text: stored_instant(text) for text in STORED} == STORED
    for text in [text for text in STORED if text[-2:] in ("60", "99") or "24:00" in text]:
        with pytest.raises(ValueError, match="must be 00 to"):
            parse_instant(text)
    assert parse_instant("2026-11-20T10:00:00z") == 1795132800000000 + 10 * HOUR_US


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T24:00:01Z",
        "2026-11-20T24:00:00.000000001Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:00:60Z",
        "2026-11-20T10:00:00+23:60",
        "2026-11-20T10:00:00+24:00",
        "2026-02-29T10:00:00Z",
        "9999-12-31T24:00:00Z",
        "2026-11-20T10:00:00",
        "20 November 2026",
    ],
)
def test_what_no_version_ever_took_is_not_read_from_a_journal_either(text: str) -> None:
    with pytest.raises(ValueError, match="names no moment|no instant that"):  # noqa: RUF043 - either of two words
        stored_instant(text)


def test_a_stored_pause_of_a_former_version_is_folded() -> None:
    """A journal that holds `+07:60` goes on under this version, and is replayed to the same figures."""
    data = {"dinas": "z06", "service": "s", "case": "A", "at": "2026-11-20T10:00:00+07:60", "reason": "payment"}
    line: dict[str, object] = {"type": "neraca.permit-paused.v1", "source": "/case/06", "id": "z1"}
    line |= {
        "specversion": "1.0",
        "time": "2026-11-20T10:00:00+07:60",
        "data": data,
        "recordedtime": "2026-11-20T03:00:00.000000Z",
    }
    entry = decode(json.dumps({**line, "recordedby": "local", "contenthash": "v1:0"}).encode())
    changes = [(case, file.pauses) for case, file in changes_of(entry)]
    assert changes == [(("z06", "s", "A"), ((parse_instant("2026-11-20T02:00:00Z"), "payment"),))]


@pytest.mark.parametrize("name", [".", "..", "a%2Fb"])
def test_a_stored_id_that_is_refused_today_still_counts(name: str) -> None:
    """A former version took it, and what it recorded stays."""
    data = {"dinas": name, "asn": name, "task": name, "completed_at": "2026-11-20T10:00:00+07:00"}
    line: dict[str, object] = {"type": "neraca.task-completed.v1", "source": "/old", "id": "t1", "specversion": "1.0"}
    line |= {"time": "2026-11-20T10:00:00+07:00", "data": {**data, "resolved": {"month": "2026-11"}}}
    line |= {"recordedtime": "2026-11-20T03:00:00.000000Z", "recordedby": "local", "contenthash": "v1:0"}
    (posting,) = postings_of(decode(json.dumps(line).encode()))
    assert posting.account == (name, name, "", "2026-11")
