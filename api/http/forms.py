"""Forms that a page of this site sends: nobody else's are read, and no long ones."""

from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

from api.http.access import is_own_form
from api.http.coding import coding_of
from domain.refusal import Refusal

FORM_MOST: Final = 4_096


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises: ``Refusal`` for one of another site, or one that is too long."""
    if not is_own_form(request):
        raise Refusal("forbidden", "a form of Neraca is sent by its own pages only")
    if coding_of(request.headers.getlist("content-encoding")):
        raise Refusal("unsupported-media-type", "a form is sent uncompressed")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MOST:
            raise Refusal("too-large", f"this form holds at most {FORM_MOST} bytes")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
