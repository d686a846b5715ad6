"""Files as they are. One whose address names its content is kept by a browser for a year; any other is asked for anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import QueryParams
from starlette.staticfiles import StaticFiles

from api.http.parameters import check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike, stat_result

    from starlette.responses import Response
    from starlette.types import Scope

IMMUTABLE: Final = "public, max-age=31536000, immutable"
ASKED_ANEW: Final = "no-cache"
VERSION: Final = frozenset({"v"})


class Static(StaticFiles):
    """The folder of files; ``versions`` has the hash by which an address names the content of all files of a folder."""

    def __init__(self, directory: str, versions: Mapping[str, str]) -> None:
        super().__init__(directory=directory)
        self._versions = versions

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file. Raises: ``UnknownParameters``."""
        check(QueryParams(scope["query_string"]).multi_items(), VERSION)
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file, or 304 to a caller who has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        folder = scope["path"].removeprefix("/static/").rpartition("/")[0]
        version = QueryParams(scope["query_string"]).get("v")
        current = version is not None and version == self._versions.get(folder)
        response.headers["cache-control"] = IMMUTABLE if current else ASKED_ANEW
        return response
