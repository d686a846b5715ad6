"""The catalogs of messages: read from gettext files, each message with the plural forms of its language.

A message is known by its key, ``section.name``. A message that counts something has plural forms in its catalog, and its
count is the blank ``{n}``; Indonesian has one form for every count, English has two.
"""

from __future__ import annotations

from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from babel.messages.pofile import read_po
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Code = Literal["id", "en"]
CODES: Final[tuple[Code, Code]] = ("id", "en")
COUNT: Final = "n"
"""The blank that chooses the plural form of a message."""


class Message(Struct, frozen=True):
    """A message in one language: its forms, and the rule that gives the form of a count; no rule if nothing is counted."""

    forms: tuple[str, ...]
    rule: Callable[[int], int] | None = None

    @property
    def general(self) -> str:
        """The form that fits where no count is told, such as the head of a column."""
        return self.forms[-1]

    def form(self, values: Mapping[str, object]) -> str:
        """The form for the count among the values. Raises: ``TypeError`` if a message that counts gets no whole number."""
        if self.rule is None:
            return self.general
        count = values.get(COUNT)
        if not isinstance(count, int):
            fault = f"the message “{self.general}” has plural forms and needs its count as a whole number"
            raise TypeError(fault)
        return self.forms[self.rule(count)]


Labels = dict[str, dict[Code, Message]]


@cache
def load_labels() -> Labels:
    """Every message by its key, in both languages."""
    messages = {code: _messages(code) for code in CODES}
    return {key: {code: messages[code][key] for code in CODES} for key in messages["id"]}


def _messages(code: Code) -> dict[str, Message]:
    with (files("api") / "locale" / f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    rule = c2py(catalog.plural_expr)
    return {
        _texts(message.id)[0]: Message(_texts(message.string), rule if message.pluralizable else None)
        for message in catalog
        if message.id
    }


def _texts(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """One text, or those of all plural forms."""
    return (text,) if isinstance(text, str) else tuple(text or ())
