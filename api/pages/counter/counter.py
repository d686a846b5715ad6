"""The counter's page and the citizen's screen: what the server knows of them. What is pressed there stays with the browser.

A page holds no case: the address names it, and the script reads it there. So a page kept in the browser serves every case.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Final, get_args

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api.pages.drawing import name_of
from api.pages.site import GUARDS, Made, Site
from domain.events.submitted import PauseReason
from domain.measures import UNSUR
from projections.ports import LOCAL

if TYPE_CHECKING:
    from datetime import date

    from api.http.access import Access
    from api.pages.site import Asked
    from projections.ports import Grant
    from projections.reading.reader import Snapshot

SCRIPTS: Final = ("whose", "kinds", "refusals", "queue", "sending", "steps", "casefile", "zone", "words", "status")
"""What both screens run, in this order; each has one more of its own."""
WORKER: Final = "worker.js"
"""Served beside the pages, and kept by the browser itself."""


class Service(Struct, frozen=True):
    """A service as a tile, and what is promised for it today."""

    id: str
    standard_us: int | None


def counter_router(site: Site, access: Access, *, tickets: bool) -> APIRouter:
    """`/loket`, `/loket/warga`, and the worker that keeps them while there is no network."""
    router = APIRouter()
    room = files("api") / "static" / "loket"
    sources = {file.name: file.read_bytes() for file in room.iterdir()}
    tag = hashlib.sha256(b"".join(sources[name] for name in sorted(sources))).hexdigest()[:12]

    def shared(asked: Asked, grant: Grant | None) -> Made:
        allowed = sorted(grant.sources) if grant is not None and grant.sources is not None else []
        kept = [
            f"/static/neraca.css?v={site.style_tag}",
            *(f"/static/loket/{name}?v={tag}" for name in sorted(sources) if name != WORKER),
        ]
        return {
            "scripts": [f"/static/loket/{name}.js?v={tag}" for name in SCRIPTS], "script": f"/static/loket/{{}}.js?v={tag}",
            "kept": json.dumps(kept), "said": json.dumps(asked.words.section("counter_said")), "zone": str(asked.words.zone),
            "journal": asked.snapshot.version.journal, "refusals": json.dumps(asked.words.section("counter_refusal")),
            "pauses": json.dumps(asked.words.section("pause")), "sources": json.dumps(allowed), "nobody": grant is None,
        }  # fmt: skip

    @router.get("/loket")
    def show_counter(request: Request) -> Response:
        def make(asked: Asked) -> Made:
            grant = access.grant(request)
            vouched = tickets and grant is not None and grant is not LOCAL
            return {**shared(asked, grant), **_counter(asked, grant, request), "vouched": vouched}

        return site.page(request, "counter.html", make)

    @router.get("/loket/warga")
    def show_rating(request: Request) -> Response:
        return site.page(request, "rating.html", lambda asked: {**shared(asked, access.grant(request)), "unsur": UNSUR})

    @router.get("/loket-sw.js")
    def worker() -> Response:
        # Beside the pages, not under /static: a worker looks after what lies below its own address.
        headers = {**GUARDS, "cache-control": "no-cache"}
        return Response(sources[WORKER].replace(b"{build}", tag.encode()), 200, headers, "text/javascript")

    return router


def _counter(asked: Asked, grant: Grant | None, request: Request) -> Made:
    snapshot, query = asked.snapshot, request.query_params
    named = [standing.subject.id for standing in snapshot.dinas(asked.period)]
    units = sorted(
        ((one, name_of(snapshot, one)) for one in named if grant is None or grant.dinas is None or one in grant.dinas),
        key=lambda unit: unit[1],
    )
    dinas = query.get("dinas", units[0][0] if len(units) == 1 else "")
    added = query.get("service", "")
    services = services_of(snapshot, dinas, asked.today, added) if dinas else ()
    others = sorted(snapshot.rulebook.services("") - {one.id for one in services})
    return {
        "units": units, "dinas": dinas, "name": name_of(snapshot, dinas) if dinas else "", "services": services,
        "others": others, "added": added, "reasons": get_args(PauseReason),
    }  # fmt: skip


def services_of(snapshot: Snapshot, dinas: str, today: date, added: str = "") -> tuple[Service, ...]:
    """What a dinas has a standard of its own for, or was ever asked for; where that is nothing, what any dinas does.

    By name, so that the key of a tile stays where the hand has learnt it.
    """
    rules = snapshot.rulebook
    known = rules.services(dinas) | snapshot.services_known(dinas)
    known = (known or rules.services("")) | ({added} if added else set())
    standards = {service: rules.standard(dinas, service, today) for service in known}
    return tuple(
        Service(service, None if standard is None else standard.us) for service, standard in sorted(standards.items())
    )
