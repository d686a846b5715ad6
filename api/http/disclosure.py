"""Disclosure: who is served each rating, and who is served ratings as far as blocks of them are published.

This is the one place that decides it, from the caller's grant. `domain/fold/blocks.py` has the rule of blocks.
"""

from starlette.requests import Request

from api.http.access import Access
from domain.access.grant import Grant
from domain.access.policy import allowed
from domain.access.subjects import SOME
from domain.refusal import Refusal


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
