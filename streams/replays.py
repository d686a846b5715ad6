"""Replays for readers: the program's own command in a process of its own, one at a time, and with a time limit.

Answers are cached for later readers. The fold runs in that other process, so that no reader of figures waits for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec

from domain.fold.digest import digest_of
from domain.score.replayed import Replayed
from projections.ports import Done, Failed, Question, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LIMIT_S: Final = 1800.0
KEPT: Final = 12
"""The number of answers that are remembered."""
LINES_KEPT: Final = 3
"""The number of digests whose lines are kept: those of a province are some hundred megabytes."""
KINDNESS: Final = 10
"""The niceness of a replay: it gives way to processes that serve."""
ENDING_S: Final = 5.0
_PROGRESS: Final = re.compile(r"events folded: ([\d,]+)$")
_DECODER: Final = msgspec.json.Decoder(Replayed)


def _copied_to(lines: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """Lines, each written to a file as it goes by."""
    for line in lines:
        file.write(line + b"\n")
        yield line


class _Run:
    """The replay that is running."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.began = time.monotonic()
        self.events = 0
        self.process: subprocess.Popen[str] | None = None
        self.thread: threading.Thread | None = None


class Replays:
    """Replays of one journal; ``command`` is the command line of ``neraca replay`` that names it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        now_us: Callable[[], int],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._now_us = now_us
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._answers: OrderedDict[Question, Done] = OrderedDict()
        self._failed: dict[Question, Failed] = {}
        self._served: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self._run: _Run | None = None
        self._ending = False

    def ask(self, question: Question, *, begin: bool) -> Running | Done | Failed | None:
        """The state of a question; with ``begin`` its replay starts, unless another one is running."""
        with self._lock:
            answer = self._answers.get(question)
            if answer is not None:
                self._answers.move_to_end(question)
                return answer
            failure = self._failed.pop(question, None)
            if failure is not None:
                return failure
            if self._run is None and begin and not self._ending:
                self._run = run = _Run(question)
                run.thread = threading.Thread(target=self._answer, args=(run,), name="neraca-replay", daemon=True)
                run.thread.start()
            if self._run is None:
                return None
            took_s = time.monotonic() - self._run.began
            return Running(took_s, self._run.events, other=self._run.question != question)

    def keep(self, until: str, lines: Iterable[bytes], at_us: int) -> str:
        """Keep the digest lines that were served up to an end, for a later comparison; returns their digest."""
        with tempfile.TemporaryFile() as spool:
            digest = digest_of(_copied_to(lines, spool))
            with self._lock:
                if not self._ending:
                    if all(
                        other_digest != digest for _, other_digest in self._served
                    ):  # a replay may be reading it at this moment
                        spool.seek(0)
                        with self._file(digest).open("wb") as file:
                            shutil.copyfileobj(spool, file)
                    self._served[until, digest] = at_us
                    self._served.move_to_end((until, digest))
                self._drop()
        return digest

    def _drop(self) -> None:
        """Forget the oldest lines, except those that the running replay compares with."""
        digest_in_use = "" if self._run is None else self._run.question.digest
        for key in [key for key in self._served if key[1] != digest_in_use][: max(0, len(self._served) - LINES_KEPT)]:
            del self._served[key]
            if all(other_digest != key[1] for _, other_digest in self._served):
                self._file(key[1]).unlink(missing_ok=True)

    def kept_at(self, until: str, digest: str) -> int | None:
        """The instant at which a digest served up to an end was kept; ``None`` when it is not known here."""
        with self._lock:
            return self._served.get((until, digest))

    def kept_file(self, until: str, digest: str) -> Path | None:
        """The file of the lines that were kept; ``None`` when there is none, or it is gone."""
        with self._lock:
            return self._file(digest) if (until, digest) in self._served else None

    def answers(self) -> list[tuple[Question, Done]]:
        """The questions answered of late, newest first."""
        with self._lock:
            return sorted(self._answers.items(), key=lambda answer: -answer[1].at_us)

    def close(self) -> None:
        """End the running replay, and remove all files."""
        with self._lock:
            self._ending = True
            run = self._run
            if run is not None and run.process is not None:
                run.process.kill()
        if run is not None and run.thread is not None:
            run.thread.join(ENDING_S)
        if self._room is not None:
            self._room.cleanup()

    def _file(self, digest: str) -> Path:
        if self._room is None:
            self._room = tempfile.TemporaryDirectory(prefix="neraca-replays-")
        return Path(self._room.name) / f"{digest}.lines"

    def _command_of(self, question: Question) -> list[str]:
        command = [*self._command, "--period", question.period, "--until", question.until]
        command += ["--since", question.since] if question.since else []
        with self._lock:
            is_kept = (question.until, question.digest) in self._served
            return command + (["--against", str(self._file(question.digest))] if is_kept else [])

    def _answer(self, run: _Run) -> None:
        """Run the command to its end, and remember its answer."""
        answer: Replayed | Failed = Failed("it broke off")
        try:
            answer = self._output(run)
        except (OSError, RuntimeError, msgspec.DecodeError) as error:
            answer = Failed(str(error))
        finally:  # after any error the next question may be asked
            self._remember(run, answer)

    def _remember(self, run: _Run, answer: Replayed | Failed) -> None:
        with self._lock:
            if isinstance(answer, Failed):
                self._failed = {run.question: answer}
            else:
                self._answers[run.question] = Done(answer, time.monotonic() - run.began, self._now_us())
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
            self._run = None

    def _output(self, run: _Run) -> Replayed | Failed:
        with tempfile.TemporaryFile() as out:
            process = self._start_process(run, out)
            try:
                last = self._follow(run, process)
            finally:  # from here on nothing watches the process
                process.kill()
                code = process.wait()
            if code:
                late = time.monotonic() - run.began > self._limit_s
                return Failed(f"not done within {self._limit_s:g} s" if late else last or f"exit code {code}")
            out.seek(0)
            return _DECODER.decode(out.read())

    def _follow(self, run: _Run, process: subprocess.Popen[str]) -> str:
        """Read the process's messages until it ends, or its time is up; its last message that is no progress."""
        limit, last = threading.Timer(self._limit_s, process.kill), ""
        limit.daemon = True
        limit.start()
        assert process.stderr is not None, "asked for"  # noqa: S101 - for the type checker
        with process.stderr as messages:
            for message in messages:
                progress = _PROGRESS.match(message.strip())
                run.events = int(progress[1].replace(",", "")) if progress else run.events
                last = last if progress else message.strip() or last
        process.wait()
        limit.cancel()
        return last

    def _start_process(self, run: _Run, out: IO[bytes]) -> subprocess.Popen[str]:
        command = self._command_of(run.question)
        with self._lock:
            if self._ending:
                message = "the service is ending"
                raise OSError(message)
            run.process = process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env=self._environment,
                text=True,
                errors="replace",
            )
        with suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, KINDNESS)
        return process
