"""Fixtures of the tests of emitting: a city, a web server before it, and the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.emitting import emitter, sender
from streams.retrying import Pauses
from tests.serving import Assembled, Clock, Listening
from tests.streams.broken_proxy import BrokenProxy
from tests.streams.emitting import Emit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
