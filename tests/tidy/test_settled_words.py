"""The words of the pages stay settled: each thing has one word in each language, as `docs/reference/words.md` says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from api.pages.catalog import CODES, load_labels

if TYPE_CHECKING:
    from api.pages.catalog import Code

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = "docs/reference/words.md"
BLANK: Final = re.compile(r"\{\w+\}")
BANNED_AT_LEAST: Final[dict[Code, set[str]]] = {
    "id": {"izin", "berkas", "diputus", "pita capaian", "timbangan", "kejadian", "lewat", "ditahan", "bercakupan"},
    "en": {"less than good", "not good", "begin anew", "mend", "capaian", "permit", "element", "go on", "the fold"},
}
"""Words that no edit of the table may allow again."""


class Thing(NamedTuple):
    """A row of the table: in each language the words of a thing, and the words that are not to come back."""

    name: str
    words: dict[Code, list[str]]
    banned: dict[Code, list[str]]


def listed(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",") if word.strip()]


def things() -> list[Thing]:
    """The rows of the table."""
    lines = (ROOT / TABLE).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    return [
        Thing(name, {"id": listed(word), "en": listed(english)}, {"id": listed(not_word), "en": listed(not_english)})
        for name, word, not_word, english, not_english in rows
    ]


THINGS: Final = things()


def messages(code: Code) -> dict[str, str]:
    """All forms of each message, without its blanks."""
    return {key: BLANK.sub(" ", " / ".join(label[code].forms)) for key, label in load_labels().items()}


def holds(text: str, word: str) -> bool:
    """True if a text has a word by itself, in whatever case."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


def test_no_message_has_a_word_that_was_given_up() -> None:
    back = [
        f"{code}.po: {key}: “{word}” in “{text}”; {TABLE} has “{', '.join(thing.words[code])}”"
        for code in CODES
        for key, text in messages(code).items()
        for thing in THINGS
        for word in thing.banned[code]
        if holds(text, word)
    ]
    assert back == []


def test_every_settled_word_is_used() -> None:
    """A word that no message has is not settled: the table would describe nothing."""
    idle = [
        f"{code}: {word}"
        for code in CODES
        for thing in THINGS
        for word in thing.words[code]
        if not any(word.lower() in text.lower() for text in messages(code).values())
    ]
    assert idle == []


def test_no_word_is_both_settled_and_given_up() -> None:
    for code in CODES:
        words = {word for thing in THINGS for word in thing.words[code]}
        assert words & {word for thing in THINGS for word in thing.banned[code]} == set()


def test_the_table_keeps_giving_up_the_worst_words() -> None:
    for code, words in BANNED_AT_LEAST.items():
        assert words <= {word for thing in THINGS for word in thing.banned[code]}


def test_a_word_is_found_by_itself_alone() -> None:
    """“Mendatar” is no “mend”, and a blank named for a field is no word."""
    assert holds("Begin anew, or Mend it", "mend")
    assert not holds("cetak mendatar", "mend")
    assert not holds("perizinan", "izin")
    assert "case" not in messages("en")["file.title"]
