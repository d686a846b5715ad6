"""Signing in: a browser cannot send a header by itself, so a token is put into a cookie that no script can read.

Nothing of Neraca changes by it: the token is made and revoked by `neraca token` alone.
"""

from typing import Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.http.access import COOKIE, Access, is_own_form
from api.pages.site import Made, Site
from domain.refusal import Refusal

FORM_MOST: Final = 4_096
KEPT_S: Final = 30 * 86_400
"""A counter that stood dark over a holiday still sends what it holds."""


def signin_router(site: Site, access: Access) -> APIRouter:
    """`/masuk` and `/keluar`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/masuk")
    def show(request: Request) -> Response:
        return site.plain(request, "signin.html", _form(request.query_params.get("ke", "/")))

    @router.post("/masuk")
    async def sign_in(request: Request) -> Response:
        form = await fields_of(request)
        secret, onward = form.get("token", "").strip(), _inside(form.get("ke", "/"))
        if not secret or await run_in_threadpool(access.known, secret) is None:
            return site.plain(request, "signin.html", _form(onward, wrong=True), 401)
        return _sent_on(request, onward, secret, KEPT_S)

    @router.post("/keluar")
    async def sign_out(request: Request) -> Response:
        await fields_of(request)
        return _sent_on(request, "/", "", 0)

    return router


def _form(onward: str, *, wrong: bool = False) -> Made:
    return {"onward": _inside(onward), "wrong": wrong}


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form of this site's own. Raises: ``Refusal``."""
    if not is_own_form(request):
        raise Refusal("forbidden", "a form of Neraca is sent by its own pages only")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MOST:
            raise Refusal("too-large", f"this form holds at most {FORM_MOST} bytes")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _inside(path: str) -> str:
    """A path of this site; the board's for anything that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _sent_on(request: Request, onward: str, secret: str, kept_s: int) -> Response:
    english = request.query_params.get("lang") == "en" and "lang=" not in onward
    path = onward + ("&" if "?" in onward else "?") + urlencode({"lang": "en"}) if english else onward
    response = RedirectResponse(path, 303, {"cache-control": "no-store"})
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
    response.set_cookie(COOKIE, secret, max_age=kept_s, path="/", secure=secure, httponly=True, samesite="strict")
    return response
