"""The one decision: whether a grant allows an action on a subject at an instant. Nothing else decides."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from domain.access.grant import TICKET, Grant
from domain.access.subjects import Fact, Person, Reversal, Rule, Some, Subject, Unit

Action = Literal[
    "read-public",
    "follow-public",
    "find-oneself",
    "sign-in",
    "sign-out",
    "counter-page",
    "practise",
    "operate",
    "see-exact",
    "practise-again",
    "read-person",
    "read-people",
    "read-reasons",
    "read-files",
    "own-page",
    "audit",
    "inspect",
    "vouch",
    "record",
    "record-fact",
    "see-holder",
    "set-rules",
    "reverse",
    "correct",
]
PUBLIC: Final[frozenset[Action]] = frozenset(
    {"read-public", "follow-public", "find-oneself", "sign-in", "sign-out", "counter-page", "practise", "operate"}
)
"""The actions that everybody may do."""
Rights = Callable[[Grant, Subject, int], bool]
"""Whether a role allows an action on a subject at an instant, within the limits of the grant."""


def allowed(grant: Grant | None, action: Action, subject: Subject, at_us: int) -> bool:
    """True if a caller may do an action on a subject at an instant (microseconds since the epoch); ``None`` is nobody."""
    if action in PUBLIC:
        return True
    if grant is None or not in_force(grant, at_us):
        return False
    for role, may in POLICY[action].items():  # noqa: SIM110 - a plain loop is quicker, and the intake asks for every event
        if role in grant.roles and may(grant, subject, at_us):
            return True
    return False


def in_force(grant: Grant, at_us: int) -> bool:
    """True until the instant at which a grant ends."""
    return grant.until_us is None or at_us < grant.until_us


def _any(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - a role without limits asks for nothing
    return True


def _covers(limit: frozenset[str] | None, name: str) -> bool:
    return limit is None or name in limit


def _own_dinas(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    return isinstance(subject, Some) or (isinstance(subject, Unit) and _covers(grant.dinas, subject.dinas))


def _own_people(grant: Grant, subject: Subject, at_us: int) -> bool:
    """A leader of all dinas sees no person."""
    return grant.dinas is not None and _own_dinas(grant, subject, at_us)


def _placed_here(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    if grant.dinas is None:
        return False
    return isinstance(subject, Some) or (isinstance(subject, Person) and bool(subject.places & grant.dinas))


def _oneself(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    return isinstance(subject, Some) or (isinstance(subject, Person) and bool(grant.asn) and subject.asn == grant.asn)


def _own_fact(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    if not isinstance(subject, Fact):
        return isinstance(subject, Some)
    return not subject.rating and _covers(grant.dinas, subject.dinas) and _covers(grant.sources, subject.source)


def _own_rating(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    if not isinstance(subject, Fact):
        return isinstance(subject, Some)
    return subject.rating and _covers(grant.dinas, subject.dinas) and _covers(grant.sources, subject.source)


def _own_case(grant: Grant, subject: Subject, at_us: int) -> bool:
    is_its_case = isinstance(subject, Fact) and grant.case is not None and subject.case == grant.case
    return isinstance(subject, Some) or (is_its_case and _own_rating(grant, subject, at_us))


def _is_within(grant: Grant, subject: Reversal) -> bool:
    sources = grant.sources
    return _covers(grant.dinas, subject.dinas) and _covers(sources, subject.source) and _covers(sources, subject.under)


def _own_rule(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    """A grant of some dinas sets what names one of them; general rules need one of all."""
    if isinstance(subject, Some):
        return True
    if not isinstance(subject, Rule) or not _covers(grant.sources, subject.source):
        return False
    return grant.dinas is None or (subject.dinas in grant.dinas and not subject.elsewhere)


def _undo(grant: Grant, subject: Subject, at_us: int) -> bool:
    """A caller undoes what it recorded itself for a while; a rating is no counter's to undo."""
    if isinstance(subject, Some):
        return True
    if not isinstance(subject, Reversal) or subject.rating or not _is_within(grant, subject):
        return False
    return _is_undone(grant, subject, at_us)


def _is_undone(grant: Grant, subject: Reversal, at_us: int) -> bool:
    return subject.recorder == grant.id and at_us < subject.undone_until_us


def _correction(grant: Grant, subject: Subject, at_us: int) -> bool:  # noqa: ARG001 - the same at any time
    """A rating is reversed only by a grant of all dinas: none may choose among the answers about itself."""
    if isinstance(subject, Some):
        return True
    if not isinstance(subject, Reversal) or not _is_within(grant, subject):
        return False
    return grant.dinas is None or not subject.rating


def _by_a_second_person(grant: Grant, subject: Subject, at_us: int) -> bool:
    """The caller who recorded a fact corrects it only for a while; then another person has to."""
    if not _correction(grant, subject, at_us):
        return False
    if not isinstance(subject, Reversal) or grant.alone or grant.id not in subject.recorders:
        return True
    return _is_undone(grant, subject, at_us)


POLICY: Final[Mapping[Action, Mapping[str, Rights]]] = {
    "practise-again": {"rules": _any},
    "read-person": {"asn": _oneself, "leader": _placed_here, "personnel": _any, "auditor": _any},
    "read-people": {"leader": _own_people, "personnel": _any, "auditor": _any},
    "read-reasons": {"leader": _own_dinas, "personnel": _any, "auditor": _any},
    "read-files": {"counter": _own_dinas, "leader": _own_dinas, "personnel": _any, "auditor": _any},
    "see-exact": {"auditor": _any},
    "own-page": {"asn": _oneself},
    "audit": {"auditor": _any},
    "inspect": {"auditor": _any, "keys": _any},
    "vouch": {"counter": _own_dinas},
    "record": dict.fromkeys(("counter", "rate", "rules", "correct", TICKET), _any),
    "record-fact": {"counter": _own_fact, "rate": _own_rating, TICKET: _own_case},
    "see-holder": {"auditor": _any} | dict.fromkeys(("counter", "rate", "rules", "correct"), _own_dinas),
    "set-rules": {"rules": _own_rule},
    "reverse": {"counter": _undo, "correct": _by_a_second_person},
    "correct": {"correct": _correction},
}
"""The rights of each role by action; a role that is not named may not. ``correct`` is ``reverse`` but for the second person."""
