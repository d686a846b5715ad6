"""The subjects of actions: what a caller wants to read, to record or to take back, as far as the decision needs it."""

from typing import Final

from msgspec import Struct


class Some(Struct, frozen=True):
    """Any subject at all: an action is allowed on it if there may be a subject that it is allowed on."""


class Unit(Struct, frozen=True):
    """A dinas, by its id."""

    dinas: str


class Person(Struct, frozen=True):
    """An ASN, and the dinas at which a period shows them to their leaders."""

    asn: str
    places: frozenset[str] = frozenset()


class Fact(Struct, frozen=True, gc=False):
    """A fact or a note to record: its dinas, its source, and its case; ``rating``: a citizen's answer."""

    dinas: str
    source: str
    case: tuple[str, str, str] | None = None
    rating: bool = False


class Rule(Struct, frozen=True):
    """A rule to record: the dinas that it names, if it names one; ``elsewhere``: it places an ASN who is elsewhere that day."""

    dinas: str | None
    source: str
    elsewhere: bool = False


class Reversal(Struct, frozen=True):
    """A retraction or a correction of a recorded event.

    ``source`` is that of the fact, ``under`` that of the reversal itself. ``recorder`` recorded the event, and may undo it
    alone until ``undone_until_us``; ``recorders`` recorded the fact and every correction of it.
    """

    dinas: str
    source: str
    under: str
    recorder: str
    recorders: frozenset[str]
    undone_until_us: int
    rating: bool = False


Subject = Some | Unit | Person | Fact | Rule | Reversal
SOME: Final = Some()
