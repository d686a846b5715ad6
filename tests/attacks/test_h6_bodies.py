"""H6: a body that makes the intake work more than its length is worth. Counts and sizes are compared, never seconds."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any, Final

import pytest

from api.http.problems import problem
from domain.intake.strict_json import parse_json
from domain.intake.wire import FACT_MOST, RULE_MOST, read_event
from domain.refusal import Refusal, attempt
from streams.kafka.cloudevents import event_of
from tests.serving import BATCH, EVENT, NDJSON, Assembled, event, ndjson

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
GOOD: Final = event("task-completed", "good", TASK)
STANDARD: Final = {"service": "ktp-el", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}


def long_key(number: int) -> bytes:
    """A long key above many values, and a key that stands twice behind them."""
    return b'{"%s":[%s],"a":1,"a":2}' % (b"k" * number, b",".join([b"[]"] * number))


def long_keys_nested(number: int) -> bytes:
    """Twenty long keys, each below the one before, and a key that stands twice at the bottom."""
    key = b"k" * number
    return b'{"%s":' % key * 20 + b'{"a":1,"a":2}' + b"}" * 20


def a_late_key(number: int) -> bytes:
    """Many objects, of which the last holds a key twice."""
    return b"[%s]" % b",".join([b'{"a":1}'] * number + [b'{"a":1,"a":2}'])


def peak(text: bytes) -> int:
    """The most bytes that reading a text holds at once."""
    tracemalloc.start()
    try:
        assert isinstance(attempt(parse_json, text), Refusal)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [long_key, long_keys_nested, a_late_key])
def test_a_body_of_double_size_costs_double_at_most(body: Any) -> None:  # noqa: ANN401 - a function
    """A pointer spelt for every value below a long key would cost four times as much."""
    parse_json(b'{"warm": []}')
    small, large = peak(body(2_000)), peak(body(4_000))
    assert large < 2.6 * small, (small, large)


def test_an_object_of_more_than_a_thousand_keys_is_refused_by_its_place() -> None:
    keys = {f"k{number}": 0 for number in range(1_000)}
    parse_json(json.dumps({"data": keys}).encode())
    refusal = attempt(parse_json, json.dumps({"data": [keys | {"more": 0}]}).encode())
    assert isinstance(refusal, Refusal)
    assert (refusal.slug, refusal.detail) == ("too-large", "/data/0: an object holds at most 1000 keys")


def padded(item: dict[str, Any], size: int) -> bytes:
    """An event written in so many bytes: white space within it counts."""
    text = json.dumps(item).encode()
    return text[:1] + b" " * (size - len(text)) + text[1:]


def test_a_fact_takes_16_kib_and_a_rule_48_as_sent(neraca: Assembled) -> None:
    rule = event("standard-set", "rule", STANDARD)
    sizes = [
        (padded(GOOD, FACT_MOST), 201),
        (padded({**GOOD, "id": "2"}, FACT_MOST + 1), 413),
        (padded(rule, RULE_MOST), 201),
        (padded({**rule, "id": "2"}, RULE_MOST + 1), 413),
        (padded({**GOOD, "type": "neraca.unheard-of.v1"}, FACT_MOST + 1), 413),
    ]
    for text, status in sizes:
        answer = neraca.post(text)
        assert answer.status_code == status, answer.text
        if status == 413:
            assert answer.json()["type"] == "urn:neraca:problem:too-large"


@pytest.mark.parametrize("media", [BATCH, NDJSON])
def test_a_large_event_among_others_is_rejected_at_its_index(neraca: Assembled, media: str) -> None:
    keys = {**GOOD, "id": "keys", "data": {**TASK, **{f"k{number}": 0 for number in range(1_000)}}}
    texts = [
        ndjson([GOOD]),
        padded({**GOOD, "id": "fact"}, FACT_MOST + 1),
        padded(event("standard-set", "rule", STANDARD), RULE_MOST + 1),
        ndjson([keys]),
        ndjson([{**GOOD, "id": "last"}]),
    ]
    answer = neraca.post(b"[" + b",".join(texts) + b"]" if media == BATCH else b"\n".join(texts), media).json()
    assert (answer["accepted"], [rejection["index"] for rejection in answer["rejected"]]) == (2, [1, 2, 3])
    assert {rejection["problem"]["status"] for rejection in answer["rejected"]} == {413}


def test_binary_mode_and_a_record_of_kafka_have_the_same_bounds(neraca: Assembled) -> None:
    """Attributes count: they are kept as the data are."""
    headers = {f"ce-{name}": str(value) for name, value in GOOD.items() if name != "data"} | {"ce-subject": "s"}
    data = json.dumps(TASK).encode()
    body = data[:1] + b" " * (FACT_MOST - len(data)) + data[1:]
    assert neraca.post(body, "application/json", headers=headers).status_code == 413
    assert neraca.post(data, "application/json", headers=headers).status_code == 201
    records: list[tuple[bytes, list[tuple[str, bytes | None]]]] = [
        (padded(GOOD, FACT_MOST + 1), [("content-type", EVENT.encode())]),
        (body, [(name.replace("ce-", "ce_"), text.encode()) for name, text in headers.items()]),
        (padded(GOOD, RULE_MOST + 1), []),
    ]
    for value, pairs in records:
        refusal = attempt(event_of, value, pairs)
        assert isinstance(refusal, Refusal)
        assert refusal.slug == "too-large"


def test_a_batch_of_small_values_is_counted_before_it_is_read(neraca: Assembled) -> None:
    answer = neraca.post(b"[" + b"[]," * 2_000_000 + b"[]]", BATCH)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:neraca:problem:too-large")


def test_a_problem_never_grows_with_what_was_sent() -> None:
    """It lists 20 faults at most, says how many more there are, and holds 2 KiB of detail."""
    many = {**GOOD, "data": {**TASK, **{f"k{number}": 0 for number in range(900)}}}
    long = {**GOOD, "data": {**TASK, "\u00e9" * 6_000: 0, "x" * 900: 0}, "y" * 900: 1}
    for item, least in ((many, 20), (long, 1)):
        refusal = attempt(read_event, json.dumps(item, ensure_ascii=False).encode())
        assert isinstance(refusal, Refusal)
        body = problem(refusal)
        assert least <= len(body["errors"]) <= 20
        assert len(body["errors"]) + body.get("more", 0) == len(refusal.faults)
        assert len(body["detail"].encode()) <= 2_048
        assert sum(len(text.encode()) for fault in body["errors"] for text in fault.values()) <= 2_048


def test_a_blank_line_costs_its_length(neraca: Assembled) -> None:
    """A pattern that tries each start of a run of spaces would take hours."""
    answer = neraca.post(b" " * 8_000_000 + b"\n" * 1_000_000 + ndjson([GOOD]), NDJSON)
    assert answer.json()["accepted"] == 1
