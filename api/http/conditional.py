"""Conditional requests (RFC 9110 section 13): a caller who has the answer already is told that nothing has changed."""

import re
from collections.abc import Iterable
from typing import Final

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


def has_it(conditions: Iterable[str], etag: str) -> bool:
    """True if one of the values of ``If-None-Match`` names an entity tag, be it weak, in a list, or as ``*`` for any."""
    strong = etag.removeprefix("W/")
    return any(text.strip() == "*" or strong in _TAG.findall(text) for text in conditions)
