"""The wire form: numbers, answers and places, and every fault of an event by its own pointer."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from domain.canonical import canonical
from domain.intake.media import media_of, unquoted
from domain.intake.strict_json import parse_json
from domain.intake.wire import read_submission
from domain.refusal import Refusal

RATING: Final = {"dinas": "d", "survey": "S-1"}
STANDARD: Final = {"service": "ktp-el", "unit": "wall_hours", "effective_from": "2026-01-01"}
TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
DECISION: Final = {"dinas": "d", "service": "s", "case": "K", "completed_at": "2026-11-24T10:00:00+07:00"}


def event(kind: str, data: object, **attributes: object) -> dict[str, Any]:
    """An event of a kind."""
    envelope = {"specversion": "1.0", "type": f"neraca.{kind}.v1", "source": "/loket", "id": "1"}
    return {**envelope, "time": "2026-11-24T10:00:00+07:00", "data": data, **attributes}


def faults(kind: str, data: object) -> list[str]:
    """The pointers of the faults of an event's data; none of a good event."""
    try:
        read_submission(parse_json(json.dumps(event(kind, data)).encode()))
    except Refusal as refusal:
        return [fault.pointer.removeprefix("/data") for fault in refusal.faults if fault.detail]
    return []


@pytest.mark.parametrize("text", ["4", "4.0", "4e0", "0.4E1", "40e-1", "4.000000000000000000000000000", "400E-2"])
def test_a_number_whose_value_is_whole_is_that_integer(text: str) -> None:
    value = parse_json(text.encode())
    assert (value, type(value), canonical([value])) == (4, int, b"[4]")


@pytest.mark.parametrize("text", ["0.0", "-0.0", "0e7", "-0e999"])
def test_nought_is_nought_however_it_is_spelt(text: str) -> None:
    value = parse_json(text.encode())
    assert (value, type(value)) == (0, int)


@pytest.mark.parametrize(
    "text", ["4.5", "4.0000000000000000000000001", "1e-400", "1e40", "1e308", "1e-99999999999999999999"]
)
def test_any_other_number_is_no_integer_and_costs_little(text: str) -> None:
    """A whole number of hundreds of digits stays out too: `1e308` would be one."""
    assert isinstance(parse_json(text.encode()), float)


@pytest.mark.parametrize("amount", ["24.0", "2.4e1", "240E-1"])
def test_an_event_is_one_event_however_its_whole_numbers_are_spelt(amount: str) -> None:
    """The stored data and the content hash are those of the integer, so that the same event is a repeat."""
    spelling = json.dumps(event("standard-set", {**STANDARD, "amount": "@"})).replace('"@"', amount)
    item, other = (
        read_submission(parse_json(spelling.encode())),
        read_submission(event("standard-set", {**STANDARD, "amount": 24})),
    )
    assert (item.data, item.content_hash, item.typed) == (other.data, other.content_hash, other.typed)
    assert type(item.data["amount"]) is int


@pytest.mark.parametrize("new_data", [False, True])
def test_an_answer_of_null_is_a_question_left_out(new_data: bool) -> None:  # noqa: FBT001 - a parameter
    """Also in a correction: what is stored must be readable for ever."""

    def stated(unsur: dict[str, int | None]) -> Any:  # noqa: ANN401 - a submission
        data: dict[str, object] = {**RATING, "unsur": unsur}
        correction = {"event": {"source": "/s", "id": "1"}, "reason": "typo", "replacement": data}
        return read_submission(event("event-corrected", correction) if new_data else event("satisfaction-rated", data))

    null, left_out = stated({"waktu": 4, "biaya": None}), stated({"waktu": 4})
    assert (null.content_hash, null.data) == (left_out.content_hash, left_out.data)


@pytest.mark.parametrize(
    ("unsur", "pointers"),
    [
        ({"waktu": 4, "biaya": 3.5}, ["/unsur/biaya"]),
        (
            {"waktu": "4", "biaya": True, "produk": [], "sarana": {}},
            ["/unsur/waktu", "/unsur/biaya", "/unsur/produk", "/unsur/sarana"],
        ),
        ({"waktu": 5, "biaya": 0}, ["/unsur/waktu", "/unsur/biaya"]),
        ({"waktu": "x", "biaya": 5}, ["/unsur/waktu", "/unsur/biaya"]),
        ({"cuaca": None}, ["/unsur/cuaca"]),
        ({"a/b~c": 1.5}, ["/unsur/a~1b~0c"]),
        ({"a/b~c": 1}, ["/unsur/a~1b~0c"]),
        ({"waktu": None}, ["/unsur"]),
        (4, ["/unsur"]),
        (None, ["/unsur"]),
    ],
)
def test_each_wrong_answer_is_a_fault_at_its_very_name(unsur: object, pointers: list[str]) -> None:
    assert faults("satisfaction-rated", {**RATING, "unsur": unsur}) == pointers


