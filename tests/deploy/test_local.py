"""Servers of this machine: their data survive a kill, and no server outlives the process that started it."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import pytest

from local.local_kafka import JAVA, LocalKafka
from local.local_postgres import LocalPostgres, Unreachable, programs
from local.local_server import Failed, Missing, found, free_port
from tests.services import installed
from tests.serving import ROOT, until

ORPHANING: Final = """\
import os, pathlib, sys
from local.local_postgres import LocalPostgres
server = LocalPostgres(pathlib.Path(sys.argv[1]), durable=False)
server.start()
os.kill(os.getpid(), 9)
"""


def command(*words: object, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """``python -m local`` with these words."""
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    return subprocess.run(
        [sys.executable, "-m", "local", *map(str, words)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def own_postgres(server_directory: Path) -> LocalPostgres:
    return installed(LocalPostgres(server_directory))


@pytest.mark.faults
def test_what_postgres_committed_survives_kills_and_restarts(own_postgres: LocalPostgres) -> None:
    """And nothing else does: what was not committed is gone."""
    psycopg = pytest.importorskip("psycopg")
    with own_postgres as server:
        with psycopg.connect(server.url) as db:
            db.execute("CREATE TABLE facts (fact TEXT)")
            db.execute("INSERT INTO facts VALUES ('committed')")
        in_doubt = psycopg.connect(server.url)
        in_doubt.execute("INSERT INTO facts VALUES ('in doubt')")
        server.kill()
        assert server.pid is None
        for _ in range(2):
            server.restart()
            with psycopg.connect(server.url) as again:
                assert again.execute("SELECT fact FROM facts").fetchall() == [("committed",)]
        in_doubt.close()
    assert server.pid is None


def test_a_second_database_is_empty_and_can_be_dropped_while_it_is_used(
    postgres: LocalPostgres, database_url: str
) -> None:
    psycopg = pytest.importorskip("psycopg")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with psycopg.connect(database_url) as first:
        first.execute("CREATE TABLE facts (fact TEXT)")
    with psycopg.connect(postgres.database("second")) as second:
        assert second.execute(tables).fetchone() == (0,)
        postgres.drop("second")
        with pytest.raises(psycopg.OperationalError):
            second.execute(tables)
    with psycopg.connect(database_url) as first:
        assert first.execute(tables).fetchone() == (1,)


@pytest.mark.faults
def test_a_record_that_kafka_acknowledged_survives_a_kill(server_directory: Path) -> None:
    """The same broker comes back on the same port, and a new one may be asked as soon as it has started."""
    client = pytest.importorskip("kafka")
    with installed(LocalKafka(server_directory)) as broker:
        bootstrap = broker.bootstrap
        admin = client.KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([client.admin.NewTopic(name="facts", num_partitions=1, replication_factor=1)])
        assert "facts" in admin.list_topics()
        admin.close()
        producer = client.KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        receipt = producer.send("facts", b"acknowledged").get(timeout=30)
        broker.kill()
        assert broker.pid is None
        broker.start()
        assert broker.bootstrap == bootstrap
        producer.close()
        consumer = client.KafkaConsumer("facts", bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        record = next(consumer)
        consumer.close()
    assert (record.offset, record.value) == (receipt.offset, b"acknowledged")


def test_a_kafka_of_the_session_lists_its_topics(kafka: LocalKafka) -> None:
    client = pytest.importorskip("kafka")
    admin = client.KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    assert isinstance(admin.list_topics(), list)
    admin.close()


def test_a_listener_that_asks_for_a_password_is_added(server_directory: Path) -> None:
    """The one in plain text stays."""
    client = pytest.importorskip("kafka")
    address = f"127.0.0.1:{free_port()}"
    properties = {
        "listeners": f"SASL_PLAINTEXT://{address}",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
            'org.apache.kafka.common.security.plain.PlainLoginModule required user_counter="right";'
        ),
    }
    login = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "counter"}
    with installed(LocalKafka(server_directory, properties=properties)) as broker:
        for settings in ({"bootstrap_servers": broker.bootstrap}, login | {"sasl_plain_password": "right"}):
            admin = client.KafkaAdminClient(**{"bootstrap_servers": address, **settings})
            assert admin.list_topics() == []
            admin.close()


@pytest.mark.parametrize("program", ["java", "mvn", "setpriv"])
def test_what_is_missing_names_its_package(program: str) -> None:
    package = {"java": JAVA, "mvn": "maven", "setpriv": "util-linux"}[program]
    with pytest.raises(Missing, match=f"^{program} is not installed.* apt-get install {package}$"):
        found(program, package, search="")


def test_a_missing_postgres_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"apt-get install postgresql$"):
        programs(search="", debian=tmp_path)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    """In words and an exit code, not in a traceback."""
    process = command("up", "kafka", "--directory", tmp_path, path="")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.endswith(f"apt-get install {JAVA}\n")


def test_debians_newest_postgres_is_taken(tmp_path: Path) -> None:
    """By number: 9.6 is older than 15."""
    for version in ("15", "9.6", "14"):
        program = tmp_path / version / "bin" / "initdb"
        program.parent.mkdir(parents=True)
        program.touch()
    assert programs(search="", debian=tmp_path) == tmp_path / "15" / "bin"


def test_up_outlives_its_command_until_down(own_postgres: LocalPostgres) -> None:
    """Said twice, it is still one server."""
    there = ("postgres", "--directory", own_postgres.directory, "--port", own_postgres.port)
    try:
        processes = [command("up", *there) for _ in range(2)]
        assert [process.stderr for process in processes] == ["", ""]
        assert {process.stdout for process in processes} == {f"export NERACA_DATABASE_URL={own_postgres.url}\n"}
        own_postgres.database("reached")
        assert command("down", *there).returncode == 0
        assert own_postgres.pid is None
    finally:
        own_postgres.kill()


@pytest.mark.faults
def test_a_server_does_not_outlive_who_started_it(own_postgres: LocalPostgres) -> None:
    """Also when that was killed without a chance to stop it."""
    script = [sys.executable, "-c", ORPHANING, str(own_postgres.directory)]
    process = subprocess.run(script, cwd=ROOT, check=False)
    assert process.returncode == -signal.SIGKILL
    until(lambda: own_postgres.pid is None, "the orphan is ended")


def test_a_folder_that_bars_the_server_is_named(server_directory: Path) -> None:
    """Root gives the server to another user, whom a folder above may bar; anyone else runs it as themselves."""
    folder = server_directory / "barred"
    folder.mkdir(mode=0o700)
    server = installed(LocalPostgres(folder / "postgres", durable=False))
    with pytest.raises(Unreachable, match=str(folder)) if os.geteuid() == 0 else nullcontext(), server:
        assert server.pid is not None


def test_a_server_that_cannot_start_says_its_last_words(own_postgres: LocalPostgres) -> None:
    """A taken port is reported before anything is tried."""
    with own_postgres as server:
        neighbour = LocalPostgres(server.directory, free_port())
        other_server = LocalPostgres(server.directory / "other", server.port)
        with pytest.raises(Failed, match=f"port {server.port} is taken"):
            other_server.start()
        server.stop()
        (server.directory / "data" / "postgresql.conf").write_text("no_such_setting = on\n")
        with pytest.raises(Failed, match="no_such_setting"):
            neighbour.start()
