"""Texts: the characters that a text of an event may hold, and what identifies something."""

import re
import unicodedata
from typing import Final

from domain.intake.personal import holds_number, is_bare
from domain.refusal import Fault

ID_MOST: Final = 200
PERSONAL: Final = "personal numbers never enter the journal"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""The characters of Unicode category Cc, a closed set."""
_DOTS: Final = frozenset({".", ".."})
"""Steps of a path to every browser: an address with one of them as an id leads to another page."""


PLAIN: Final = re.compile(r"(?!\.{1,2}\Z)[ -.0-~]{1,15}")
"""A text without any fault: short, of the keyboard's letters, no slash, no dots alone. Most are such, and need no further look."""


def text(place: str, value: object, *, most: int = ID_MOST, slash: bool = True) -> list[Fault]:
    """The fault of what should be a verbatim string of 1 to ``most`` characters, none of them a control character."""
    if not isinstance(value, str):
        return [Fault(place, "must be a string")]
    if not 1 <= len(value) <= most:
        return [Fault(place, f"must be 1 to {most} characters")]
    if _CONTROL.search(value):
        return [Fault(place, "must not hold control characters")]
    if not slash and "/" in value:
        return [Fault(place, "must not hold a slash")]
    return []


def identifier(place: str, value: object, *, most: int = ID_MOST, slash: bool = True) -> list[Fault]:
    """The fault of what should identify something: a text that has one spelling, and that an address can hold."""
    faults = text(place, value, most=most, slash=slash)
    if faults or not isinstance(value, str):
        return faults
    if value in _DOTS:
        return [Fault(place, "must not be . or .., which no address can hold")]
    if value.isascii():
        return []
    if not unicodedata.is_normalized("NFC", value):
        return [Fault(place, "must be in Unicode's normal form C: another spelling of it would be another id")]
    if any(unicodedata.category(letter) == "Cf" for letter in value):
        return [Fault(place, "must not hold format characters, which nobody sees")]
    return []


def typed(place: str, value: str, *, bare: bool = False) -> list[Fault]:
    """The fault of a text that a person typed: a NIK or NIP in it, or with ``bare`` any 16 or 18 digits."""
    if holds_number(value):
        return [Fault(place, f"holds a NIK or NIP: {PERSONAL}")]
    if bare and is_bare(value):
        return [Fault(place, f"looks like a NIK or NIP (16 or 18 digits): {PERSONAL}")]
    return []
