"""Settings that close doors hold in a process; a secret that others may read is refused."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.http.tickets import Case, Tickets
from domain.clock import DAY_US, SECOND_US, parse_instant
from domain.refusal import Refusal, attempt
from neraca.secret import secret_of
from neraca.terminal import Usage
from neraca.wiring import now_us
from streams.places.directory import DataDirectory
from tests.attacks.matrix import MINE, OWN, permit
from tests.process import Process
from tests.serving import EVENT, Assembled, Clock, event

if TYPE_CHECKING:
    from pathlib import Path

SECRET: Final = b"s" * 32
SOURCE: Final = "/loket"
CASE: Final = Case(OWN, "kir", "K-1")
SET: Final = {"NERACA_TICKET_S": "120", "NERACA_UNDO_S": "30", "NERACA_EXTENSIONS": "gateway,hops"}
AGO_US: Final = 60 * SECOND_US


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A secret that its owner alone reads, and the setting that names it."""
    path = tmp_path / "rahasia"
    path.write_bytes(SECRET + b"\n")
    path.chmod(0o600)
    monkeypatch.setenv("NERACA_SECRET_FILE", str(path))
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_that_its_owner_alone_reads_is_that_of_every_process(
    secret_file: Path, tmp_path: Path, mode: int
) -> None:
    """On a directory and on a database; none is made beside it."""
    secret_file.chmod(mode)
    assert secret_of(None) == secret_of(tmp_path / "data") == SECRET
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_secret_that_is_open_to_others_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(Usage, match=f"{secret_file} is open to others: chmod 600 {secret_file}"):
        secret_of(None)


def test_a_secret_that_is_missing_or_short_is_refused(secret_file: Path) -> None:
    secret_file.write_bytes(SECRET[1:])
    with pytest.raises(Usage, match="fewer than 32 bytes"):
        secret_of(None)
    secret_file.unlink()
    with pytest.raises(Usage, match="cannot be read"):
        secret_of(None)


def test_the_secret_of_a_directory_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask; a secret of the directory that others may read is refused too."""
    umask = os.umask(0)
    try:
        secret = secret_of(tmp_path / "data")
    finally:
        os.umask(umask)
    path = tmp_path / "data" / "secret"
    assert (len(secret) >= 32, secret_of(tmp_path / "data"), path.stat().st_mode & 0o777) == (True, secret, 0o600)
    path.chmod(0o644)
    with pytest.raises(Usage, match="is open to others"):
        secret_of(tmp_path / "data")


@pytest.mark.speed("all")
def test_no_process_starts_on_a_secret_that_is_open_to_others(tmp_path: Path, secret_file: Path) -> None:
    secret_file.chmod(0o644)
    with pytest.raises(RuntimeError, match="is open to others: chmod 600"):
        Process(tmp_path / "data", environment={"NERACA_SECRET_FILE": str(secret_file)})


class Counter:
    """A counter of a process, by its token."""

    def __init__(self, process: Process, token: str) -> None:
        self._client = httpx.Client(base_url=process.url, headers={"authorization": token})

    def send(self, content: dict[str, Any]) -> httpx.Response:
        return self._client.post("/v1/events", json=content, headers={"content-type": EVENT})

    def undo(self, case: str) -> int:
        name = {"source": SOURCE, "id": f"{OWN}-{case}"}
        return self.send(event("event-retracted", f"batal-{case}", {"event": name, "reason": "x"})).status_code

    def ticket(self) -> tuple[str, int]:
        """A ticket of the case, and the microseconds for which it lasts."""
        answer = self._client.get("/loket/tiket", params=CASE._asdict()).json()
        return answer["address"].partition("tiket=")[2], parse_instant(answer["expires"]) - now_us()


def is_known(data: Path, ticket: str) -> bool:
    """True if a ticket was made of the secret in the file."""
    store = DataDirectory(data).token_store()
    try:
        return not isinstance(attempt(Tickets(store, now_us, SECRET, 0).grant_of, ticket, CASE), Refusal)
    finally:
        store.close()


@pytest.mark.speed("all")
def test_a_process_keeps_what_its_city_sets(tmp_path: Path, secret_file: Path) -> None:
    """How long a ticket lasts and of which secret it is, how long a press may be undone, and which attributes are taken."""
    clock = Clock()
    clock.us = time.time_ns() // 1000 - AGO_US
    with Assembled(tmp_path / "data", clock=clock) as before:
        token = before.token("loket-1", "counter", dinas=[OWN], sources=[SOURCE])
        for number in range(1, 4):
            fact = permit(OWN, f"K-{number}", MINE)
            assert before.post(fact, headers={"authorization": token}).status_code == 201
    settings = {**SET, "NERACA_SECRET_FILE": str(secret_file)}
    with Process(tmp_path / "data", environment=settings, is_open=False) as process:
        counter = Counter(process, token)
        for name, status in (("gateway", 201), ("hops", 201), ("partitionkey", 422)):
            assert counter.send(permit(OWN, f"K-{name}", MINE, **{name: "g"})).status_code == status, name
        ticket, lasts_us = counter.ticket()
        assert 0 < lasts_us <= 120 * SECOND_US
        assert is_known(tmp_path / "data", ticket)
        assert (counter.undo("K-2"), counter.undo("K-gateway")) == (403, 201)
    with Process(tmp_path / "data", is_open=False) as process:
        counter = Counter(process, token)
        assert counter.send(permit(OWN, "K-9", MINE, gateway="g")).status_code == 422
        ticket, lasts_us = counter.ticket()
        assert 6 * DAY_US < lasts_us <= 7 * DAY_US
        assert not is_known(tmp_path / "data", ticket)
        assert counter.undo("K-2") == 201
