"""The way of an ASN to their own page, by their id."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.pages.links import Links, code_of
from api.pages.page import Page

if TYPE_CHECKING:
    from api.pages.site import Site


class MinePage(Page, frozen=True):
    """The form for an id."""

    template: ClassVar[str] = "mine.html"


def mine_router(site: Site) -> APIRouter:
    """`/asn`: the form, and the way on from it."""
    router = APIRouter()

    @router.get("/asn", response_class=HTMLResponse)
    def find_asn(request: Request, asn: str = "") -> Response:
        if asn.strip():
            link = Links(code_of(request), request)
            return RedirectResponse(link("asn", asn.strip(), **({"tur": link.tour} if link.tour else {})), 303)
        return site.plain(request, MinePage())

    return router
