"""The runbook's ``docker`` words on a machine without Docker: they do to processes what Docker does to containers.

The blocks are typed as they are printed, so their shell needs a ``docker``. Words that the runbook does not use are
refused, so that a misspelt one fails. No image is built.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.deploy.machine import Machine


def docker(machine: Machine, words: Sequence[str]) -> str:
    """Run the command; return words for the shell still to run. Raises: ``ValueError`` for unsupported words."""
    match list(words):
        case ["build", "--tag", "neraca", "."] | ["build", "--pull", "--tag", "neraca", "."]:
            return "test -f Dockerfile"
        case ["volume", "rm", "neraca_kafka"]:
            machine.kafka.wipe()
            return ":"
        case ["compose", "run", "--rm", "-T", service, *inside]:
            return shlex.join(machine.inside(service, ["neraca", *inside]))
        case ["compose", "exec", "-T", service, *inside] if machine.runs(service):
            return shlex.join(machine.inside(service, inside))
        case ["compose", "ps"]:
            services = [name for name in machine.services if not machine.ends(name)]
            health = {name: "healthy" if machine.healthy(name) else "unhealthy" for name in services}
            return shlex.join(["printf", "%s %s\\n", *(word for pair in health.items() for word in pair)])
        case ["compose", *compose]:
            _start_or_stop(machine, compose)
            return ":"
    raise ValueError(shlex.join(words))


def _start_or_stop(machine: Machine, words: Sequence[str]) -> None:
    match list(words):
        case ["up", "--detach", "--wait", "--remove-orphans"]:
            machine.up()
            machine.stop([name for name in machine.running if name not in machine.services])
        case ["up", "--detach", "--wait", "--no-deps", service]:
            machine.up([service])
        case ["up", "--detach", "--wait", *services] if machine.services.keys() >= set(services):
            machine.up(services)
        case ["stop"]:
            machine.stop([*machine.running, "kafka", "postgres"])
        case ["stop", *services] | ["rm", "--stop", "--force", *services]:
            machine.stop(services)
        case ["restart", *services]:
            machine.stop(services)
            machine.up(services)
        case _:
            raise ValueError(shlex.join(words))
