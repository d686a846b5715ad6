"""Signing in: a browser cannot send a header by itself, so a token, or a link of the operator's, begins a session.

The session's id is in a cookie that no script can read. Nothing of Neraca changes by it: `neraca token` alone makes and
revokes tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.http.doors import cookie_name, doors_of, is_secure
from api.http.forms import fields_of
from api.pages.page import Page
from domain.access.grant import is_at_counter, main_role
from domain.clock import SECOND_US
from projections.ports import LOCAL

if TYPE_CHECKING:
    from api.http.access import Access
    from api.pages.frame import PageServices
    from api.pages.site import Site
    from projections.ports import Grant

HOUR_S: Final = 3600
LASTS_S: Final = 12 * HOUR_S
COUNTER_S: Final = 30 * 24 * HOUR_S
"""A counter that was off over a holiday still sends the events that it holds."""
OPERATOR_S: Final = HOUR_S
LANDINGS: Final = {"counter": "/loket", "asn": "/saya", "auditor": "/auditor"}
"""The page that a role begins with, where it is not the board."""
CLEARED: Final = '"cache"'
"""The data of this site that a browser drops at the end. A counter's queue is storage, and stays."""


class Length(NamedTuple):
    """The length of a session, in all and idle, in seconds."""

    lasts_s: int
    idle_s: int


class SignInPage(Page, frozen=True):
    """The form for a token; ``onward`` is the page to go on to, ``wrong`` says that the last token is not known."""

    template: ClassVar[str] = "signin.html"
    parameters: ClassVar[frozenset[str]] = frozenset({"ke"})

    onward: str
    wrong: bool


class LinkPage(Page, frozen=True):
    """The page that a sign-in link opens; ``wrong`` says that the link is spent, or too old."""

    template: ClassVar[str] = "link.html"

    wrong: bool


def signin_router(site: Site, access: Access, services: PageServices) -> APIRouter:
    """`/masuk`, `/masuk/tautan` and `/keluar`."""
    router, signing = APIRouter(include_in_schema=False), Signing(site, access, services)

    @router.get("/masuk", response_class=HTMLResponse)
    def show(request: Request) -> Response:
        return site.plain(request, SignInPage(_inside(request.query_params.get("ke", "")), wrong=False))

    @router.post("/masuk")
    async def sign_in(request: Request) -> Response:
        form = await fields_of(request)
        return await run_in_threadpool(signing.by_token, request, form.get("token", "").strip(), form.get("ke", ""))

    @router.get("/masuk/tautan", response_class=HTMLResponse)
    def show_link(request: Request) -> Response:
        return site.plain(request, LinkPage(wrong=False))

    @router.post("/masuk/tautan")
    async def follow_link(request: Request) -> Response:
        return await run_in_threadpool(signing.by_link, request, (await fields_of(request)).get("tautan", "").strip())

    @router.post("/keluar")
    async def sign_out(request: Request) -> Response:
        await fields_of(request)
        return await run_in_threadpool(signing.out, request)

    return router


class Signing:
    """Begins and ends sessions; each is noted in the security log before it begins or ends."""

    def __init__(self, site: Site, access: Access, services: PageServices) -> None:
        self._site, self._access, self._services = site, access, services
        self._sessions = access.tokens.sessions

    def by_token(self, request: Request, secret: str, path: str) -> Response:
        """Begin the session of a token, and go on to a path, or to the page that the token is for."""
        grant, onward = self._access.grant_of_secret(request, secret) if secret else None, _inside(path)
        if grant is None:
            return self._site.plain(request, SignInPage(onward, wrong=True), 401)
        self._note("sign-in", grant.id, "token")
        length = length_of(grant, doors_of(request).session_idle_s)
        return self._begun(request, grant.id, length, onward or landing_of(grant))

    def by_link(self, request: Request, secret: str) -> Response:
        """Spend a link, and begin the operator's session."""
        if not secret or not self._sessions.spend(secret, self._access.now_us()):
            return self._site.plain(request, LinkPage(wrong=True), 401)
        self._services.link_spent()
        self._note("sign-in", LOCAL.id, "link")
        idle_s = min(OPERATOR_S, doors_of(request).session_idle_s)
        return self._begun(request, LOCAL.id, Length(OPERATOR_S, idle_s), "/")

    def out(self, request: Request) -> Response:
        """End the browser's session."""
        grant = self._access.signed_in(request)
        if grant is not None:
            self._note("sign-out", grant.id, "")
        self._end_earlier(request)
        response = _sent_on(request, "/")
        response.headers["clear-site-data"] = CLEARED
        _set_cookie(request, response, "", 0)
        return response

    def _begun(self, request: Request, token_id: str, length: Length, onward: str) -> Response:
        """Begin a session in place of the browser's earlier one, and go on."""
        self._end_earlier(request)
        lasts_us, idle_us = length.lasts_s * SECOND_US, length.idle_s * SECOND_US
        secret = self._sessions.begin(token_id, self._access.now_us(), lasts_us=lasts_us, idle_us=idle_us)
        response = _sent_on(request, onward)
        _set_cookie(request, response, secret, length.lasts_s)
        return response

    def _end_earlier(self, request: Request) -> None:
        secret = request.cookies.get(cookie_name(request))
        if secret:
            self._sessions.end(secret)

    def _note(self, what: str, who: str, detail: str) -> None:
        if self._services.security is not None:
            self._services.security.note(what, who, detail=detail)


def length_of(grant: Grant, idle_s: int) -> Length:
    """The length of a session: a counter's is a month, idle or not; any other's half a day, and ends when it is idle."""
    return Length(COUNTER_S, COUNTER_S) if is_at_counter(grant) else Length(LASTS_S, idle_s)


def landing_of(grant: Grant) -> str:
    """The page that a grant is for."""
    return LANDINGS.get(main_role(grant), "/")


def _inside(path: str) -> str:
    """A path of this site; none for any text that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else ""


def _sent_on(request: Request, onward: str) -> RedirectResponse:
    english = request.query_params.get("lang") == "en" and "lang=" not in onward
    path = onward + ("&" if "?" in onward else "?") + urlencode({"lang": "en"}) if english else onward
    return RedirectResponse(path, 303, {"cache-control": "no-store"})


def _set_cookie(request: Request, response: Response, secret: str, age_s: int) -> None:
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=age_s,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )
