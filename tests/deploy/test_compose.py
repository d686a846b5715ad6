"""docker-compose.yml: it fits its schema, holds no secret, and its very commands run, natively, on real servers."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from neraca.__main__ import parser
from tests.deploy.city_hall import RUNBOOK
from tests.deploy.composed import FILE, OVERRIDE, Unset, composed, loaded
from tests.deploy.machine import Machine
from tests.services import installed
from tests.serving import BATCH, ROOT, event, until
from tests.tidy.test_house import text_of

SECRET: Final = re.compile(r"PASSWORD|SECRET|TOKEN|KEY", re.IGNORECASE)
ASKED_FOR: Final = r"\$\{\w+:\?[^}]+\}"
SERVED: Final = ("postgres", "kafka")
NUMBERS: Final = {"intake": 1, "api": 2, "relay": 2, "worker": 2}


def valid(*files: Path) -> subprocess.CompletedProcess[str]:
    """The verdict of the compose specification's own schema."""
    words = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec", *map(str, files)]
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)


def ours(project: dict[str, Any]) -> dict[str, Any]:
    """The services that run the program."""
    return {name: service for name, service in project["services"].items() if name not in SERVED}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the file, and a .env beside it."""
    shutil.copy(ROOT / FILE, tmp_path)
    (tmp_path / ".env").write_text(f"NERACA_DB_PASSWORD={'0' * 16}\n")
    return tmp_path


@pytest.fixture
def machine(folder: Path, server_directory: Path) -> Iterator[Machine]:
    with Machine(folder, server_directory) as machine:
        installed(machine.postgres)
        installed(machine.kafka)
        yield machine


def test_the_file_is_as_the_schema_of_compose_files_says(tmp_path: Path) -> None:
    """And so is the override that the runbook adds to it."""
    (override,) = re.findall(
        r"cat > docker-compose\.override\.yml <<'MORE'\n(.*?)^MORE$", RUNBOOK, re.DOTALL | re.MULTILINE
    )
    (tmp_path / OVERRIDE).write_text(yaml.safe_dump(loaded(override)))
    validity = valid(ROOT / FILE, tmp_path / OVERRIDE)
    assert validity.returncode == 0, validity.stdout


def test_the_schema_refuses_what_is_misspelt(tmp_path: Path) -> None:
    """The check above can fail."""
    faults = {"api-1": {"restart": True}, "kafka": {"healthcheck": {"intervall": "1s"}}, "relay-1": {"comand": []}}
    for service, fault in faults.items():
        project = loaded(text_of(FILE))
        project["services"][service] |= fault
        (tmp_path / f"{service}.yml").write_text(yaml.safe_dump(project))
    validity = valid(*tmp_path.glob("*.yml"))
    assert validity.returncode == 1
    assert [service for service in faults if f"{service}.yml" not in validity.stdout] == [], validity.stdout


def test_no_secret_is_in_the_file(folder: Path) -> None:
    """Every setting with a secret in it is a reference that Compose refuses to leave empty."""
    services = loaded(text_of(FILE))["services"]
    pairs = [(name, value) for service in services.values() for name, value in service.get("environment", {}).items()]
    passwords = [value for name, value in pairs if SECRET.search(name)]
    passwords += [password for _, value in pairs for password in re.findall(r"//[^:/]+:(.+)@", value)]
    assert len(passwords) > len(ours({"services": services}))
    assert [password for password in passwords if not re.fullmatch(ASKED_FOR, password)] == []
    (folder / ".env").unlink()
    with pytest.raises(Unset, match=r"^NERACA_DB_PASSWORD: set it in \.env$"):
        composed(folder)


def test_every_service_is_watched_and_started_again(folder: Path) -> None:
    """A process ends to recover from any fault, so each ended service restarts; a start waits for its dependencies."""
    services = composed(folder)["services"]
    assert {name: service["restart"] for name, service in services.items()} == dict.fromkeys(services, "always")
    assert [name for name, service in services.items() if service["healthcheck"]["test"][0] != "CMD"] == []
    assert [name for name, service in services.items() if not service["stop_grace_period"]] == []
    conditions = [how for service in services.values() for how in service.get("depends_on", {}).values()]
    assert {json.dumps(how) for how in conditions} == {'{"condition": "service_healthy"}'}
    assert {name for name, service in services.items() if "postgres" in service.get("depends_on", {})} == set(
        ours({"services": services})
    )


def test_what_has_to_last_lies_in_a_named_volume(folder: Path) -> None:
    project = composed(folder)
    volumes = {name: service["volumes"] for name, service in project["services"].items() if "volumes" in service}
    assert volumes == {"postgres": ["postgres:/var/lib/postgresql/data"], "kafka": ["kafka:/var/lib/kafka/data"]}
    assert set(project["volumes"]) == set(volumes)
    assert project["services"]["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"


def test_every_command_is_one_of_the_programs(folder: Path) -> None:
    """As many of each as the issue of scaling out asks for, each under a name of its own, with no more rights than it needs."""
    services = ours(composed(folder))
    options_of = {name: parser().parse_args(service["command"]) for name, service in services.items()}
    numbers = [options.command for options in options_of.values()]
    assert {command: numbers.count(command) for command in numbers} == NUMBERS
    names = {name: options.name for name, options in options_of.items() if options.command in ("relay", "worker")}
    assert names == {name: name for name in names}
    hosts = {options.host for options in options_of.values() if options.command in ("api", "intake")}
    assert hosts == {str(IPv4Address(0))}
    rights = [(service["read_only"], service["cap_drop"], service["security_opt"]) for service in services.values()]
    assert [right for right in rights if right != (True, ["ALL"], ["no-new-privileges:true"])] == []


def test_only_the_machine_itself_reaches_what_is_published(folder: Path) -> None:
    """Until a setting says otherwise; neither the database nor the broker is published at all."""
    services = composed(folder)["services"]
    ports_of = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(ports_of) == {name for name in services if name.startswith(("api", "intake"))}
    assert [port for ports in ports_of.values() for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_service_runs_natively_by_its_very_command(machine: Machine) -> None:
    """Healthy by its own check, all ends well within its grace, and in between both readers serve what a replay finds."""
    machine.up()
    assert [name for name in machine.services if not machine.healthy(name)] == []
    at = {
        name: f"http://127.0.0.1:{machine.port(name, 8001 if name == 'intake' else 8000)}"
        for name in ("intake", "api-1", "api-2")
    }
    limits = ["--dinas", "dpmptsp,disdukcapil", "--source", "/loket"]
    words = ["token", "make", "loket", "--role", "counter", *limits]
    secret = machine.output("api-1", ["neraca", *words]).strip()
    headers = {"authorization": f"Bearer {secret}", "content-type": BATCH, "host": "neraca.example"}
    tally = httpx.post(f"{at['intake']}/v1/events", json=permits(), headers=headers).json()
    assert (tally["accepted"], tally["rejected"]) == (200, [])
    nobody = httpx.post(f"{at['intake']}/v1/events", json=permits(), headers=headers | {"authorization": "Bearer x"})
    assert nobody.status_code == httpx.codes.UNAUTHORIZED

    auditor = machine.output("api-1", ["neraca", "token", "make", "periksa", "--role", "auditor"]).strip()
    reading = {"authorization": f"Bearer {auditor}"}
    until(
        lambda: all(
            httpx.get(f"{at[api]}/v1/digest", headers=reading).json()["position"] == 201 for api in ("api-1", "api-2")
        ),
        "all is folded",
    )
    operations = f"http://127.0.0.1:{machine.port('intake', 9100)}/metrics"
    until(lambda: "\nneraca_position 201.0\n" in httpx.get(operations).text, "the intake tells so too")
    replay = json.loads(machine.output("api-1", ["neraca", "replay", "--period", "2026-11"]))
    digests = {httpx.get(f"{at[api]}/v1/digest", headers=reading).json()["digest"] for api in ("api-1", "api-2")}
    assert digests == {replay["digest"]}
    assert sum(card["counts"]["permits"] for card in replay["dinas"].values()) == 200
    own = [*ours({"services": machine.services})]
    assert machine.stop(own) == dict.fromkeys(own, 0)


def permits() -> list[dict[str, Any]]:
    """Two hundred of two dinas."""
    times = {"received_at": "2026-11-24T09:00:00+07:00", "completed_at": "2026-11-24T10:00:00+07:00"}
    return [
        event(
            "permit-processed",
            str(n),
            {"dinas": ("dpmptsp", "disdukcapil")[n % 2], "service": "pbg", "case": f"K-{n}", **times},
        )
        for n in range(200)
    ]
