"""The documents: wrapped, plain, complete as a site without the internet, and naming only what there is."""

import ast
import re
from pathlib import Path
from typing import Final

from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.tidy.test_source import SOURCES, tree

ROOT: Final = Path(__file__).parents[2]
WIDTH: Final = 100
README_MOST: Final = 120
ABOUT: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS: Final = sorted([*(ROOT / name for name in ABOUT), *(ROOT / "docs").rglob("*.md")])
RECORDS: Final = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SECTIONS: Final = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
RECIPES: Final = ("a kind of event", "an indicator", "a page", "a command")
FOLDERS: Final = "domain|projections|streams|api|audit|neraca|tests|docs|examples|benchmarks|local|.ci|.github"
CRABBED: Final = re.compile(r"(?:^|(?<=[.:?!] )|(?<=\| ))(?:Who|What|Where)(?:ever)?\b[^?\n]*$", re.MULTILINE)
"""A sentence or heading that opens with a relative clause; a question may."""


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def prose_of(document: Path) -> list[str]:
    """The lines of a document outside its blocks of code."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()


def test_lines_are_wrapped() -> None:
    """A line is cut at 100 characters, so that a change can be read; a table's row or a long name cannot be."""
    wide = [
        f"{name_of(document)}: {line}"
        for document in DOCUMENTS
        for line in prose_of(document)
        if len(line) > WIDTH and not line.startswith("|") and " " in line.strip().removeprefix("- ")
    ]
    assert wide == []


def test_the_readme_fits_on_two_screens() -> None:
    """It says for whom Neraca is, and shows it; the rest has a place of its own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= README_MOST
    assert re.search(r"^!\[[^\]]+\]\(docs/pages/[\w-]+\.webp\)$", readme, re.MULTILINE)


def test_no_sentence_opens_with_a_relative_clause() -> None:
    """A reader of another language finds the subject first: in documents, and in what the command line is made of."""
    texts = {name_of(document): "\n".join(prose_of(document)) for document in DOCUMENTS}
    for source in SOURCES:
        if source.startswith("neraca/"):
            texts[source] = "\n".join(
                node.value
                for node in ast.walk(tree(source))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            )
    assert {name: sentences for name, text in texts.items() if (sentences := CRABBED.findall(text))} == {}


def test_documents_name_only_paths_there_are() -> None:
    """Every path that a document names is in the project, even after moves."""
    path = re.compile(rf"(?:`|\]\()((?:(?:{FOLDERS})/|docs/|[\w-]+\.(?:md|yml|toml|lock)\b)[\w./-]*)[`)]")
    missing = [
        f"{name_of(document)}: {name}"
        for document in DOCUMENTS
        for name in path.findall("\n".join(prose_of(document)))
        if not (ROOT / name).exists() and not (document.parent / name).exists()
    ]
    assert missing == []


def test_a_record_has_a_status_and_a_date_and_is_listed() -> None:
    """The list repeats each record's title, status and date; a superseded one names its successor."""
    index = (ROOT / "docs" / "ideas" / "decisions.md").read_text(encoding="utf-8")
    form = re.compile(r"# (\d{4}) (.+)\n\n\*(Accepted|Superseded by (\d{4})) · (\d{4}-\d\d-\d\d)\*\n\n")
    rows = list[str]()
    for record in RECORDS:
        head = form.match(record.read_text(encoding="utf-8"))
        assert head, f"{record.name}: no title, status and date"
        number, title, status, successor, date = head.groups()
        assert record.name.startswith(f"{number}-")
        assert successor is None or any(other.name.startswith(successor) for other in RECORDS)
        rows.append(f"| [{number}](../decisions/{record.name}) | {title} | {status.lower()} | {date} |")
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^(##+) (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == ("##", "[Unreleased]")
    assert {name for level, name in headings if level == "###"} <= SECTIONS
    assert {level for level, _ in headings} == {"##", "###"}


def test_there_is_a_recipe_for_each_thing_that_is_added_often() -> None:
    """Each names files, and what turns red if one is forgotten."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^## Recipe: ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert tuple(recipes) == RECIPES
    for name, recipe in recipes.items():
        rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", recipe, re.MULTILINE)[1:]
        assert rows, name
        assert [row for row in rows if not row[0].startswith("`")] == [], name


def test_the_site_is_complete_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Strict: a broken link, or a page that no list names, is an error. A city hall may have no internet."""
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True)
    build(config)
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    pattern = re.compile(
        r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>|@import|url\([\"']?(?:https?:)?//"
    )
    assert {
        page.name: pattern.findall(page.read_text(encoding="utf-8"))
        for page in pages
        if pattern.search(page.read_text(encoding="utf-8"))
    } == {}
    styles = [
        style.name
        for style in tmp_path.rglob("*.css")
        if re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8"))
    ]
    assert styles == []
