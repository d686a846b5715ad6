"""Fixtures of the tests of emitting and importing: a city, a web server before it, and the ways into it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from projections.ports import LOCAL
from streams.emitting import emitter, sender
from streams.emitting.http import IntakeClient
from streams.importing.sending import LocalSink, RemoteSink, Sink
from streams.retrying import Pauses
from tests.serving import Assembled, Clock, Listening
from tests.streams.broken_proxy import BrokenProxy
from tests.streams.city import City
from tests.streams.emitting import Emit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Assemble


@pytest.fixture
def neraca(tmp_path: Path, clock: Clock) -> Iterator[Assembled]:
    """A city of this test."""
    with Assembled(tmp_path / "data", clock=clock) as city:
        yield city


@pytest.fixture
def url(neraca: Assembled) -> Iterator[str]:
    """Its address."""
    with Listening(neraca) as listening:
        yield listening.url


@pytest.fixture
def proxy(url: str) -> Iterator[BrokenProxy]:
    """A web server before it."""
    with BrokenProxy(url) as proxy:
        yield proxy


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are a tenth of what they are."""
    monkeypatch.setattr(sender, "WATCHFUL", Pauses(0.02, 0.15))
    monkeypatch.setattr(emitter, "HELD", Pauses(0.2, 6.0))


@pytest.fixture
def emit(tmp_path: Path, capsys: pytest.CaptureFixture[str], hasty: None) -> Emit:  # noqa: ARG001 - a fixture
    """The command."""
    return Emit(tmp_path, capsys)


@pytest.fixture(params=["data", "url"])
def city(request: pytest.FixtureRequest, assemble: Assemble, tmp_path: Path) -> Iterator[City]:
    """A city into which files are imported, in this process or over HTTP."""
    neraca = assemble()
    with ExitStack() as ending:
        if request.param == "data":
            sink: Sink = LocalSink(neraca.intake, LOCAL, neraca.journal.events)
        else:
            client = IntakeClient(ending.enter_context(Listening(neraca)).url, None)
            ending.callback(client.close)
            sink = RemoteSink(client)
        yield City(neraca, sink, tmp_path)
