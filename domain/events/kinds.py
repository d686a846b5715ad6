"""The kinds of event: a row for each, from which every list of kinds in the project derives.

A new kind is a struct in ``submitted.py``, a struct in ``entries.py`` and a row here; `tests/domain/test_kinds.py` and
the type checker name all else it needs.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from msgspec import Struct

from domain.canonical import canonical
from domain.events import entries, submitted
from domain.events.names import type_of

Role = Literal["fact", "note", "reversal", "rule"]
"""A fact posts to a balance, a note stops or starts the clock of a case, a reversal takes a fact out, a rule sets a promise."""


class NaturalKey(NamedTuple):
    """A name under which a fact is stated only once, beside its ``(source, id)``."""

    subject: str
    """The thing that exists once, such as a receipt."""
    fields: tuple[str, ...]
    """The fields of the data that tell one from another. The last is the deciding one: with it the others are required."""

    def applies(self, data: Mapping[str, Any]) -> bool:
        """True if the data hold the deciding field of this key."""
        return self.fields[-1] in data

    def text(self, data: Mapping[str, Any]) -> str:
        """The key as the journal stores it."""
        return canonical([self.subject, *[data[name] for name in self.fields]]).decode()


class Kind(Struct, frozen=True):
    """The properties of a kind of event, apart from its meaning to the fold.

    ``natural_keys`` are tried in order; the first one whose last field is given applies. ``names`` are the fields by which
    people know an event and look for it, in the order in which a page shows them.
    """

    name: str
    role: Role
    submitted: type[submitted.Submittable]
    recorded: type[entries.Fact | entries.CaseNote | entries.Reversal | entries.Rule]
    natural_keys: tuple[NaturalKey, ...]
    names: tuple[str, ...]

    @property
    def type(self) -> str:
        """The CloudEvents type of its events."""
        return type_of(self.name)

    def natural_key(self, data: Mapping[str, Any]) -> str | None:
        """The key that a fact of this kind holds; ``None`` where it may be stated again under another id."""
        for key in self.natural_keys:
            if key.applies(data):
                return key.text(data)
        return None

    def fixed_fields(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The fields that a correction must leave as they are: the dinas, and all fields that decide the natural key."""
        own = next((key.fields for key in self.natural_keys if key.applies(data)), ("dinas",))
        deciding = {*own, *(key.fields[-1] for key in self.natural_keys)}
        names = ("dinas", *(name for key in self.natural_keys for name in key.fields))
        return tuple(name for name in dict.fromkeys(names) if name in deciding)


CASE: Final = ("dinas", "service", "case")
"""The fields that name a case."""
RECEIPT: Final = NaturalKey("receipt", CASE)
DECISION: Final = NaturalKey("decision", CASE)
RATING: Final = NaturalKey("rating", CASE)
SURVEY: Final = NaturalKey("survey", ("dinas", "survey"))
NOTES: Final = NaturalKey("case", CASE)
"""The key under which the journal keeps the notes of a case; nothing holds it."""

_ROWS: Final = (
    Kind(
        "permit-received",
        "fact",
        submitted.PermitReceived,
        entries.PermitReceived,
        natural_keys=(RECEIPT,),
        names=("service", "case", "asn"),
    ),
    Kind(
        "permit-paused",
        "note",
        submitted.PermitPaused,
        entries.PermitPaused,
        natural_keys=(),
        names=("service", "case"),
    ),
    Kind(
        "permit-resumed",
        "note",
        submitted.PermitResumed,
        entries.PermitResumed,
        natural_keys=(),
        names=("service", "case"),
    ),
    Kind(
        "permit-processed",
        "fact",
        submitted.PermitProcessed,
        entries.PermitProcessed,
        natural_keys=(DECISION,),
        names=("service", "case", "asn"),
    ),
    Kind(
        "task-completed",
        "fact",
        submitted.TaskCompleted,
        entries.TaskCompleted,
        natural_keys=(),
        names=("asn", "task"),
    ),
    Kind(
        "satisfaction-rated",
        "fact",
        submitted.SatisfactionRated,
        entries.SatisfactionRated,
        natural_keys=(RATING, SURVEY),
        names=("service", "case", "survey", "asn"),
    ),
    Kind(
        "event-retracted",
        "reversal",
        submitted.EventRetracted,
        entries.EventRetracted,
        natural_keys=(),
        names=(),
    ),
    Kind(
        "event-corrected",
        "reversal",
        submitted.EventCorrected,
        entries.EventCorrected,
        natural_keys=(),
        names=(),
    ),
    Kind(
        "dinas-registered",
        "rule",
        submitted.DinasRegistered,
        entries.DinasRegistered,
        natural_keys=(),
        names=("name",),
    ),
    Kind(
        "asn-registered",
        "rule",
        submitted.AsnRegistered,
        entries.AsnRegistered,
        natural_keys=(),
        names=("asn",),
    ),
    Kind(
        "asn-assigned",
        "rule",
        submitted.AsnAssigned,
        entries.AsnAssigned,
        natural_keys=(),
        names=("asn",),
    ),
    Kind(
        "standard-set",
        "rule",
        submitted.StandardSet,
        entries.StandardSet,
        natural_keys=(),
        names=("service",),
    ),
    Kind(
        "scheme-adopted",
        "rule",
        submitted.SchemeAdopted,
        entries.SchemeAdopted,
        natural_keys=(),
        names=("scheme",),
    ),
)

KINDS: Final = {row.name: row for row in _ROWS}
"""Every kind that can be submitted, by name."""
BY_TYPE: Final = {row.type: row for row in _ROWS}
OPENING: Final = "journal-opened"
"""The kind of every journal's first line. It is written by the journal itself and has no row."""
OPENED_TYPE: Final = type_of(OPENING)


def types_of(*roles: Role) -> frozenset[str]:
    """The types of the kinds that have one of these roles."""
    return frozenset(row.type for row in _ROWS if row.role in roles)


FACT_TYPES: Final = types_of("fact")
NOTE_TYPES: Final = types_of("note")
REVERSAL_TYPES: Final = types_of("reversal")
RULE_TYPES: Final = types_of("rule")
NAMES: Final = tuple(dict.fromkeys(name for row in _ROWS for name in row.names))
"""Every field by which an event of some kind is looked for."""


def reversed_key(source: str, event_id: str) -> str:
    """The key that an event's one reversal holds."""
    return canonical(["reversed", source, event_id]).decode()