@pytest.mark.parametrize(
    ("kind", "data", "pointers"),
    [
        (
            "permit-processed",
            {**DECISION, "pauses": [{"from": 1, "to": "x", "reason": "no"}, {"to": [], "q": 1}, 7], "asn": "a/b"},
            [
                "/pauses/0/from",
                "/pauses/0/reason",
                "/pauses/1/from",
                "/pauses/1/reason",
                "/pauses/1/q",
                "/pauses/1/to",
                "/pauses/2",
                "/asn",
            ],
        ),
        ("event-retracted", {"event": {"source": 1}, "reason": 2}, ["/event/id", "/event/source", "/reason"]),
        ("event-corrected", {"event": [], "reason": "x", "replacement": 1}, ["/event", "/replacement"]),
        (
            "scheme-adopted",
            {
                "scheme": "k",
                "effective_from": "2026-12-32",
                "indicators": [{"id": 1}, 2],
                "skm_weight": 1,
                "min_coverage": None,
            },
            [
                *(
                    f"/indicators/0/{name}"
                    for name in ("numerator", "denominator", "direction", "target", "cap", "min_n", "weight")
                ),
                "/indicators/0/id",
                "/indicators/1",
                "/skm_weight",
                "/min_coverage",
                "/effective_from",
            ],
        ),
        (
            "task-completed",
            {**TASK, "task": None, "asn": "", "due_at": "besok", "x": 1},
            ["/x", "/task", "/asn", "/due_at"],
        ),
        (
            "asn-assigned",
            {"asn": "a", "dinas": "d", "effective_from": "2026-01-01", "effective_to": 3},
            ["/effective_to"],
        ),
    ],
)
def test_every_fault_of_an_event_is_named_at_once_by_its_place(kind: str, data: object, pointers: list[str]) -> None:
    assert faults(kind, data) == pointers


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "a": 2}', "/a: "),
        ('{"data": {"b": [{}, {"c/d": 1, "c/d": 1}]}}', "/data/b/1/c~1d: "),
        ('{"data": {"x": {"task": 1, "t\\u0061sk": 2}}}', "/data/x/task: "),
        ('[{"a": {"b": 1}}, {"a": {"b": 1, "c": 2, "b": 3}}]', "/1/a/b: "),
    ],
)
def test_a_key_that_stands_twice_is_named_by_its_place(text: str, place: str) -> None:
    with pytest.raises(Refusal, match="stands twice") as error:
        parse_json(text.encode())
    assert error.value.slug == "malformed-json"
    assert error.value.detail.startswith(place)


def test_a_key_that_stands_twice_at_the_end_of_a_long_body_is_found_in_one_pass() -> None:
    """Counting each of its 200,000 names among all of them would take hours."""
    whole = "{" + ",".join(f'"{number}":[]' for number in range(1_000)) + "}"
    last = whole.replace('"999"', '"998"')
    body = f"[{f'{whole},' * 199}{last}]"
    with pytest.raises(Refusal, match=r"^/199/998: "):
        parse_json(body.encode())


def test_a_key_that_stands_twice_at_the_end_of_the_longest_object_is_found() -> None:
    body = "{" + ",".join(f'"{number}":[]' for number in range(999)) + ',"998":1}'
    with pytest.raises(Refusal, match=r"^/998: "):
        parse_json(body.encode())


@pytest.mark.parametrize("name", ["dinas", "asn"])
@pytest.mark.parametrize("value", [".", "..", "a/b", "/", "./."])
def test_no_dinas_or_asn_has_an_id_that_an_address_cannot_hold(name: str, value: str) -> None:
    assert faults("task-completed", {**TASK, name: value}) == [f"/{name}"]
    assert [faults("task-completed", {**TASK, name: good}) for good in ("%2F", "...", ".a", "a%2Fb")] == [[]] * 4


@pytest.mark.parametrize(
    ("kind", "data", "name"),
    [
        ("task-completed", TASK, "task"),
        ("permit-processed", DECISION, "service"),
        ("permit-processed", DECISION, "case"),
    ],
)
def test_other_ids_may_hold_a_slash_but_are_no_dots(kind: str, data: dict[str, str], name: str) -> None:
    assert [faults(kind, {**data, name: value}) for value in (".", "..")] == [[f"/{name}"]] * 2
    receipt = {"received_at": "2026-11-24T09:00:00+07:00"} if kind == "permit-processed" else {}
    assert [faults(kind, {**data, **receipt, name: value}) for value in ("a/b", "...", ".x", "1%", "a.b")] == [[]] * 5


@pytest.mark.parametrize(
    ("text", "type_", "parameters"),
    [
        ("application/json", "application/json", {}),
        ("Application/CloudEvents+JSON", "application/cloudevents+json", {}),
        (' application/json ;  Charset="UTF-8" ; Profile=x', "application/json", {"charset": "UTF-8", "profile": "x"}),
        (r'a/b; x="1;2\"3"', "a/b", {"x": '1;2"3'}),
        ("a/b;;c=d;", "a/b", {"c": "d"}),
    ],
)
def test_a_media_type_has_its_parameters_whatever_the_case(text: str, type_: str, parameters: dict[str, str]) -> None:
    assert media_of(text) == (type_, parameters)


@pytest.mark.parametrize("text", ["", "json", "a/b/c", "a/b; c", "a/b; c=", 'a/b; c="d', "a/b; c=1; C=2", "a/b x"])
def test_text_that_is_no_media_type_is_none(text: str) -> None:
    assert media_of(text) is None


@pytest.mark.parametrize(
    ("text", "content"), [('"t-1"', "t-1"), (r'"a \"b\" \\ c"', r'a "b" \ c'), ('""', ""), ('"a%20b"', "a%20b")]
)
def test_a_quoted_string_is_its_content(text: str, content: str) -> None:
    assert unquoted(text) == content


@pytest.mark.parametrize("text", ['"', '"a', '"a"b', r'"a\"', '"a" "b"'])
def test_quotes_that_do_not_close_at_the_end_are_no_quoted_string(text: str) -> None:
    with pytest.raises(ValueError, match="does not close"):
        unquoted(text)
