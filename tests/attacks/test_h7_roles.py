"""Finding H7: every process connects as the owner of the tables, who may change the journal.

`neraca database prepare` makes a role for each kind of process. None of them can change a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
import pytest

from neraca.__main__ import main
from streams.places.roles import API, INTAKE, RELAY, ROLES, WORKER
from tests.journal.desk import received, standard
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.local_kafka import LocalKafka

pytestmark = pytest.mark.speed("all")

EVENTS: Final = "neraca.neraca_events"
PROCESSES: Final = {"intake": INTAKE, "relay": RELAY, "worker": WORKER, "api": API}
"""Each kind of process, and the role that it works under."""


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


def refuses(address: str, role: str, *statements: str, sentence: str = "permission denied") -> None:
    """A database refuses each statement of a role."""
    for statement in statements:
        with pytest.raises(Exception, match=sentence):
            rows(as_role(address, role), statement)


@pytest.mark.speed("test")
@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_a_line(address: str, role: str) -> None:
    refuses(address, role, *STATEMENTS, sentence=r"permission denied|must be owner")


def test_only_the_intake_adds_to_the_journal(address: str) -> None:
    for role in (RELAY, WORKER, API):
        for table in (EVENTS, "neraca.natural_keys", "neraca.case_notes"):
            refuses(address, role, f"INSERT INTO {table} SELECT * FROM {table}")
            assert rows(as_role(address, role), f"SELECT count(*) FROM {table}") == [(0,)]


def test_only_workers_write_balances(address: str) -> None:
    for role in (INTAKE, RELAY, API):
        refuses(address, role, "UPDATE neraca_1.accounts SET measures = '{}'")
        assert rows(as_role(address, role), "SELECT count(*) FROM neraca_1.accounts") == [(0,)]


@pytest.mark.parametrize("role", [RELAY, WORKER, API])
def test_only_the_intake_makes_tokens(address: str, role: str) -> None:
    refuses(
        address,
        role,
        "UPDATE neraca.tokens SET scopes = 'rulebook'",
        "INSERT INTO neraca.tokens SELECT * FROM neraca.tokens",
        "DELETE FROM neraca.tokens",
        "UPDATE neraca.token_limits SET asn = ''",
    )


def test_the_intake_makes_ends_and_lists_tokens(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And each is noted in the security log, which no role can change or read."""
    from streams.journal.journal import Journal  # noqa: PLC0415 - an extra
    from streams.places.database import Database  # noqa: PLC0415 - the same

    Journal.open(Database(as_role(address, INTAKE)).prepare().journal, "Asia/Jakarta", 0).close()
    limits = ["--role", "counter", "--dinas", "disdukcapil", "--source", "/loket/1"]
    for words, answer in (
        (["make", "loket-1", *limits], "neraca_"),
        (["list"], "loket-1"),
        (["link"], "/masuk/tautan#"),
        (["sessions"], ""),
        (["revoke", "loket-1"], ""),
        (["list"], "revoked"),
    ):
        assert main(["token", *words, "--database", as_role(address, INTAKE)]) == 0, (words, capsys.readouterr().err)
        assert answer in capsys.readouterr().out, words
    assert main(["security", "log", "--database", address]) == 0
    assert "loket-1" in capsys.readouterr().out
    for role in ROLES:
        refuses(
            address,
            role,
            "SELECT what FROM neraca.security_log",
            "UPDATE neraca.security_log SET what = ''",
            "DELETE FROM neraca.security_log",
            "TRUNCATE neraca.security_log",
        )


def test_only_relay_and_workers_know_the_keys_of_segments(address: str) -> None:
    keys = rows(address, "INSERT INTO neraca.segment_keys VALUES (999, 'a', 'k') RETURNING key")
    assert keys
    for role in (INTAKE, API):
        refuses(address, role, "SELECT key FROM neraca.segment_keys")
    for role in (RELAY, WORKER):
        assert rows(as_role(address, role), "SELECT key FROM neraca.segment_keys") == keys


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


def under(url: str, role: str) -> dict[str, str]:
    """The setting by which a process connects under a role."""
    return {"NERACA_DATABASE_URL": as_role(url, role)}


def sessions(url: str) -> set[tuple[int, str]]:
    """The numbers and the users of the sessions on a database, without the one that asks."""
    query = "SELECT pid, usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return {(int(number), str(user)) for number, user in rows(url, query)}


@pytest.fixture
def before(address: str) -> set[tuple[int, str]]:
    """The sessions of the test itself, which has prepared the database as its owner."""
    return sessions(address)


@pytest.fixture
def stand(address: str, before: set[tuple[int, str]], kafka: LocalKafka, tmp_path: Path) -> Iterator[Scaled]:
    """All four kinds of processes, each under the role of its kind."""
    assert {user for _, user in before} <= {"neraca"}
    Topics.cleared(kafka)
    with Scaled(tmp_path, address, kafka.bootstrap) as cluster:
        for name, role in PROCESSES.items():
            cluster.begin(name, settings=under(address, role))
        for name in PROCESSES:
            cluster.await_up(name)
        yield cluster


def test_each_process_works_under_its_own_role(address: str, before: set[tuple[int, str]], stand: Scaled) -> None:
    """An event is taken, relayed, folded, served and replayed; nobody connects as the owner."""
    assert stand.post([standard("s", 1), received("r1", "K-1")])["accepted"] == 2
    assert stand.settle() == 3
    for path in ("/v1/events", "/nilai"):  # no form of a reader records anything
        assert httpx.post(f"{stand.url('api')}{path}", json=received("r2", "K-2")).status_code in (404, 405)
    assert {user for _, user in sessions(address) - before} == set(ROLES)
    replay = msgspec.json.decode(stand.command("replay", settings=under(address, API)).stdout)
    answer = stand.digest()
    assert (answer["position"], answer["digest"]) == (replay["position"], replay["digest"])
    assert stand.head() == 3
    for name in PROCESSES:
        assert "could change the journal" not in stand.output(name)
        assert "permission denied" not in stand.output(name), stand.output(name)


def test_an_intake_waits_until_there_are_balances(address: str, tmp_path: Path) -> None:
    """As after an update: to prepare again keeps the older ones, whose partitions a rebuild goes on with."""
    with Scaled(tmp_path, address, "") as cluster:
        rows(address, "UPDATE neraca.generations SET version = version - 1")
        assert main(["database", "prepare", "--database", address]) == 0
        cluster.begin("intake", settings=under(address, INTAKE))
        until(lambda: "start a worker" in cluster.output("intake"), "it says what is missing", within_s=60)
        assert main(["rebuild", "--database", as_role(address, WORKER)]) == 0
        assert httpx.get(f"{cluster.url('intake')}/healthz").status_code == 200


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
