"""Each kind of event has all it needs outside the domain: a row in the documents, labels, a strategy, an oracle."""

import re
from pathlib import Path
from typing import Final

import pytest

from domain.events.kinds import KINDS
from domain.measures import MEASURES
from tests.laws.strategies import STRATEGIES
from tests.oracle_facts import PLAIN
from tests.tidy.test_house import ROOT, text_of
from tests.tidy.test_source import ROOMS

CATALOGS: Final = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "api" / "locale").glob("*.po"))
SPELT: Final = re.compile(
    rf"neraca\.(?:\$?\{{|(?:{'|'.join(KINDS)})\b)|[\"'`/^]neraca\\?\.[\"'/]|\btype_?\.(?:split|partition)\("
)
"""A type of events that is put together, written out or cut apart."""
SPELLERS: Final = {"domain/events/names.py", "api/static/loket/kinds.js"}


def document(name: str) -> str:
    """The path of a document, wherever it lies under `docs/`."""
    (path,) = (ROOT / "docs").rglob(name)
    return str(path.relative_to(ROOT))


def documented() -> dict[str, str]:
    """The rows of `events.md` by kind."""
    rows = text_of(document("events.md")).partition("## Data by kind")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", rows, re.MULTILINE))


def test_every_kind_of_event_is_documented_with_its_fields() -> None:
    """`events.md` has a row for each kind that the intake takes, in the same order, with the names of its fields."""
    rows, path = documented(), document("events.md")
    assert list(rows) == list(KINDS), f"{path}: a row for each kind of domain/events/kinds.py, in its order"
    missing = [
        f"{path}: {kind.name}: {name}"
        for kind in KINDS.values()
        for name in kind.submitted.__struct_encode_fields__
        if not re.search(rf"\b{name}\b", rows[kind.name])
    ]
    assert missing == []


@pytest.mark.parametrize("catalog", CATALOGS)
def test_every_kind_and_measure_has_its_labels(catalog: str) -> None:
    """A page falls back to the name if a catalog has no label; this test lists the missing labels."""
    messages = set(re.findall(r'^msgid "(.+)"$', text_of(catalog), re.MULTILINE))
    labels_needed = [f"kind.{name}" for name in KINDS]
    labels_needed += [f"cause.{kind.name}" for kind in KINDS.values() if kind.role in ("fact", "reversal")]
    labels_needed += [label_of(measure) for measure in MEASURES]
    assert [f"{catalog}: {name}" for name in labels_needed if name not in messages] == []


def label_of(measure: str) -> str:
    """The message that labels a measure: measures of one family share theirs."""
    stem, _, rest = measure.rpartition("_")
    if stem in ("capaian_sum", "capaian_sq") and rest != "none":
        return f"measure.{stem}"
    return f"measure.{stem}_of" if stem in ("unsur_n", "unsur_sum") else f"measure.{measure}"


def test_every_kind_has_a_strategy() -> None:
    """The laws' random histories hold events of each kind; `tests/laws/test_reach.py` then sees that they are taken."""
    assert [f"tests/laws/strategies.py: {kind}" for kind in KINDS if kind not in STRATEGIES] == []


def test_every_fact_has_an_oracle() -> None:
    """The second bookkeeper knows each fact, as one by itself or as one of a case."""
    of_a_case = set(re.findall(r'"(permit-[a-z]+)"', text_of("tests/oracle_books.py")))
    facts = [kind.name for kind in KINDS.values() if kind.role == "fact"]
    assert [f"tests/oracle_facts.py: {name}" for name in facts if name not in PLAIN.keys() | of_a_case] == []


def test_a_type_is_spelt_in_one_place() -> None:
    """Python and the counter's scripts each have one function that makes a type of a kind, and one that reads it."""
    sources = [
        str(path.relative_to(ROOT))
        for room in (*ROOMS, "api/static/loket")
        for ending in ("py", "js", "html")
        for path in (ROOT / room).rglob(f"*.{ending}")
        if "static" not in path.parts or "loket" in path.parts
    ]
    assert {name for name in sources if SPELT.search(_without_prose(name))} == SPELLERS


def _without_prose(name: str) -> str:
    """A source without its docstrings and comments, which may give an example."""
    text = text_of(name)
    if Path(name).suffix != ".py":
        return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    return re.sub(r'"""[\s\S]*?"""|^\s*#.*$', "", text, flags=re.MULTILINE)
