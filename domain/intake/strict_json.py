"""Strict JSON: duplicate keys, NaN, numbers out of range, lone surrogates and bad UTF-8 are malformed.

Reading a text costs time and memory in proportion to its length, with any content.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, NoReturn

from domain.refusal import Fault, Refusal, invalid, pointer

MAX_DEPTH: Final = 32
KEYS_MOST: Final = 1_000
"""The most keys of one object: no event has as many."""
INTEGER_DIGITS: Final = 40
"""The most digits of an integer: none of ours is as long."""
_TWICE: Final = "stands twice in one object"


def parse_json(text: bytes, at: str = "", *, depth: int = MAX_DEPTH) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text. A number whose value is whole is an integer, however it is spelt: ``4.0`` and ``4e0`` are 4.

    ``at`` is the place of the text within what was sent, and ``depth`` how deep it may nest.
    Raises: ``Refusal`` with slug ``malformed-json``, ``too-large`` or ``invalid-event``.
    """
    try:
        text_read = text.decode()
        value = _DECODER.decode(text_read)
        if "\\u" in text_read:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise _malformed(at, f"not UTF-8: byte {error.start}") from None
    except UnicodeEncodeError:
        raise _malformed(at, "a string holds a lone surrogate") from None
    except RecursionError:
        raise too_deep() from None
    except _TwiceError:
        raise _malformed(*_twice_in(text_read, at)) from None
    except _KeysError:
        raise _too_many_keys(text_read, at) from None
    except ValueError as error:
        raise _malformed(at, str(error)) from None
    if text.count(b"[") + text.count(b"{") > depth and not _within(value, depth):
        raise too_deep()
    return value


def _malformed(at: str, detail: str) -> Refusal:
    return Refusal("malformed-json", f"{at}: {detail}" if at else detail)


def too_deep() -> Refusal:
    """The refusal of a text that nests too deep to be read."""
    return invalid(Fault("", f"is nested deeper than {MAX_DEPTH}"))


class _TwiceError(ValueError):
    """A key stands twice in one object."""


class _KeysError(ValueError):
    """An object holds too many keys."""


class _Marked(dict[str, Any]):
    """An object that is refused; ``name`` is the key that stands twice in it, ``None`` where it holds too many keys."""

    def __init__(self, pairs: list[tuple[str, Any]], name: str | None) -> None:
        super().__init__(pairs)
        self.name = name


class _Place(NamedTuple):
    """The place of a value: the index of the place that holds it, and the key or the number by which it does."""

    parent: int
    step: str | int
    value: object


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > KEYS_MOST:
        raise _KeysError
    obj = dict(pairs)
    if len(obj) < len(pairs):
        raise _TwiceError
    return obj


def _marked_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > KEYS_MOST:
        return _Marked(pairs, None)
    names = set[str]()
    for name, _ in pairs:
        if name in names:
            return _Marked(pairs, name)
        names.add(name)
    return dict(pairs)


def _twice_in(text: str, at: str) -> tuple[str, str]:
    """The place of the first key that stands twice, and the sentence about it."""
    place, obj = _first_marked(text, at)
    if obj is None or obj.name is None:
        return at, f"a key {_TWICE}"
    return pointer(place, obj.name), f"the key {obj.name!r} {_TWICE}"


def _too_many_keys(text: str, at: str) -> Refusal:
    place, _ = _first_marked(text, at)
    detail = f"an object holds at most {KEYS_MOST} keys"
    return Refusal("too-large", f"{place}: {detail}" if place else detail)


def _first_marked(text: str, at: str) -> tuple[str, _Marked | None]:
    """The outermost refused object and its place: read again, since a decoder does not say where it is.

    A pointer is spelt for this one place alone. One for each value on the way would repeat a long key in all that lie below.
    """
    try:
        value = json.JSONDecoder(object_pairs_hook=_marked_pairs).decode(text)
    except (ValueError, RecursionError):
        return at, None
    places = [_Place(0, "", value)]
    for index, (_, _, part) in enumerate(places):  # which grows meanwhile: level by level
        if isinstance(part, _Marked):
            return at + _spelt(places, index), part
        inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        places += [_Place(index, step, value) for step, value in inner if isinstance(value, dict | list)]
    return at, None


def _spelt(places: list[_Place], index: int) -> str:
    steps = []
    while index:
        parent, step, _ = places[index]
        steps.append(pointer("", str(step)))
        index = parent
    return "".join(reversed(steps))


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _number(text: str) -> int | float:
    """A number with a fraction or an exponent: an integer if it is whole, and no longer than one may be."""
    value = float(text)  # the edge of the wire: no event field takes one, and the field check says so
    if value in (float("inf"), float("-inf")):
        message = f"the number {text[:INTEGER_DIGITS]} is out of range"
        raise ValueError(message)
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return value
    is_whole = not exact or (exact.adjusted() < INTEGER_DIGITS and exact == exact.to_integral_value())
    return int(exact) if is_whole else value


def _integer(text: str) -> int:
    if len(text) > INTEGER_DIGITS:
        message = f"the number {text[:INTEGER_DIGITS]}… is out of range"
        raise ValueError(message)
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=_number, parse_int=_integer
)


def _within(value: Any, depth: int) -> bool:  # noqa: ANN401 - any JSON value
    level: list[Any] = [value]
    while level:
        if depth == 0:
            return False
        depth -= 1
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += [v for v in item.values() if isinstance(v, dict | list)]
            elif isinstance(item, list):
                inner += [v for v in item if isinstance(v, dict | list)]
        level = inner
    return True
