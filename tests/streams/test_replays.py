"""Replays in a process of their own: one at a time, with progress, remembered, bounded, and ended with the service."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import pytest

from projections.ports import Done, Failed, Question, Running
from streams.replays import KEPT, LINES_KEPT, Replays
from tests.serving import Clock, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER: Final = '{"position":7,"digest":"d","dinas":{}}'
WAITS: Final = f"""
import sys
print("events folded: 1,234", file=sys.stderr, flush=True)
open(sys.argv[1]).read()
print('{ANSWER}')
"""
ONE, OTHER = Question("2026-11", "7"), Question("2026-10", "7", "3")


class Waiting:
    """Replays whose command waits at a door until the test opens it."""

    def __init__(self, path: Path, limit_s: float = 60.0) -> None:
        self._door = path / "door"
        os.mkfifo(self._door)
        self.replays = Replays([sys.executable, "-c", WAITS, str(self._door)], {}, Clock(), limit_s)

    def open(self) -> None:
        """Let the command that waits go on."""
        self._door.write_bytes(b"")

    def pid(self) -> int:
        """The process that goes on."""
        run = self.replays._run
        assert run is not None
        process = until(lambda: run.process, "the command is started")
        return process.pid


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    waiting = Waiting(tmp_path)
    yield waiting
    waiting.replays.close()


def ended(replays: Replays, question: Question) -> Done | Failed:
    answers = list[Done | Failed]()

    def has_ended() -> bool:
        state = replays.ask(question, begin=False)
        if isinstance(state, Done | Failed):
            answers.append(state)
        return bool(answers)

    until(has_ended, "the replay has ended")
    return answers[0]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_goes_on_at_a_time_and_is_told_while_it_does(waiting: Waiting) -> None:
    """Another question learns that it has to wait, and begins once it is asked again."""
    replays = waiting.replays
    assert replays.ask(ONE, begin=False) is None
    first = replays.ask(ONE, begin=True)
    assert (isinstance(first, Running), getattr(first, "other", None)) == (True, False)

    def progress() -> bool:
        state = replays.ask(ONE, begin=True)
        return isinstance(state, Running) and state.events == 1234

    until(progress, "progress is told")
    other = replays.ask(OTHER, begin=True)
    assert isinstance(other, Running)
    assert other.other
    waiting.open()
    answer = ended(replays, ONE)
    assert isinstance(answer, Done)
    assert (answer.replayed.position, answer.at_us) == (7, Clock()())
    assert replays.ask(OTHER, begin=False) is None
    running = replays.ask(OTHER, begin=True)
    assert isinstance(running, Running)
    assert not running.other
    waiting.open()
    ended(replays, OTHER)
    assert [question for question, _ in replays.answers()] == [ONE, OTHER]
    assert replays.ask(ONE, begin=True) == answer, "remembered, not replayed"


def test_a_replay_does_not_go_on_for_ever(tmp_path: Path) -> None:
    """It is killed; the failure is reported once, and a new question begins it again."""
    waiting = Waiting(tmp_path, limit_s=0.2)
    waiting.replays.ask(ONE, begin=True)
    answer = ended(waiting.replays, ONE)
    assert answer == Failed("not done within 0.2 s")
    assert waiting.replays.ask(ONE, begin=False) is None
    waiting.replays.close()


def test_ending_kills_what_goes_on_and_leaves_nothing(waiting: Waiting) -> None:
    replays = waiting.replays
    replays.ask(ONE, begin=True)
    replays.keep("7", [b"a"], 1)
    pid, room = waiting.pid(), replays._file("x").parent
    assert alive(pid)
    assert room.is_dir()
    replays.close()
    assert not alive(pid)
    assert not room.exists()
    assert replays.ask(OTHER, begin=True) is None, "nothing is begun any more"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (
            "import sys; print('neraca replay: position 7 is missing', file=sys.stderr); sys.exit(1)",
            "position 7 is missing",
        ),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("print('no JSON')", "malformed"),
    ],
)
def test_why_it_failed_is_told(program: str, says: str) -> None:
    replays = Replays([sys.executable, "-c", program], {}, Clock())
    replays.ask(ONE, begin=True)
    answer = ended(replays, ONE)
    assert isinstance(answer, Failed)
    assert says in answer.why
    replays.close()


def test_a_program_that_is_not_there_fails_as_any_other() -> None:
    replays = Replays(["/nowhere/neraca"], {}, Clock())
    replays.ask(ONE, begin=True)
    answer = ended(replays, ONE)
    assert isinstance(answer, Failed)
    assert "/nowhere/neraca" in answer.why
    replays.close()


def test_the_last_answers_and_readings_are_kept() -> None:
    """The oldest go; of a reading that is gone it is no longer known that it was served."""
    replays = Replays([sys.executable, "-c", f"print('{ANSWER}')"], {}, Clock())
    for number in range(LINES_KEPT + 1):
        replays.keep(str(number), [b"%d" % number], number)
    digests = [replays.keep("9", [b"%d" % number], 9) for number in range(1)]
    assert replays.kept_at("0", digests[0]) is None
    assert replays.kept_at("9", digests[0]) == 9
    bodies = sorted(path.read_bytes() for path in replays._file("x").parent.iterdir())
    assert len(bodies) == LINES_KEPT
    questions = [Question("2026-11", str(number + 1)) for number in range(KEPT + 1)]
    for question in questions:
        replays.ask(question, begin=True)
        ended(replays, question)
    assert len(replays.answers()) == KEPT
    assert replays.ask(questions[0], begin=False) is None
    replays.close()


def test_what_is_being_compared_with_is_not_dropped(waiting: Waiting) -> None:
    replays = waiting.replays
    digest = replays.keep("7", [b"first"], 1)
    replays.ask(Question("2026-11", "7", digest=digest), begin=True)
    waiting.pid()
    for number in range(LINES_KEPT + 2):
        replays.keep(str(number), [b"%d" % number], number)
    assert replays._file(digest).read_bytes() == b"first\n"
    assert replays.kept_at("7", digest) == 1
