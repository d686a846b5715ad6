"""The faults: each one strikes a running stack and, once all partitions go on again, checks what else must hold.

A fault lasts until its ``yield``; recovery begins there, unless the fault itself has said when it was over.
"""

from __future__ import annotations

import re
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

from streams.worker.supervisor import Exit
from tests.serving import until
from tests.soak.chaos.hung import Hung
from tests.soak.chaos.segments import Withheld, again, ahead
from tests.soak.chaos.stack import RELAYS, ports_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.soak.chaos.stack import Stack

    Strike = Callable[[Stack, random.Random], Iterator[None]]

SESSION_S: Final = 10.0
"""The time after which the broker gives a silent worker's partitions to others."""


def pause(seconds: float) -> None:
    """Let a fault last."""
    threading.Event().wait(seconds)


def kill(stack: Stack, chance: random.Random) -> Iterator[None]:
    """SIGKILL to a worker: of the process that folds, or of its supervisor too, as if the machine had gone."""
    stack.kill_worker(chance.choice(sorted(stack.workers)), whole=chance.random() < 0.5)
    yield


def kill_two(stack: Stack, chance: random.Random) -> Iterator[None]:
    """SIGKILL to two workers at once."""
    for name in chance.sample(sorted(stack.workers), 2):
        stack.kill_worker(name, whole=chance.random() < 0.5)
    yield


def kill_in_rebalance(stack: Stack, chance: random.Random) -> Iterator[None]:
    """Another worker joins, and one is killed while partitions are handed over."""
    if "c" in stack.workers:
        stack.end_worker("c")
        stack.remove_worker("c")
        pause(chance.uniform(0, 12))
    stack.start_worker("c")
    pause(chance.uniform(1.5, 5))
    stack.kill_worker(chance.choice(sorted(stack.workers)), whole=chance.random() < 0.5)
    yield


def leave(stack: Stack, chance: random.Random) -> Iterator[None]:
    """A worker leaves for good; it is not missed before its session is over."""
    if "c" not in stack.workers:
        worker = stack.start_worker("c")
        stack.scaled.await_up(worker)
        until(lambda: "c" in stack.folded().values(), "c folds partitions", within_s=60)
    if chance.random() < 0.5:
        stack.end_worker("c")
    else:
        stack.worker("c").kill()
    stack.remove_worker("c")
    yield


def term(stack: Stack, chance: random.Random) -> Iterator[None]:
    """SIGTERM, and started again: it ends in time, with 0."""
    name = chance.choice(sorted(stack.workers))
    code = stack.end_worker(name)
    stack.start_worker(name)
    yield
    assert code == 0, f"SIGTERM of a worker: exit {code}"


def storm(stack: Stack, chance: random.Random) -> Iterator[None]:
    """Five to nine changes of who is there, none of them awaited."""
    partitions: list[int] = []
    for _ in range(chance.randint(5, 9)):
        change, name = chance.choice(("kill", "kill", "term", "stop", "c", "c")), chance.choice(sorted(stack.workers))
        if change == "kill":
            stack.kill_worker(name, whole=chance.random() < 0.5)
        elif change == "term":
            stack.end_worker(name)
            stack.start_worker(name)
        elif change == "stop":
            pid = stack.folding(name)
            stack.send(pid, signal.SIGSTOP)
            partitions.append(pid)
        elif "c" in stack.workers:
            stack.remove_worker("c").kill()
        else:
            stack.start_worker("c")
        pause(chance.uniform(0.2, 2.5))
        if partitions and chance.random() < 0.5:
            stack.send(partitions.pop(), signal.SIGCONT)
    for pid in partitions:
        stack.send(pid, signal.SIGCONT)
    yield


def twin(stack: Stack, chance: random.Random) -> Iterator[None]:
    """One static name started twice, the older process awake or stopped meanwhile: it waits, and folds on when the newer dies."""
    name = chance.choice(sorted(stack.workers))
    key, folding, older = stack.workers[name], stack.folding(name), stack.worker(name)
    asleep = chance.random() < 0.5
    if asleep:
        stack.send(folding, signal.SIGSTOP)
        pause(chance.uniform(0.5, 3))
    stack.scaled.await_up(stack.start_worker(name))
    if asleep:
        pause(chance.uniform(2, 14))
        stack.send(folding, signal.SIGCONT)
    until(
        lambda: "another process took the name" in older.output(), "the older process waits", within_s=60 * stack.busy
    )
    newer = stack.worker(name)
    assert newer.code is None, f"the newer one ended: {newer.output()[-2000:]}"
    assert "another process took the name" not in newer.output(), "both wait"
    if chance.random() < 0.5:
        newer.kill()
        stack.workers[name] = key
    else:
        older.kill()
    yield
    assert stack.worker(name).code is None, f"it ended too: {stack.worker(name).output()[-2000:]}"


def relay(stack: Stack, chance: random.Random) -> Iterator[None]:
    """SIGKILL to the relay whose turn it is; the other takes over, and it is started again to wait."""
    active = until(stack.relaying, "a relay has its turn")
    if chance.random() < 0.3:
        other = next(name for name in RELAYS if name != active)
        stack.scaled.kill(other)
        stack.scaled.begin(other)
    stack.scaled.kill(active)
    stack.scaled.begin(active)
    yield


def broker(stack: Stack, chance: random.Random) -> Iterator[None]:
    """SIGKILL to the broker, for some seconds; its own start counts as recovery."""
    stack.kafka.kill()
    pause(chance.uniform(2, 8))
    stack.over()
    stack.kafka.start()
    yield


def postgres(stack: Stack, chance: random.Random) -> Iterator[None]:
    """PostgreSQL is killed, or stopped, and started again."""
    (stack.postgres.kill if chance.random() < 0.6 else stack.postgres.stop)()
    stack.postgres.start()
    yield


