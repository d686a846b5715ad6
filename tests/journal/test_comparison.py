"""Two points of one journal: each equals its own replay, the entries between are counted, a forgery is found."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from neraca.__main__ import main
from tests.journal.folding import HISTORY
from tests.serving import NOON, Assembled, event

if TYPE_CHECKING:
    from pathlib import Path

Printed = dict[str, Any]


@pytest.fixture
def data(tmp_path: Path, neraca: Assembled) -> Path:
    """A journal of every kind of entry, two of its rules a scheme and a name of October's."""
    neraca.record(*HISTORY)
    return tmp_path / "data"


def replayed(capsys: pytest.CaptureFixture[str], *options: object) -> Printed:
    assert main(["replay", "--period", "2026-11", *map(str, options)]) == 0
    answer: Printed = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize("since", [1, 2, 3, 14, 20, 28])
def test_each_end_is_what_a_replay_of_its_own_comes_to(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], since: int
) -> None:
    """Of the stored journal and of the exported one; both ends together are one fold."""
    export = tmp_path / "journal.ndjson"
    assert main(["export", "--data", str(data), "--journal", str(export)]) == 0
    capsys.readouterr()
    for journal in (("--data", data), ("--journal", export)):
        for until in (28, len(HISTORY) + 1):
            both = replayed(capsys, *journal, "--since", since, "--until", until)
            assert both.pop("then") == replayed(capsys, *journal, "--until", since)
            both.pop("between")
            assert both == replayed(capsys, *journal, "--until", until)


@pytest.mark.usefixtures("five_days")
def test_what_lies_between_is_counted_by_what_it_bears_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By kind, for each dinas whose figures of the period it may move; an instant is one of recording."""
    data, day = tmp_path / "data", "2026-11-05T12:00:00+07:00"
    by_day = replayed(capsys, "--data", data, "--since", day)
    assert by_day["then"]["position"] == 35
    assert by_day["between"] == {
        "dinas": {"dinkes": {"task-completed": 1}, "dishub": {"event-corrected": 1}},
        "every": {},
    }
    before = replayed(capsys, "--data", data, "--since", "2026-11-05T11:59:59.999999+07:00")
    assert (before["then"]["position"], before["between"]["dinas"]["dinkes"]) == (
        3,
        {"permit-received": 1, "task-completed": 1},
    )
    assert main(["replay", "--period", "2026-10", "--data", str(data), "--since", "3"]) == 0
    october = json.loads(capsys.readouterr().out)["between"]["dinas"]["dishub"]
    assert october == {"task-completed": 30, "event-retracted": 1, "event-corrected": 1}
    assert main(["replay", "--period", "2027-01", "--data", str(data), "--since", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["between"] == {"dinas": {}, "every": {"scheme-adopted": 1}}


def test_counts_between_grow_by_one_entry_at_a_time(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts between two positions are the sum of the counts of each step between them."""

    def counted(since: int, until: int) -> Counter[tuple[str, str]]:
        between = replayed(capsys, "--data", data, "--since", since, "--until", until)["between"]
        return Counter({(dinas, kind): n for dinas, kinds in between["dinas"].items() for kind, n in kinds.items()})

    head = len(HISTORY) + 1
    steps = [counted(position, position + 1) for position in range(1, head)]
    assert sum(steps, Counter[tuple[str, str]]()) == counted(1, head)
    assert all(step.total() <= 1 for step in steps)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--since", "2000-01-01T00:00:00Z"), 1, "nothing was recorded by then"),
        (("--since", "0"), 1, "nothing was recorded by then"),
        (("--since", "kemarin"), 2, "--since: must be a position, or a time"),
    ],
)
def test_an_end_before_the_journal_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, says: str
) -> None:
    assert main(["replay", "--data", str(data), *options]) == code
    assert says in capsys.readouterr().err


def test_lines_are_compared_with_those_that_were_kept(
    neraca: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines served are those replayed; changed, missing and added lines are reported, in the digest's order."""
    neraca.record(*HISTORY)
    with neraca.reader.snapshot() as snapshot:
        lines, digest = list(snapshot.digest_lines()), snapshot.digest()
    file = tmp_path / "kept.lines"
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    same = replayed(capsys, "--data", tmp_path / "data", "--against", file)
    assert (same["digest"], same["against"]) == (digest, {"digest": digest, "differs": 0, "first": []})
    line_changed = lines[0].replace(b'"measures":{', b'"measures":{"overall_n":77,', 1)
    missing_line, extra_line = lines[1], b'{"account":["zz","","","2026-11"],"measures":{"tasks":1}}'
    file.write_bytes(b"".join(line + b"\n" for line in [line_changed, *lines[2:], extra_line]))
    against = replayed(capsys, "--data", tmp_path / "data", "--against", file)["against"]
    assert against["differs"] == 3
    assert against["first"] == [
        {"kept": line_changed.decode(), "replayed": lines[0].decode()},
        {"kept": None, "replayed": missing_line.decode()},
        {"kept": extra_line.decode(), "replayed": None},
    ]


def test_a_clock_that_was_set_back_ends_a_replay_where_it_always_did(
    october_journal: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replay ends before the first entry recorded later than the instant, even if an earlier one follows."""
    for hour in (10, 14, 9):
        october_journal.clock.set(f"{NOON[:10]}T{hour:02}:00:00+07:00")
        october_journal.record(
            event("asn-registered", f"a-{hour}", {"asn": f"a-{hour}"}, time="2026-11-24T08:00:00+07:00")
        )
    since = replayed(capsys, "--data", tmp_path / "data", "--since", f"{NOON[:10]}T12:00:00+07:00")
    until = replayed(capsys, "--data", tmp_path / "data", "--until", f"{NOON[:10]}T12:00:00+07:00")
    assert since["then"]["position"] == until["position"] == 2
