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
    headers_sent: Headers = [(name, text or b"") for name, text in headers]
    problem_header: Headers = [("problem", _problem(problem))]
    room = most - FRAME_BYTES - _size(problem_header)
    if len(key or b"") + len(content or b"") + _size(headers_sent) <= room:
        return REFUSED_TOPIC, None, key, content, [*headers_sent, *problem_header]
    mark: Headers = [(CUT, str(len(value or b"")).encode())]
    whole_or_none = headers_sent if _size(headers_sent) <= room // 2 else []
    short_key = key if len(key or b"") <= room // 4 else (key or b"")[: room // 4]
    rest = max(0, room - _size(whole_or_none) - _size(mark) - len(short_key or b""))
    return REFUSED_TOPIC, None, short_key, (content or b"")[:rest], [*whole_or_none, *mark, *problem_header]


def send_refused(sender: Sender, records: Sequence[Outgoing]) -> None:
    """Send refusals until all are kept; one that a smaller topic does not take is cut by halves. Raises: ``NoBroker``."""
    try:
        sender.send(records)
    except RecordTooLarge:
        if len(records) > 1:
            for record in records:
                send_refused(sender, [record])
            return
        ((_, _, key, value, headers),) = records
        most = (len(key or b"") + len(value or b"") + _size(headers)) // 2
        if not most:
            raise
        problem = msgspec.json.decode(headers[-1][1] or b"{}")
        length = dict(headers).get(CUT)
        smaller = refused_record(key, value, headers[:-1], problem, most + FRAME_BYTES)
        if length is not None:
            smaller = (*smaller[:4], [item if item[0] != CUT else (CUT, length) for item in smaller[4]])
        send_refused(sender, [smaller])


def _size(headers: Headers) -> int:
    return sum(len(name.encode()) + len(text or b"") + 10 for name, text in headers)


def _problem(problem: dict[str, Any]) -> bytes:
    text = msgspec.json.encode(problem)
    if len(text) <= PROBLEM_MOST:
        return text
    head = {name: problem[name] for name in ("type", "title", "status") if name in problem}
    return msgspec.json.encode(head | {"detail": str(problem.get("detail", ""))[:DETAIL_MOST]})
