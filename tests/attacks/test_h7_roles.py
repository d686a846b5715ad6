"""Finding H7: every process connects as the owner of the tables, who may change the journal.

`neraca database prepare` makes a role for each kind of process. None of them can change a line.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import subprocess
import sys
from base64 import b64decode
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from local.local_server import free_port
from neraca.__main__ import main
from streams.places.roles import API, INTAKE, RELAY, ROLES, WORKER
from tests.journal.desk import received, standard
from tests.kafka.topics import Topics
from tests.serving import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.local_kafka import LocalKafka

pytestmark = pytest.mark.speed("all")

EVENTS: Final = "neraca.neraca_events"


def as_role(url: str, role: str) -> str:
    """The address of a database under a role; the tests' server trusts every local user."""
    return url.replace("neraca@", f"{role}@")


@pytest.fixture
def address(database_url: str) -> str:
    """A database with its tables, roles and rights."""
    assert main(["database", "prepare", "--database", database_url]) == 0
    return database_url


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows that a statement returns to the user of an address."""
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(url, autocommit=True) as db:
        cursor = db.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


STATEMENTS: Final = (
    f"UPDATE {EVENTS} SET state = state",
    f"UPDATE {EVENTS} SET leaf = NULL",
    f"DELETE FROM {EVENTS}",
    f"TRUNCATE {EVENTS}",
    f"DROP TABLE {EVENTS}",
    f"ALTER TABLE {EVENTS} DISABLE TRIGGER ALL",
    f"DROP TRIGGER unchanged ON {EVENTS}",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION neraca.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE neraca.mine (a int)",
)


@pytest.mark.speed("test")
@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_a_line(address: str, role: str) -> None:
    for statement in STATEMENTS:
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            rows(as_role(address, role), statement)


def test_only_the_intake_adds_to_the_journal(address: str) -> None:
    for role in (RELAY, WORKER, API):
        for table in (EVENTS, "neraca.natural_keys", "neraca.case_notes"):
            with pytest.raises(Exception, match="permission denied"):
                rows(as_role(address, role), f"INSERT INTO {table} SELECT * FROM {table}")
            assert rows(as_role(address, role), f"SELECT count(*) FROM {table}") == [(0,)]


def test_only_workers_write_balances(address: str) -> None:
    for role in (INTAKE, RELAY, API):
        with pytest.raises(Exception, match="permission denied"):
            rows(as_role(address, role), "UPDATE neraca_1.accounts SET measures = '{}'")
        assert rows(as_role(address, role), "SELECT count(*) FROM neraca_1.accounts") == [(0,)]


@pytest.mark.parametrize("role", [RELAY, WORKER, API])
def test_only_the_intake_makes_tokens(address: str, role: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        rows(as_role(address, role), "UPDATE neraca.tokens SET scopes = 'rulebook'")


def test_the_intake_makes_ends_and_lists_tokens(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And each is noted in the security log, which no role can change or read."""
    from streams.journal.journal import Journal  # noqa: PLC0415 - an extra
    from streams.places.database import Database  # noqa: PLC0415 - the same

    Journal.open(Database(as_role(address, INTAKE)).prepare().journal, "Asia/Jakarta", 0).close()
    limits = ["--role", "counter", "--dinas", "disdukcapil", "--source", "/loket/1"]
    for words in (["make", "loket-1", *limits], ["list"], ["link"], ["sessions"], ["revoke", "loket-1"]):
        assert main(["token", *words, "--database", as_role(address, INTAKE)]) == 0, (words, capsys.readouterr().err)
    assert main(["security", "log", "--database", address]) == 0
    assert "loket-1" in capsys.readouterr().out
    for role in ROLES:
        for statement in ("UPDATE neraca.security_log SET what = ''", "DELETE FROM neraca.security_log"):
            with pytest.raises(Exception, match="permission denied"):
                rows(as_role(address, role), statement)


def test_only_relay_and_workers_know_the_keys_of_segments(address: str) -> None:
    for role in (INTAKE, API):
        with pytest.raises(Exception, match="permission denied"):
            rows(as_role(address, role), "SELECT key FROM neraca.segment_keys")


def test_no_role_is_more_than_a_user(address: str) -> None:
    query = (
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication, rolcanlogin "
        "FROM pg_roles WHERE rolname LIKE 'neraca\\_%'"
    )
    assert rows(address, query) == [(False, True)] * len(ROLES)


