"""Signing in: a browser cannot send a header by itself, so a token is put into a cookie that no script can read.

Nothing of Neraca changes by it: `neraca token` alone makes and revokes tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.http.access import COOKIE
from api.http.forms import fields_of
from api.pages.page import Page

if TYPE_CHECKING:
    from api.http.access import Access
    from api.pages.site import Site

KEPT_S: Final = 30 * 86_400
"""A counter that was off over a holiday still sends the events that it holds."""


class SignInPage(Page, frozen=True):
    """The form for a token; ``onward`` is the page to go on to, ``wrong`` says that the last token is not known."""

    template: ClassVar[str] = "signin.html"
    parameters: ClassVar[frozenset[str]] = frozenset({"ke"})

    onward: str
    wrong: bool


def signin_router(site: Site, access: Access) -> APIRouter:
    """`/masuk` and `/keluar`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/masuk", response_class=HTMLResponse)
    def show(request: Request) -> Response:
        return site.plain(request, SignInPage(_inside(request.query_params.get("ke", "/")), wrong=False))

    @router.post("/masuk")
    async def sign_in(request: Request) -> Response:
        form = await fields_of(request)
        secret, onward = form.get("token", "").strip(), _inside(form.get("ke", "/"))
        if not secret or await run_in_threadpool(access.grant_of_secret, request, secret) is None:
            return site.plain(request, SignInPage(onward, wrong=True), 401)
        return _sent_on(request, onward, secret, KEPT_S)

    @router.post("/keluar")
    async def sign_out(request: Request) -> Response:
        await fields_of(request)
        return _sent_on(request, "/", "", 0)

    return router


def _inside(path: str) -> str:
    """A path of this site; the board's for any text that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _sent_on(request: Request, onward: str, secret: str, kept_s: int) -> Response:
    english = request.query_params.get("lang") == "en" and "lang=" not in onward
    path = onward + ("&" if "?" in onward else "?") + urlencode({"lang": "en"}) if english else onward
    response = RedirectResponse(path, 303, {"cache-control": "no-store"})
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
    response.set_cookie(COOKIE, secret, max_age=kept_s, path="/", secure=secure, httponly=True, samesite="strict")
    return response
