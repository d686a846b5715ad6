"""The rulebook: registrations, standards and schemes, folded from rule entries.

Of two entries with the same key the later recorded one is in force, in any order of folding.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import assert_never

from msgspec import to_builtins

from domain.canonical import canonical
from domain.clock import HOUR_US
from domain.events.entries import (
    AnyEntry,
    AsnAssigned,
    AsnRegistered,
    DinasRegistered,
    Rule,
    SchemeAdopted,
    Standard,
    StandardSet,
    decode,
)
from domain.rules.scheme import CONTOH_2026, Scheme, scheme_of

UNIT_US = {"wall_hours": HOUR_US}
"""The length of a standard's unit in microseconds of the clock."""


class Rulebook:
    """The rules in force after the entries folded so far; ``position`` is the last of them."""

    def __init__(self) -> None:
        self.position = 0
        self._rules: dict[tuple[str, ...], tuple[int, Rule]] = {}
        self._standards: dict[tuple[str, str], dict[str, Standard]] = {}
        self._schemes: dict[str, Scheme] = {}
        self._asn: set[str] = set()
        self._assignments: dict[str, dict[tuple[str, str], str | None]] = {}
        self._stays: dict[str, dict[tuple[str, str], str | None]] = {}

    def copy(self) -> "Rulebook":
        """The same rules, to fold more into while others still read these."""
        twin = Rulebook()
        twin.position = self.position
        twin._rules = dict(self._rules)
        twin._standards = {key: dict(standards) for key, standards in self._standards.items()}
        twin._schemes = dict(self._schemes)
        twin._asn = set(self._asn)
        twin._assignments = {dinas: dict(stays) for dinas, stays in self._assignments.items()}
        twin._stays = {asn: dict(stays) for asn, stays in self._stays.items()}
        return twin

    def apply(self, position: int, entry: AnyEntry) -> None:
        """Fold one entry recorded at ``position``; facts and reversals leave the rules as they are."""
        if not isinstance(entry, Rule):
            return
        self.position = max(self.position, position)
        key = _key(entry)
        former = self._rules.get(key)
        if former is not None and former[0] > position:
            return
        self._rules[key] = (position, entry)
        match entry:
            case StandardSet(data=standard):
                length = Standard(f"{entry.source}#{entry.id}", standard.amount * UNIT_US[standard.unit], standard.unit)
                self._standards.setdefault((standard.service, standard.dinas or ""), {})[standard.effective_from] = (
                    length
                )
            case SchemeAdopted(data=scheme):
                self._schemes[scheme.effective_from] = scheme_of(scheme)
            case AsnAssigned(data=stay):
                self._asn.add(stay.asn)
                stays = self._assignments.setdefault(stay.dinas, {})
                stays[stay.asn, stay.effective_from] = stay.effective_to
                self._stays.setdefault(stay.asn, {})[stay.dinas, stay.effective_from] = stay.effective_to
            case AsnRegistered(data=person):
                self._asn.add(person.asn)
            case DinasRegistered():
                pass
            case _:
                assert_never(entry)

    def read(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Fold stored lines, each with its position. Raises: ``msgspec.ValidationError`` for one that is unknown here."""
        for position, line in lines:
            self.apply(position, decode(line))

    def standard(self, dinas: str, service: str, received_on: date) -> Standard | None:
        """The standard in force on the local date of receipt: the dinas's own beats a general one, then the later."""
        day = received_on.isoformat()
        for owner in (dinas, ""):
            standards = self._standards.get((service, owner))
            in_force = max((since for since in standards if since <= day), default=None) if standards else None
            if standards and in_force is not None:
                return standards[in_force]
        return None

    def services(self, dinas: str) -> set[str]:
        """The services that have a standard of an agency's own; for ``""`` those that have a general one."""
        return {service for service, owner in self._standards if owner == dinas}

    def knows_service(self, dinas: str, service: str) -> bool:
        """True if a standard names a service, at a dinas or at all of them."""
        return (service, dinas) in self._standards or (service, "") in self._standards

    def scheme(self, day: date) -> Scheme:
        """The scheme in force on a day; the built-in example before the first adoption."""
        since = max((since for since in self._schemes if since <= day.isoformat()), default=None)
        return CONTOH_2026 if since is None else self._schemes[since]

    def dinas_name(self, dinas: str) -> str | None:
        """The name an agency is registered under, or ``None``."""
        position_and_rule = self._rules.get(("dinas", dinas))
        rule = position_and_rule and position_and_rule[1]
        return rule.data.name if isinstance(rule, DinasRegistered) else None

    def dinas(self) -> list[str]:
        """The registered agencies, sorted."""
        return sorted(key[1] for key in self._rules if key[0] == "dinas")

    def asn_alike(self, asn: str) -> list[str]:
        """The registered ids that differ from a text by capitals at most."""
        return [member for member in self._asn if member.casefold() == asn.casefold()]

    def knows_asn(self, asn: str) -> bool:
        """True if a civil servant is registered or assigned."""
        return asn in self._asn

    def assigned(self, dinas: str, first: date, last: date) -> Iterator[str]:
        """The civil servants assigned to an agency on any day of ``[first, last]``."""
        for (asn, since), until in self._assignments.get(dinas, {}).items():
            if since <= last.isoformat() and (until is None or until >= first.isoformat()):
                yield asn

    def places(self, asn: str, first: date, last: date) -> frozenset[str] | None:
        """The agencies that a civil servant is assigned to on any day of ``[first, last]``; ``None`` if none was ever recorded."""
        stays = self._stays.get(asn)
        if stays is None:
            return None
        return frozenset(
            dinas
            for (dinas, since), until in stays.items()
            if since <= last.isoformat() and (until is None or until >= first.isoformat())
        )

    def lines(self) -> list[bytes]:
        """The rules that stand, a canonical line each, sorted: their part of the digest."""
        return sorted(canonical(_line(key[0], entry)) for key, (_, entry) in self._rules.items())


def _key(entry: Rule) -> tuple[str, ...]:
    match entry:
        case DinasRegistered(data=data):
            return ("dinas", data.dinas)
        case AsnRegistered(data=data):
            return ("asn", data.asn)
        case AsnAssigned(data=data):
            return ("assignment", data.asn, data.dinas, data.effective_from)
        case StandardSet(data=data):
            return ("standard", data.service, data.dinas or "", data.effective_from)
        case SchemeAdopted(data=data):
            return ("scheme", data.effective_from)
        case _:
            assert_never(entry)


def _line(kind: str, entry: Rule) -> dict[str, object]:
    line = {"rule": kind, **to_builtins(entry.data)}
    if isinstance(entry, StandardSet):
        line |= {"dinas": entry.data.dinas or "", "event": f"{entry.source}#{entry.id}"}
    return line
