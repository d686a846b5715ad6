"""The counter's page and the citizen's screen, as far as the server knows them. The pressed steps stay in the browser.

A page holds no case: the address names it, and the script reads it there. So a page kept in the browser serves every case.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar, Final, Self, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from msgspec import Struct

from api.http.problems import bad_query
from api.pages.page import ReadingPage
from api.pages.sentences import name_of
from domain.access.subjects import Unit
from domain.events.submitted import PauseReason
from domain.intake.personal import looks_personal
from domain.measures import UNSUR
from projections.ports import LOCAL

if TYPE_CHECKING:
    from datetime import date

    from api.pages.page import PageQuery
    from api.pages.site import Site
    from projections.reading.reader import Snapshot

SCRIPTS: Final = ("whose", "kinds", "refusals", "queue", "sending", "steps", "casefile", "zone", "words", "status")
"""The scripts of both screens, in this order; each has one more of its own."""
WORKER: Final = "worker.js"
"""Served beside the pages, and kept by the browser itself."""


class Scripts:
    """The scripts of the counter, and the addresses that name their content."""

    def __init__(self, style_tag: str) -> None:
        room = files("api") / "static" / "loket"
        self._sources = {file.name: file.read_bytes() for file in room.iterdir()}
        script = b"".join(self._sources[name] for name in sorted(self._sources))
        self._tag = hashlib.sha256(script).hexdigest()[:12]
        self._style = f"/static/neraca.css?v={style_tag}"

    @property
    def tag(self) -> str:
        """The hash of all of them, by which an address names their content."""
        return self._tag

    @property
    def common(self) -> list[str]:
        """The addresses of the scripts of both screens."""
        return [f"/static/loket/{name}.js?v={self._tag}" for name in SCRIPTS]

    @property
    def pattern(self) -> str:
        """The address of any one, with a blank for its name."""
        return f"/static/loket/{{}}.js?v={self._tag}"

    @property
    def files(self) -> list[str]:
        """The addresses of all files that the browser keeps while there is no network."""
        names = [name for name in sorted(self._sources) if name != WORKER]
        return [self._style, *(f"/static/loket/{name}?v={self._tag}" for name in names)]

    @property
    def worker(self) -> bytes:
        """The script that keeps the pages; its content changes with any other."""
        return self._sources[WORKER].replace(b"{build}", self._tag.encode())


class Screen(Struct, frozen=True):
    """The data for the scripts of both screens, and the addresses of these."""

    scripts: list[str]
    script: str
    files: str
    messages: str
    refusals: str
    pauses: str
    zone: str
    journal: str
    sources: str
    nobody: bool

    @classmethod
    def of(cls, query: PageQuery, scripts: Scripts) -> Self:
        """The screen of a caller."""
        words, grant = query.words, query.grant
        own_sources = sorted((grant and grant.sources) or ())
        return cls(
            scripts.common,
            scripts.pattern,
            json.dumps(scripts.files),
            json.dumps(words.section("counter_said")),
            json.dumps(words.section("counter_refusal")),
            json.dumps(words.section("pause")),
            str(words.zone),
            query.snapshot.version.journal,
            json.dumps(own_sources),
            nobody=grant is None,
        )


class Service(Struct, frozen=True):
    """A service as a tile, with its standard of today."""

    id: str
    standard_us: int | None


class CounterPage(ReadingPage, frozen=True):
    """The counter of a dinas, or the choice of one.

    ``rates``: whether ratings are taken here; ``vouched``: whether a code can lead a citizen to the rating.
    """

    template: ClassVar[str] = "counter.html"
    parameters: ClassVar[frozenset[str]] = frozenset({"dinas", "service", "loket", "asn"})

    screen: Screen
    units: list[tuple[str, str]]
    dinas: str
    name: str
    services: tuple[Service, ...]
    others: list[str]
    added: str
    reasons: tuple[str, ...]
    rates: bool
    vouched: bool

    @classmethod
    def of(cls, query: PageQuery, scripts: Scripts, *, rates: bool) -> Self:
        """The counter that an address names, for a caller."""
        snapshot, grant, units = query.snapshot, query.grant, _units(query)
        dinas = query.parameters.get("dinas", units[0][0] if len(units) == 1 else "")
        extra = query.parameters.get("service", "")
        if looks_personal(query.parameters.get("asn", "")):
            raise bad_query("asn", "looks like a NIK or NIP, which the journal never holds")
        services = services_of(snapshot, dinas, query.today, extra) if dinas else ()
        return cls(
            Screen.of(query, scripts),
            units,
            dinas,
            name_of(snapshot, dinas) if dinas else "",
            services,
            sorted(snapshot.rulebook.services("") - {service.id for service in services}),
            extra,
            get_args(PauseReason),
            rates=rates,
            vouched=rates and grant is not None and grant.id != LOCAL.id,
        )


class RatingPage(ReadingPage, frozen=True):
    """The citizen's screen."""

    template: ClassVar[str] = "rating.html"
    parameters: ClassVar[frozenset[str]] = frozenset({"dinas", "service", "case"})

    screen: Screen
    unsur: tuple[str, ...]

    @classmethod
    def of(cls, query: PageQuery, scripts: Scripts) -> Self:
        """The screen for a caller."""
        return cls(Screen.of(query, scripts), UNSUR)


def counter_router(site: Site, *, rates: bool) -> APIRouter:
    """`/loket`, the citizen's screen where ratings are taken, and the worker that keeps both while there is no network."""
    router, scripts = APIRouter(), Scripts(site.style_tag)

    @router.get("/loket", response_class=HTMLResponse)
    def show_counter(request: Request) -> Response:
        return site.page(request, lambda query: CounterPage.of(query, scripts, rates=rates))

    @router.get("/loket-sw.js")
    def worker() -> Response:
        # Beside the pages, not under /static: a worker looks after what lies below its own address.
        headers = {"cache-control": "no-cache"}
        return Response(scripts.worker, 200, headers, "text/javascript")

    if rates:

        @router.get("/loket/warga", response_class=HTMLResponse)
        def show_rating(request: Request) -> Response:
            return site.page(request, lambda query: RatingPage.of(query, scripts))

    return router


def _units(query: PageQuery) -> list[tuple[str, str]]:
    """The ids and names of the dinas that the caller may speak for, by name."""
    snapshot, grant = query.snapshot, query.grant
    ids = [standing.subject.id for standing in snapshot.dinas(query.period)]
    own_dinas = [dinas for dinas in ids if grant is None or query.allows("vouch", Unit(dinas))]
    return sorted(((dinas, name_of(snapshot, dinas)) for dinas in own_dinas), key=lambda unit: unit[1])


def services_of(snapshot: Snapshot, dinas: str, today: date, extra: str = "") -> tuple[Service, ...]:
    """The services that a dinas has a standard for, or was ever asked for; if there are none, those of any dinas.

    They are in the order of their names, so that the key of a tile stays the same.
    """
    rules = snapshot.rulebook
    names = rules.services(dinas) | snapshot.services_known(dinas)
    names = (names or rules.services("")) | ({extra} if extra else set())
    standards = {service: rules.standard(dinas, service, today) for service in names}
    return tuple(
        Service(service, None if standard is None else standard.us) for service, standard in sorted(standards.items())
    )
