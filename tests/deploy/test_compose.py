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
from streams.places.roles import ROLES
from tests.deploy.city_hall import RUNBOOK
from tests.deploy.composed import FILE, OVERRIDE, composed, loaded
from tests.deploy.machine import VOLUME, Machine
from tests.services import installed
from tests.serving import BATCH, ROOT, event, until
from tests.tidy.test_house import text_of

SECRET: Final = re.compile(r"PASSWORD|SECRET|TOKEN|KEY", re.IGNORECASE)
SERVED: Final = ("postgres", "kafka")
NUMBERS: Final = {"database": 1, "intake": 1, "api": 2, "relay": 2, "worker": 2}


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
    (tmp_path / "secrets").mkdir()
    for secret in ("db_owner", *ROLES):
        (tmp_path / "secrets" / secret).write_text("0" * 16)
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
    validity = valid(ROOT / FILE, tmp_path / OVERRIDE, ROOT / "compose" / "kafka.yml")
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
    """Every password is a file of the folder's; a process knows that of its own role, and only one the owner's."""
    project = composed(folder)
    services = project["services"]
    pairs = [(name, value) for service in services.values() for name, value in service.get("environment", {}).items()]
    files = ("/run/secrets/", f"{VOLUME}/")
    assert [value for name, value in pairs if SECRET.search(name) and not str(value).startswith(files)] == []
    assert [value for _, value in pairs if re.search(r"//[^/]+:[^/]+@", str(value))] == []
    assert project["secrets"] == {name: {"file": f"./secrets/{name}"} for name in ("db_owner", *ROLES)}
    secrets = {name: tuple(service.get("secrets", ())) for name, service in services.items()}
    assert {name for name, files in secrets.items() if "db_owner" in files} == {"postgres", "prepare"}
    roles = {name: files for name, files in secrets.items() if name not in ("postgres", "kafka", "prepare")}
    assert roles == {name: (f"neraca_{name.partition('-')[0]}",) for name in roles}
    urls = {name: services[name]["environment"]["NERACA_DATABASE_URL"] for name in roles}
    assert [name for name, url in urls.items() if not url.startswith(f"postgresql://{roles[name][0]}@")] == []


