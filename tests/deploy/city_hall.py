"""A city hall that runs Neraca by the runbook: an operator who types its blocks in order, counters that send, and proof."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import threading
from base64 import b64decode, b64encode
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

import httpx

from domain.events.kinds import KINDS
from tests.deploy.docker_words import docker
from tests.faults.traffic import DINAS, Counter
from tests.serving import BATCH, ROOT, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.machine import Machine

RUNBOOK: Final = (ROOT / "docs" / "guides" / "runbook.md").read_text(encoding="utf-8")
_BLOCK: Final = re.compile(
    r"^#+ (?P<heading>[^\n]*)$|^<!-- tested -->\n```sh\n(?P<block>.*?)^```$", re.MULTILINE | re.DOTALL
)
_FUNCTION: Final = re.compile(r"^\w+\(\) \{.*\}$", re.MULTILINE)
DOCKER: Final = """docker() {
  local told
  echo "$(printf '%s\\0' "$@" | base64 --wrap=0)" >&"$LINE"
  IFS= read -r told <&"$LINE"
  eval "$(echo "$told" | base64 --decode)"
}"""
"""The shell's ``docker``: it passes its words to the test, which answers with the commands left. Both may have lines."""
SERVICES: Final = {"token": "intake", "layout": "worker-1", "rebuild": "worker-1", "resume": "worker-1"}
"""The service whose role a command needs, as the runbook's function has it; the others need a reader's."""
TYPED_WITHIN_S: Final = 300
PERIOD: Final = "2026"
ROLES: Final = {"rule": "rules", "reversal": "correct"}
"""The roles that record what is no fact."""
BETWEEN_S: Final = 0.1
"""Between two batches: the machine is small, and has to run everything."""


def blocks() -> list[tuple[str, str]]:
    """Every tested block of the runbook, in order, each under its heading."""
    sections, heading = list[tuple[str, str]](), ""
    for match in _BLOCK.finditer(RUNBOOK):
        heading = match["heading"] or heading
        if match["block"]:
            sections.append((heading, match["block"]))
    return sections


class Operator:
    """Types the runbook's blocks from top to bottom into a shell, each in the folder of the machine it is for."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.left = blocks()
        """The blocks that are still to be typed."""
        functions = _FUNCTION.findall("\n".join(block for _, block in self.left))
        self._first = "\n".join(["set -euo pipefail", DOCKER, *functions])

    def types(self, heading: str, machine: Machine | None = None) -> str:
        """Type the next block, which must be under this heading; return its output. Each command must succeed."""
        under, block = self.left.pop(0)
        assert under == heading, f"the next block is of {under}"
        at = machine or self.machine
        for address, here in at.published().items():
            block = re.sub(rf"\b{re.escape(address)}\b(?!:)", here, block)
        mine, its = socket.socketpair()
        mine.settimeout(TYPED_WITHIN_S)
        with mine, tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            shell = subprocess.Popen(
                ["bash", "-c", f"{self._first}\n{block}"],
                cwd=at.folder,
                stdout=output,
                stderr=errors,
                env={"PATH": "/usr/bin:/bin", "LINE": str(its.fileno())},
                pass_fds=(its.fileno(),),
            )
            its.close()
            try:
                with mine.makefile("rw", encoding="utf-8") as line:
                    for words in iter(line.readline, ""):
                        commands = docker(at, b64decode(words).decode().split("\0")[:-1])
                        line.write(b64encode(commands.encode()).decode() + "\n")
                        line.flush()
                code = shell.wait(TYPED_WITHIN_S)
            finally:
                shell.kill()  # of a shell that has not ended, because something was refused
                shell.wait()
            output.seek(0)
            errors.seek(0)
            text = output.read()
            assert code == 0, f"{block}\n{text}\n{errors.read()}"
            return text


class City:
    """Asks a running city, and proves it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._auditor: dict[str, str] = {}

    def get(self, service: str, path: str) -> httpx.Response:
        """Ask a reader, as an auditor once that was needed."""
        return httpx.get(
            f"http://127.0.0.1:{self.machine.port(service, 8000)}{path}", timeout=30, headers=self._auditor
        )

    def operations(self, service: str, path: str) -> httpx.Response:
        """Ask any process on its port for the operator."""
        return httpx.get(f"http://127.0.0.1:{self.machine.port(service, 9100)}{path}", timeout=30)

    def digest(self, service: str = "api-1") -> dict[str, Any]:
        """The digest served, with its vector."""
        answer = self.get(service, "/v1/digest")
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # of a database that was restored, the token is another's
            secret = self.neraca("token", "make", f"periksa-{uuid4()}", "--role", "auditor").strip()
            self._auditor = {"authorization": f"Bearer {secret}"}
            answer = self.get(service, "/v1/digest")
        digest: dict[str, Any] = answer.json()
        return digest

    def partitions(self) -> int:
        """The number of partitions of the balances served."""
        return len(self.digest().get("vector", {}).get("partitions", ()))

    def settled(self) -> dict[str, Any]:
        """The digest of the journal's head, once both readers serve it."""

        def reached() -> dict[str, Any] | None:
            head = self.operations("api-1", "/readyz").json()["head"]
            digests = [self.digest(reader) for reader in ("api-1", "api-2")]
            return digests[0] if [digest["position"] for digest in digests] == [head, head] else None

        try:
            return until(reached, "both readers serve the journal's head", within_s=120)
        except TimeoutError as error:
            error.add_note(f"{self.operations('api-1', '/readyz').text}\n{self.digest()}\n{self.neraca('layout')}")
            for name, process in self.machine.running.items():
                error.add_note(f"{name} said: {process.output()[-2000:]}")
            raise

    def neraca(self, *words: str) -> str:
        """The output of a command that is typed beside the runbook."""
        return self.machine.output(SERVICES.get(words[0], "api-1"), ["neraca", *words])

    def proved(self) -> dict[str, Any]:
        """See that both readers serve the digest of a replay; the replay."""
        digest = self.settled()
        replay: dict[str, Any] = json.loads(self.neraca("replay", "--period", PERIOD))
        digests = {self.digest(reader)["digest"] for reader in ("api-1", "api-2")}
        assert digests == {digest["digest"]} == {replay["digest"]}
        assert replay["position"] == digest["position"]
        return replay

    def metric(self, service: str, line: str) -> float | None:
        """One sample of a relay's or worker's metrics, by the name it has there; ``None`` while it is missing."""
        try:
            text = self.operations(service, "/metrics").text
        except httpx.TransportError:
            return None
        match = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
        return float(match[1]) if match else None


