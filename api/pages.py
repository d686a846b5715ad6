"""Pages: the board."""

from collections.abc import Callable

from fastapi import APIRouter

from api.reads import Reads


def pages_router(
    reads: Reads, *, simulated: bool = False, notice: Callable[[], str | None] = lambda: None
) -> APIRouter:
    """The pages."""
    return APIRouter()
