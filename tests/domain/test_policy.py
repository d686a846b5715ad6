"""A grant allows what its roles name, of the subjects that its limits cover, until it ends."""

from dataclasses import dataclass
from typing import Final

import pytest
from msgspec.structs import replace

from domain.access.grant import LOCAL, OLD_SCOPES, ROLES, SIGNED_OPERATOR, TICKET, Grant, roles_of
from domain.access.policy import POLICY, PUBLIC, Action, allowed
from domain.access.subjects import SOME, Fact, Person, Reversal, Rule, Subject, Unit

NOW: Final = 1_000
CASE: Final = ("d", "ktp", "K-1")
RATING: Final = Fact("d", "/nilai/t", CASE, rating=True)
MINE: Final = Reversal("d", "/loket/1", "/loket/1", "t", frozenset({"t"}), NOW + 1)
OTHERS: Final = replace(MINE, recorder="u", recorders=frozenset({"u"}))
LATE: Final = replace(MINE, undone_until_us=NOW)


def grant(*roles: str, dinas: str = "", source: str = "", asn: str = "") -> Grant:
    limit = frozenset({dinas}) if dinas else None
    return Grant("t", frozenset(roles), limit, frozenset({source}) if source else None, asn)


@dataclass
class Row:
    """A grant, an action, a subject, and whether it is allowed."""

    grant: Grant
    action: Action
    subject: Subject
    allowed: bool


ROWS: Final = (
    Row(grant("leader", dinas="d"), "read-reasons", Unit("d"), allowed=True),
    Row(grant("leader", dinas="d"), "read-reasons", Unit("e"), allowed=False),
    Row(grant("leader"), "read-reasons", Unit("e"), allowed=True),
    Row(grant("leader"), "read-people", Unit("e"), allowed=False),
    Row(grant("leader"), "read-person", Person("a", frozenset({"e"})), allowed=False),
    Row(grant("leader"), "read-person", SOME, allowed=False),
    Row(grant("leader", dinas="d"), "read-person", SOME, allowed=True),
    Row(grant("leader", dinas="d"), "read-person", Person("a", frozenset({"d", "e"})), allowed=True),
    Row(grant("leader", dinas="d"), "read-person", Person("a", frozenset({"e"})), allowed=False),
    Row(grant("leader", dinas="d"), "read-person", Person("a"), allowed=False),
    Row(grant("asn", asn="a"), "read-person", Person("a"), allowed=True),
    Row(grant("asn", asn="a"), "read-person", Person("b"), allowed=False),
    Row(grant("asn"), "read-person", Person(""), allowed=False),
    Row(grant("personnel"), "read-person", Person("b"), allowed=True),
    Row(grant("personnel"), "audit", SOME, allowed=False),
    Row(grant("auditor"), "audit", SOME, allowed=True),
    Row(grant("keys"), "read-person", SOME, allowed=False),
    Row(grant("counter", dinas="d"), "read-files", Unit("d"), allowed=True),
    Row(grant("counter", dinas="d"), "read-files", Unit("e"), allowed=False),
    Row(grant("counter", dinas="d"), "read-reasons", Unit("d"), allowed=False),
    Row(grant("counter", dinas="d", source="/loket/1"), "record-fact", Fact("d", "/loket/1", CASE), allowed=True),
    Row(grant("counter", dinas="d", source="/loket/1"), "record-fact", Fact("d", "/loket/2", CASE), allowed=False),
    Row(grant("counter", dinas="d", source="/loket/1"), "record-fact", Fact("e", "/loket/1"), allowed=False),
    Row(grant("counter"), "record-fact", RATING, allowed=False),
    Row(grant("rate"), "record-fact", RATING, allowed=True),
    Row(grant("rate", dinas="e"), "record-fact", RATING, allowed=False),
    Row(grant("rate"), "record-fact", Fact("d", "/loket/1"), allowed=False),
    Row(replace(grant(TICKET, dinas="d"), case=CASE), "record-fact", RATING, allowed=True),
    Row(replace(grant(TICKET, dinas="d"), case=("d", "ktp", "K-2")), "record-fact", RATING, allowed=False),
    Row(grant(TICKET, dinas="d"), "record-fact", replace(RATING, case=None), allowed=False),
    Row(grant("counter", dinas="d"), "see-holder", Unit("d"), allowed=True),
    Row(grant("counter", dinas="d"), "see-holder", Unit("e"), allowed=False),
    Row(grant("rules", dinas="d"), "see-holder", Unit(""), allowed=False),
    Row(grant("rules"), "see-holder", Unit(""), allowed=True),
    Row(grant("correct"), "see-holder", Unit("e"), allowed=True),
    Row(grant("auditor"), "see-holder", Unit("e"), allowed=True),
    Row(grant(TICKET, dinas="d"), "see-holder", Unit("d"), allowed=False),
    Row(grant("rules"), "set-rules", Rule(None, "/aturan"), allowed=True),
    Row(grant("rules", dinas="d"), "set-rules", Rule(None, "/aturan"), allowed=False),
    Row(grant("rules", dinas="d"), "set-rules", Rule("d", "/aturan"), allowed=True),
    Row(grant("rules", dinas="d"), "set-rules", Rule("e", "/aturan"), allowed=False),
    Row(grant("rules", dinas="d"), "set-rules", Rule("d", "/aturan", elsewhere=True), allowed=False),
    Row(grant("rules", source="/a"), "set-rules", Rule(None, "/b"), allowed=False),
    Row(grant("counter", dinas="d", source="/loket/1"), "reverse", MINE, allowed=True),
    Row(grant("counter"), "reverse", LATE, allowed=False),
    Row(grant("counter"), "reverse", OTHERS, allowed=False),
    Row(grant("counter"), "reverse", replace(MINE, recorder="u", recorders=frozenset({"t", "u"})), allowed=False),
    Row(grant("correct"), "reverse", replace(LATE, recorder="u", recorders=frozenset({"t", "u"})), allowed=False),
    Row(grant("correct"), "reverse", replace(MINE, recorders=frozenset({"t", "u"})), allowed=True),
    Row(grant("counter", "correct"), "reverse", LATE, allowed=False),
    Row(grant("counter", "correct"), "correct", LATE, allowed=True),
    Row(grant("correct", dinas="d"), "reverse", OTHERS, allowed=True),
    Row(grant("correct", dinas="e"), "reverse", OTHERS, allowed=False),
    Row(grant("correct", source="/b"), "reverse", OTHERS, allowed=False),
    Row(grant("correct", source="/b"), "reverse", replace(MINE, source="/b"), allowed=False),
    Row(grant("correct", dinas="d"), "reverse", replace(OTHERS, rating=True), allowed=False),
    Row(grant("correct"), "reverse", replace(OTHERS, rating=True), allowed=True),
    Row(grant("counter"), "reverse", replace(MINE, rating=True), allowed=False),
    Row(LOCAL, "reverse", replace(LATE, recorder="local", recorders=frozenset({"local"})), allowed=True),
    Row(SIGNED_OPERATOR, "reverse", replace(LATE, recorder="local", recorders=frozenset({"local"})), allowed=False),
)


