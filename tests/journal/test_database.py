"""One PostgreSQL for many processes: one may fold, each sees entries at once, and a rebuild runs beside them."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest

from domain.intake.wire import read_submission
from local.local_postgres import LocalPostgres
from neraca.__main__ import main
from projections.ports import LOCAL, Accepted
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal, JournalError
from tests.journal.desk import decided, received, retracted, rows, standard, task
from tests.journal.folding import HISTORY, audited
from tests.serving import ZONE, Assembled, Clock, Listening, event, until

pytest.importorskip("psycopg", reason="the extra is not installed: pip install 'neraca[postgres]'")

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg.sql import SQL, Identifier

from neraca.cluster import watched_balances
from projections.store.store import MOVED_CHANNEL
from streams.following.listening import Listener
from streams.journal.postgres import CHANNEL
from streams.places.database import Database
from streams.places.location import InUse, NoDatabase

CLOCK = Clock()


@pytest.fixture
def database(database_url: str) -> Database:
    """An empty database, prepared."""
    return Database(database_url).prepare()


@pytest.fixture
def neraca(database: Database) -> Iterator[Assembled]:
    """The only Neraca that folds the database."""
    with Assembled(database, clock=CLOCK) as neraca:
        yield neraca


class Desk:
    """Another intake on the same database, as a process of its own would have it."""

    def __init__(self, database: Database, ending: ExitStack) -> None:
        self.journal = Journal.open(database.journal, ZONE, CLOCK())
        ending.callback(self.journal.close)
        self.intake = IntakeService(self.journal, Policy(ZoneInfo(ZONE)), CLOCK)
        ending.callback(self.intake.close)

    def take(self, *events: dict[str, object]) -> list[str]:
        """Submit events; return the outcome of each."""
        outcomes = self.intake.submit([read_submission(event) for event in events], LOCAL)
        return [
            ("repeated" if outcome.repeated else "accepted") if isinstance(outcome, Accepted) else outcome.slug
            for outcome in outcomes
        ]


def test_intakes_that_race_take_each_event_and_each_case_once(database: Database) -> None:
    """Four intakes are sent the same: one of them takes an event, the others answer with its receipt."""
    with ExitStack() as ending:
        desks = [Desk(database, ending) for _ in range(4)]
        answers: list[list[str]] = [[] for _ in desks]

        def tell(number: int) -> None:
            for case in range(40):
                answers[number] += desks[number].take(task(f"t{case}"))
                answers[number] += desks[number].take(received(f"r{case}-{number}", f"K-{case}"))

        threads = [threading.Thread(target=tell, args=(number,)) for number in range(len(desks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        words_of_all = [word for words in answers for word in words]
        assert (
            words_of_all.count("accepted"),
            words_of_all.count("repeated"),
            words_of_all.count("natural-key-held"),
        ) == (80, 120, 120)
        lines = desks[0].journal.lines(0, 1000)
        assert [position for position, _ in lines] == list(range(1, 82))


def test_a_rule_recorded_by_one_intake_holds_at_once_in_another(database: Database) -> None:
    with ExitStack() as ending:
        first, second = Desk(database, ending), Desk(database, ending)
        case = {"received_at": "2026-11-24T08:00:00+07:00"}
        assert second.take(decided("d1", "K-1", **case)) == ["accepted"]
        assert first.take(standard("s1", 1)) == ["accepted"]
        assert second.take(decided("d2", "K-2", **case)) == ["accepted"]
        before, after = (json.loads(second.journal.lines(at, 1)[0][1])["data"]["resolved"] for at in (1, 3))
        assert (before.get("on_time"), after.get("on_time")) == (None, False)


def test_each_append_is_told_to_whoever_listens(database_url: str, database: Database) -> None:
    """Ours and the library's, on the channel of relays and on that of the library's subscribers; a refused one is not."""
    with ExitStack() as ending, psycopg.connect(database_url, autocommit=True) as listening:
        desk = Desk(database, ending)
        recorder: Any = desk.journal._recorder
        channels = {CHANNEL, recorder.channel_name}
        for channel in channels:
            listening.execute(SQL("LISTEN {}").format(Identifier(channel)))

        def notices() -> set[str]:
            return {notice.channel for notice in listening.notifies(timeout=5, stop_after=len(channels))}

        assert desk.take(task("t1")) == ["accepted"]
        assert notices() == channels
        recorder.insert_events([StoredEvent(uuid4(), 1, "neraca.task-completed.v1", b"{}")])
        assert notices() == channels
        with pytest.raises(IntegrityError):
            recorder.insert_events([StoredEvent(uuid4(), 1, "x", b"{}")] * 2)
        assert [*listening.notifies(timeout=0, stop_after=1)] == []


def test_positions_are_consecutive_after_refusals_and_failures(database: Database) -> None:
    """No sequence numbers them: a rolled-back append leaves no gap."""
    with ExitStack() as ending:
        desk = Desk(database, ending)
        assert desk.take(task("t1"), task("t1") | {"time": "2026-11-24T10:59:00+07:00"}) == [
            "accepted",
            "content-conflict",
        ]
        rows(database, "ALTER TABLE stored_events ADD CONSTRAINT guard CHECK (notification_id <> 3)")
        with pytest.raises(Exception, match="guard"):
            desk.take(task("t2"))
        rows(database, "ALTER TABLE stored_events DROP CONSTRAINT guard")
        assert desk.take(task("t3"), retracted("x1", "t1")) == ["accepted", "accepted"]
        assert [position for position, _ in desk.journal.lines(0, 100)] == [1, 2, 3, 4]


def test_one_process_folds_alone(database: Database, neraca: Assembled) -> None:
    """A second one is refused with a clear word; an intake beside it is not."""
    with pytest.raises(InUse, match="another neraca folds this database"), database.locked():
        pass
    with ExitStack() as ending:
        assert Desk(database, ending).take(task("t1")) == ["accepted"]
        until(lambda: neraca.live.position == 2, "what another process recorded is folded")


def test_readers_elsewhere_move_with_the_fold(database: Database, neraca: Assembled) -> None:
    """Two readers on the database: each receives the movement, and serves the same digest."""
    with ExitStack() as ending:
        readers = []
        for _ in range(2):
            journal = Journal.open(database.journal, ZONE, CLOCK())
            ending.callback(journal.close)
            live, watcher = watched_balances(database, journal)
            movements: list[frozenset[str]] = []
            live.movement.listen(lambda move, dinas=movements: dinas.append(move.dinas))  # type: ignore[misc] # of its loop
            listener = Listener(database, [MOVED_CHANNEL], watcher.look, watcher.waits)
            listener.start()
            ending.callback(listener.close)
            readers.append((live, movements))
        neraca.record(*HISTORY)
        for live, movements in readers:
            until(lambda live=live: live.position == len(HISTORY) + 1, "a reader has moved")  # type: ignore[misc] # the same
            assert frozenset().union(*movements) == {"disdukcapil", "dpmptsp"}
            moves = live.movement.since(len(HISTORY), live.position)
            assert moves is not None
            assert "disdukcapil" in frozenset().union(*(move.dinas for move in moves))
            assert live.movement.since(live.position, live.position) == []
            assert live.movement.since(10_000, live.position) is None


def test_a_stream_is_the_same_from_every_instance(neraca: Assembled) -> None:
    """A stream can go on from another process: an id that one served is valid at the other."""
    neraca.record(*HISTORY[:5])
    with Listening(neraca) as listening, httpx.stream("GET", f"{listening.url}/v1/stream", timeout=10) as stream:
        lines = stream.iter_lines()
        first = [next(lines) for _ in range(3)]
    assert any(f"{neraca.journal.id}:6" in line for line in first), first


def test_a_rebuild_goes_on_beside_the_fold(
    database_url: str, database: Database, neraca: Assembled, capsys: pytest.CaptureFixture[str]
) -> None:
    """The follower goes over to the new generation by itself; the one before stays for processes that still read it."""
    neraca.record(*HISTORY)
    for generation in (2, 3, 4):
        assert main(["rebuild", "--database", database_url]) == 0
        answer = json.loads(capsys.readouterr().out)
        neraca.record(task(f"after-{generation}"))
        until(lambda at=generation: neraca.live.generation == at, "the new generation is served")  # type: ignore[misc] # of its loop
        with neraca.reader.snapshot() as snapshot:
            assert (snapshot.position, snapshot.digest()) == audited(neraca.journal.lines(0, 1000))
        assert answer["position"] == len(HISTORY) + generation - 1
    facts = rows(
        database,
        "SELECT schema_name::text FROM information_schema.schemata WHERE schema_name LIKE 'neraca%' ORDER BY 1",
    )
    assert [name for (name,) in facts] == ["neraca", "neraca_3", "neraca_4"]


def test_another_zone_is_refused(database: Database, neraca: Assembled) -> None:
    assert neraca.journal.zone == ZONE
    with pytest.raises(JournalError, match="counts its months in Asia/Jakarta, but Asia/Makassar is configured"):
        Journal.open(database.journal, "Asia/Makassar", CLOCK())


def test_a_database_that_would_lose_what_it_acknowledged_is_refused(server_directory: Path) -> None:
    """fsync=off is for a machine that never loses power: there is none."""
    with LocalPostgres(server_directory, durable=False) as server:
        database = Database(server.database("careless")).prepare()
        with pytest.raises(JournalError, match="fsync=off and would lose acknowledged events"):
            Journal.open(database.journal, ZONE, CLOCK())


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "not an address"),
        ("mysql://u:secret@127.0.0.1/x", "is no PostgreSQL database"),
        ("postgresql://u:secret@127.0.0.1:1/x", "refused"),
    ],
)
def test_an_address_that_does_not_do_is_refused_without_its_secret(url: str, word: str) -> None:
    with pytest.raises(NoDatabase, match=word) as refusal:
        Database(url).prepare()
    assert "secret" not in str(refusal.value)


def test_a_command_that_cannot_reach_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, one line, and no secret in it."""
    assert main(["replay", "--database", "postgresql://u:secret@127.0.0.1:1/x"]) == 1
    errors = capsys.readouterr().err
    assert "secret" not in errors
    assert "127.0.0.1" in errors


def test_a_server_that_is_away_costs_time_only(postgres: LocalPostgres, neraca: Assembled) -> None:
    """While it is away nothing is accepted; acknowledged entries are there, and the fold goes on by itself."""
    neraca.record(*HISTORY[:9])
    postgres.kill()
    assert neraca.post(task("t-away")).status_code in (500, 503)
    postgres.start()
    success = until(lambda: neraca.post(task("t-back")).status_code in (200, 201), "events are taken again")
    assert success
    neraca.settle()
    with neraca.reader.snapshot() as snapshot:
        assert (snapshot.position, snapshot.digest()) == audited(neraca.journal.lines(0, 1000))
    ids = [json.loads(line)["id"] for _, line in neraca.journal.lines(1, 1000)]
    assert len(ids) == len(set(ids))
    assert event("x", "y", {})["id"] not in ids
