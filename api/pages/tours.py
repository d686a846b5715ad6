"""The guided tours of practice: five steps for each of four people, every step on a page as it really is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from msgspec import Struct

if TYPE_CHECKING:
    from domain.access.policy import Action

Role = Literal["petugas", "asn", "pimpinan", "auditor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
STEPS: Final = 5
DINAS: Final = "disdukcapil"
PATHS: Final[dict[Role, tuple[str, ...]]] = {
    "petugas": ("/loket?dinas={dinas}&loket=1",) * STEPS,
    "asn": ("/asn/{asn}", "/asn/{asn}", "/asn/{asn}", "/asn/{asn}/why", "/asn/{asn}/events"),
    "pimpinan": ("/", "/", "/dinas/{dinas}", "/dinas/{dinas}/why", "/"),
    "auditor": ("/auditor",) * STEPS,
}
"""The address of each step; `{asn}` and `{dinas}` are blanks for those that the tours are about."""
ACTIONS: Final[dict[Role, Action]] = {
    "petugas": "vouch",
    "asn": "read-person",
    "pimpinan": "read-reasons",
    "auditor": "audit",
}
"""The action that each tour needs: without it one of its pages is refused, so the tour is not offered."""


class Asked(NamedTuple):
    """The request by which a reader does a step: one to ``path``, any if empty, with one of the ``filled`` parameters."""

    path: str = ""
    filled: tuple[str, ...] = ()


REACHED: Final = Asked()
ASKED: Final[dict[str, Asked]] = {
    **{f"asn-{number}": REACHED for number in (1, 2, 4, 5)},
    "asn-3": Asked(filled=("period",)),
    **{f"pimpinan-{number}": REACHED for number in (1, 2, 3, 4)},
    "pimpinan-5": Asked(filled=("period",)),
    "auditor-1": REACHED,
    "auditor-2": Asked("/auditor/journal", ("dinas", "kind", "q", "from", "to", "touches", "after", "until")),
    "auditor-3": Asked("/auditor", ("at", "position", "until")),
    "auditor-4": Asked("/auditor", ("check", "digest")),
    "auditor-5": Asked("/auditor/journal.ndjson"),
}
"""The request that does each step of a reader. The steps of a clerk are done by what the counter records."""


class Step(Struct, frozen=True):
    """One step of one tour."""

    role: Role
    number: int

    @property
    def code(self) -> str:
        """Its name in addresses."""
        return f"{self.role}-{self.number}"

    @property
    def action(self) -> Action:
        """The action that its tour needs."""
        return ACTIONS[self.role]

    @property
    def dinas(self) -> str:
        """The dinas that its tour is about; none if it is about a person, or the city."""
        return DINAS if "{dinas}" in "".join(PATHS[self.role]) else ""

    @property
    def asked(self) -> Asked | None:
        """The request that does it; ``None`` if it is done at a counter."""
        return ASKED.get(self.code)

    @property
    def before(self) -> Step | None:
        """The step before it."""
        return Step(self.role, self.number - 1) if self.number > 1 else None

    @property
    def after(self) -> Step | None:
        """The step after it."""
        return Step(self.role, self.number + 1) if self.number < STEPS else None


def step_of(code: str) -> Step | None:
    """The step an address names; none for any other text."""
    role, _, number = code.partition("-")
    for tour_role in ROLES:
        if role == tour_role and number.isascii() and number.isdigit() and 1 <= int(number) <= STEPS:
            return Step(tour_role, int(number))
    return None
