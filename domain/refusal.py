"""Refusals: a stable slug, a sentence, and the field of each fault."""

from collections.abc import Callable
from typing import Final, NamedTuple, ParamSpec, TypeVar

OUR_PROBLEMS: Final = "urn:neraca:problem:"
"""The beginning of the type of each problem that Neraca itself answers (RFC 9457); the slug of a refusal follows."""
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Fault(NamedTuple):
    """One thing wrong: a JSON pointer (RFC 6901) to the field, and a sentence about it.

    ``for_now``: a later event, or a later time, may lift it, so the same event is worth sending again. ``earliest``: the
    field lies too early, and this is the first instant that it could name; whoever knows only its day can tell by it.
    """

    pointer: str
    detail: str
    for_now: bool = False
    earliest: str | None = None


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """Something submitted is not accepted; nothing of it was recorded.

    ``slug`` is stable and names the problem type; ``holder`` is the event that causes a conflict.
    """

    def __init__(self, slug: str, detail: str, *faults: Fault, holder: dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.faults = faults
        self.holder = holder

    @property
    def for_now(self) -> bool:
        """True if the same event may be accepted later: every fault may be lifted. Its sender keeps it and tries again."""
        return bool(self.faults) and all(fault.for_now for fault in self.faults)


def stated(fault: Fault) -> dict[str, str]:
    """A fault as a problem lists it; ``earliest`` is the first instant that its field could name."""
    error = {"pointer": fault.pointer, "detail": fault.detail}
    return error if fault.earliest is None else error | {"earliest": fault.earliest}


def invalid(*faults: Fault) -> Refusal:
    """The refusal of an event whose fields break the contract."""
    first = faults[0]
    return Refusal("invalid-event", f"{first.pointer or 'event'}: {first.detail}", *faults)


def pointer(at: str, name: str) -> str:
    """The pointer to a field below another one; the name may hold any character (RFC 6901)."""
    return f"{at}/{name.replace('~', '~0').replace('/', '~1')}"


def attempt(action: Callable[_Given, _Result], *args: _Given.args, **options: _Given.kwargs) -> _Result | Refusal:
    """The result of an action, or the refusal that it raises: in a batch, one refused event must not stop the others."""
    try:
        return action(*args, **options)
    except Refusal as refusal:
        return refusal
