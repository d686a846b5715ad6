"""Paths: an encoded slash is no step of an address, so `/v1/dinas/d%2Fwhy` is not `/why` of `d`.

The server hands a path over decoded. No id of a path holds a slash, so a path whose bytes hold an encoded one leads nowhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)


class RawPaths:
    """ASGI middleware that leads a path with an encoded slash to no route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one by such a path under a first step that no route has."""
        raw = (scope.get("raw_path") or b"").partition(b"?")[0]
        if _SLASH.search(raw):
            scope = {**scope, "path": f"{'/v1' if raw.startswith(b'/v1/') else ''}/%2F{scope['path']}"}
        await self._app(scope, receive, send)
