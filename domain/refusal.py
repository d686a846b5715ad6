"""How Neraca says no: a stable slug, a sentence, and for each fault the field it is in."""

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong: a JSON pointer (RFC 6901) to the field, and a sentence about it."""

    pointer: str
    detail: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """Something submitted is not accepted; nothing of it was recorded.

    ``slug`` is stable and names the problem type; ``holder`` is the event that stands in the way of a conflict.
    """

    def __init__(self, slug: str, detail: str, *faults: Fault, holder: dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.faults = faults
        self.holder = holder


def invalid(*faults: Fault) -> Refusal:
    """The refusal of an event whose fields break the contract."""
    first = faults[0]
    return Refusal("invalid-event", f"{first.pointer or 'event'}: {first.detail}", *faults)
