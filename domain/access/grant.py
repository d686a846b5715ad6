"""A grant: the roles of a caller, the limits that all of them keep, and the instant until which it holds."""

from typing import Final

from msgspec import Struct

ROLES: Final = ("counter", "rate", "asn", "leader", "personnel", "auditor", "rules", "correct", "close", "keys")
"""The roles that a token may have."""
TICKET: Final = "ticket"
"""The role of a citizen's ticket: one rating of one case. No token has it."""
OLD_SCOPES: Final = {"fact": "counter", "rulebook": "rules", "reverse": "correct", "read": "leader", "audit": "auditor"}
"""The scopes that tokens had before roles, and the role that each became."""


class Grant(Struct, frozen=True):
    """The rights of a caller.

    ``dinas`` and ``sources`` are the ones that it is limited to (``None``: any); ``asn`` is the person that it belongs to;
    ``case`` is the case (dinas, service, case) of a ticket. ``until_us`` is the instant at which it ends (microseconds since
    the epoch; ``None``: never), ``events_hour`` the most events that it may record in an hour. ``alone``: nobody stands
    beside this caller, so no second person can be asked for. ``event_id`` is the id of the one event that a ticket records.
    """

    id: str
    roles: frozenset[str]
    dinas: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    asn: str = ""
    case: tuple[str, str, str] | None = None
    until_us: int | None = None
    events_hour: int | None = None
    alone: bool = False
    event_id: str = ""


LOCAL: Final = Grant("local", frozenset(ROLES), alone=True)
"""The grant of the operator at the machine, who needs no token."""
SIGNED_OPERATOR: Final = Grant("local", frozenset(ROLES))
"""The operator's grant where tokens are needed: others can be given one, so a second person is asked for."""


AT_COUNTER: Final = frozenset({"counter", "correct"})
"""The roles of a counter's device: a token with any other opens no session of a month."""


def is_standing(grant: Grant) -> bool:
    """True of a grant that stands by itself: of a token, a session or the operator; false of a citizen's ticket."""
    return TICKET not in grant.roles


def is_at_counter(grant: Grant) -> bool:
    """True of a grant for a counter's device, and for nothing beyond it."""
    return "counter" in grant.roles and grant.roles <= AT_COUNTER


def main_role(grant: Grant) -> str:
    """The role whose page its holder begins with; empty if none has a page of its own."""
    return next((role for role in ("counter", "asn", "leader", "personnel", "auditor") if role in grant.roles), "")


def roles_of(scopes: frozenset[str], *, has_limit: bool) -> frozenset[str]:
    """The roles under the names that a token holds, old or new; ``has_limit``: it is limited to some dinas.

    A ``read`` token that was not limited showed every person, so it becomes ``personnel``.
    """
    roles = {OLD_SCOPES.get(name, name) for name in scopes}
    if "read" in scopes and not has_limit:
        roles = (roles - {"leader"}) | {"personnel"}
    return frozenset(roles)
