"""The way from browsers to a city: cut at the server's end, or led to where answers are lost, are false or never come."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from local.local_server import free_port
from tests.serving import Listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Route

    from tests.serving import Assembled


class Line:
    """A port at which a city is served. Cut, nobody listens there and what was open is closed; mended, somebody does again."""

    def __init__(self, city: Assembled) -> None:
        self._city = city
        self._port = free_port()
        self._listening: Listening | None = None
        self.mend()

    @property
    def url(self) -> str:
        """Its address, by which a browser takes it for its own machine."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def away(self) -> str:
        """Its address as of another machine: there a token matters."""
        return f"http://loket.localhost:{self._port}"

    def cut(self) -> None:
        """Close the port."""
        if self._listening is not None:
            self._listening.__exit__()
            self._listening = None

    def mend(self, city: Assembled | None = None) -> None:
        """Serve at the port again: the same city, or another one from now on."""
        self.cut()
        self._city = city or self._city
        self._listening = Listening(self._city, self._port).__enter__()

    def __enter__(self) -> Self:
        """Serve until the end of a ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port for good."""
        self.cut()


@contextmanager
def led_to(end: Callable[[Route], None], context: BrowserContext) -> Iterator[None]:
    """Until the end of a ``with`` every request of these pages, and of their workers, ends there."""
    waiting_routes: list[Route] = []

    def wait(route: Route) -> None:
        waiting_routes.append(route)

    context.route("**/*", wait if end is silent else end)
    yield
    for route in waiting_routes:
        route.abort()  # a route that has no answer would be waited for without end
    context.unroute_all(behavior="wait")


@contextmanager
def without_answers(context: BrowserContext) -> Iterator[list[str]]:
    """Until the end of a ``with`` what is posted reaches the server and its answer reaches nobody; the bodies posted."""
    bodies: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            bodies.append(route.request.post_data or "")
            route.abort("connectionreset")
        else:
            route.continue_()

    with led_to(lose, context):
        yield bodies


def answered(status: int, text: str) -> Callable[[Route], None]:
    """Answer every request with these words, as a network's own sign-in page does, or a gateway whose server is away."""
    return lambda route: route.fulfill(status=status, content_type="text/html", body=f"<!doctype html>{text}")


def silent(_: Route) -> None:
    """Never answer: the line leads nowhere."""
