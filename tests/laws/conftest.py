"""The counter of this folder's tests."""

from collections.abc import Iterator

import pytest

from domain.clock import parse_instant
from tests.laws.counter import NOW
from tests.laws.histories import Desk, desk


@pytest.fixture
def counter() -> Iterator[Desk]:
    """A counter whose clock says noon of 24 November 2026."""
    with desk() as counter:
        counter.now_us = parse_instant(NOW)
        yield counter
