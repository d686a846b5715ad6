"""The pages of a real process: what they show is what the API serves, and nothing on them comes from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator  # noqa: TC003
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>"


def event(number: int, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent of a counter."""
    return {
        "specversion": "1.0", "type": f"neraca.{kind}.v1", "source": "/loket/1", "id": str(number),
        "time": "2026-10-05T09:00:00+07:00", "data": data,
    }  # fmt: skip


def city() -> list[dict[str, Any]]:
    """One registered dinas with a hostile name and enough permits and tasks to have a score; one without."""
    events = [
        event(1, "dinas-registered", {"dinas": "d1", "name": HOSTILE}),
        event(
            2, "standard-set", {"service": "ktp-el", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
        ),
        event(3, "dinas-registered", {"dinas": "d2", "name": "Dinas Kecil"}),
    ]
    for number in range(40):
        span = {"received_at": "2026-10-05T08:00:00+07:00", "completed_at": "2026-10-05T20:00:00+07:00"}
        events.append(
            event(
                100 + number,
                "permit-processed",
                {"dinas": "d1", "service": "ktp-el", "case": f"k{number}", "asn": "a1", **span},
            )
        )
        due = {"completed_at": "2026-10-05T10:00:00+07:00", "due_at": "2026-10-05T11:00:00+07:00"}
        events.append(event(200 + number, "task-completed", {"dinas": "d1", "asn": "a1", "task": f"t{number}", **due}))
    return events


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served city."""
    data = tmp_path_factory.mktemp("pages")
    words = [sys.executable, str(ROOT / "neraca.py"), "up", "--port", "0", "--data", str(data)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield settled(process)
        finally:
            process.terminate()


def settled(process: subprocess.Popen[str]) -> str:
    """The address of a process that serves the city, once all of it is folded."""
    assert process.stderr is not None
    found = next(match[0] for line in process.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+/", line)))
    body = "\n".join(json.dumps(each) for each in city()).encode()
    posted = urllib.request.Request(f"{found}v1/events", body, {"content-type": "application/x-ndjson"})
    with urllib.request.urlopen(posted) as answer:
        assert json.load(answer) == {"accepted": 83, "duplicates": 0, "rejected": []}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and status(f"{found}readyz") != 200:
        pass
    return str(found)


def fetch(url: str) -> tuple[str, dict[str, str]]:
    """A page and its headers."""
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode(), {name.lower(): value for name, value in answer.headers.items()}


def status(url: str) -> int:
    """A status code."""
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


PAGES = (
    "?period=2026-10",
    "dinas/d1?period=2026-10",
    "dinas/d1/why?period=2026-10",
    "asn/a1?period=2026-10",
    "asn/a1/why?period=2026-10",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_nothing_from_elsewhere_and_runs_no_script(url: str, path: str) -> None:
    """No other host is named, nothing submitted becomes markup, and the policy forbids what is left."""
    page, headers = fetch(url + path)
    assert not re.findall(r"(?:src|href|action)=\"https?:", page)
    assert HOSTILE not in page
    assert "default-src 'none'" in headers["content-security-policy"]


def test_the_board_shows_the_figures_of_the_api(url: str) -> None:
    """The value on the board is the API's, in Indonesian spelling; who has too little data has no value."""
    card = json.loads(fetch(f"{url}v1/dinas/d1?period=2026-10")[0])
    page = fetch(f"{url}?period=2026-10")[0]
    assert f"<b>{card['iku']['value']:.2f}</b>".replace(".", ",") in page
    assert "belum cukup data" in page
    assert "not enough data" in fetch(f"{url}?period=2026-10&lang=en")[0]


def test_a_thin_running_month_gives_way_to_the_last_full_one(url: str) -> None:
    """Without a period, the board shows the last month that has scores, and says so."""
    assert "bulan penuh terakhir" in fetch(url)[0]


@pytest.mark.parametrize(
    ("path", "expected"), [("dinas/nobody", 404), ("asn/nobody", 404), ("?period=2026-13", 422), ("docs", 200)]
)
def test_what_cannot_be_shown_is_said(url: str, path: str, expected: int) -> None:
    """A subject nobody named, a period that is none."""
    assert status(url + path) == expected
