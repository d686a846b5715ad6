"""The fold: each entry once however often it comes, all of a segment or none of it, and sums that stay exact."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from domain.intake.recorded import exported
from domain.score.scorecard import Subject
from projections.segment import Gap, Segment, WrongJournal
from projections.store.generations_sqlite import Generations
from projections.store.version import PROJECTION_VERSION
from streams.places.directory import DataDirectory
from tests.conftest import Assemble, NewStore, Places
from tests.journal.desk import accept, at, break_writes, decided, rows, standard
from tests.journal.folding import (
    HISTORY,
    NOVEMBER,
    Line,
    audited,
    content,
    counts,
    digest,
    dump,
    reader,
    segment,
    segments,
)
from tests.oracle import Oracle
from tests.serving import Assembled, Clock

pytestmark = pytest.mark.both_databases

Delivery = Callable[[Sequence[Line], list[Segment]], list[Segment]]


def recorded(folder: Path, *events: dict[str, Any]) -> list[Line]:
    """The lines of a journal that holds these events; a store is folded from lines, wherever they were recorded."""
    with Assembled(folder) as neraca:
        accept(neraca, *events)
        return neraca.journal.lines(0, 1000)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """The history, recorded."""
    return recorded(tmp_path_factory.mktemp("history"), *HISTORY)


def parsed(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as an auditor's export has them."""
    return [json.loads(exported(line, position)) for position, line in lines]


DELIVERIES: dict[str, Delivery] = {
    "once": lambda _, cut: cut,
    "each twice": lambda _, cut: [part for part in cut for _ in range(2)],
    "all again from the first": lambda _, cut: cut + cut,
    "from the first after each": lambda _, cut: [part for last in range(len(cut)) for part in cut[: last + 1]],
    "each from three before": lambda lines, cut: [segment(lines, max(part.after - 3, 0), part.last) for part in cut],
    "each from the first": lambda lines, cut: [segment(lines, 0, part.last) for part in cut],
}


@pytest.mark.speed("quick")
@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("size", [1, 1000])
def test_each_entry_counts_once_however_it_is_cut_and_delivered(
    lines: list[Line], new_store: NewStore, size: int, delivery: str
) -> None:
    """At-least-once delivery and the stored position are exactly-once in effect; the digest is the auditor's."""
    once, again = new_store("once"), new_store("again")
    once.fold(segment(lines, 0, len(lines)))
    for part in DELIVERIES[delivery](lines, list(segments(lines, size))):
        again.fold(part)
    assert content(again) == content(once)
    assert digest(again) == digest(once) == audited(lines)


@pytest.mark.speed("quick")
def test_the_store_agrees_with_the_independent_oracle(lines: list[Line], new_store: NewStore) -> None:
    store = new_store("store")
    store.fold(segment(lines, 0, len(lines)))
    assert digest(store)[1] == Oracle(parsed(lines)).digest()


@pytest.mark.speed("quick")
@pytest.mark.parametrize(("position", "after"), [(0, 1), (3, 4), (3, 9)])
def test_a_gap_is_never_applied(lines: list[Line], new_store: NewStore, position: int, after: int) -> None:
    store = new_store("store")
    if position:
        store.fold(segment(lines, 0, position))
    before = dump(store)
    with pytest.raises(Gap, match=f"entries {position + 1} to {after} are missing"):
        store.fold(segment(lines, after, len(lines)))
    assert dump(store) == before


def test_another_journal_is_never_applied(lines: list[Line], new_store: NewStore) -> None:
    """Neither the next entries nor entries already folded."""
    store = new_store("store")
    store.fold(segment(lines, 0, 5))
    before = dump(store)
    for first, last in ((5, 9), (0, 5)):
        with pytest.raises(WrongJournal, match="of journal j, the entries of journal other"):
            store.fold(segment(lines, first, last, "other"))
    assert dump(store) == before


WRITES = [
    ("accounts", "INSERT"),
    ("accounts", "UPDATE"),
    ("dinas_months", "INSERT"),
    ("dinas_months", "UPDATE"),
    ("why", "INSERT"),
    ("case_files", "INSERT"),
    ("case_files", "UPDATE"),
    ("rules", "INSERT"),
    ("sources", "UPDATE"),
]


@pytest.mark.parametrize(("table", "write"), WRITES)
def test_a_fold_that_fails_anywhere_leaves_position_and_balances(
    lines: list[Line], new_store: NewStore, table: str, write: str
) -> None:
    """All of a segment or none of it; the same segment is folded once it can be."""
    store = new_store("store")
    store.fold(segment(lines, 0, 8))
    before, rest = dump(store), segment(lines, 8, len(lines))
    mend = break_writes(store, table, write, "broken here")
    with pytest.raises(DBAPIError, match="broken here"):
        store.fold(rest)
    assert dump(store) == before
    mend()
    store.fold(rest)
    assert digest(store) == audited(lines)


def _served(directory: Path) -> tuple[int, tuple[int, str]] | None:
    """The generation, position and digest that a process started now would serve."""
    current = Generations(directory).current()
    return None if current is None else (current[0], digest(current[1]))


