"""While a replay goes on, the service serves; told to end, it ends at once, and what it had started with it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.process import Process
from tests.serving import EVENT, event, until

pytestmark = pytest.mark.faults


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            processes.append(int(path.parent.name))
    return processes


def test_a_replay_that_hangs_hinders_nobody_and_ends_with_the_service(tmp_path: Path) -> None:
    """Its process is stopped in its tracks: it would never end by itself. Reads, pages and intake go on; SIGTERM ends all."""
    room = tmp_path / "room"
    room.mkdir()
    with Process(tmp_path / "data", environment={"TMPDIR": str(room)}) as process:
        with httpx.Client(base_url=process.url, timeout=20) as client:
            first = client.post(
                "/v1/events",
                json=event("asn-registered", "a", {"asn": "a-1"}, time="2026-01-01T00:00:00Z"),
                headers={"content-type": EVENT},
            )
            assert first.status_code == 201
            process.settle()
            address = client.get("/auditor?check=1").headers["location"].partition("#")[0]
            (child,) = until(lambda: children(process.pid), "the replay's process")
            os.kill(child, signal.SIGSTOP)
            assert "sedang memutar ulang" in client.get(address).text
            for path in ("/v1/rankings/dinas", "/v1/digest", "/", "/auditor", "/auditor/journal", "/readyz"):
                assert client.get(path).status_code == 200, path
            second = client.post(
                "/v1/events",
                json=event("asn-registered", "b", {"asn": "a-2"}, time="2026-01-01T00:00:00Z"),
                headers={"content-type": EVENT},
            )
            assert second.status_code == 201
            assert "pemutaran ulang lain" in client.get("/auditor?until=1").text
            assert children(process.pid) == [child], "one at a time"
        assert process.stop(within_s=15) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert list(room.glob("neraca-replays-*")) == []
