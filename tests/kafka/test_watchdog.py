"""The watchdog, by its clock: it cures a hang, and gives no alarm without a hang or while it could not look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from psycopg import OperationalError

from projections.segment import NotWritten
from projections.store.partitions import StoredPartition
from streams.kafka.broker import NoBroker
from streams.layouts import Layout
from streams.places.location import NoDatabase
from streams.worker import watchdog
from streams.worker.watchdog import LOOK_S, STILL_S, UNASSIGNED_S, Watch, Watchdog
from tests.kafka.guard_fold import JOURNAL, Now
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.speed("quick")

MINE: Final = frozenset({0, 1})
NONE: Final[frozenset[int]] = frozenset()
LOOKS: Final = int(STILL_S / LOOK_S) + 2
"""Enough of them to see a hang, at the pace of the watching thread."""


class Sight(dict[int, tuple[int, int, bool]]):
    """The result of one look: for each partition, its end, the next offset to read, and whether it has stopped."""

    def standing(self) -> dict[int, StoredPartition]:
        return {
            number: StoredPartition(JOURNAL, 0, read_next, "why" if reason else None)
            for number, (_, read_next, reason) in self.items()
        }

    def ends(self) -> dict[int, int]:
        return {number: end for number, (end, _, _) in self.items()}


Seen = list[tuple[float, Sight | None, frozenset[int]]]
"""Looks: seconds since the one before, the result (``None``: nothing seen), and the partitions assigned."""


BLIND: Final = (LOOK_S, None, MINE)


def looks(
    times: int,
    mine: frozenset[int] = MINE,
    after_s: float = LOOK_S,
    end: Callable[[int], int] = lambda _: 9,
    read_next: Callable[[int], int] = lambda _: 5,
) -> Seen:
    """Looks at partition 0, which has an end and is read up to somewhere, by the number of the look."""
    return [(after_s, Sight({0: (end(at), read_next(at), False), 1: (3, 3, False)}), mine) for at in range(times)]


def judged(looks: Seen, watchdog_type: type[Watchdog] = Watchdog) -> list[int]:
    """Every partition that was ever said to hang."""
    now = Now()
    dog, hanging = watchdog_type(now), set[int]()
    for after_s, sight, mine in looks:
        now.s += after_s
        if sight is None:
            dog.forget()
        else:
            hanging |= set(dog.look(sight.ends(), sight.standing(), mine))
    return sorted(hanging)


HALF: Final = LOOKS // 2
UNASSIGNED: Final = int(UNASSIGNED_S / LOOK_S) + 2
HANGS: Final[dict[str, Seen]] = {
    "no progress though there is lag": looks(LOOKS),
    "no progress though the topic grows": looks(LOOKS, end=lambda at: 9 + at),
    "no progress after some": looks(5, read_next=lambda at: at) + looks(LOOKS),
    "nothing was ever read": looks(LOOKS, read_next=lambda _: 0),
    "a hang after it could not see": [*looks(HALF), BLIND, *looks(LOOKS)],
    "nobody folds, and nothing is assigned here": looks(UNASSIGNED, NONE),
}
QUIET: Final[dict[str, Seen]] = {
    "no lag": looks(99, read_next=lambda _: 9),
    "progress, slowly": looks(99, end=lambda _: 999, read_next=lambda at: at // HALF),
    "all read in the middle": looks(HALF) + looks(1, read_next=lambda _: 9) + looks(HALF, end=lambda _: 12),
    "not for long enough": looks(LOOKS - 2),
    "it could not see in between": [*looks(HALF), BLIND] * 9,
    "it was asleep itself": looks(HALF) + looks(1, after_s=600) + looks(HALF),
    "it was asleep just now": looks(HALF) + looks(1, after_s=STILL_S),
    "its partition has stopped": [(LOOK_S, Sight({0: (9, 5, True)}), MINE)] * 99,
    "the partition is another's": looks(99, frozenset({1})),
    "it was another's until now": looks(99, frozenset({1})) + looks(HALF),
    "it was nobody's until now": looks(UNASSIGNED - 3, NONE) + looks(HALF),
    "others fold, and nothing is assigned here": looks(99, NONE, end=lambda _: 999, read_next=lambda at: at // HALF),
    "nothing is assigned here for a while": looks(UNASSIGNED - 3, NONE),
}


@pytest.mark.parametrize("what", HANGS)
def test_a_hang_is_seen(what: str) -> None:
    assert judged(HANGS[what]) == [0]


@pytest.mark.parametrize("what", QUIET)
def test_there_is_no_false_alarm(what: str) -> None:
    assert judged(QUIET[what]) == []


class Sleepless(Watchdog):
    """Planted: it does not know that it was asleep itself."""

    def look(self, ends: Mapping[int, int], standing: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        self._looked = self._clock()
        return super().look(ends, standing, mine)


class Remembering(Watchdog):
    """Planted: looks from before it was blind still count."""

    def forget(self) -> None:
        pass


class Jealous(Watchdog):
    """Planted: it judges the partitions of others."""

    def look(self, ends: Mapping[int, int], standing: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        return super().look(ends, standing, mine and frozenset(standing))


class Zealous(Watchdog):
    """Planted: a partition that was stopped is judged too."""

    def look(self, ends: Mapping[int, int], standing: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        return super().look(ends, {number: at._replace(stopped=None) for number, at in standing.items()}, mine)


class Idle(Watchdog):
    """Planted: a worker without an assignment sees nothing."""

    def look(self, ends: Mapping[int, int], standing: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        return super().look(ends, standing, mine) if mine else []


@pytest.mark.planted
@pytest.mark.parametrize(
    ("watchdog_type", "table", "what"),
    [
        (Sleepless, QUIET, "it was asleep itself"),
        (Sleepless, QUIET, "it was asleep just now"),
        (Remembering, QUIET, "it could not see in between"),
        (Jealous, QUIET, "the partition is another's"),
        (Zealous, QUIET, "its partition has stopped"),
        (Idle, HANGS, "nobody folds, and nothing is assigned here"),
    ],
)
def test_without_its_guard_the_watchdog_is_wrong(
    watchdog_type: type[Watchdog], table: dict[str, Seen], what: str
) -> None:
    assert judged(table[what], watchdog_type) != judged(table[what])


class Ended(BaseException):
    """The process would have ended."""


def watch(
    ends: Callable[[], dict[int, int]],
    standing: Callable[[], dict[int, StoredPartition]],
    layout_number: int = 1,
    stops: Mapping[int, str] | None = None,
) -> Watch:
    """A watch over stand-ins of a store, a broker and the layouts; it raises an exception to end the process."""

    class Store:
        def standing(self) -> dict[int, StoredPartition]:
            return standing()

    class Layouts:
        def is_over(self, number: int) -> bool:
            return layout_number != number

        def current(self, partitions: int) -> Layout:
            return Layout(layout_number, partitions, 0)

    def end(why: str) -> None:
        raise Ended(why)

    store: Any = Store()
    layouts: Any = Layouts()
    return Watch(
        store, Layout(1, 2, 0), layouts, ends, lambda: MINE, lambda: stops or {}, lambda _: None, lambda: None, end
    )


SIGHT: Final = Sight({0: (9, 5, False), 1: (3, 3, False)})


def looked(watch: Watch, times: int, now: Now) -> None:
    """So many looks at the pace of the watching thread."""
    dog = Watchdog(now)
    for _ in range(times):
        now.s += LOOK_S
        watch.look(dog)


def test_a_hang_ends_the_process() -> None:
    with pytest.raises(Ended, match=r"partitions \[0\] have lag and no progress"):
        looked(watch(SIGHT.ends, SIGHT.standing), LOOKS, Now())


@pytest.mark.parametrize("away", [NoBroker("away"), NotWritten("away"), NoDatabase("away"), OperationalError("away")])
def test_what_it_cannot_see_it_does_not_judge(away: Exception) -> None:
    """The broker or the database is away at every fifth look: no progress meanwhile is no hang."""
    numbers = iter(range(10**6))

    def standing() -> dict[int, StoredPartition]:
        if next(numbers) % 5 == 4:
            raise away
        return SIGHT.standing()

    looked(watch(SIGHT.ends, standing), 99, Now())


def test_an_order_to_resume_ends_the_process_that_holds_the_partition_stopped() -> None:
    """Its memory of why it stopped is older than the store's."""
    with pytest.raises(Ended, match=r"partitions \[0\] are resumed"):
        looked(watch(SIGHT.ends, SIGHT.standing, stops={0: "why"}), 1, Now())


def test_a_drained_layout_ends_the_process() -> None:
    with pytest.raises(Ended, match="layout 1 is drained"):
        looked(watch(SIGHT.ends, SIGHT.standing, layout_number=2), 1, Now())


def test_watching_that_fails_ends_the_process() -> None:
    """A watchdog that is dead is worse than a start too many."""

    def broken() -> dict[int, int]:
        raise KeyError(0)

    with pytest.raises(Ended, match=r"watching failed: KeyError\(0\)"):
        looked(watch(broken, SIGHT.standing), 1, Now())


def test_the_thread_looks_at_its_pace() -> None:
    """It is started with the process, and looks on by itself."""
    lags: list[int] = []

    def ends() -> dict[int, int]:
        lags.append(1)
        return {0: 5, 1: 3}

    watch(ends, SIGHT.standing).start()
    until(lambda: len(lags) > 1, "it looked twice", within_s=3 * watchdog.LOOK_S + 5)
