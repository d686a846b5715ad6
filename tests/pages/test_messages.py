"""The two catalogs agree, every message is used, and a message that counts has the plural forms of its language."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING, Final

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, PackageLoader, nodes

from api.pages.catalog import CODES, COUNT, load_labels
from domain.clock import HOUR_US
from tests.pages.messages import EN, ID
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Catalog

    from api.pages.catalog import Code

pytestmark = pytest.mark.speed("quick")
FORMS: Final[dict[Code, int]] = {"id": 1, "en": 2}
COUNTED: Final = re.compile(r"\{(\w+)\}(?: [a-z'-]+){0,2}? (?!(?:as|has|is|this|was)\b)[a-z]+s\b")
"""A blank with a plural noun behind it, with up to two words between."""
DECIMALS: Final = {"trend.rose", "trend.fell"}
"""Their figure has decimals, and “1.00 points” is right."""
COUNTING: Final = {key for key, label in load_labels().items() if label["en"].rule is not None}
"""The messages with plural forms."""


def catalog_of(code: Code) -> Catalog:
    with (ROOT / "api" / "locale" / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def blanks_of(text: str) -> set[str]:
    """The names of a form's blanks."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_catalogs_hold_the_same_messages_in_one_order_and_none_in_doubt() -> None:
    """They also count in the same messages, each with all forms of its own language."""
    messages = {code: [(message.id, message.fuzzy) for message in catalog_of(code) if message.id] for code in CODES}
    assert messages["id"] == messages["en"]
    assert len(messages["id"]) == len(load_labels()) > 500
    assert not any(fuzzy for _, fuzzy in messages["id"])
    for code in CODES:
        assert {len(load_labels()[key][code].forms) for key in COUNTING} == {FORMS[code]}


def test_a_message_has_the_same_blanks_in_both_languages() -> None:
    """No form is empty, and only a singular may write its count as a word."""
    odd = {}
    for key, label in load_labels().items():
        blanks = {code: [blanks_of(form) for form in label[code].forms] for code in CODES}
        blanks_of_many = blanks["id"][-1]
        assert all(form.strip() for code in CODES for form in label[code].forms), key
        if any(names | {COUNT} != blanks_of_many | {COUNT} for code in CODES for names in blanks[code]):
            odd[key] = blanks
        if blanks["en"][-1] != blanks_of_many:
            odd[key] = blanks
    assert odd == {}


def test_every_message_is_said_somewhere() -> None:
    """By its name, or as one of a family whose names are put together where they are said."""
    folders = (("api", "**/*.py"), ("api/templates", "*.html"), ("api/static", "**/*.js"))
    text = "\n".join(path.read_text() for folder, names in folders for path in sorted((ROOT / folder).glob(names)))
    families = (r"[\"'](\w+(?:\.\w+)*[._]\w*)[\"'] ?~", r"f\"(\w+\.\w*)\{", r"(?:named|section)\(\s*\"(\w+)\"")
    prefixes = {name if "." in name else f"{name}." for pattern in families for name in re.findall(pattern, text)}
    names_said = set(re.findall(r"[\"']([\w.-]+)(?=[\"'])", text))
    assert {key for key in load_labels() if key not in names_said and not key.startswith(tuple(prefixes))} == set()


def test_a_counted_noun_has_plural_forms() -> None:
    """English says “1 agency” and “2 agencies”; a message that knows only one of them is wrong for the other."""
    plain = {
        key: form
        for key, label in load_labels().items()
        if key not in COUNTING | DECIMALS
        for form in label["en"].forms
        if COUNTED.search(form)
    }
    assert plain == {}


def test_the_singular_differs_from_the_plural() -> None:
    """Otherwise the forms are there for nothing; and the plural holds its count, or is a noun by itself."""
    for key in sorted(COUNTING):
        singular, many = load_labels()[key]["en"].forms
        assert singular != many, key
        assert f"{{{COUNT}}}" in many or not blanks_of(many), key


@pytest.mark.parametrize(
    ("key", "singular", "none_or_many"),
    [
        ("auditor.unchanged", "1 other agency did not change.", "{n} other agencies did not change."),
        ("auditor.differs", "1 line differs; the first 9:", "{n} lines differ; the first 9:"),
        ("public.rated", "80.00 · 1 citizen", "80.00 · {n} citizens"),
        (
            "reason.tasks_all",
            "The only task was completed before its deadline.",
            "All {n} tasks were completed before their deadlines.",
        ),
        ("unit.permits", "application", "applications"),
    ],
)
def test_one_is_singular_and_none_two_and_many_are_plural(key: str, singular: str, none_or_many: str) -> None:
    others = {"shown": 9, "value": "80.00"}
    assert EN(key, n=1, **others) == singular
    for count, text in ((0, "0"), (2, "2"), (21, "21"), (1204, "1,204")):
        assert EN(key, n=count, **others) == none_or_many.format(n=text)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_indonesian_has_one_form_for_every_count(count: int) -> None:
    assert ID("auditor.unchanged", n=count) == f"{count} perangkat daerah lain tidak berubah."
    assert ID.named("unit", "tasks", n=count) == "tugas"


def test_a_length_in_days_is_counted_too() -> None:
    assert [EN.span(days * 24 * HOUR_US) for days in (3, 30)] == ["3 days", "30 days"]
    assert EN("time.days", n=1) == "1 day"


def test_a_message_that_counts_refuses_a_count_that_is_written_already() -> None:
    """A written figure cannot choose a form: neither can none at all."""
    with pytest.raises(TypeError, match="whole number"):
        EN("auditor.unchanged", n="1,204")
    with pytest.raises(TypeError, match="whole number"):
        EN("auditor.unchanged")


def test_a_noun_without_a_count_is_plural() -> None:
    """As at the head of a column."""
    assert EN.named("unit", "permits") == "applications"


def test_a_script_gets_all_forms_of_a_message_that_counts() -> None:
    assert EN.section("counter_said")["days"] == ("{n} day", "{n} days")
    assert ID.section("counter_said")["days"] == ("{n} hari",)
    assert EN.section("counter_said")["undo"] == "Undo"


def test_whoever_uses_a_message_that_counts_gives_its_count() -> None:
    """As a whole number: not one that is written already."""
    wrong = [place for place, count in (*calls_in_templates(), *calls_in_sources()) if not count]
    assert wrong == []


def test_the_calls_are_found() -> None:
    assert len(list(calls_in_templates())) > 8
    assert len(list(calls_in_sources())) > 4


def calls_in_templates() -> Iterator[tuple[str, bool]]:
    """Each call of a message that counts in a template, and whether it gives a count that is not written already."""
    environment = Environment(loader=PackageLoader("api"), autoescape=True)
    for path in sorted((ROOT / "api" / "templates").glob("*.html")):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            first = call.args[0] if call.args else None
            if not (isinstance(call.node, nodes.Name) and isinstance(first, nodes.Const) and first.value in COUNTING):
                continue
            counts = [keyword.value for keyword in call.kwargs if keyword.key == COUNT]
            yield f"{path.name}:{call.lineno}: {first.value}", bool(counts) and not isinstance(counts[0], nodes.Call)


def calls_in_sources() -> Iterator[tuple[str, bool]]:
    """The same of the sources."""
    for path in sorted((ROOT / "api").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("words", "self")
            ):
                continue
            key = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
            if key not in COUNTING:
                continue
            counts = [keyword.value for keyword in call.keywords if keyword.arg == COUNT]
            counts_in_words = [count for count in counts if "number" in ast.unparse(count)]
            yield f"{path.name}:{call.lineno}: {key}", bool(counts) and not counts_in_words
