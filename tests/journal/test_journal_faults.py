"""The journal survives faults from outside: a second process, a full disk, a foreign entry, a restored backup."""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from domain.canonical import content_hash
from domain.intake.wire import read_submission
from neraca.__main__ import main
from projections.ports import LOCAL, Unavailable
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.journal.sqlite import JournalRecorder
from streams.places.directory import JournalFile
from tests.conftest import Assemble
from tests.disk import fill
from tests.faults.harness import Server
from tests.journal.desk import accept, answers_to, lines_of, received, rows, task
from tests.serving import ZONE, Assembled, Clock, until

FOREIGN = {
    "an unknown type": ("neraca.permit-dreamt.v1", {"type": "neraca.permit-dreamt.v1", "data": {}}),
    "an unknown version": ("neraca.task-completed.v2", {"type": "neraca.task-completed.v2", "data": {}}),
    "a fact never resolved": ("neraca.task-completed.v1", {"type": "neraca.task-completed.v1", "data": {"dinas": "d"}}),
    "no JSON at all": ("neraca.task-completed.v1", "\x00"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_an_entry_this_version_cannot_read_stops_the_fold_loudly(
    neraca: Assembled, tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is never skipped: entries behind it are not served, and /readyz gives its position and the reason."""
    topic, line = FOREIGN[what]
    state = (line if isinstance(line, str) else json.dumps(line)).encode()
    accept(neraca, task("t1"))
    neraca.settle()
    rows(tmp_path / "data" / "journal.sqlite", "INSERT INTO stored_events VALUES (3, 'f', 1, ?, ?)", topic, state)
    until(lambda: neraca.live.stopped, "the fold has stopped")
    assert answers_to(neraca, task("t2")) == ["accepted"]
    ready = neraca.get("/readyz")
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json() | {"reason": ""} == {"status": "stopped", "reason": "", "position": 2, "head": 4}
    assert "position 3: this version cannot read the entry there" in ready.json()["reason"]
    assert [record.levelname for record in caplog.records if record.name == "neraca.follower"] == ["CRITICAL"]
    assert neraca.get("/v1/digest").json()["position"] == 2
    assert b"neraca_fold_stopped 1.0" in neraca.get("/metrics").content


def test_a_second_process_on_the_same_data_is_refused_by_name(
    neraca: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal names the writing process; a process that only reads is admitted."""
    accept(neraca, task("t1"))
    data, mapping = str(tmp_path / "data"), str(Path(__file__).parents[2] / "examples" / "receipt-tasks.toml")
    (tmp_path / "none.csv").write_text("case,activity\n")
    for command in (["up", "--port", "0"], ["rebuild"], ["import", str(tmp_path / "none.csv"), "--map", mapping]):
        assert main([*command, "--data", data]) == 1, command
        assert f"another neraca (process {os.getpid()}) is using this directory" in capsys.readouterr().err
    for command in (["replay"], ["export", "--journal", str(tmp_path / "out.ndjson")]):
        assert main([*command, "--data", data]) == 0, command


def _limit(journal: Journal, pages: int | None) -> None:
    """Let no connection of a journal grow the file beyond some pages, or beyond what it holds now."""
    assert isinstance(journal._recorder, JournalRecorder)
    datastore = journal._recorder.datastore
    with ExitStack() as connections:
        for writes in (True, *[False] * datastore.pool.pool_size):
            db = connections.enter_context(datastore.get_connection(commit=writes))._sqlite_conn
            (now,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count={pages or now}")


def test_a_full_journal_answers_unavailable_and_recovers_in_place(tmp_path: Path, clock: Clock) -> None:
    """Nothing of a refused request is recorded; once there is room, the same request is."""
    journal = Journal.open(JournalFile(tmp_path / "journal.sqlite"), ZONE, clock())
    intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), clock)
    group = [read_submission(task(f"b{n}")) for n in range(1000)]
    try:
        _limit(journal, None)
        with pytest.raises(Unavailable, match="nothing was recorded: database or disk is full"):
            intake.submit(group, LOCAL)
        assert journal.head() == 1
        _limit(journal, 1_000_000)
        assert len(intake.submit(group, LOCAL)) == 1000
        assert [position for position, _ in journal.lines(0, 2000)] == list(range(1, 1002))
    finally:
        intake.close()
        journal.close()


def test_a_full_disk_is_answered_503_and_passes(small_disk: Path) -> None:
    """Journal and balances on one full disk: the process says so, loses nothing, and goes on when there is room."""
    data, ids = small_disk / "data", list[str]()
    with Server(data) as process:
        fill(small_disk)
        answers = {201: 0, 503: 0}
        for number in range(1, 3000):
            answer = httpx.post(
                f"{process.url}/v1/events",
                json=received(f"r{number}", f"K-{number}", asn="x" * 200),
                headers={"content-type": "application/cloudevents+json"},
            )
            answers[answer.status_code] += 1
            if answer.status_code == httpx.codes.CREATED:
                ids.append(f"r{number}")
            elif answers[503] == 3:
                break
        assert answers[503] == 3, answers
        assert answer.json()["type"].endswith("unavailable")
        (small_disk / "ballast").unlink()
        process.settle()
        digest = httpx.get(f"{process.url}/v1/digest").json()
    export = small_disk.parent / "out.ndjson"
    assert main(["export", "--data", str(data), "--journal", str(export)]) == 0
    assert [json.loads(line)["id"] for line in export.read_text().splitlines()[1:]] == ids
    assert digest["position"] == len(export.read_bytes().splitlines()) == len(ids) + 1


def test_balances_on_a_full_disk_wait_and_catch_up(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal accepts events; the fold reports that it waits, and goes on by itself when there is room."""
    data = small_disk.parent / "data"
    data.mkdir(0o700)
    small_disk.chmod(0o700)
    (data / "balances").symlink_to(small_disk)
    with Server(data) as process:
        fill(small_disk)
        for number in range(1, 11):
            answer = httpx.post(
                f"{process.url}/v1/events",
                content=json.dumps([task(f"t{number}-{index}") for index in range(50)]),
                headers={"content-type": "application/cloudevents-batch+json"},
            )
            assert answer.json() == {"accepted": 50, "duplicates": 0, "rejected": []}
        ready = httpx.get(f"{process.url}/readyz")
        assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE, ready.text
        until(lambda: "full" in httpx.get(f"{process.url}/readyz").json().get("reason", ""), "the reason why it waits")
        (small_disk / "ballast").unlink()
        process.settle()
        digest = httpx.get(f"{process.url}/v1/digest").json()
    assert main(["replay", "--data", str(data)]) == 0
    replay = json.loads(capsys.readouterr().out)
    assert digest == {"position": 501, "digest": replay["digest"]}


def _restore(assemble: Assemble, data: Path, recorded_since: int) -> None:
    """A journal put back from a backup while its balances were not, and some events recorded since then."""
    backup = data.parent / "backup.sqlite"
    neraca = assemble()
    accept(neraca, task("t1"), task("t2"))
    neraca.close()
    shutil.copy(data / "journal.sqlite", backup)
    neraca = assemble()
    accept(neraca, task("t3"), task("t4"))
    neraca.settle()
    neraca.close()
    for stale in data.glob("journal.sqlite-*"):
        stale.unlink()
    shutil.copy(backup, data / "journal.sqlite")
    for number in range(recorded_since):
        content = {"dinas": "d", "asn": "a", "task": f"n{number}", "completed_at": "2026-11-24T11:00:00+07:00"}
        content_text = json.dumps(content, separators=(",", ":")).encode()[1:-1]
        fingerprint = content_hash("neraca.task-completed.v1", "2026-11-24T04:00:00.000000Z", content)
        line = (
            b'{"type":"neraca.task-completed.v1","specversion":"1.0","source":"/x","id":"n%d","time":'
            b'"2026-11-24T11:00:00+07:00","data":{%b,"resolved":{"month":"2026-11"}},'
            b'"recordedtime":"2026-11-24T05:00:00Z","recordedby":"local","contenthash":"%b"}'
        )
        rows(
            data / "journal.sqlite",
            "INSERT INTO stored_events VALUES (NULL, ?, 1, 'neraca.task-completed.v1', ?)",
            f"n{number}",
            line % (number, content_text, fingerprint.encode()),
        )


@pytest.mark.parametrize("recorded_since", [0, 1, 2, 3])
def test_a_restored_older_journal_is_refused_until_it_is_said_to_be_restored(
    assemble: Assemble, tmp_path: Path, capsys: pytest.CaptureFixture[str], recorded_since: int
) -> None:
    """Balances never outlive the entries folded into them; ``neraca rebuild --restored`` heals it under a new id."""
    data = tmp_path / "data"
    _restore(assemble, data, recorded_since)
    assert main(["up", "--data", str(data), "--port", "0"]) == 1
    assert "Then run: neraca rebuild --restored" in capsys.readouterr().err
    before = rows(data / "journal.sqlite", "SELECT * FROM stored_events")
    assert main(["rebuild", "--restored", "--data", str(data)]) == 0
    rebuilt = json.loads(capsys.readouterr().out)
    assert main(["replay", "--data", str(data)]) == 0
    replay = json.loads(capsys.readouterr().out)
    neraca = assemble()
    assert neraca.get("/readyz").status_code == httpx.codes.OK
    assert neraca.get("/v1/digest").json() == rebuilt == {name: replay[name] for name in ("position", "digest")}
    ids = [line["data"]["journal"] for line in lines_of(neraca) if line["type"] == "neraca.journal-opened.v1"]
    assert len(set(ids)) == 2
    assert neraca.journal.id == ids[-1]
    assert rows(data / "journal.sqlite", "SELECT * FROM stored_events")[: len(before)] == before
    accept(neraca, task("t3"))
    assert neraca.settle() == rebuilt["position"] + 1