class Counters:
    """Counters that send batch after batch, each until it is acknowledged; a token identifies them."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._counter = Counter(seed=11, number=2)  # the first is that of the runbook
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: dict[str, str] = {}
        self.accepted = 0

    def _post(self, events: list[Any], role: str = "counter") -> httpx.Response:
        at = f"http://127.0.0.1:{self._city.machine.port('intake', 8001)}/v1/events"
        headers = {"authorization": self._told.get(role, ""), "content-type": BATCH}
        return httpx.post(at, json=events, headers=headers, timeout=60)

    def status(self) -> int:
        """The status of the answer to an empty batch now."""
        return self._post([]).status_code

    def _send(self, events: list[Any]) -> bool:
        """Send one batch, what each role may record by its own token; return True if all of it was acknowledged."""
        parts = [(role, list(part)) for role, part in groupby(events, key=_role_of)]
        return all(self._sent(part, role) for role, part in parts)

    def _sent(self, events: list[Any], role: str) -> bool:
        try:
            response = self._post(events, role)
        except httpx.TransportError:
            return False
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return False
        assert response.status_code == httpx.codes.OK, response.text
        self.accepted += response.json()["accepted"]
        return True

    def _run(self) -> None:
        while not self._ending.is_set():
            events, _ = self._counter.request()
            while not self._send(events) and not self._ending.wait(0.2):
                pass
            self._ending.wait(BETWEEN_S)

    def send(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        to = self.accepted + more
        until(lambda: self.accepted >= to, f"{more} more events are acknowledged", within_s=120)

    def __enter__(self) -> Self:
        """Send while a ``with`` lasts; something is acknowledged before it begins."""
        if not self._told:
            limits = ["--dinas", ",".join(DINAS), "--source", self._counter.source]
            for role in ("counter", "rate", "rules", "correct"):
                words = ["--role", role, *(limits if role == "counter" else ())]
                secret = self._city.neraca("token", "make", f"counters-{role}", *words).strip()
                self._told[role] = f"Bearer {secret}"
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.send(1)
        return self

    def __exit__(self, *_: object) -> None:
        """Send no more; the last batch is acknowledged, or is given up."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()


def _role_of(event: dict[str, Any]) -> str:
    """The role that records an event."""
    return ROLES.get(KINDS[event["type"].split(".")[1]].role, "rate" if "rated" in event["type"] else "counter")


def saved_text(folder: Path, name: str) -> str:
    """The content of a file that an operator saved."""
    return (folder / name).read_text(encoding="utf-8").strip()
