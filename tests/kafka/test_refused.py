"""Refusals are cut until their topic takes them; one that it takes in no form is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from streams.intake.refused import CUT, Outgoing, refused_record, send_refused
from streams.kafka.broker import Headers, RecordTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.speed("quick")


class Narrow:
    """A sender to a topic that takes records of so many bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.kept: list[Outgoing] = []

    def send(self, records: Iterable[Outgoing]) -> None:
        """Keep records. Raises: ``RecordTooLarge``, and keeps none."""
        batch = list(records)
        for _, _, key, value, headers in batch:
            size = len(key or b"") + len(value or b"") + sum(len(name) + len(text or b"") for name, text in headers)
            if size > self._most:
                raise RecordTooLarge(str(size))
        self.kept += batch


LONG: Final = {"type": "t", "title": "T", "status": 422, "detail": "\u00e9\n" * 4500, "errors": ["e" * 100] * 500}


@pytest.mark.parametrize("most", [90, 100, 150, 400, 2500, 7000, 40_000])
@pytest.mark.parametrize("key", [None, b"abcdefghij", b"k" * 5000], ids=["no key", "a key", "a long key"])
@pytest.mark.parametrize("problem_", [{"type": "t"}, LONG], ids=["a problem", "a long problem"])
def test_a_refusal_is_cut_until_its_topic_takes_it(most: int, key: bytes | None, problem_: dict[str, Any]) -> None:
    """From its end, whatever there is to cut: key, value, headers or problem; the mark says how long the value was."""
    sender: Any = Narrow(most)
    headers: Headers = [("ce_id", b"x" * 5000)]
    records = [refused_record(key, b"v" * size, headers, problem_) for size in (1, 20_000)]
    send_refused(sender, records)
    for (_, _, key_now, value, headers_now), size in zip(sender.kept, (1, 20_000), strict=True):
        assert (key or b"").startswith(key_now or b"")
        assert (b"v" * size).startswith(value or b"")
        assert msgspec.json.decode(headers_now[-1][1] or b"")["type"] == "t"
        assert headers_now[:-1] == headers or dict(headers_now)[CUT] == str(size).encode()


def test_a_topic_that_takes_no_refusal_at_all_is_told_of() -> None:
    sender: Any = Narrow(20)
    with pytest.raises(RecordTooLarge):
        send_refused(sender, [refused_record(b"k", b"v" * 20_000, [], LONG)])
    assert sender.kept == []
