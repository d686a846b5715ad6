"""Attributes beside an event's data: which are taken, and in which form."""

from __future__ import annotations

from typing import Any, Final

import pytest

from domain.intake.attributes import attributes_of, extension_names

NAME: Final = {"specversion": "1.0", "type": "t", "source": "/loket", "id": "1", "time": "-", "data": {}}
TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
PARENT: Final = "b7ad6b7169203331"


def pointers(extensions: tuple[str, ...] = (), **attributes: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """The pointers of the faults of an event with these attributes, none of which may stay among those that are taken."""
    further, faults = attributes_of({**NAME, **attributes}, extensions)
    places = [fault.pointer for fault in faults]
    assert not further.keys() & {place[1:] for place in places}
    return places


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traceparent", f"00-{TRACE}-{PARENT}-01"),
        ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("tracestate", "fw529a3039@dt=FfAAAAB, ,b=2"),
        ("sequence", "1"),
        ("sequence", "2147483647"),
        ("sequencetype", "Integer"),
        ("subject", "antrean 7"),
        ("dataschema", "https://neraca.example/schema/1"),
        ("datacontenttype", "application/json; charset=utf-8"),
    ],
)
def test_an_attribute_of_the_list_is_taken_in_its_form(name: str, value: object) -> None:
    assert pointers((), **{name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traceparent", f"ff-{TRACE}-{PARENT}-01"),
        ("traceparent", f"00-{'0' * 32}-{PARENT}-01"),
        ("traceparent", f"00-{TRACE}-{'0' * 16}-01"),
        ("traceparent", f"00-{TRACE.upper()}-{PARENT}-01"),
        ("traceparent", 7),
        ("tracestate", ""),
        ("tracestate", "Rojo=1"),
        ("tracestate", "a=1,a=2"),
        ("tracestate", "a=1=2"),
        ("tracestate", ",".join(f"k{number}=1" for number in range(33))),
        ("sequence", "0"),
        ("sequence", "01"),
        ("sequence", "2147483648"),
        ("sequence", 1),
        ("sequencetype", "Decimal"),
        ("subject", "NIK 3273011501900001"),
        ("subject", 1),
        ("dataschema", True),
        ("datacontenttype", "text/plain"),
        ("partitionkey", "d"),
        ("salt", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("leaf", "x"),
        ("redaction", "x"),
    ],
)
def test_any_other_attribute_or_form_is_a_fault_at_its_name(name: str, value: object) -> None:
    assert pointers((), **{name: value}) == [f"/{name}"]


def test_a_city_adds_names_whose_texts_are_read_for_personal_numbers() -> None:
    names = ("gateway", "hops", "live")
    assert pointers(names, gateway="g", hops=2**31 - 1, live=True) == []
    assert pointers(names, gateway="g 3273011501900001") == ["/gateway"]
    wrong: list[object] = [1.5, {}, 2**31, "x" * 2001]
    for value in wrong:
        assert pointers(names, gateway=value) == ["/gateway"]


@pytest.mark.parametrize("name", ["Gate", "gate-way", "", "data", "id", "salt", "traceparent", "subject"])
def test_a_name_with_a_meaning_of_its_own_is_none_that_a_city_adds(name: str) -> None:
    with pytest.raises(ValueError, match="attribute"):
        extension_names([name])


@pytest.mark.parametrize("event_id", ["..", ".", "cafe\u0301", "a\u200bb", "a\u202eb"])
def test_an_id_has_one_spelling_and_no_dots_alone(event_id: str) -> None:
    assert pointers(id=event_id) == ["/id"]
    assert pointers(id="caf\u00e9") == []
