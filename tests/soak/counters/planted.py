"""Planted bugs of the emitter: each makes one law of it wrong, and the simulation has to notice."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.emitting import sender
from streams.emitting.case_order import CaseOrder
from streams.emitting.client import Answer, NotTaken, Rejection
from streams.emitting.emitter import Emitter
from streams.emitting.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bug(NamedTuple):
    """One attribute of the program, made wrong."""

    name: str
    holder: Any
    attribute: str
    wrong: Any

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The program with the bug, until the end of a ``with``."""
        right = getattr(self.holder, self.attribute)
        setattr(self.holder, self.attribute, self.wrong)
        try:
            yield
        finally:
            setattr(self.holder, self.attribute, right)


def _whole(_sender: Sender, _size: int, error: Exception) -> None:
    raise NotTaken(str(error))


BUGS: Final = (
    Bug("any answer with status 200 is an acknowledgement", Answer, "accounts_for", lambda _self, _number: True),
    Bug("every refusal is final", Rejection, "for_now", property(lambda _self: False)),
    Bug("no refusal is final", Rejection, "for_now", property(lambda _self: True)),
    Bug("a decision overtakes the notes of its case", CaseOrder, "sendable", lambda _self, batch: (list(batch), [])),
    Bug("what is refused for now is never tried again", Emitter, "_send_held", lambda _self: False),
    Bug("the way is taken to be open", Sender, "_must_be_open", lambda _self, _error: None),
    Bug("a request refused as a whole ends the run", Sender, "_narrow", _whole),
    Bug("an event is refused by the first page that refuses it", sender, "REFUSED_TIMES", 1),
)
