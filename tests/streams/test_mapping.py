"""Mappings: the content of one, and the error for an unusable one before a row is read."""

import re
from pathlib import Path

import msgspec
import pytest

from domain.events.kinds import KINDS
from streams.importing.mapping import FIELDS, Mapping, MappingError, is_whole_number

EXAMPLES = Path(__file__).parents[2] / "examples"

TASKS = """
kind = "task-completed"
source = "/import/test"
[fields]
dinas = "Dinas"
asn = "Who"
task = "Task"
completed_at = "Done"
due_at = "Due"
"""


def load(folder: Path, toml: str, **overrides: str) -> Mapping:
    path = folder / "mapping.toml"
    path.write_text(toml, encoding="utf-8")
    return Mapping.load(path, overrides)


def test_the_fields_are_those_of_the_domain() -> None:
    """A mapping may name every field that the domain knows and a row can hold, and must name those it requires."""
    not_in_a_row = {"pauses"}
    for kind, names in FIELDS.items():
        fields = msgspec.structs.fields(KINDS[kind].submitted)
        assert set(names.required) == {field.encode_name for field in fields if field.required}
        assert set(names.optional) == {field.encode_name for field in fields if not field.required} - not_in_a_row
        whole = {f.encode_name for f in fields if re.search(r"\bint\b", str(f.type))}
        assert whole == {name for name in (*names.required, *names.optional) if is_whole_number(name)}
    assert set(KINDS) - set(FIELDS) == {"event-retracted", "event-corrected", "scheme-adopted"}


def test_the_time_of_an_event_and_its_tables_follow_from_its_kind() -> None:
    """The instant that a kind requires is the event's own time; of a kind without one the mapping must name it."""
    message = {
        "permit-received": "received_at",
        "permit-paused": "at",
        "permit-resumed": "at",
        "permit-processed": "completed_at",
        "task-completed": "completed_at",
        "satisfaction-rated": "time",
        "dinas-registered": "time",
        "asn-registered": "time",
        "asn-assigned": "time",
        "standard-set": "time",
    }
    assert {kind: FIELDS[kind].occurrence for kind in message} == message
    assert {kind: set(fields.tables) for kind, fields in FIELDS.items() if fields.tables} == {
        "satisfaction-rated": {"unsur"}
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('kind = "task-completed"\n', ""), "kind"),
        (("task-completed", "task-done"), "kind: expected one of permit-received, "),
        (('"/import/test"', "7"), "Expected `str`, got `int` - at `$.source`"),
        (('"/import/test"', '" "'), "source: expected the name of the sending system"),
        (("[fields]", 'colour = "red"\n[fields]'), "colour"),
        (("[fields]", "[fields"), "expected TOML"),
        (("due_at", "due"), "due: expected a field of task-completed: asn, assigned_at, completed_at, "),
        (('"Due"', "[]"), "fields.due_at: expected the name of a column"),
        (('"Due"', '{ x = "Due" }'), "due_at.x: expected a field of task-completed"),
        (('dinas = "Dinas"\n', ""), "dinas: expected a column or a fixed value, as task-completed requires it"),
        (('"Due"\n', '"Due"\n[fixed]\nasn = "a"\n'), "asn: expected a column or a fixed value, not both"),
        (('"Due"\n', '"Due"\n[values.asm]\nx = "y"\n'), "values.asm: expected the name of a field"),
        (("[fields]", "times = []\n[fields]"), "times: expected at least one format"),
        (("[fields]", 'times = ["%d/%m/%Y %I:%M"]\n[fields]'), "times: expected 'iso', or a strptime format"),
        (("[fields]", 'times = ["%d/%m %H:%M"]\n[fields]'), "times: expected 'iso', or a strptime format"),
        (("[fields]", 'times = ["%Y-%m-%d %H:%M %Z"]\n[fields]'), "times: expected 'iso', or a strptime format"),
        (("[fields]", 'times = ["%Q"]\n[fields]'), "times: expected 'iso', or a strptime format"),
        (("[fields]", 'delimiter = "||"\n[fields]'), "delimiter: expected one character"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """The message names the file, the key and what was expected."""
    with pytest.raises(MappingError) as error:
        load(tmp_path, TASKS.replace(*change))
    assert str(error.value).startswith(str(tmp_path / "mapping.toml"))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"dinass": "x"}, "dinass: expected a field of task-completed"),
        ({"dinas": " "}, "--set dinas: expected a value"),
        ({"source": ""}, "--set source: expected a value"),
        (
            {"dinas": "d", "asn": "a", "task": "t", "due_at": "d", "completed_at": "c"},
            "fields: expected at least one column",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_says_why(tmp_path: Path, overrides: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError, match=re.escape(message)):
        load(tmp_path, TASKS, **overrides)


def test_a_kind_without_a_time_of_its_own_needs_one(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"fields\.time: expected the column"):
        load(tmp_path, 'kind = "asn-registered"\nsource = "/x"\nfields.asn = "Who"\n')
    toml = 'kind = "asn-registered"\nsource = "/x"\nfields.asn = "Who"\nfields.time = "Done"\n'
    assert load(tmp_path, toml).occurred == "time"


def test_the_mapping_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"absent\.toml: expected a mapping"):
        Mapping.load(tmp_path / "absent.toml", {})


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_every_example_says_whose_data_it_is(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert all(f"# {word}:" in text for word in ("Source", "Licence", "Mapped", "Run"))


def test_the_municipality_must_be_given() -> None:
    """Case ids repeat between municipalities, and the files do not say which one they are from."""
    with pytest.raises(MappingError, match=r"bpic15-tasks\.toml: dinas: expected .* give it with --set dinas="):
        Mapping.load(EXAMPLES / "bpic15-tasks.toml", {})
