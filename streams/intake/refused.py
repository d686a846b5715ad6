"""Refused records: each goes to the topic of the refused with its problem, cut where the whole would not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from streams.kafka.broker import RECORD_MOST, RecordTooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kafka.broker import Headers, Sender

REFUSED_TOPIC: Final = "neraca.refused"
FRAME_BYTES: Final = 64 * 2**10
"""Room for what the client and the broker add to a record."""
PROBLEM_MOST: Final = 16 * 2**10
"""The bytes of a problem at most: a longer one keeps its type, title, status and the beginning of its detail."""
CUT: Final = "cut"
"""The header of a record that was cut: the bytes that its value had."""
DETAIL_MOST: Final = 2000
Outgoing = tuple[str, None, bytes | None, bytes | None, "Headers"]


def refused_record(
    key: bytes | None, value: bytes | None, headers: Headers, problem: dict[str, Any], most: int = RECORD_MOST
) -> Outgoing:
    """A record as it came, with its problem in a header; of one that is too large the beginning, and how long it was.

    The client sends no null in a header, so a null becomes empty.
    """
    content = value if key is not None else value or b""
    return _within(most - FRAME_BYTES, key, content, [(name, text or b"") for name, text in headers], problem)


def _within(
    room: int,
    key: bytes | None,
    content: bytes | None,
    headers: Headers,
    problem: dict[str, Any],
    length: bytes | None = None,
) -> Outgoing:
    """A record of at most ``room`` bytes, if the least of its problem leaves it any; ``length``: of a value cut before."""
    problem_header: Headers = [("problem", _problem(problem, min(PROBLEM_MOST, room // 2)))]
    room = max(0, room - _size(problem_header))
    mark: Headers = [] if length is None else [(CUT, length)]
    if len(key or b"") + len(content or b"") + _size(headers) + _size(mark) <= room:
        return REFUSED_TOPIC, None, key, content, [*headers, *mark, *problem_header]
    mark = mark or [(CUT, str(len(content or b"")).encode())]
    whole_or_none = headers if _size(headers) <= room // 2 else []
    short_key = key if len(key or b"") <= room // 4 else (key or b"")[: room // 4]
    rest = max(0, room - _size(whole_or_none) - _size(mark) - len(short_key or b""))
    return REFUSED_TOPIC, None, short_key, (content or b"")[:rest], [*whole_or_none, *mark, *problem_header]


def send_refused(sender: Sender, records: Sequence[Outgoing]) -> None:
    """Send refusals until all are kept; one that a smaller topic does not take is cut by halves.

    Raises: ``NoBroker``; ``RecordTooLarge`` where a topic does not take even the least of a refusal.
    """
    try:
        sender.send(records)
    except RecordTooLarge:
        if len(records) > 1:
            for record in records:
                send_refused(sender, [record])
            return
        smaller = _halved(*records)
        if _size_of(smaller) >= _size_of(*records):
            raise
        send_refused(sender, [smaller])


def _halved(record: Outgoing) -> Outgoing:
    _, _, key, value, headers = record
    *own, (_, text) = headers
    length = own.pop()[1] if own and own[-1][0] == CUT else None
    return _within(_size_of(record) // 2, key, value, own, msgspec.json.decode(text or b"{}"), length)


def _size_of(record: Outgoing) -> int:
    _, _, key, value, headers = record
    return len(key or b"") + len(value or b"") + _size(headers)


def _size(headers: Headers) -> int:
    return sum(len(name.encode()) + len(text or b"") + 10 for name, text in headers)


def _problem(problem: dict[str, Any], most: int) -> bytes:
    """A problem in JSON; of one that takes more than ``most`` bytes its head, and as much of its detail as there is room for."""
    text = msgspec.json.encode(problem)
    if len(text) <= most:
        return text
    head = {name: problem[name] for name in ("type", "title", "status") if name in problem}
    detail = str(problem.get("detail", ""))[:DETAIL_MOST]
    while len(text := msgspec.json.encode(head | {"detail": detail})) > most and detail:
        detail = detail[: len(detail) // 2]
    return text
