"""Finding H7: whoever may write to the database changes a recorded line, and no reader notices.

Every reader that folds, replays, exports or rebuilds stops at the first line that is not as it was recorded.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest

from api.pages.auditor import downloads
from domain.intake.recorded import exported
from neraca.__main__ import main
from neraca.wiring import journal_of
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory
from tests.attacks.tampering import CHANGES, SHAPES, as_of_a_former_version, change_row, changed_export
from tests.journal.desk import decided, outcomes, received, standard, task, url_of
from tests.serving import ZONE, Listening, until

if TYPE_CHECKING:
    from streams.places.location import Location
    from tests.conftest import Assemble, Places
    from tests.serving import Clock

pytestmark = pytest.mark.both_databases

HISTORY: Final = (
    standard("s", 1),
    received("r1", "K-1"),
    decided("d1", "K-1", due_at="2026-11-24T09:30:00+07:00"),
    task("t1"),
)
AT: Final = 4
"""The position of the decision."""
SENTENCE: Final = f"position {AT}: the data are not those that were recorded"
CASES: Final = Path(__file__).parents[1] / "data" / "cases"


@pytest.fixture
def place(places: Places, clock: Clock) -> Location:
    """A place whose journal holds ``HISTORY``; nothing of it is folded."""
    location = places("data")
    with journal_of(location, ZONE) as journal, ExitStack() as ending:
        intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), clock)
        ending.callback(intake.close)
        holder: Any = type("Holder", (), {"intake": intake})
        for event in HISTORY:
            outcomes(holder, event)
    return location


def options_of(place: Location) -> list[str]:
    """The option that names a place to a command."""
    return ["--data", place.label] if isinstance(place, DataDirectory) else ["--database", url_of(place)]


@pytest.mark.parametrize("former", [False, True], ids=["with a leaf", "of a former version"])
@pytest.mark.parametrize("what", CHANGES)
def test_no_command_reads_past_a_changed_row(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, *, former: bool
) -> None:
    if former:
        as_of_a_former_version(place)
    options = options_of(place)
    assert main(["replay", *options]) == 0
    change_row(place, AT, CHANGES[what])
    for command in (["replay"], ["replay", "--since", "2"], ["export", "--journal", str(tmp_path / "x")], ["rebuild"]):
        capsys.readouterr()
        assert main([*command, *options]) == 1, command
        assert SENTENCE in capsys.readouterr().err, command


def commands_at(place: Location, file: Path) -> list[list[str]]:
    """The commands that read a whole journal."""
    options = options_of(place)
    commands = (
        ["replay"],
        ["replay", "--since", "2"],
        ["replay", "--published"],
        ["replay", "--until", "2030-01-01T00:00:00Z"],
    )
    return [[*command, *options] for command in (*commands, ["export", "--journal", str(file)], ["rebuild"])]


def stops_every_command(place: Location, file: Path, capsys: pytest.CaptureFixture[str], position: int) -> None:
    """Every command that reads a whole journal stops at a position, and names it."""
    for command in commands_at(place, file):
        capsys.readouterr()
        assert main(command) == 1, command
        assert f"position {position}: " in capsys.readouterr().err, command


@pytest.mark.sqlite_file
@pytest.mark.parametrize("what", SHAPES)
def test_a_line_of_any_other_shape_stops_every_command_by_its_position(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    as_of_a_former_version(place)
    change_row(place, AT, SHAPES[what])
    stops_every_command(place, tmp_path / "x", capsys, AT)


@pytest.mark.parametrize("position", [AT, 2, 1], ids=["a fact", "a rule", "the opening"])
@pytest.mark.parametrize("what", ["data []", "one more field", "no time", "no JSON"])
def test_so_does_one_that_is_read_when_the_journal_is_opened(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, position: int
) -> None:
    as_of_a_former_version(place)
    change_row(place, position, SHAPES[what])
    stops_every_command(place, tmp_path / "x", capsys, position)


@pytest.mark.parametrize("former", [False, True], ids=["with a leaf", "of a former version"])
def test_the_fold_stops_at_a_changed_row(place: Location, assemble: Assemble, *, former: bool) -> None:
    if former:
        as_of_a_former_version(place)
    change_row(place, AT, CHANGES["a field of the data"])
    neraca = assemble()
    until(lambda: neraca.live.stopped, "the fold has stopped")
    assert neraca.live.stopped == SENTENCE
    assert SENTENCE in neraca.get("/readyz").text


@pytest.mark.parametrize("former", [False, True], ids=["with a leaf", "of a former version"])
def test_a_download_stops_at_a_changed_row(
    place: Location, assemble: Assemble, monkeypatch: pytest.MonkeyPatch, *, former: bool
) -> None:
    """It is refused by the sentence, or cut off once it has begun: no program takes it for the whole."""
    if former:
        as_of_a_former_version(place)
    change_row(place, AT, CHANGES["a field of the data"])
    neraca = assemble()
    with Listening(neraca) as server:
        address = f"{server.url}/auditor/journal.ndjson"
        refusal = httpx.get(address)
        assert (refusal.status_code, refusal.json()["detail"]) == (503, SENTENCE)
        monkeypatch.setattr(downloads, "EXPORTED_AT_ONCE", 2)
        with httpx.stream("GET", address) as answer, pytest.raises(httpx.RemoteProtocolError):
            answer.read()
        before = httpx.get(f"{address}?until={AT - 1}")
    assert [json.loads(line)["position"] for line in before.iter_lines()] == [1, 2, 3]


def test_a_line_that_lost_its_leaf_is_found(place: Location, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise a hand would only have to take the leaf away, and to compute the hash anew."""
    if isinstance(place, DataDirectory):
        with closing(sqlite3.connect(place.journal.path)) as db, db:
            db.execute("DROP TRIGGER leaves_delete")
            db.execute("DELETE FROM leaves WHERE position = ?", [AT])
    else:
        database: Any = place
        with database.connected("hand") as db:
            db.execute("ALTER TABLE neraca.neraca_events DISABLE TRIGGER USER")
            db.execute("UPDATE neraca.neraca_events SET leaf = NULL WHERE notification_id = %s", (AT,))
    assert main(["replay", *options_of(place)]) == 1
    assert SENTENCE in capsys.readouterr().err


