"""The page of method: the rules of the figures in plain words, with what they do not close; the API gives the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from msgspec import Struct

from api.pages.catalog import CODES, load_labels
from api.pages.page import Page
from api.v1.reads import ENCODER
from api.v1.schemas import MethodAnswer, MethodSection, read_doc

if TYPE_CHECKING:
    from api.pages.site import Site

SECTIONS: Final = {
    "ratings": ("blocks", "close", "reversed", "unsur", "asn", "single"),
    "public": ("ten", "ended"),
    "limits": ("nine", "alike", "operator"),
}
"""The sections of the page, and the paragraphs of each, by the names of their messages."""


class Section(Struct, frozen=True):
    """A section: the keys of its title and of its paragraphs."""

    id: str
    title: str
    paragraphs: tuple[str, ...]


EVERY: Final = tuple(
    Section(name, f"method.{name}", tuple(f"method.{name}_{part}" for part in parts))
    for name, parts in SECTIONS.items()
)


class MethodPage(Page, frozen=True):
    """The rules of the figures in words."""

    template: ClassVar[str] = "method.html"

    sections: tuple[Section, ...]


def method_router(site: Site) -> APIRouter:
    """`/publik/metode`, and the same words for programs."""
    router = APIRouter()

    @router.get("/publik/metode", response_class=HTMLResponse, include_in_schema=False)
    def show(request: Request) -> Response:
        return site.plain(request, MethodPage(EVERY))

    @router.get("/v1/method", **read_doc(MethodAnswer, "The rules of the figures in plain words"))
    def method() -> Response:
        return Response(ENCODER.encode(answer()), 200, {"cache-control": "no-cache"}, "application/json")

    return router


def answer() -> MethodAnswer:
    """The words of the page in both languages."""
    labels = load_labels()

    def texts(key: str) -> dict[str, str]:
        return {code: labels[key][code].general for code in CODES}

    return MethodAnswer(
        [MethodSection(row.id, texts(row.title), [texts(key) for key in row.paragraphs]) for row in EVERY]
    )