def test_a_generation_is_served_from_its_flip_on(lines: list[Line], tmp_path: Path) -> None:
    """A crash at any step leaves the old one served, or the new one, and whole."""
    directory = tmp_path / "balances"
    assert _served(directory) is None
    first, store = Generations(directory).begin()
    store.fold(segment(lines, 0, 9))
    assert _served(directory) is None
    Generations(directory).flip(first)
    old = (first, audited(lines[:9]))
    assert _served(directory) == old
    second, store = Generations(directory).begin()
    assert _served(directory) == old
    store.fold(segment(lines, 0, len(lines)))
    (directory / "current.new").write_bytes(b"{half a poin")
    assert _served(directory) == old
    Generations(directory).flip(second)
    assert (first, second) == (1, 2)
    assert _served(directory) == (second, audited(lines))
    Generations(directory).sweep(keep=second)
    assert _served(directory) == (second, audited(lines))
    assert not list(directory.glob("generation-1*"))


@pytest.mark.parametrize(("number", "version"), [(1, PROJECTION_VERSION + 1), (7, PROJECTION_VERSION)])
def test_balances_of_another_version_or_none_are_not_served(tmp_path: Path, number: int, version: int) -> None:
    generation, _ = Generations(tmp_path).begin()
    Generations(tmp_path).flip(generation)
    (tmp_path / "current").write_text(json.dumps({"generation": number, "version": version}))
    assert Generations(tmp_path).current() is None
    assert Generations(tmp_path).begin()[0] == generation + 1


def test_a_version_bump_folds_anew_by_itself(assemble: Assemble, places: Places, neraca: Assembled) -> None:
    """Balances another version left behind are passed over, and the journal is folded from its first entry."""
    accept(neraca, *HISTORY)
    lines = neraca.journal.lines(0, 1000)
    neraca.settle()
    neraca.close()
    place = places("data")
    if isinstance(place, DataDirectory):
        (place.path / "balances" / "current").write_text(json.dumps({"generation": 1, "version": 0}))
    else:
        rows(place, "UPDATE generations SET version = 0")
    again = assemble()
    again.settle()
    assert (again.live.generation, digest(again.live.store)) == (2, audited(lines))


LONG = "0002-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def long_lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """160 decisions, each of a case that was open for two thousand years."""
    decisions = (decided(f"d{number}", f"K-{number}", asn="a-1", received_at=LONG) for number in range(160))
    return recorded(tmp_path_factory.mktemp("long"), standard("s", 1), *decisions)


@pytest.mark.parametrize("size", [1, 1000])
def test_sums_beyond_64_bits_stay_exact(long_lines: list[Line], new_store: NewStore, size: int) -> None:
    """A balance is Python's integer; a database that counts for itself would turn it into a float."""
    store = new_store("store")
    for part in segments(long_lines, size):
        store.fold(part)
    oracle = Oracle(parsed(long_lines))
    assert digest(store) == audited(long_lines) == (len(long_lines), oracle.digest())
    (balance,) = oracle.balances.values()
    assert balance["permits_elapsed_us"] > 2**63
    with reader(store).snapshot() as snapshot:
        assert counts(snapshot, "permits") == {"disdukcapil": (160,)}


@pytest.mark.parametrize("moment", ["08:20", "09:01", "10:01", "10:29", "10:31", "12:31", "2027-01-01T00:00:00+07:00"])
def test_open_and_overdue_files_follow_the_clock_and_stand_while_paused(
    lines: list[Line], new_store: NewStore, moment: str
) -> None:
    """Counted at reading time, by dinas and by ASN, as the oracle counts them."""
    store, now = new_store("store"), at(moment)
    for part in segments(lines, 4):
        store.fold(part)
    files = Oracle(parsed(lines)).open_files(datetime.fromisoformat(now))
    with reader(store, Clock(now)).snapshot() as snapshot:
        counts_of = counts(snapshot, "permits_open", "permits_open_overdue")
        asn = {standing.subject.id: standing for standing in snapshot.asn_of("disdukcapil", NOVEMBER) or []}
    assert len(files) == 4
    for dinas, numbers in counts_of.items():
        mine = [file for file in files if file["dinas"] == dinas]
        assert numbers == (len(mine), sum(file["overdue"] for file in mine))
    for name, standing in asn.items():
        mine = [file for file in files if file["asn"] == name]
        numbers = (standing.permits_open, standing.permits_open_overdue)
        assert numbers == (len(mine), sum(file["overdue"] for file in mine))


SUBJECTS = [("dinas", "disdukcapil"), ("dinas", "dpmptsp"), ("asn", "a-1"), ("asn", "a-2")]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("kind", "name"), SUBJECTS)
def test_the_why_index_names_every_entry_that_moved_a_balance(
    lines: list[Line], new_store: NewStore, kind: str, name: str, size: int
) -> None:
    """The entries it names for a period add up to the balance; paging loses none."""
    store = new_store("store")
    for part in segments(lines, size):
        store.fold(part)
    positions = []
    for position, line in lines:
        data = json.loads(exported(line, position))["data"]
        resolution = data.get("resolved", {})
        facts = [fact["data"] for fact in (resolution.get("removes"), resolution.get("adds")) if fact] or [data]
        if any(fact.get(kind) == name and fact.get("resolved", {}).get("month") == "2026-11" for fact in facts):
            positions.append(position)
    subject = Subject("dinas" if kind == "dinas" else "asn", name)
    with reader(store).snapshot() as snapshot:
        pages, after = list[int](), 0
        while page := snapshot.positions(subject, NOVEMBER, after, 3):
            pages, after = pages + page, page[-1]
    assert pages == positions
    assert pages
