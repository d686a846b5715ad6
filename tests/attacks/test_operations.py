"""The state of a process tells a stranger nothing: yes or no on the port of the service, the rest on the operator's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from local.local_server import free_port
from neraca.options import metrics_address
from tests.process import Process
from tests.serving import ELSEWHERE, event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Assembled

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}


def test_readiness_is_yes_or_no_to_nobody_and_whole_to_an_auditor(neraca: Assembled) -> None:
    neraca.record(event("task-completed", "t1", TASK))
    bodies = {
        name: neraca.get("/readyz", caller=ELSEWHERE, headers=headers).json()
        for name, headers in (
            ("nobody", {}),
            ("wrong", {"authorization": "Bearer wrong"}),
            ("leader", {"authorization": neraca.token("leader", "leader", dinas=["d"])}),
            ("auditor", {"authorization": neraca.token("auditor", "auditor")}),
        )
    }
    whole = {"status": "ready", "position": 2, "head": 2}
    assert bodies == {**{key: {"status": "ready"} for key in ("nobody", "wrong", "leader")}, "auditor": whole}
    assert neraca.get("/healthz", caller=ELSEWHERE).json() == {"status": "ok"}


def test_metrics_are_on_a_port_of_their_own(tmp_path: Path) -> None:
    """For this machine alone, with readiness in full."""
    port = free_port()
    with Process(tmp_path / "data", "--metrics-port", str(port), is_open=False) as process:
        assert httpx.get(f"{process.url}/metrics").status_code == 404
        assert httpx.get(f"{process.url}/readyz").json() == {"status": "ready"}
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert re.search(r"^neraca_journal_head 1\.0$", metrics.text, re.MULTILINE)
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json() == {"status": "ready", "position": 1, "head": 1}
        assert httpx.get(f"http://127.0.0.1:{port}/v1/dinas").status_code == 404


@pytest.mark.parametrize(
    ("text", "address"),
    [("9100", ("127.0.0.1", 9100)), ("0.0.0.0:9100", ("0.0.0.0", 9100)), ("[::1]:9100", ("::1", 9100))],  # noqa: S104 - named
)
def test_the_port_of_metrics_is_this_machines_own_unless_a_host_is_named(text: str, address: tuple[str, int]) -> None:
    assert metrics_address(text) == address