def test_a_changed_rule_is_not_judged_by(place: Location, assemble: Assemble) -> None:
    """An intake that resolves by a changed standard would write its values for good: it records nothing."""
    change_row(place, 2, lambda line: line.replace(b'"amount":1', b'"amount":9'))
    neraca = assemble()
    answer = neraca.post(received("r2", "K-2"))
    assert answer.status_code == 503
    assert "position 2: the data are not those that were recorded" in answer.text


@pytest.mark.sqlite_file
def test_a_changed_line_of_an_exported_journal_stops_its_replay(capsys: pytest.CaptureFixture[str]) -> None:
    """Case 10 of the reports: the due date of a task was moved by two hours."""
    path = CASES / "10-tampered-journal.ndjson"
    for end in ([], ["--until", "2"]):
        assert main(["replay", "--journal", str(path), "--period", "2026-11", *end]) == 1
        assert "position 2: the data are not those that were recorded" in capsys.readouterr().err


@pytest.mark.sqlite_file
def test_an_exported_journal_that_nobody_changed_is_replayed(place: Location, tmp_path: Path) -> None:
    path = changed_export(options_of(place), tmp_path, AT, bytes.rstrip)
    assert main(["replay", "--journal", str(path)]) == 0


@pytest.mark.sqlite_file
@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_an_exported_line_stops_its_replay(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    path = changed_export(options_of(place), tmp_path, AT, CHANGES[what])
    capsys.readouterr()
    assert main(["replay", "--journal", str(path)]) == 1
    assert SENTENCE in capsys.readouterr().err


@pytest.mark.sqlite_file
@pytest.mark.parametrize("what", SHAPES)
def test_an_exported_line_of_any_other_shape_stops_its_replay_by_its_position(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The position is that which the line states; of one that states none, that which is due."""
    path = changed_export(options_of(place), tmp_path, AT, SHAPES[what])
    for end in ([], ["--until", "9"], ["--until", "2030-01-01T00:00:00Z"], ["--since", "2"], ["--published"]):
        capsys.readouterr()
        assert main(["replay", "--journal", str(path), *end]) == 1, end
        assert f"position {AT}: " in capsys.readouterr().err, end


@pytest.mark.sqlite_file
@pytest.mark.parametrize("position", [None, 0, "x", 900])
def test_a_changed_position_stops_the_replay_of_an_exported_journal(
    place: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str], position: object
) -> None:
    """Also before an end that the position lies beyond."""
    path = changed_export(
        options_of(place), tmp_path, AT, lambda line: json.dumps({**json.loads(line), "position": position}).encode()
    )
    for end in ([], ["--until", "4"], ["--until", "5"]):
        capsys.readouterr()
        assert main(["replay", "--journal", str(path), *end]) == 1, end
        sentence = f"position 900 follows position {AT - 1}" if position == 900 else f"position {AT}"
        assert sentence in capsys.readouterr().err, end


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET topic = topic WHERE rowid = 2",
        "DELETE FROM stored_events WHERE rowid = 4",
        "DELETE FROM stored_events",
    ],
)
def test_a_trigger_refuses_to_change_a_line(place: Location, statement: str) -> None:
    with pytest.raises(Exception, match="a line of the journal is never changed"):
        _run(place, statement)


def test_no_other_statement_takes_a_line_away(place: Location) -> None:
    if isinstance(place, DataDirectory):
        for statement in (
            "INSERT OR REPLACE INTO stored_events SELECT * FROM stored_events LIMIT 1",
            "INSERT OR REPLACE INTO leaves SELECT * FROM leaves LIMIT 1",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="a line of the journal is never changed"):
                _run(place, statement)
        with pytest.raises(sqlite3.IntegrityError, match="a line of the journal is never changed"):
            _run(place, "DELETE FROM leaves")
        return
    with pytest.raises(Exception, match="a line of the journal is never changed"):
        _run(place, "TRUNCATE neraca_events")


def test_a_journal_of_before_gets_the_triggers_when_it_is_opened(place: Location, clock: Clock) -> None:
    as_of_a_former_version(place)
    if not isinstance(place, DataDirectory):
        _run(place, "DROP TRIGGER unchanged ON neraca_events; ALTER TABLE neraca_events DROP COLUMN leaf")
    Journal.open(place.journal, ZONE, clock()).close()
    with pytest.raises(Exception, match="a line of the journal is never changed"):
        _run(place, "DELETE FROM stored_events")


def _run(place: Any, statement: str) -> None:  # noqa: ANN401 - a directory, or a database
    if isinstance(place, DataDirectory):
        with closing(sqlite3.connect(place.journal.path)) as db, db:
            db.execute(statement)
        return
    query = statement.replace("rowid", "notification_id").replace("stored_events", "neraca_events")
    with place.connected("hand") as db, db.transaction():
        db.execute("SET LOCAL search_path = neraca")
        db.execute(query.encode())


def test_every_new_line_has_a_salt_and_beside_it_its_leaf(place: Location) -> None:
    """The leaf is SHA-256 of a zero byte and the exported line; the salt is sixteen bytes in base64url."""
    journal = Journal.read_only(place.journal)
    salts = set()
    for position, line, leaf in journal._recorder.lines(0, 100):
        content = json.loads(line)
        assert [*content][-2:] == ["contenthash", "salt"]
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", content["salt"])
        assert leaf == hashlib.sha256(b"\0" + exported(line, position)).digest()
        salts.add(content["salt"])
    journal.close()
    assert len(salts) == len(HISTORY) + 1
