"""The installation's secret is one file for all of its processes: whole, for one account, and made again by no start."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from neraca.secret import BYTES_LEAST, secret_of
from neraca.terminal import Usage

if TYPE_CHECKING:
    from pathlib import Path


def test_starts_at_once_share_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        values = set(threads.map(secret_of, [tmp_path / "data"] * 64))
    assert len(values) == 1
    assert len(values.pop()) >= BYTES_LEAST
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"], "no draft stays"
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("suffix", [str(os.getpid()), "new", "0123456789abcdef"], ids=["process", "new", "letters"])
def test_a_draft_of_a_start_that_was_killed_stops_no_later_one(tmp_path: Path, suffix: str) -> None:
    """The number of a process comes again: in a container it is the same at each start."""
    (tmp_path / f"secret.{suffix}").write_text("half")
    value = secret_of(tmp_path)
    assert len(value) >= BYTES_LEAST
    assert secret_of(tmp_path) == value


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    secret_of(tmp_path)
    (tmp_path / "secret").chmod(mode)
    with pytest.raises(Usage, match="chmod 600"):
        secret_of(tmp_path)


def test_a_secret_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_text("x" * (BYTES_LEAST - 1))
    with pytest.raises(Usage, match=f"fewer than {BYTES_LEAST} bytes"):
        secret_of(tmp_path)
