"""The rows of `domain/events/kinds.py`: each kind has one, and it agrees with the structs and the unions of its role."""

from typing import Any, Final, get_args

import pytest

from domain.events import entries, submitted
from domain.events.kinds import BY_TYPE, KINDS, NAMES, OPENED_TYPE, Kind, Role, reversed_key, types_of
from domain.events.names import kind_of, other_version, type_of

UNIONS: Final[dict[Role, tuple[Any, Any]]] = {
    "fact": (submitted.Fact, entries.Fact),
    "note": (submitted.CaseNote, entries.CaseNote),
    "reversal": (submitted.Reversal, entries.Reversal),
    "rule": (submitted.Rule, entries.Rule),
}
CASE: Final = {"dinas": "d", "service": "s", "case": "c"}
ROWS: Final = [pytest.param(row, id=row.name) for row in KINDS.values()]


@pytest.mark.parametrize("role", UNIONS)
def test_the_unions_of_a_role_are_its_rows(role: Role) -> None:
    """A struct of a union has a row in `domain/events/kinds.py`, and a row's structs are in the unions."""
    rows = [row for row in KINDS.values() if row.role == role]
    submitted_kinds, recorded_kinds = UNIONS[role]
    assert {row.submitted for row in rows} == set(get_args(submitted_kinds))
    assert {row.recorded for row in rows} == set(get_args(recorded_kinds))
    assert types_of(role) == {row.type for row in rows}


def test_every_entry_that_can_be_read_has_a_row_but_the_opening() -> None:
    """So every kind that the fold takes in can be submitted, shown and looked for."""
    tags = {str(struct.__struct_config__.tag) for struct in get_args(entries.AnyEntry)}
    assert tags == BY_TYPE.keys() | {OPENED_TYPE}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_what_its_structs_have(row: Kind) -> None:
    """Its name is the tag of what is recorded; the fields of its keys and the names it is known by are submitted ones."""
    fields = set(row.submitted.__struct_encode_fields__)
    assert row.recorded.__struct_config__.tag == row.type == type_of(row.name)
    assert row.recorded.__name__ == row.submitted.__name__
    assert {name for key in row.natural_keys for name in key.fields} <= fields
    assert set(row.names) <= fields & set(NAMES)


@pytest.mark.parametrize("row", ROWS)
def test_only_facts_hold_natural_keys_and_each_fact_names_its_dinas(row: Kind) -> None:
    """A fact's account begins with its dinas, and a token speaks for dinas: so every fact has one."""
    assert row.role == "fact" or not row.natural_keys
    assert row.role not in ("fact", "note") or "dinas" in row.submitted.__struct_fields__
    assert all(key.fields[0] == "dinas" for key in row.natural_keys)


@pytest.mark.parametrize(
    ("kind", "data", "key"),
    [
        ("permit-received", CASE, '["receipt","d","s","c"]'),
        ("permit-processed", CASE, '["decision","d","s","c"]'),
        ("satisfaction-rated", CASE, '["rating","d","s","c"]'),
        ("satisfaction-rated", {"dinas": "d", "survey": "n", "service": "s"}, '["survey","d","n"]'),
        ("task-completed", {"dinas": "d", "asn": "a", "task": "t"}, None),
        ("permit-paused", CASE, None),
        ("dinas-registered", {"dinas": "d", "name": "D"}, None),
    ],
)
def test_natural_keys_are_spelt_as_journals_hold_them(kind: str, data: dict[str, str], key: str | None) -> None:
    """A journal that is already there holds keys by their text: another spelling would free them all."""
    assert KINDS[kind].natural_key(data) == key


def test_the_key_of_a_reversal_is_spelt_as_journals_hold_it() -> None:
    assert reversed_key("/loket", "e-1") == '["reversed","/loket","e-1"]'


@pytest.mark.parametrize(
    ("kind", "data", "names"),
    [
        ("permit-received", CASE, ("dinas", "service", "case")),
        ("satisfaction-rated", CASE, ("dinas", "service", "case", "survey")),
        ("satisfaction-rated", {"dinas": "d", "survey": "n"}, ("dinas", "case", "survey")),
        ("task-completed", {"dinas": "d", "asn": "a", "task": "t"}, ("dinas",)),
    ],
)
def test_a_correction_leaves_the_dinas_and_the_natural_key(
    kind: str, data: dict[str, str], names: tuple[str, ...]
) -> None:
    assert KINDS[kind].fixed_fields(data) == names


@pytest.mark.parametrize(
    ("type_", "kind", "other"),
    [
        ("neraca.task-completed.v1", "task-completed", None),
        ("neraca.task-completed.v2", "task-completed.v2", ("task-completed", "2")),
        ("neraca.task-completed.v12", "task-completed.v12", ("task-completed", "12")),
        ("neraca.Task.v1", "Task", None),
        ("com.example.done", "com.example.done", None),
    ],
)
def test_a_type_is_read_as_it_is_spelt(type_: str, kind: str, other: tuple[str, str] | None) -> None:
    """A type of another version keeps its version in the kind, so that it is taken for none of ours."""
    assert (kind_of(type_), other_version(type_)) == (kind, other)