def named(row: Row) -> str:
    """The name of a case, the same in every process: a set's own text is in an order of its own in each."""
    return f"{'+'.join(sorted(row.grant.roles))} {row.action} {row.allowed}"


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_grant_allows_what_its_roles_and_limits_say(row: Row) -> None:
    assert allowed(row.grant, row.action, row.subject, NOW) is row.allowed


def test_nobody_may_do_what_is_not_public() -> None:
    assert {action for action in POLICY if allowed(None, action, SOME, NOW)} == set()
    assert all(allowed(None, action, SOME, NOW) for action in PUBLIC)
    assert not PUBLIC & POLICY.keys()


def test_a_grant_ends_at_its_instant() -> None:
    ending = replace(LOCAL, until_us=NOW)
    assert all(allowed(ending, action, SOME, NOW - 1) for action in POLICY)
    assert not any(allowed(ending, action, SOME, NOW) for action in POLICY)
    assert allowed(ending, "read-public", SOME, NOW)


def test_every_role_that_the_policy_names_is_one() -> None:
    assert {role for rights in POLICY.values() for role in rights} <= {*ROLES, TICKET}
    assert set(OLD_SCOPES.values()) <= set(ROLES)


def test_old_scopes_become_roles_with_the_same_limits() -> None:
    assert roles_of(frozenset({"fact", "rulebook", "reverse", "audit"}), has_limit=False) == {
        "counter",
        "rules",
        "correct",
        "auditor",
    }
    assert roles_of(frozenset({"read"}), has_limit=True) == {"leader"}
    assert roles_of(frozenset({"read"}), has_limit=False) == {"personnel"}
    assert roles_of(frozenset({"leader"}), has_limit=False) == {"leader"}
