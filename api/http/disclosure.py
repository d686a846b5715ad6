"""Disclosure: who is served each rating, and who is served ratings as far as blocks of them are published.

This is the one place that decides it, from the caller's grant, and which dinas' small figures a caller is shown.
`domain/fold/blocks.py` has the rule of blocks, and `domain/fold/shown.py` that of small figures.
"""

from typing import NamedTuple

from starlette.requests import Request

from api.http.access import Access
from domain.access.grant import Grant
from domain.access.policy import allowed
from domain.access.subjects import SOME, Unit
from domain.refusal import Refusal


class View(NamedTuple):
    """The part of the figures that a caller is served: who has the same view may be served the same answer."""

    published: bool
    """True if ratings count as far as they are published."""
    own: frozenset[str] | None
    """The dinas whose small cells are shown too; ``None`` for those of every dinas."""

    @property
    def name(self) -> str:
        """A text that no other view has."""
        return f"{self.published} {'' if self.own is None else sorted(self.own)}"


EXACT = View(published=False, own=None)
PUBLIC = View(published=True, own=frozenset())


def view_of(grant: Grant | None) -> View:
    """The view of a caller: the public is shown no small cells, and a leader those of the dinas that the grant covers."""
    if not is_published(grant):
        return EXACT
    if grant is None or not allowed(grant, "read-reasons", SOME, 0):
        return PUBLIC
    return View(published=True, own=None if allowed(grant, "read-reasons", Unit(""), 0) else grant.dinas)


def view_to(access: Access, request: Request) -> View:
    """The same of the caller of a request; the public's for one whose token is not known, who is refused elsewhere."""
    try:
        return view_of(access.grant(request))
    except Refusal:
        return PUBLIC


def is_published(grant: Grant | None) -> bool:
    """True if a caller is served what is published; false for auditors and the operator, who has all roles.

    `Access.grant` saw to it that the grant is in force, so its end does not matter here.
    """
    return not allowed(grant, "see-exact", SOME, 0)


def published_to(access: Access, request: Request) -> bool:
    """The same of the caller of a request; true for one whose token is not known, who is refused elsewhere."""
    try:
        return is_published(access.grant(request))
    except Refusal:
        return True
