"""The rulebook: the standard and the scheme in force, the dinas and ASN known, the lines not reversed."""

from datetime import date
from itertools import permutations
from typing import Any

import msgspec
import pytest

from domain.events.entries import AnyEntry
from domain.rules.rulebook import Rulebook
from domain.rules.scheme import CONTOH_2026
from tests.domain.said import DINAS, HOUR, SERVICE, entry, rules, standard

INDICATOR = {
    "id": "kecepatan",
    "numerator": "capaian_sum_120",
    "denominator": "capaian_n",
    "direction": "higher",
    "target": "100",
    "cap": 120,
    "min_n": 1,
    "weight": "1",
}


def scheme(name: str, since: str, **fields: Any) -> AnyEntry:  # noqa: ANN401 - fields of the event
    data = {
        "scheme": name,
        "effective_from": since,
        "indicators": [INDICATOR],
        "skm_weight": "1/9",
        "min_coverage": "0.6",
    }
    return entry("scheme-adopted", data | fields)


def assigned(asn: str, since: str, until: str | None = None, dinas: str = DINAS) -> AnyEntry:
    return entry("asn-assigned", {"asn": asn, "dinas": dinas, "effective_from": since, "effective_to": until})


@pytest.mark.parametrize(
    ("received_on", "dinas", "in_force"),
    [
        ("2025-12-31", DINAS, None),
        ("2026-01-01", DINAS, "general-jan"),
        ("2026-05-31", DINAS, "general-jan"),
        ("2026-06-01", DINAS, "own-jun"),
        ("2026-08-01", DINAS, "own-jun"),  # one for the dinas beats a later general one
        ("2026-08-01", "dinkes", "general-aug"),
        ("2026-10-01", DINAS, "own-oct-again"),  # of equal dates the later recorded
        ("2030-01-01", DINAS, "own-oct-again"),
        ("2030-01-01", "dinkes", "general-aug"),
    ],
)
def test_one_for_the_dinas_beats_a_general_one_then_the_later_date_then_the_later_recorded(
    received_on: str, dinas: str, in_force: str | None
) -> None:
    book = rules(
        standard("own-oct", 9, "2026-10-01", DINAS),
        standard("general-aug", 4, "2026-08-01"),
        standard("own-jun", 3, "2026-06-01", DINAS),
        standard("general-jan", 2, "2026-01-01"),
        standard("own-oct-again", 8, "2026-10-01", DINAS),
        standard("other-service", 1, "2026-01-01", DINAS, service="kia"),
    )
    rule = book.standard(dinas, SERVICE, date.fromisoformat(received_on))
    assert (None if rule is None else rule.id) == (None if in_force is None else f"/peraturan#{in_force}")


def test_a_standards_length_is_in_microseconds_of_its_unit() -> None:
    rule = rules(standard("s", 24, "2026-01-01")).standard(DINAS, SERVICE, date(2026, 1, 1))
    assert rule is not None
    assert (rule.us, rule.unit) == (24 * HOUR, "wall_hours")


def test_of_two_rules_for_one_key_the_later_recorded_stands_in_whatever_order_they_are_folded() -> None:
    entries = list(
        enumerate(
            [
                standard("a", 1, "2026-01-01"),
                standard("b", 2, "2026-01-01"),
                scheme("x", "2026-01-01"),
                scheme("y", "2026-01-01"),
                assigned("a-1", "2026-01-01"),
                assigned("a-1", "2026-01-01", "2026-02-01"),
            ],
            1,
        )
    )
    first: Rulebook | None = None
    for order in permutations(entries):
        book = Rulebook()
        for position, each in order:
            book.apply(position, each)
        first = first or book
        rule = book.standard(DINAS, SERVICE, date(2026, 1, 1))
        assert rule is not None
        assert (rule.id, book.scheme(date(2026, 1, 1)).id) == ("/peraturan#b", "y")
        assert list(book.assigned(DINAS, date(2026, 3, 1), date(2026, 3, 31))) == []
        assert (book.lines(), book.position) == (first.lines(), 6)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2020-01-01", "contoh-2026"),
        ("2026-03-31", "contoh-2026"),
        ("2026-04-01", "april"),
        ("2026-12-31", "april"),
        ("2027-01-01", "next"),
    ],
)
def test_the_scheme_in_force_is_the_last_adopted_and_before_the_first_the_built_in_example(day: str, name: str) -> None:
    book = rules(scheme("next", "2027-01-01"), scheme("april", "2026-04-01"))
    assert book.scheme(date.fromisoformat(day)).id == name
    assert rules().scheme(date.fromisoformat(day)) is CONTOH_2026


@pytest.mark.parametrize(
    ("first", "last", "who"),
    [
        ("2026-01-01", "2026-01-31", []),
        ("2026-01-01", "2026-02-01", ["a-1"]),
        ("2026-03-10", "2026-03-31", ["a-1", "a-2"]),
        ("2026-03-16", "2026-03-31", ["a-2"]),
    ],
)
def test_an_assignment_holds_from_its_first_day_to_its_last(first: str, last: str, who: list[str]) -> None:
    book = rules(
        assigned("a-1", "2026-02-01", "2026-03-15"),
        assigned("a-2", "2026-03-10"),
        assigned("a-3", "2026-01-01", dinas="dlh"),
    )
    assert sorted(book.assigned(DINAS, date.fromisoformat(first), date.fromisoformat(last))) == who


def test_an_asn_is_known_by_registration_or_by_assignment_and_a_dinas_by_its_last_name() -> None:
    book = rules(
        entry("asn-registered", {"asn": "a-1"}),
        assigned("a-2", "2026-01-01"),
        entry("dinas-registered", {"dinas": DINAS, "name": "Dukcapil"}),
        entry("dinas-registered", {"dinas": DINAS, "name": "Disdukcapil"}),
    )
    assert [book.knows_asn(asn) for asn in ("a-1", "a-2", "a-3")] == [True, True, False]
    assert (book.dinas_name(DINAS), book.dinas_name("dlh"), book.dinas()) == ("Disdukcapil", None, [DINAS])


def test_a_copy_of_the_rules_moves_alone() -> None:
    """Readers in flight keep the rules they read by."""
    book = rules(standard("a", 1, "2026-01-01"), assigned("a-1", "2026-01-01"))
    before, twin = book.lines(), book.copy()
    for position, each in enumerate(
        (standard("b", 2, "2026-02-01"), assigned("a-2", "2026-02-01"), scheme("x", "2026-01-01")), 3
    ):
        twin.apply(position, each)
    assert (book.lines(), book.position) == (before, 2)
    assert not book.knows_asn("a-2")
    assert book.scheme(date(2026, 12, 1)) is CONTOH_2026
    rule = book.standard(DINAS, SERVICE, date(2026, 12, 1))
    assert rule is not None
    assert rule.id == "/peraturan#a"


def test_a_rules_line_is_its_data_and_only_a_standards_names_its_event() -> None:
    lines = [
        msgspec.json.decode(line)
        for line in rules(
            standard("a", 1, "2026-01-01"),
            assigned("a-1", "2026-01-01"),
            entry("asn-registered", {"asn": "a-1"}),
        ).lines()
    ]
    assert lines == [
        {
            "amount": 1,
            "dinas": "",
            "effective_from": "2026-01-01",
            "event": "/peraturan#a",
            "rule": "standard",
            "service": SERVICE,
            "unit": "wall_hours",
        },
        {"asn": "a-1", "dinas": DINAS, "effective_from": "2026-01-01", "effective_to": None, "rule": "assignment"},
        {"asn": "a-1", "rule": "asn"},
    ]
