"""Whole numbers as files write them: ``4``, ``4.0``, ``4,0``, ``4E0``, and with the mapping's word for it ``1.000``."""

import re
from decimal import Decimal
from typing import Final

_PLAIN: Final = re.compile(r"[+-]?[0-9]{1,18}")
_ZEROS: Final = re.compile(r"([+-]?[0-9]{1,18})[.,](0+)")
_EXPONENT: Final = re.compile(r"[+-]?[0-9]{1,18}([.,][0-9]{1,18})?[eE][+-]?[0-9]{1,2}", re.ASCII)
_MOST: Final = 10**18
_GROUP: Final = 3


def whole_number(text: str, decimal: str | None) -> int:
    """The whole number that a text writes; ``decimal`` is the mark of its fractions, if the mapping says it.

    Raises: ``ValueError`` with the reason.
    """
    if _PLAIN.fullmatch(text):
        return int(text)
    if decimal is not None:
        plain = _without_groups(text, decimal)
    else:
        zeros = _ZEROS.fullmatch(text)
        if zeros is not None and len(zeros[2]) == _GROUP:
            message = (
                f'{text!r} may be {zeros[1]} or {zeros[1]}000: write decimal = "." or decimal = "," in the mapping'
            )
            raise ValueError(message)
        plain = text.replace(",", ".") if zeros or _EXPONENT.fullmatch(text) else None
    value = None if plain is None else Decimal(plain)
    if value is None or value != value.to_integral_value() or abs(value) >= _MOST:
        message = f"{text!r:.82} is not a whole number"
        raise ValueError(message)
    return int(value)


def _without_groups(text: str, decimal: str) -> str | None:
    """A number without the marks between its thousands, and with a point before its fraction; ``None`` if it is none."""
    group = "." if decimal == "," else ","
    groups = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+"
    form = rf"(?:[+-]?[0-9]{{1,18}}|{groups})(?:{re.escape(decimal)}[0-9]{{1,18}})?(?:[eE][+-]?[0-9]{{1,2}})?"
    return text.replace(group, "").replace(decimal, ".") if re.fullmatch(form, text) else None