def test_to_prepare_again_changes_nothing(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    rights = (
        "SELECT relnamespace::regnamespace::text, relname, relowner::regrole::text, relacl::text FROM pg_class "
        "WHERE relnamespace::regnamespace::text LIKE 'neraca%' AND relkind = 'r' ORDER BY 1, 2"
    )
    before = rows(address, rights)
    assert main(["database", "prepare", "--database", address]) == 0
    assert rows(address, rights) == before
    assert main(["database", "prepare", "--database", as_role(address, API)]) == 1
    assert "only the owner of the tables prepares the database" in capsys.readouterr().err


def test_a_password_lies_in_a_file_that_only_its_owner_reads(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    words = ["database", "prepare", "--database", database_url, "--secrets", str(folder)]
    assert main(words) == 0
    passwords = {role: (folder / role).read_text() for role in ROLES}
    assert len({*passwords.values()}) == len(ROLES)
    assert {(folder / role).stat().st_mode & 0o777 for role in ROLES} == {0o600}
    assert main(words) == 0
    assert {role: (folder / role).read_text() for role in ROLES} == passwords


def test_a_password_is_in_no_statement(address: str, tmp_path: Path) -> None:
    """The server's log may show statements: it is sent the verifier by which the role signs in (RFC 5802, section 3)."""
    import psycopg  # noqa: PLC0415 - an extra

    from streams.places.roles import prepare_roles  # noqa: PLC0415 - the same

    passwords = {role: f"rahasia-{role}" for role in ROLES}
    with (tmp_path / "statements").open("w+") as trace, psycopg.connect(address) as db:
        db.pgconn.trace(trace.fileno())
        prepare_roles(db, passwords)
        db.pgconn.untrace()
        statements = (tmp_path / "statements").read_text()
    assert statements.count(" PASSWORD ") == len(ROLES)
    assert "rahasia" not in statements
    stored = dict(rows(address, "SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL"))
    assert all(signs_in(passwords[role], stored[role]) for role in ROLES)
    assert not signs_in("rahasia", stored[API])


def signs_in(password: str, verifier: str) -> bool:
    """True if a server that keeps a verifier takes a password."""
    kind, parameters, keys = verifier.split("$")
    rounds, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return kind == "SCRAM-SHA-256" and b64decode(keys.split(":")[0]) == hashlib.sha256(client_key).digest()


def test_a_database_of_before_is_handed_to_the_roles(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Until its owner prepares it, a role is told to wait for that; the balances of before stay, and are the workers'."""
    from streams.places.database import Database  # noqa: PLC0415 - an extra
    from streams.places.location import ensure_served  # noqa: PLC0415 - the same

    database = Database(database_url).prepare()
    generations = database.generations()
    ensure_served(generations)[1].engine.dispose()
    generations.close()
    assert main(["database", "prepare", "--database", database_url]) == 0
    owners = rows(database_url, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'neraca_1'")
    assert owners == [(WORKER,)]
    assert rows(database_url, "SELECT count(*) FROM neraca.generations") == [(1,)]
    rows(database_url, f"ALTER TABLE {EVENTS} DROP COLUMN leaf")
    capsys.readouterr()
    assert main(["replay", "--database", as_role(database_url, API)]) == 1
    assert "its owner has to run: neraca database prepare" in capsys.readouterr().err


class Stand:
    """The processes of a scaled-out Neraca, each under the role of its kind."""

    def __init__(self, url: str, kafka: str, folder: Path, ending: ExitStack) -> None:
        self._url, self._kafka, self._folder, self._ending = url, kafka, folder, ending
        self.intake, self.api = free_port(), free_port()

    def start(self, role: str, *words: str) -> None:
        """Start a command under a role; it ends with the test."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
        settings |= {"NERACA_DATABASE_URL": as_role(self._url, role), "NERACA_KAFKA": self._kafka}
        log = self._ending.enter_context((self._folder / f"{words[0]}.log").open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", "neraca", *words],
            cwd=ROOT,
            env=settings,
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
        self._ending.callback(process.wait)
        self._ending.callback(os.killpg, process.pid, signal.SIGTERM)

    def log(self, command: str) -> str:
        """What a process has said."""
        return (self._folder / f"{command}.log").read_text()


@pytest.fixture
def stand(address: str, kafka: LocalKafka, tmp_path: Path) -> Iterator[Stand]:
    """All four kinds of processes, running."""
    Topics.cleared(kafka)
    with ExitStack() as ending:
        stand = Stand(address, kafka.bootstrap, tmp_path, ending)
        stand.start(INTAKE, "intake", "--open", "--port", str(stand.intake))
        stand.start(RELAY, "relay", "--name", "r")
        stand.start(WORKER, "worker", "--name", "w")
        stand.start(API, "api", "--open", "--port", str(stand.api))
        yield stand


def _get(url: str) -> httpx.Response | None:
    try:
        answer = httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return None
    return answer if answer.status_code == httpx.codes.OK else None


def test_each_process_works_under_its_own_role(address: str, stand: Stand) -> None:
    """An event is taken, relayed, folded, served and replayed; nobody connects as the owner."""
    intake, api = f"http://127.0.0.1:{stand.intake}", f"http://127.0.0.1:{stand.api}"
    until(lambda: _get(f"{intake}/readyz"), "the intake is ready", within_s=60)
    for event in (standard("s", 1), received("r1", "K-1")):
        assert httpx.post(
            f"{intake}/v1/events", json=event, headers={"content-type": "application/cloudevents+json"}
        ).is_success
    try:
        digest = until(
            lambda: (answer := _get(f"{api}/v1/digest")) and answer.json()["position"] == 3 and answer.json()["digest"],
            "the event is folded and served",
            within_s=60,
        )
    except TimeoutError as error:
        error.add_note("\n".join(stand.log(command)[-2000:] for command in ("intake", "relay", "worker", "api")))
        raise
    for path in ("/v1/events", "/nilai"):  # no form of a reader records anything
        assert httpx.post(f"{api}{path}", json=received("r2", "K-2")).status_code in (404, 405)
    users = rows(address, "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'neraca%'")
    assert {user for (user,) in users} >= set(ROLES)
    assert main(["replay", "--database", as_role(address, API)]) == 0
    assert digest
    for command in ("intake", "relay", "worker", "api"):
        assert "could change the journal" not in stand.log(command)
        assert "permission denied" not in stand.log(command), stand.log(command)


def test_an_intake_waits_until_there_are_balances(address: str, tmp_path: Path) -> None:
    """As after an update: to prepare again keeps the older ones, whose partitions a rebuild goes on with."""
    with ExitStack() as ending:
        stand = Stand(address, "", tmp_path, ending)
        rows(address, "UPDATE neraca.generations SET version = version - 1")
        assert main(["database", "prepare", "--database", address]) == 0
        stand.start(INTAKE, "intake", "--open", "--port", str(stand.intake))
        until(lambda: "start a worker" in stand.log("intake"), "it says what is missing", within_s=60)
        assert main(["rebuild", "--database", as_role(address, WORKER)]) == 0
        until(lambda: _get(f"http://127.0.0.1:{stand.intake}/healthz"), "the intake serves", within_s=60)


def test_a_process_that_connects_as_the_owner_is_warned(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "--database", address]) == 0
    assert "this process owns the tables" in capsys.readouterr().err
    assert main(["layout", "--database", as_role(address, WORKER)]) == 0
    assert "warning" not in capsys.readouterr().err


def test_an_owner_that_is_no_superuser_prepares_and_rebuilds(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it makes are the workers' balances, which readers read."""
    name = database_url.rpartition("/")[2]
    if not rows(database_url, "SELECT FROM pg_roles WHERE rolname = 'owner_of_tests'"):
        rows(database_url, "CREATE ROLE owner_of_tests LOGIN CREATEROLE")
    rows(database_url, f"ALTER DATABASE {name} OWNER TO owner_of_tests")
    owner = database_url.replace("neraca@", "owner_of_tests@")
    for _ in range(2):
        assert main(["database", "prepare", "--database", owner]) == 0, capsys.readouterr().err
    from streams.journal.journal import Journal  # noqa: PLC0415 - an extra
    from streams.places.database import Database  # noqa: PLC0415 - the same

    Journal.open(Database(as_role(database_url, INTAKE)).prepare().journal, "Asia/Jakarta", 0).close()
    assert main(["rebuild", "--restored", "--database", owner]) == 0, capsys.readouterr().err
    ((generation,),) = rows(database_url, "SELECT generation FROM neraca.generations WHERE served")
    assert rows(as_role(database_url, API), f"SELECT count(*) FROM neraca_{generation}.accounts") == [(0,)]
    assert main(["rebuild", "--database", as_role(database_url, WORKER)]) == 0, capsys.readouterr().err


def test_a_rebuild_is_the_workers(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Old generations are swept, new ones are read by the others."""
    from streams.journal.journal import Journal  # noqa: PLC0415 - an extra
    from streams.places.database import Database  # noqa: PLC0415 - the same

    Journal.open(Database(as_role(address, INTAKE)).prepare().journal, "Asia/Jakarta", 0).close()
    for _ in range(3):
        assert main(["rebuild", "--database", as_role(address, WORKER)]) == 0, capsys.readouterr().err
    ((generation,),) = rows(address, "SELECT generation FROM neraca.generations WHERE served")
    assert rows(as_role(address, API), f"SELECT count(*) FROM neraca_{generation}.accounts") == [(0,)]
