"""Personal numbers: a NIK or a NIP in what a person typed, however it is grouped and in whatever digits it is written.

A NIK has 16 digits: a region, a day of birth to which 40 is added for women, a month. A NIP has 18: a date of birth, a month of
appointment, a sex. `docs/reference/events.md` says where they are looked for.
"""

import re
import unicodedata
from calendar import monthrange
from typing import Final
from urllib.parse import unquote

LEAST: Final = 16
"""The digits of the shorter number."""
_SEPARATED: Final = re.compile(r"[0-9](?:[ ./_-]?[0-9]){15}")
"""Sixteen digits with at most one separator between two: a text without these holds no number."""
_RUN: Final = re.compile(r"[0-9]+(?:[ ./_-][0-9]+)*")
_GROUP: Final = re.compile(r"[0-9]+")
_HEX: Final = "[0-9a-fA-F]"
_BY_CHANCE: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
    rf"|(?=[0-9]*[a-fA-F])(?:{'|'.join(f'{_HEX}{{{digits}}}' for digits in (32, 40, 56, 64, 96, 128))}))(?![0-9A-Za-z])"
)
"""A UUID or a hash: its digits are chance, and one in some thousands would hold a number."""
_PATH: Final = re.compile(r"(?:[^:/?#]+:)?(?://[^/?#]*)?([^?#]*)")
"""The path of a URI reference (RFC 3986, appendix B)."""
_BARE: Final = re.compile(r"[0-9]{16}|[0-9]{18}")
_MARKS: Final = str.maketrans({"\u2212": "-", "\u2044": "/", "\u2215": "/"})
"""The minus sign and two slashes, which no normal form takes for those of the keyboard."""
_NIK_GROUPS: Final = frozenset(
    {(16,), (6, 6, 4), (4, 4, 4, 4), (6, 2, 2, 2, 4), (2, 2, 2, 6, 4), (2, 2, 2, 2, 2, 2, 4)}
)
_NIP_GROUPS: Final = frozenset({(18,), (8, 6, 1, 3)})
_GROUPS_MOST: Final = max(map(len, _NIK_GROUPS | _NIP_GROUPS))
_PROVINCES: Final = range(11, 98)
_DAYS: Final = frozenset({*range(1, 32), *range(41, 72)})
_MONTHS: Final = range(1, 13)
_BORN_LEAST: Final = 1940
_STARTED_AFTER_MONTHS: Final = 15 * 12


def holds_number(text: str) -> bool:
    """True if a text holds a NIK or a NIP, whatever stands around it."""
    if text.isascii():
        if len(text) < LEAST or _SEPARATED.search(text) is None:
            return False
    else:
        text = _plain(text)
    return any(_in_groups(_GROUP.findall(run[0])) for run in _RUN.finditer(_BY_CHANCE.sub("~", text)))


def is_number(text: str) -> bool:
    """True if a text is a NIK or a NIP as a whole."""
    if len(text) < LEAST and text.isascii():
        return False
    text = _plain(text)
    return _RUN.fullmatch(text) is not None and _is_personal(tuple(_GROUP.findall(text)))


def has_number_segment(source: str) -> bool:
    """True if a segment of a source's path is a NIK or a NIP as a whole."""
    if source.isascii() and "%" not in source and _SEPARATED.search(source) is None:
        return False
    path = _PATH.match(_plain(source))
    if path is None or _GROUP.search(path[1]) is None:
        return False
    return any(is_number(unquote(segment)) for segment in path[1].split("/"))


def is_bare(text: str) -> bool:
    """True if a text is 16 or 18 digits and nothing else."""
    return (len(text) >= LEAST or not text.isascii()) and _BARE.fullmatch(_plain(text)) is not None


def looks_personal(text: str) -> bool:
    """True if what a person typed into a field of a page holds a personal number, or is 16 or 18 digits in any grouping."""
    return holds_number(text) or _BARE.fullmatch(re.sub(r"[\s.\-]", "", _plain(text))) is not None


def _plain(text: str) -> str:
    """A text in its compatible normal form, with the digits, spaces and hyphens of the keyboard for all others."""
    if text.isascii():
        return text
    letters = []
    for letter in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.decimal(letter)))
        elif category in _SPELT:
            letters.append(_SPELT[category])
        else:
            letters.append(letter)
    return "".join(letters).translate(_MARKS)


_SPELT: Final = {"Cf": "", "Zs": " ", "Pd": "-"}
"""Format characters are left out; a space or a dash is the usual one."""


def _in_groups(groups: list[str]) -> bool:
    return any(
        _is_personal(tuple(groups[first:last]))
        for first in range(len(groups))
        for last in range(first + 1, min(first + _GROUPS_MOST, len(groups)) + 1)
    )


def _is_personal(groups: tuple[str, ...]) -> bool:
    lengths = tuple(map(len, groups))
    return (lengths in _NIK_GROUPS and _is_nik("".join(groups))) or (
        lengths in _NIP_GROUPS and _is_nip("".join(groups))
    )


def _is_nik(digits: str) -> bool:
    return int(digits[:2]) in _PROVINCES and int(digits[6:8]) in _DAYS and int(digits[8:10]) in _MONTHS


def _is_nip(digits: str) -> bool:
    born, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    if born < _BORN_LEAST or month not in _MONTHS or not 1 <= day <= monthrange(born, month)[1]:
        return False
    start_year, start_month = int(digits[8:12]), int(digits[12:14])
    months_between = (start_year - born) * 12 + start_month - month
    return start_month in _MONTHS and months_between >= _STARTED_AFTER_MONTHS and digits[14] in "12"
