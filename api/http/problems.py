"""Problems: every refusal as RFC 9457 `application/problem+json`, its type stable, its faults with their pointers."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.http.rates import headers_of
from domain.refusal import OUR_PROBLEMS, Fault, Refusal, stated
from projections.ports import Unavailable

MEDIA_TYPE: Final = "application/problem+json"
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "malformed-json": (400, "The body is not strict JSON"),
    "malformed-headers": (400, "A header cannot be read"),
    "malformed-encoding": (400, "The body is not what its Content-Encoding says"),
    "unauthorized": (401, "A valid token is needed"),
    "forbidden": (403, "The token does not cover this"),
    "not-public": (403, "The public is not shown this"),
    "second-person": (403, "Another person has to do this"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This is not done here"),
    "content-conflict": (409, "The same source and id, other content"),
    "natural-key-held": (409, "The case already has one of these"),
    "already-reversed": (409, "The event was reversed before"),
    "not-decided": (409, "The case is not decided yet"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The content type, or its coding, is none of those taken here"),
    "invalid-event": (422, "The event breaks the contract"),
    "unknown-type": (422, "The type of event is not known"),
    "invalid-query": (422, "The query cannot be answered"),
    "too-many": (429, "Too often; wait as Retry-After says"),
    "internal": (500, "Neraca has failed"),
    "unavailable": (503, "Not now; send the same again"),
}
Problem = tuple[Refusal, dict[str, str]]
"""The refusal that an error becomes, and further headers."""
Page = Callable[[Request, Refusal, Mapping[str, str]], Response]
"""Makes the page of a refusal."""
FAULTS_MOST: Final = 20
"""The most faults that a problem lists; it says how many more there are."""
DETAIL_MOST: Final = 2 * 2**10
"""The most bytes of a problem's detail, and of all faults that it lists: an answer never grows with what was sent."""
FAULT_MOST: Final = 512
"""The most bytes of one pointer, and of one fault's detail."""
_CUT: Final = "…"
_BY_STATUS: Final = {404: "not-found", 405: "method-not-allowed"}


def problem(refusal: Refusal) -> dict[str, Any]:
    """A refusal as a problem object."""
    status, title = PROBLEMS[refusal.slug]
    detail = shortened(refusal.detail, DETAIL_MOST)
    body: dict[str, Any] = {"type": OUR_PROBLEMS + refusal.slug, "title": title, "status": status, "detail": detail}
    if refusal.faults or status == HTTPStatus.UNPROCESSABLE_ENTITY:
        body["errors"] = _listed(refusal.faults)
        if len(body["errors"]) < len(refusal.faults):
            body["more"] = len(refusal.faults) - len(body["errors"])
    if refusal.for_now:
        body["retry"] = True
    if refusal.holder is not None:
        body["holder"] = refusal.holder
    return body


def _listed(faults: Sequence[Fault]) -> list[dict[str, str]]:
    """The first faults as a problem lists them: no more than it may hold, and at least one."""
    rows, room = list[dict[str, str]](), DETAIL_MOST
    for fault in faults[:FAULTS_MOST]:
        row = {name: shortened(text, FAULT_MOST) for name, text in stated(fault).items()}
        room -= sum(len(text.encode()) for text in row.values())
        if room < 0:
            break
        rows.append(row)
    return rows


def shortened(text: str, most: int) -> str:
    """A text of at most so many bytes; one that is cut ends in an ellipsis."""
    content = text.encode()
    return text if len(content) <= most else content[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT


class _Plain(Refusal):
    """A refusal of the framework itself, which is no problem of Neraca's: nothing but its status is known."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__("about:blank", detail)
        self.status = status


def problem_response(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """A refusal as a response."""
    body: dict[str, Any]
    if isinstance(refusal, _Plain):
        body = {"type": refusal.slug, "title": refusal.detail, "status": refusal.status, "detail": refusal.detail}
    else:
        body = problem(refusal)
    if body["status"] == HTTPStatus.UNAUTHORIZED:
        headers = {"www-authenticate": 'Bearer realm="neraca"', **(headers or {})}
    if body["status"] == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        headers = {"accept-encoding": "gzip", **(headers or {})}
    return Response(msgspec.json.encode(body), body["status"], headers, MEDIA_TYPE)


def bad_query(name: str, detail: str) -> Refusal:
    """The refusal of a query parameter."""
    return Refusal("invalid-query", f"{name}: {detail}", Fault(f"/{name}", detail))


def install(app: FastAPI, away: Sequence[type[Exception]] = (), page: Page | None = None) -> None:
    """Answer every error of an app as a problem; to a browser that asked for a page, as a page.

    ``away`` are the errors that mean that the database does not answer.
    """

    def answering(problem_of: Callable[[Exception], Problem]) -> Callable[[Request, Exception], Response]:
        def answer(request: Request, error: Exception) -> Response:
            refusal, headers = problem_of(error)
            if page is not None and refusal.slug in PROBLEMS and _wants_page(request):
                return page(request, refusal, headers)
            return problem_response(refusal, headers)

        return answer

    for error in away:
        app.add_exception_handler(error, answering(_away))
    app.add_exception_handler(Refusal, answering(_refused))
    app.add_exception_handler(Unavailable, answering(unavailable))
    app.add_exception_handler(RequestValidationError, answering(_bad_request))
    app.add_exception_handler(HTTPException, answering(_http))
    app.add_exception_handler(Exception, answering(_failed))


def _wants_page(request: Request) -> bool:
    """True if a browser goes to an address outside the API."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def _refused(error: Exception) -> Problem:
    refusal = error if isinstance(error, Refusal) else Refusal("internal", str(error))
    return refusal, headers_of(refusal)


def unavailable(error: Exception) -> Problem:
    """The refusal of a request of which nothing was done, and its headers."""
    return Refusal("unavailable", str(error)), {"retry-after": "1"}


def _away(_: Exception) -> Problem:
    return Refusal("unavailable", "the database does not answer; ask again"), {"retry-after": "1"}


def _bad_request(error: Exception) -> Problem:
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [Fault("/" + "/".join(str(step) for step in each["loc"][1:]), str(each["msg"]).lower()) for each in errors]
    return Refusal("invalid-query", "; ".join(f"{f.pointer[1:]}: {f.detail}" for f in faults), *faults), {}


def _http(error: Exception) -> Problem:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    slug = _BY_STATUS.get(status)
    if slug is not None:
        return Refusal(slug, PROBLEMS[slug][1]), headers
    return _Plain(status, str(getattr(error, "detail", error))), headers


def _failed(_: Exception) -> Problem:
    return Refusal("internal", "the fault is logged; nothing is known to be lost"), {}