def postgres_away(stack: Stack, chance: random.Random) -> Iterator[None]:
    """PostgreSQL is away for longer than the framework waits for an answer, with a worker killed meanwhile."""
    stack.postgres.kill()
    stack.kill_worker(chance.choice(sorted(stack.workers)), whole=chance.random() < 0.5)
    pause(50)
    stack.postgres.start()
    yield


def stop(stack: Stack, chance: random.Random, number: int = 1) -> Iterator[None]:
    """A worker is stopped for longer than its session, then goes on as if nothing had been."""
    pids = [stack.folding(name) for name in chance.sample(sorted(stack.workers), number)]
    for pid in pids:
        stack.send(pid, signal.SIGSTOP)
    pause(SESSION_S + chance.uniform(2, 10 / number))
    for pid in pids:
        stack.send(pid, signal.SIGCONT)
    yield


_FOLDS: Final = """
SELECT client_port FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE application_name LIKE 'neraca neraca!_%%' ESCAPE '!'
AND (state LIKE 'idle in transaction%%' OR (state = 'active' AND wait_event = 'ClientRead'))
AND relation = to_regclass((SELECT 'neraca_' || generation || '.accounts' FROM neraca.generations WHERE served))
"""


def stop_in_transaction(stack: Stack, chance: random.Random, number: int = 1) -> Iterator[None]:
    """A worker is stopped while its fold holds locks: the database ends the transaction, others go on."""
    with psycopg.connect(stack.scaled.database_url, autocommit=True) as db:

        def caught(name: str) -> int | None:
            pid = stack.folding(name)
            stack.send(pid, signal.SIGSTOP)
            pause(0.004)
            if {row[0] for row in db.execute(_FOLDS, ()).fetchall()} & ports_of(pid):
                return pid
            stack.send(pid, signal.SIGCONT)
            pause(chance.uniform(0.005, 0.03))
            return None

        pids = [
            until(lambda name=name: caught(name), f"worker {name} is stopped within a fold", within_s=90)  # type: ignore[misc]
            for name in chance.sample(sorted(stack.workers), number)
        ]
    pause(SESSION_S + chance.uniform(3, 10 / number))
    for pid in pids:
        stack.send(pid, signal.SIGCONT)
    yield


def hang(stack: Stack, chance: random.Random, number: int = 1) -> Iterator[None]:
    """A fold never returns: the watchdog ends its process, and the next one goes on."""
    names = chance.sample(sorted(stack.workers), number)
    with Hung.replacing(stack, names) as hung:
        for process in hung:
            process.hang()
        stack.over()
        yield
        for process in hung:
            assert process.ended(Exit.WATCHDOG), process.output()[-2000:]
            assert "lag and no progress" in process.output(), process.output()[-2000:]


def segments(stack: Stack, chance: random.Random) -> Iterator[None]:
    """Segments come twice, cut otherwise, out of order, and before their turn."""
    if chance.random() < 0.5:
        again(stack, chance)
    else:
        ahead(stack, chance)
    yield


def withheld(stack: Stack, chance: random.Random, number: int = 1) -> Iterator[None]:
    """A segment never comes: its partition stops, visibly and alone, and after ``neraca resume`` it is exact."""
    missing = Withheld.from_workers(stack, chance, number)
    missing.seen_to_stand()
    stack.scaled.command("resume")
    yield
    missing.seen_to_go_on()


WATCHED_S: Final = 40.0
"""The limit of a recovery: the watchdog's 15 s and its looks, and the start of a process on a busy machine."""
BROKER_S: Final = 75.0
"""The limit when the broker starts again: its own start took up to 48 s in the trial."""


class Kind(NamedTuple):
    """A kind of fault: its name, how it strikes, how often in a whole run, the trial's p50 and max, and the limit in seconds."""

    name: str
    strike: Strike
    count: int  # type: ignore[assignment]
    trial: str
    within_s: float = WATCHED_S

    @property
    def about(self) -> str:
        """The fault in a few words, from the docstring of its function."""
        strike = self.strike.func if isinstance(self.strike, partial) else self.strike
        words = re.split("[:;]|, (?:its|it) ", (strike.__doc__ or "").splitlines()[0])[0].rstrip(".")
        return f"{words} (two at once)" if isinstance(self.strike, partial) else words


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("kill", kill, 12, "2.4 / 8.2"),
        Kind("kill-two", kill_two, 4, "3.3 / 7.8"),
        Kind("kill-in-rebalance", kill_in_rebalance, 4, "2.3 / 13.9"),
        Kind("leave", leave, 4, "9.6 / 13.4"),
        Kind("term", term, 5, "2.1 / 3.9"),
        Kind("storm", storm, 4, "2.6 / 10.4"),
        Kind("twin", twin, 5, "1.2 / 1.9"),
        Kind("relay", relay, 20, "-"),
        Kind("broker", broker, 5, "22 / 48", BROKER_S),
        Kind("postgres", postgres, 10, "1.0 / 2.7"),
        Kind("postgres-away", postgres_away, 1, "3.8 / 9.5"),
        Kind("stop", stop, 3, "1.3 / 1.4"),
        Kind("stop-two", partial(stop, number=2), 1, "-"),
        Kind("stop-in-transaction", stop_in_transaction, 3, "1.4 / 2.2"),
        Kind("stop-two-in-transaction", partial(stop_in_transaction, number=2), 1, "-"),
        Kind("hang", hang, 2, "-"),
        Kind("hang-two", partial(hang, number=2), 1, "-"),
        Kind("segments", segments, 4, "-"),
        Kind("withheld", withheld, 1, "-"),
        Kind("withheld-two", partial(withheld, number=2), 1, "-"),
    )
}
