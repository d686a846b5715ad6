"""The past: who may ask for figures as they were known or reported. The public is served them of closed months alone.

No month is closed in this version, so the public asks in vain; whoever is shown more is told that there is no such parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.access.policy import PUBLIC, Action
from domain.access.subjects import SOME, Unit
from domain.refusal import Fault, Refusal, pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from api.http.access import Access

PAST: Final = ("as", "known_at")
"""The parameters that ask for figures as they were reported when a month closed, and as they were known at a position."""
_BEYOND: Final[tuple[Action, ...]] = ("read-reasons", "own-page")
"""The actions of those who are shown more than the public: leaders, auditors, and an ASN."""


class Past:
    """Refuses the past to the public; ``actions`` are those of the routes that have a period, by path."""

    def __init__(self, access: Access, actions: Mapping[str, Action]) -> None:
        self._access = access
        self._actions = actions

    def check(self, request: Request) -> None:
        """Let everybody pass who asks for no past, and who is more than the public. Raises: ``Refusal``."""
        names = [name for name in PAST if name in request.query_params]
        action = self._actions.get(request.scope["route"].path)
        if not names or action is None:
            return
        path = request.path_params
        subject = Unit(path["dinas"]) if "dinas" in path else SOME
        if action not in PUBLIC:
            self._access.require(request, action, subject)
            return
        grant = self._access.grant(request)
        if not any(self._access.allows(grant, each, subject) for each in _BEYOND):
            detail = "is for those who are shown more than the public, until the month is closed"
            faults = [Fault(pointer("", name), detail) for name in names]
            raise Refusal("not-public", f"{' and '.join(names)}: {detail}", *faults)
