"""Tests are shared out among the processes of a run, file by file, the longest first.

A file stays in one process, since its tests may share a city or a server. The tests of the files in ``ALONE`` share
nothing, and take so long that each of them is shared out by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ALONE: Final = frozenset(
    {
        "tests/kafka/test_faults.py",
        "tests/kafka/test_guards_broker.py",
        "tests/kafka/test_intake_topic.py",
        "tests/kafka/test_relay.py",
    }
)
"""Files of which each test is shared out by itself."""
LONGEST: Final = (
    "tests/deploy/test_runbook.py",
    "tests/kafka/test_faults.py",
    "tests/pages/test_counter_offline.py",
    "tests/pages/test_live.py",
    "tests/kafka/test_equivalence.py",
    "tests/pages/test_counter_time.py",
    "tests/equivalence/test_real.py",
    "tests/kafka/test_relay.py",
    "tests/kafka/test_emit.py",
    "tests/kafka/test_security.py",
    "tests/pages/test_rating.py",
    "tests/pages/test_accessible.py",
    "tests/kafka/test_guards_broker.py",
    "tests/kafka/test_intake_topic.py",
    "tests/kafka/test_database_away.py",
    "tests/faults/test_kill.py",
    "tests/journal/test_store.py",
    "tests/laws/test_one_history.py",
    "tests/laws/test_in_partitions.py",
    "tests/api/test_clients.py",
    "tests/api/test_openapi.py",
    "tests/journal/test_journal_keys.py",
    "tests/streams/test_demo.py",
)
"""The files that take longest, in this order: what begins late and takes long leaves the other processes idle."""


def unit_of(nodeid: str) -> str:
    """The name of what is shared out with a test: its file, or itself."""
    file = nodeid.partition("::")[0]
    return nodeid if file in ALONE else file


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests in the order in which they are shared out."""
    rank = {file: number for number, file in enumerate(LONGEST)}
    return sorted(items, key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first where several processes run."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share out by ``unit_of``, in place of ``--dist loadfile``."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import (  # type: ignore[import-untyped] # noqa: PLC0415 - pytest may run without this plugin
        LoadScopeScheduling,
    )

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # it ships no types
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

        def _reschedule(self, node: Any) -> None:  # noqa: ANN401 - it ships no types
            """Give a process its next unit when it begins the last test it has, not before."""
            if node.shutting_down or not self.workqueue or self._pending_of(self.assigned_work[node]) < 2:
                super()._reschedule(node)

    config.option.loadscopereorder = False  # our order, in place of the number of tests
    return Scheduling(config, log)
