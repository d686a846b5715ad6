"""What the runbook's ``docker`` words do on a machine without Docker: the same to processes as Docker does to containers.

Words and options that the runbook does not use are refused, so that a misspelt one fails. It builds no image.
"""

from __future__ import annotations

import argparse
import json
import shlex
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.deploy.composed import Unset
from tests.deploy.native import ENTRYPOINT, Native

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT: Final = Path(__file__).with_name("docker_words.py")


class _Words(argparse.ArgumentParser):
    """A parser that tells what is wrong instead of ending the process."""

    def error(self, message: str) -> None:  # type: ignore[override]  # it does end: by an exception
        raise ValueError(message)


def _parser() -> _Words:
    """The words of ``docker`` that the runbook uses."""
    root = _Words(prog="docker")
    commands = root.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--tag", required=True)
    build.add_argument("--pull", action="store_true")
    build.add_argument("context")
    volume = commands.add_parser("volume").add_subparsers(dest="action", required=True)
    volume.add_parser("rm").add_argument("volume")
    compose = commands.add_parser("compose").add_subparsers(dest="action", required=True)
    up = compose.add_parser("up")
    up.add_argument("--detach", action="store_true", required=True)
    for option in ("--wait", "--no-deps", "--remove-orphans"):
        up.add_argument(option, action="store_true")
    rm = compose.add_parser("rm")
    for option in ("--stop", "--force"):
        rm.add_argument(option, action="store_true", required=True)
    logs = compose.add_parser("logs")
    logs.add_argument("--tail", type=int, default=20)
    for one in (up, rm, logs, *map(compose.add_parser, ("stop", "restart", "ps"))):
        one.add_argument("services", nargs="*")
    for action, options in (("exec", ("-T",)), ("run", ("--rm", "-T"))):
        one = compose.add_parser(action)
        for option in options:
            one.add_argument(option, action="store_true", required=True)
        one.add_argument("service")
        one.add_argument("words", nargs=argparse.REMAINDER)
    return root


class DockerStandIn:
    """Answers for the projects of some folders; each folder is a machine of its own."""

    def __init__(self, work: Path, machines: Mapping[Path, Native]) -> None:
        self._machines = machines
        self._parser = _parser()
        at = work / "docker.socket"
        self.path = work / "bin"
        self.path.mkdir()
        shim = self.path / "docker"
        words = shlex.join([sys.executable, str(CLIENT), str(at)])
        shim.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        shim.chmod(0o755)
        self._server = socketserver.ThreadingUnixStreamServer(str(at), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        answer = self.answer

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = json.loads(self.rfile.readline())
                self.wfile.write(json.dumps(answer(asked["words"], Path(asked["folder"]))).encode() + b"\n")

        return Handler

    def __enter__(self) -> Self:
        """Answer until the end of a ``with``."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, words: list[str], folder: Path) -> dict[str, Any]:
        """What the words come to: something said and an exit code, or a program to become."""
        try:
            asked = self._parser.parse_args(words)
            machine = self._machines[folder]
            if asked.command == "compose" and asked.action in ("exec", "run"):
                return self._program(machine, asked)
            said = self._done(machine, asked)
        except (ValueError, KeyError, Unset, RuntimeError, TimeoutError, subprocess.TimeoutExpired) as error:
            return {"out": "", "error": f"docker {shlex.join(words)}: {error}\n", "code": 1}
        return {"out": said, "error": "", "code": 0}

    def _program(self, machine: Native, asked: argparse.Namespace) -> dict[str, Any]:
        if asked.action == "exec" and not machine.runs(asked.service):
            message = f"{asked.service} is not running"
            raise RuntimeError(message)
        if asked.action == "run":
            machine.up(machine.services[asked.service].get("depends_on", ()))
        words = asked.words if asked.action == "exec" else [*ENTRYPOINT, *asked.words]
        program, environment = machine.inside(asked.service, words)
        return {"program": program, "environment": environment}

    def _done(self, machine: Native, asked: argparse.Namespace) -> str:
        if asked.command == "build":
            assert (machine.folder / asked.context / "Dockerfile").exists()
        elif asked.command == "volume":
            assert asked.volume == "neraca_kafka", "the only volume that may be lost"
            machine.kafka.wipe()
        else:
            return self._composed(machine, asked)
        return ""

    def _composed(self, machine: Native, asked: argparse.Namespace) -> str:
        if asked.action == "up":
            self._up(machine, asked)
        elif asked.action in ("stop", "rm"):
            machine.stop(asked.services)
        elif asked.action == "restart":
            machine.stop(asked.services)
            machine.up(asked.services, alone=True)
        elif asked.action == "logs":
            return "".join(machine.running[name].said() for name in asked.services)
        else:
            health = {name: "healthy" if machine.healthy(name) else "unhealthy" for name in machine.made()}
            return "".join(f"{name} {how}\n" for name, how in health.items())
        return ""

    def _up(self, machine: Native, asked: argparse.Namespace) -> None:
        for orphan in machine.orphans() if asked.remove_orphans else ():
            machine.stop([orphan])
        machine.up(asked.services, alone=asked.no_deps)
        if asked.wait:
            machine.wait()
