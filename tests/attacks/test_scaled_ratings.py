"""A citizen's rating where reader and intake are processes of their own, each under its role of one PostgreSQL (H7)."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from domain.access.grant import TICKET, Grant
from local.local_server import free_port
from neraca.__main__ import main
from projections.forwarding import PATH, SCHEME, proof_of
from streams.places.roles import API, INTAKE
from tests.attacks.matrix import OWN
from tests.attacks.test_h2_ratings import CASE, permit, rating
from tests.attacks.test_h7_roles import as_role, rows
from tests.kafka.process import Running
from tests.pages.browser import until
from tests.serving import BATCH, EVENT, FORM
from tests.serving import until as within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.speed("all"), pytest.mark.browser]
FACE: Final = "document.querySelector('[name=overall][value=\"4\"]')"


class Stand:
    """An intake and a reader over one database; ``secret`` is the file that both know."""

    def __init__(self, url: str, secret: Path, folder: Path) -> None:
        self.url, self.secret, self._folder = url, secret, folder
        self.ports = {"intake": free_port(), "api": free_port()}
        self._running: dict[str, Running] = {}

    def at(self, command: str) -> str:
        """The address of a process."""
        return f"http://127.0.0.1:{self.ports[command]}"

    def start(self, command: str, role: str, **settings: str) -> None:
        """Start a process under its role, and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
        environment |= {"NERACA_DATABASE_URL": as_role(self.url, role), "NERACA_SECRET_FILE": str(self.secret)}
        words, log = [command, "--port", str(self.ports[command])], self._folder / f"{command}.log"
        running = self._running[command] = Running(words, environment | settings, log)

        def answers() -> bool:
            assert running.code is None, running.output()
            try:
                return httpx.get(f"{self.at(command)}/healthz").is_success
            except httpx.TransportError:
                return False

        within(answers, f"{command} answers", within_s=60)

    def start_intake(self) -> None:
        self.start("intake", INTAKE, NERACA_UNKNOWN="open")

    def stop(self, command: str) -> None:
        assert self._running[command].stop(20) == 0

    def kill(self) -> None:
        for running in self._running.values():
            running.kill()

    def ratings(self) -> list[dict[str, Any]]:
        """The ratings that the journal holds."""
        lines = rows(self.url, "SELECT state FROM neraca.neraca_events ORDER BY notification_id")
        return [json.loads(bytes(line)) for (line,) in lines if b"satisfaction-rated" in bytes(line)]


@pytest.fixture
def stand(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """The database is prepared, and with it the secret; both processes run, and nobody is the operator."""
    secret = tmp_path / "one" / "secret"
    monkeypatch.setenv("NERACA_SECRET_FILE", str(secret))
    assert main(["database", "prepare", "--database", database_url]) == 0
    assert secret.stat().st_mode & 0o777 == 0o600
    content = secret.read_bytes()
    assert main(["database", "prepare", "--database", database_url]) == 0
    assert secret.read_bytes() == content, "it is made once"
    with ExitStack() as ending:
        stand = Stand(database_url, secret, tmp_path)
        ending.callback(stand.kill)
        stand.start_intake()
        stand.start("api", API, NERACA_INTAKE_URL=stand.at("intake"))
        yield stand


def test_a_ticket_of_a_reader_is_one_rating_in_the_journal(
    stand: Stand, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the decision to the QR's address, the citizen's own browser, an intake that is away, and the journal."""
    limits = ["--role", "counter", "--dinas", OWN, "--source", "/loket/1"]
    capsys.readouterr()
    assert main(["token", "make", "loket", *limits, "--database", as_role(stand.url, INTAKE)]) == 0
    counter = {"authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    asking = f"{stand.at('api')}/loket/tiket?{urlencode(CASE)}"
    assert httpx.get(asking, headers=counter).status_code == 409, "before it is decided"
    answer = httpx.post(f"{stand.at('intake')}/v1/events", json=permit(), headers=counter | {"content-type": EVENT})
    assert answer.status_code == 201, answer.text
    address: str = httpx.get(asking, headers=counter).json()["address"]
    assert address.startswith(f"{stand.at('api')}/nilai?")
    code = httpx.get(f"{stand.at('api')}/loket/qr.svg?{urlencode(CASE)}", headers=counter)
    assert (code.status_code, code.headers["content-type"]) == (200, "image/svg+xml")

    page.goto(address)
    until(page, "document.querySelector('#tiket').hidden && !location.hash", "the ticket is in the form alone")
    page.evaluate(f"{FACE}.click()")
    stand.stop("intake")
    page.click("main form button")
    until(page, lambda: "belum dapat dicatat" in page.inner_text("main"), "the intake is away")
    assert page.evaluate(f"{FACE}.checked"), "the citizen's answer is kept"
    assert stand.ratings() == []
    stand.start_intake()
    page.click("main form button")
    until(page, lambda: "sudah tercatat" in page.inner_text("main"), "the intake is back")
    (entry,) = stand.ratings()
    assert (entry["source"], entry["recordedby"], entry["data"]["overall"]) == ("/nilai/loket", "loket", 4)

    ticket = parse_qs(urlsplit(address).fragment)["tiket"][0]
    form = {**CASE, "tiket": ticket, "overall": "1"}
    again = httpx.post(f"{stand.at('api')}/nilai", data=form, headers={**FORM, "sec-fetch-site": "same-origin"})
    assert (again.status_code, "sudah dinilai" in again.text) == (409, True)
    assert stand.ratings() == [entry]


def test_the_intake_takes_forms_of_its_own_installation_alone(stand: Stand, tmp_path: Path) -> None:
    """Not under another secret, none, or a proof that was kept; and a reader without the secret does not start."""
    body = json.dumps([rating()]).encode()
    grant = Grant("loket", frozenset({TICKET}), case=(CASE["dinas"], CASE["service"], CASE["case"]), event_id="tiket-x")
    now_us = time.time_ns() // 1000
    secret = stand.secret.read_bytes().strip()
    proofs = [proof_of(b"x" * 43, body, grant, now_us), proof_of(secret, body, grant, now_us - 60_000_000), "", "x.y"]
    for proof in proofs:
        headers = {"authorization": f"{SCHEME} {proof}".strip(), "content-type": BATCH}
        answer = httpx.post(f"{stand.at('intake')}{PATH}", content=body, headers=headers)
        assert answer.status_code == 401, proof
    assert httpx.post(f"{stand.at('api')}{PATH}", content=body).status_code == 404, "a reader takes none itself"
    assert httpx.post(f"{stand.at('api')}/v1/events", content=body).status_code == 404
    assert stand.ratings() == []
    url, wide = as_role(stand.url, API), tmp_path / "wide"
    wide.write_bytes(secret)
    wide.chmod(0o644)
    for file, sentence in {"": "needs NERACA_SECRET_FILE", str(wide): "is open to others: chmod 600"}.items():
        settings = {"NERACA_SECRET_FILE": file, "NERACA_INTAKE_URL": stand.at("intake"), "NERACA_DATABASE_URL": url}
        process = Running(["api", "--port", "0"], {**os.environ, **settings}, tmp_path / "refused.log")
        within(lambda process=process: process.code is not None, "it ends")  # type: ignore[misc]  # bound at once
        assert (process.code, sentence in process.output()) == (2, True), process.output()
        process.kill()