def test_the_file_of_the_brokers_users_names_the_services_that_use_it(folder: Path) -> None:
    """Each with the user of its kind, whose password is a file; the broker trusts nobody who does not sign in."""
    services = composed(folder)["services"]
    more = loaded((ROOT / "compose" / "kafka.yml").read_text("utf-8"))
    users = {
        name: service["environment"]["NERACA_KAFKA_USER"]
        for name, service in more["services"].items()
        if name not in ("kafka", "kafka-users")
    }
    assert users == {
        name: name.partition("-")[0] for name, service in services.items() if "kafka" in service.get("depends_on", {})
    }
    for name, user in users.items():
        environment = more["services"][name]["environment"]
        assert environment["NERACA_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka_{user}"
        assert environment["NERACA_KAFKA_SECURITY"] == "SASL_PLAINTEXT"
    broker = more["services"]["kafka"]["environment"]
    open_listeners = [at for at in broker["KAFKA_LISTENERS"].split(",") if "localhost" not in at]
    assert open_listeners == ["SASL_PLAINTEXT://:9092"]


def test_networks_are_apart(folder: Path) -> None:
    """Readers reach no broker, the broker no database, and nothing beyond reaches either."""
    services = composed(folder)["services"]
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert {name for name, reach in networks.items() if {"front", "broker"} <= reach} == {"intake"}
    assert networks["kafka"] == {"broker"}
    assert networks["postgres"] == networks["prepare"] == {"database"}
    assert networks["api-1"] == {"front", "database"}
    assert networks["relay-1"] == networks["worker-1"] == {"database", "broker"}


def test_every_service_is_watched_and_started_again(folder: Path) -> None:
    """A process ends to recover from any fault, so each ended service restarts; a start waits for its dependencies."""
    services = composed(folder)["services"]
    preparing = services.pop("prepare")
    assert (preparing["restart"], preparing["depends_on"]) == ("no", {"postgres": {"condition": "service_healthy"}})
    assert {name: service["restart"] for name, service in services.items()} == dict.fromkeys(services, "always")
    assert [name for name, service in services.items() if service["healthcheck"]["test"][0] != "CMD"] == []
    assert [name for name, service in services.items() if not service["stop_grace_period"]] == []
    conditions = [how for service in services.values() for how in service.get("depends_on", {}).values()]
    assert {json.dumps(how) for how in conditions} == {
        '{"condition": "service_healthy"}',
        '{"condition": "service_completed_successfully"}',
    }
    assert {name for name, service in services.items() if "prepare" in service.get("depends_on", {})} == set(
        ours({"services": services})
    )


def test_what_has_to_last_lies_in_a_named_volume(folder: Path) -> None:
    project = composed(folder)
    volumes = {name: service["volumes"] for name, service in project["services"].items() if "volumes" in service}
    readers = {name: [f"secret:{VOLUME}:ro"] for name in ("intake", "api-1", "api-2")}
    servers = {"postgres": ["postgres:/var/lib/postgresql/data"], "kafka": ["kafka:/var/lib/kafka/data"]}
    assert volumes == servers | {"prepare": [f"secret:{VOLUME}"]} | readers
    assert set(project["volumes"]) == {*servers, "secret"}
    assert project["services"]["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"


def test_one_secret_is_made_once_and_read_by_intakes_and_readers_alone(folder: Path) -> None:
    """The service that runs first makes it, in a volume that begins as the image's folder, which is that of its account."""
    services = composed(folder)["services"]
    file = f"{VOLUME}/secret"
    names = {name: service.get("environment", {}).get("NERACA_SECRET_FILE") for name, service in services.items()}
    assert {name for name, path in names.items() if path == file} == {"prepare", "intake", "api-1", "api-2"}
    assert set(names.values()) == {file, None}
    assert "user" not in services["prepare"]
    image = text_of("Dockerfile").rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\d+)$", image, re.MULTILINE)
    assert f"install --directory --mode 0700 --owner {user} {VOLUME}" in image
    urls = {name: services[name]["environment"]["NERACA_INTAKE_URL"] for name in ("api-1", "api-2")}
    options = parser().parse_args(services["intake"]["command"])
    assert urls == dict.fromkeys(urls, f"http://intake:{options.port}")
    assert set(services["api-1"]["networks"]) & set(services["intake"]["networks"]) >= {"front"}


def test_every_command_is_one_of_the_programs(folder: Path) -> None:
    """As many of each as a city of many processes needs, each under a name of its own, with no more rights than it needs."""
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
    assert [name for name in machine.services if not machine.ends(name) and not machine.healthy(name)] == []
    at = {
        name: f"http://127.0.0.1:{machine.port(name, 8001 if name == 'intake' else 8000)}"
        for name in ("intake", "api-1", "api-2")
    }
    limits = ["--dinas", "dpmptsp,disdukcapil", "--source", "/loket"]
    words = ["token", "make", "loket", "--role", "counter", *limits]
    secret = machine.output("intake", ["neraca", *words]).strip()
    headers = {"authorization": f"Bearer {secret}", "content-type": BATCH, "host": "neraca.example"}
    tally = httpx.post(f"{at['intake']}/v1/events", json=permits(), headers=headers).json()
    assert (tally["accepted"], tally["rejected"]) == (200, [])
    nobody = httpx.post(f"{at['intake']}/v1/events", json=permits(), headers=headers | {"authorization": "Bearer x"})
    assert nobody.status_code == httpx.codes.UNAUTHORIZED

    auditor = machine.output("intake", ["neraca", "token", "make", "periksa", "--role", "auditor"]).strip()
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

    case = {"dinas": "dpmptsp", "service": "pbg", "case": "K-0"}
    ticket = (
        httpx.get(f"{at['api-1']}/loket/tiket", params=case, headers=headers).json()["address"].partition("tiket=")[2]
    )
    form = {**case, "tiket": ticket, "overall": "4"}
    codes = [httpx.post(f"{at[api]}/nilai", data=form).status_code for api in ("api-2", "api-1")]
    assert codes == [httpx.codes.OK, httpx.codes.CONFLICT], "a ticket of one reader is good once, at any"

    own = [name for name in ours({"services": machine.services}) if not machine.ends(name)]
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
