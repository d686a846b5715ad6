"""Media types: a type and its parameters, by RFC 9110 section 8.3.1: neither's name minds the case."""

import re
from typing import Final, NamedTuple

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE: Final = re.compile(rf"\s*({_NAME}/{_NAME})\s*", re.ASCII)
_PARAMETER: Final = re.compile(rf';\s*(?:({_NAME})=({_NAME}|"(?:[^"\\]|\\.)*"))?\s*', re.ASCII)
_UTF8: Final = frozenset({"", "utf-8", "utf8"})


class Media(NamedTuple):
    """A media type in lower case, and its parameters by their names in lower case."""

    type: str
    parameters: dict[str, str]

    @property
    def is_utf8(self) -> bool:
        """True if the text is in UTF-8, which is also meant where no charset is named."""
        return self.parameters.get("charset", "").lower() in _UTF8


def media_of(text: str) -> Media | None:
    """The media type that a text names; ``None`` if it names none, or one parameter twice."""
    match = _TYPE.match(text)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    at = match.end()
    while at < len(text):
        part = _PARAMETER.match(text, at)
        if part is None:
            return None
        at = part.end()
        name, value = (part[1] or "").lower(), part[2] or ""
        if name in parameters:
            return None
        if name:
            parameters[name] = unquoted(value) if value.startswith('"') else value
    return Media(match[1].lower(), parameters)


def unquoted(text: str) -> str:
    r"""The content of a quoted string, each ``\x`` as ``x``. Raises: ``ValueError`` if the quotes do not close at its end."""
    content = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text, re.DOTALL)
    if content is None:
        message = "opens a quote that does not close at its end"
        raise ValueError(message)
    return re.sub(r"\\(.)", r"\1", content[1], flags=re.DOTALL)
