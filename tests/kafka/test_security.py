"""TLS and SASL: one set of settings for every client of the broker, and no secret in any output."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kafka.admin import KafkaAdminClient, ScramMechanism, UserScramCredentialUpsertion

from local.local_kafka import JAVA, SHORT_LIVED, LocalKafka
from local.local_server import found, free_port
from streams.kafka.settings import KafkaSettings
from tests.kafka.serving import Scaled
from tests.services import installed
from tests.serving import event, ndjson, until

SCRAM_MODULE: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
STORE: Final = "not-the-one-looked-for"
BROKERS_WORD: Final = "geheim-broker-5d1"
WRONG: Final = "falsch-broker-5d1"
DATABASES_WORD: Final = "geheim-database-5d1"
SECRETS: Final = (BROKERS_WORD, WRONG, DATABASES_WORD)


def keys(directory: Path) -> tuple[Path, Path]:
    """A key store for a broker on 127.0.0.1, and its certificate."""
    store, certificate = directory / "broker.p12", directory / "broker.pem"
    where = ["-keystore", str(store), "-storepass", STORE, "-alias", "broker"]
    for words in (
        ["-genkeypair", "-keyalg", "EC", "-validity", "2", "-dname", "CN=broker", "-ext", "SAN=IP:127.0.0.1"],
        ["-exportcert", "-rfc", "-file", str(certificate)],
    ):
        subprocess.run([found("keytool", JAVA), *words, *where], check=True, capture_output=True)
    return store, certificate


@pytest.fixture
def secure_broker(server_directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A broker that requires TLS and a password, and the settings of a client with both."""
    directory = server_directory / "keys"
    directory.mkdir()
    store, certificate = keys(directory)
    address = f"127.0.0.1:{free_port()}"
    properties = {
        "listeners": f"SASL_SSL://{address}",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": STORE,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{SCRAM_MODULE} required;",
    }
    with installed(LocalKafka(server_directory / "kafka", properties=properties, jvm=SHORT_LIVED)) as broker:
        admin: Any = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("neraca", ScramMechanism.SCRAM_SHA_512, BROKERS_WORD)]
        )
        admin.close()
        yield (
            address,
            {
                "NERACA_KAFKA_SECURITY": "SASL_SSL",
                "NERACA_KAFKA_CA": str(certificate),
                "NERACA_KAFKA_USER": "neraca",
                "NERACA_KAFKA_PASSWORD": BROKERS_WORD,
            },
        )


def test_the_whole_path_runs_over_tls_with_a_password_and_tells_no_secret(
    secure_broker: tuple[str, dict[str, str]], database_url: str, tmp_path: Path
) -> None:
    """Both clients get the settings; one with another password or trusted authority is refused with the reason."""
    address, settings = secure_broker
    url = database_url.replace("neraca@", f"neraca:{DATABASES_WORD}@")
    wrong = {"NERACA_KAFKA_PASSWORD": WRONG}
    data = {"dinas": "disdukcapil", "asn": "a-1", "task": "t", "completed_at": "2026-11-24T10:00:00+07:00"}
    events = tmp_path / "events.ndjson"
    events.write_bytes(ndjson([event("task-completed", "t", data)]) + b"\n")
    with Scaled(tmp_path, url, address, settings=settings) as cluster:
        cluster.start_all()
        cluster.begin("worker-2", settings=wrong)
        cluster.begin("intake-2", "--kafka", settings=wrong)
        cluster.command("emit", str(events), "--kafka")
        until(lambda: cluster.head() == 2, "what was emitted is recorded", within_s=60)
        assert cluster.prove() == 2
        refusal = "refuses user neraca"
        without_ca = cluster.command(
            "emit", str(events), "--kafka", "--patience", "0", settings={"NERACA_KAFKA_CA": ""}, code=1
        )
        assert b"CERTIFICATE_VERIFY_FAILED" in without_ca.stderr
        turned_away = ("worker-2", "intake-2")
        until(lambda: all(refusal in cluster.output(name) for name in turned_away), "both are told so", within_s=60)
        missing = cluster.command("relay", settings={"NERACA_KAFKA_CA": str(tmp_path / "nowhere")}, code=2)
        assert b"NERACA_KAFKA_CA: " in missing.stderr
        away = cluster.command(
            "api", settings={"NERACA_DATABASE_URL": url.replace("127.0.0.1:", "127.0.0.1:1")}, code=1
        )
        assert b"Traceback" not in away.stderr
        for name in ("relay", "worker", "worker-2", "intake-2"):
            assert cluster.output(name)
        outputs = {
            name: text for name, text in cluster.all_output().items() if any(secret in text for secret in SECRETS)
        }
    assert outputs == {}


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"NERACA_KAFKA": " , "}, "NERACA_KAFKA: name the bootstrap servers"),
        ({"NERACA_KAFKA_SECURITY": "TLS"}, "NERACA_KAFKA_SECURITY: 'TLS' is none of PLAINTEXT, SSL"),
        ({"NERACA_KAFKA_SASL": "GSSAPI"}, "NERACA_KAFKA_SASL: 'GSSAPI' is none of PLAIN, SCRAM"),
        ({"NERACA_KAFKA_PASSWORD": ""}, "needs NERACA_KAFKA_USER and NERACA_KAFKA_PASSWORD"),
        ({"NERACA_KAFKA_KEY": "/nowhere/key.pem"}, "NERACA_KAFKA_KEY: '/nowhere/key.pem' is no file"),
    ],
)
def test_a_setting_that_cannot_be_is_named(changes: dict[str, str], detail: str) -> None:
    environment = {
        "NERACA_KAFKA": "127.0.0.1:9092",
        "NERACA_KAFKA_SECURITY": "SASL_SSL",
        "NERACA_KAFKA_USER": "neraca",
        "NERACA_KAFKA_PASSWORD": BROKERS_WORD,
    }
    assert BROKERS_WORD not in repr(KafkaSettings.of(environment))
    with pytest.raises(ValueError, match=detail) as error:
        KafkaSettings.of(environment | changes)
    assert BROKERS_WORD not in str(error.value)
