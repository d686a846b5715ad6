"""`neraca import` as an operator meets it: cases from public reports, what ends an import, and a check beforehand."""

import gc
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from neraca.__main__ import main
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory
from tests.conftest import Assemble
from tests.serving import Assembled, Listening, event

CASES: Final = Path(__file__).parents[1] / "data" / "cases"
OUTCOMES: Final = [
    # Reports: submersion-app#60, grocy#1655, open-data-maker#14, gdal#11863, DataBasic#176, ipt#1119, dateparser#584, pandas#20717.
    ("02-date-only", "permits-due", (3, 0, 0, 0)),
    ("08-quote-never-closed", "permits", (11, 0, 1, 0)),
    ("08-quote-closed-later", "permits", (13, 0, 1, 0)),
    ("18-trailing-comma", "permits", (1, 0, 0, 0)),
    ("18-short-row", "permits", (1, 0, 0, 0)),
    ("20-null", "20-null", (1, 0, 0, 3)),
    ("23-bulan", "23-bulan", (4, 0, 0, 0)),
    ("24-survey", "24-survey", (3, 0, 1, 0)),
]


class Operator:
    """Runs the command in this process, and reads what it prints and records."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._capsys = capsys
        self.told = ""

    def take(
        self, file: Path | str, mapping: Path | str, *options: str, to: str | None = None
    ) -> tuple[int, list[str]]:
        """The exit code of an import, and the lines on standard output."""
        place = ["--data", str(self.data)] if to is None else ["--url", to]
        paths = [
            str(path_or_name if isinstance(path_or_name, Path) else CASES / path_or_name)
            for path_or_name in (file, mapping)
        ]
        code = main(["import", paths[0], "--map", paths[1], *place, *options])
        output = self._capsys.readouterr()
        self.told = output.err
        return code, output.out.splitlines()

    def recorded(self) -> list[dict[str, Any]]:
        """The data of all facts, with their resolved values."""
        journal = Journal.read_only(DataDirectory(self.data).journal)
        try:
            return [msgspec.json.decode(line)["data"] for _, line in journal.lines(1, 10_000)]
        finally:
            journal.close()


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """The command settles the memory of its process, which here is that of all tests: that is undone."""
    monkeypatch.setenv("NERACA_ZONE", "Asia/Jakarta")
    thresholds = gc.get_threshold()
    yield Operator(tmp_path, capsys)
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def last(*counts: int) -> str:
    names = ("accepted", "duplicates", "refused", "skipped")
    return " ".join(f"{name}={count}" for name, count in zip(names, counts, strict=True))


@pytest.mark.parametrize(("file", "mapping", "counts"), OUTCOMES)
def test_each_public_case_comes_to_its_right_value(
    operator: Operator, file: str, mapping: str, counts: tuple[int, int, int, int]
) -> None:
    """A check says the same beforehand; and the file again is known, row by row."""
    for options in (["--check"], []):
        code, lines = operator.take(f"{file}.csv", f"{mapping}.toml", *options)
        assert (code, lines[-1]) == (0, last(*counts)), operator.told
    code, lines = operator.take(f"{file}.csv", f"{mapping}.toml")
    assert (code, lines) == (0, [last(0, counts[0], counts[2], counts[3])])


def test_a_zone_written_as_a_letter_is_refused_before_a_row_is_read(operator: Operator) -> None:
    assert operator.take("01-zone-literal.csv", "01-zone-literal.toml") == (2, [])
    assert "'%Y-%m-%dT%H:%M:%S%z', which reads the zone" in operator.told
    toml = (CASES / "01-zone-literal.toml").read_text(encoding="utf-8")
    for literal in ("Z", " UTC", " GMT"):
        toml = toml.replace(f"%S{literal}", f"%S{literal[:-1].strip('UTCGM')}%z")
    better_mapping = operator.folder / "mended.toml"
    better_mapping.write_text(toml, encoding="utf-8")
    assert operator.take("01-zone-literal.csv", better_mapping) == (0, [last(3, 0, 0, 0)])
    assert {data["received_at"] for data in operator.recorded()} == {"2026-03-31T16:00:00+00:00"}
    assert {data["resolved"]["month"] for data in operator.recorded()} == {"2026-04"}


def test_a_due_date_holds_all_day_and_a_same_day_completion_counts(operator: Operator) -> None:
    operator.take("02-date-only.csv", "permits-due.toml")
    assert [data["resolved"]["on_time"] for data in operator.recorded()] == [True, True, True]
    assert operator.recorded()[2]["completed_at"] == "2026-03-02T10:15:00+07:00"


def test_tasks_under_a_better_mapping_stay_two(operator: Operator) -> None:
    assert operator.take("03-tasks.csv", "03-tasks.toml") == (0, [last(2, 0, 0, 0)])
    assert operator.take("03-tasks.csv", "03-tasks-due.toml") == (0, [last(0, 0, 2, 0)])
    assert operator.take("03-tasks.csv", "03-tasks-due.toml", "--correct") == (0, [last(2, 0, 0, 0)])
    assert "corrections among the accepted: 2" in operator.told
    assert operator.take("03-tasks-utc.csv", "03-tasks-due.toml") == (0, [last(0, 2, 0, 0)])


def rows(count: int) -> str:
    lines = (f"d,s,{n},2026-03-01 08:00:00,2026-03-01 10:00:00\n" for n in range(count))
    return "D,S,C,R,E\n" + "".join(lines)


def test_what_was_read_of_a_broken_file_is_recorded_and_counted(operator: Operator) -> None:
    """900 rows without the end of their gzip stream: code 1, and the last line says what is recorded."""
    path = operator.folder / "cut.csv.gz"
    path.write_bytes(gzip.compress(rows(900).encode())[:-700])
    code, lines = operator.take(path, "permits.toml")
    tally = dict(pair.split("=") for pair in lines[-1].split())
    assert code == 1
    assert int(tally["accepted"]) == len(operator.recorded()) > 500
    assert f"cannot be read after row {sum(map(int, tally.values()))}: " in operator.told


@pytest.mark.parametrize(
    "content", [rows(3).encode("utf-16"), gzip.compress(rows(3).encode(), mtime=0), b"PK\x03\x04", b""]
)
def test_a_file_that_cannot_be_read_ends_with_code_1(operator: Operator, content: bytes) -> None:
    path = operator.folder / "rows.csv"
    path.write_bytes(content)
    assert operator.take(path, "permits.toml") == (1, [last(0, 0, 0, 0)])
    assert "cannot be read after row 0" in operator.told


def test_a_check_records_nothing_and_says_what_would_come(operator: Operator) -> None:
    """The first twenty events, the counts, the refusals of the intake; a directory that is not there is not made."""
    path = operator.folder / "rows.csv"
    path.write_text(rows(30) + f"d,s,0,2026-03-01 08:00:00,2026-03-01 11:00:00\nd,{'9' * 16},x,,\n", encoding="utf-8")
    code, lines = operator.take(path, "permits.toml", "--check")
    assert (code, lines[-1]) == (0, last(30, 0, 2, 0))
    assert [json.loads(line)["data"]["case"] for line in lines[:-1]] == [str(n) for n in range(20)]
    assert "row 31 refused: was recorded before and says something else" in operator.told
    assert "nothing was recorded" in operator.told
    assert not operator.data.exists()
    assert operator.take(path, "permits.toml") == (0, [last(30, 0, 2, 0)])
    before = operator.recorded()
    assert operator.take(path, "permits.toml", "--check")[1][-1] == last(0, 30, 2, 0)
    assert operator.recorded() == before


def test_a_check_of_a_service_looks_at_the_form_alone(operator: Operator, assemble: Assemble) -> None:
    """No request is made: what the service holds is not known, and nothing reaches it."""
    path = operator.folder / "rows.csv"
    path.write_text(rows(2) + f"d,s,{'9' * 16},2026-03-01 08:00:00,2026-03-01 10:00:00\n", encoding="utf-8")
    neraca = assemble()
    with Listening(neraca) as listening:
        code, lines = operator.take(path, "permits.toml", "--check", to=listening.url)
    assert (code, lines[-1], len(lines)) == (0, last(2, 0, 1, 0), 4)
    assert "looks like a NIK or NIP" in operator.told
    for limit in ("recorded already", "received, decided or paused", "registered", "standard", "the token may send"):
        assert limit in operator.told.partition("not known")[0]
    assert "nothing was recorded: this was a check of the form alone" in operator.told
    assert neraca.journal.head() == 1


def test_a_check_reads_a_directory_that_a_running_service_holds(operator: Operator) -> None:
    """It sees what the service has recorded, and the service records on meanwhile and afterwards."""
    path = operator.folder / "rows.csv"
    path.write_text(rows(2), encoding="utf-8")
    assert operator.take(path, "permits.toml")[0] == 0
    path.write_text(rows(3), encoding="utf-8")
    with Assembled(operator.data) as neraca:
        head = neraca.journal.head()
        with neraca.journal.appending():  # the service is in the middle of recording
            code, lines = operator.take(path, "permits.toml", "--check")
        assert (code, lines[-1]) == (0, last(1, 2, 0, 0))
        assert neraca.journal.head() == head


def test_a_check_of_another_zone_is_refused(operator: Operator) -> None:
    path = operator.folder / "rows.csv"
    path.write_text(rows(2), encoding="utf-8")
    assert operator.take(path, "permits.toml")[0] == 0
    code, _ = operator.take(path, "permits.toml", "--check", "--zone", "UTC")
    assert code != 0
    assert "counts its months in Asia/Jakarta" in operator.told


PROMISE: Final = {"service": "s", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}


def test_an_import_says_before_and_after_that_facts_have_no_standard(operator: Operator) -> None:
    """Permits of one service; once a standard of their time is recorded, another file is imported without a word."""
    file = operator.folder / "permits.csv"
    file.write_text(
        "D,S,C,R,E\n" + "d,s,1,2026-03-02 08:00,2026-03-02 10:00\nd,s,2,2026-03-02 08:00,2026-03-02 10:00\n"
    )
    assert operator.take(file, "permits.toml")[0] == 0
    before, _, after = operator.told.partition("rows without a standard of their time: 2")
    assert "no standard of its time is recorded for s of d" in before
    assert "neraca resolve" in before
    assert "neraca resolve" in after
    with Assembled(operator.data) as neraca:
        neraca.record(event("standard-set", "std", PROMISE))
    file.write_text("D,S,C,R,E\n" + "d,s,3,2026-03-02 08:00,2026-03-02 10:00\n")
    assert operator.take(file, "permits.toml")[0] == 0
    assert "no standard" not in operator.told


def test_an_import_into_a_service_says_afterwards_that_facts_have_no_standard(
    operator: Operator, assemble: Assemble
) -> None:
    file = operator.folder / "permits.csv"
    file.write_text("D,S,C,R,E\n" + "d,s,1,2026-03-02 08:00,2026-03-02 10:00\n")
    with Listening(assemble()) as listening:
        assert operator.take(file, "permits.toml", to=listening.url)[0] == 0
    assert "rows without a standard of their time: 1" in operator.told


@pytest.fixture
def busy() -> Iterator[tuple[str, list[int]]]:
    """A service that is not ready twice, then takes everything; its address, and the statuses it gave."""
    statuses: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events = self.rfile.read(int(self.headers["content-length"])).splitlines()
            statuses.append(503 if len(statuses) < 2 else 200)
            body = b'{"accepted":%d,"duplicates":0,"rejected":[]}' % len(events)
            self.send_response(statuses[-1])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", statuses
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_import_says_that_it_waits_and_why(operator: Operator, busy: tuple[str, list[int]]) -> None:
    path = operator.folder / "rows.csv"
    path.write_text(rows(1), encoding="utf-8")
    url, statuses = busy
    code, lines = operator.take(path, "permits.toml", to=url)
    assert code == 0
    assert statuses[:3] == [503, 503, 200]
    assert operator.told.count("503") >= 1
    assert lines[-1].startswith("accepted=")
