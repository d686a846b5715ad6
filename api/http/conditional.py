"""Conditional requests (RFC 9110 section 13): a caller who has the answer already is told that nothing has changed."""

import re
from collections.abc import Iterable
from typing import Final

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


def has_it(conditions: Iterable[str], etag: str) -> bool:
    """True if one of the values of ``If-None-Match`` names an entity tag, be it weak or in a list."""
    strong = etag.removeprefix("W/")
    return any(strong in _TAG.findall(text) for text in conditions)


def has_any(conditions: Iterable[str]) -> bool:
    """True if ``If-None-Match`` is ``*``: the caller has some answer. That holds only where there is one at all."""
    return any(text.strip() == "*" for text in conditions)
