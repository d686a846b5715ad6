"""Whether what was measured is right: every account, the index of reasons, and the digest that `neraca replay` comes to."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from benchmarks.harness import ZONE, command
from benchmarks.scaled.contents import expected
from domain.measures import MEASURES
from neraca.wiring import now_us
from projections.live import Live
from projections.reading.reader import Reader
from projections.segment import At
from projections.store.vectors import balance_of
from streams.places.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.scaled.ground import Ground
    from domain.fold.postings import Account


@cache
def replayed(ground: Ground) -> str:
    """The digest of the journal folded from zero by the auditor."""
    return _replayed("--data", str(ground.prepared.path.parent))


def _replayed(*place: str) -> str:
    result = subprocess.run(command("replay", *place, "--period", "2026-06"), check=True, capture_output=True)
    return str(msgspec.json.decode(result.stdout)["digest"])


def folded_right(ground: Ground, url: str) -> None:
    """The accounts of a database are those of its journal, and so is the index of reasons. Raises: ``AssertionError``."""
    with psycopg.connect(url) as db:
        rows = db.execute("SELECT dinas, asn, service, month, measures FROM neraca_1.accounts").fetchall()
        reasons = db.execute("SELECT count(*) FROM neraca_1.why").fetchall()
    assert {tuple(row[:4]): balance_of(row[4]) for row in rows} == expected(ground)
    assert reasons[0][0] >= ground.facts


def proved(ground: Ground, url: str) -> None:
    """The digest served of a database is the replay's of the same journal in its file. Raises: ``AssertionError``."""
    assert _served(url) == replayed(ground)


def served_is_replayed(url: str) -> None:
    """The digest served of a database is the replay's of its own journal. Raises: ``AssertionError``."""
    assert _served(url) == _replayed("--database", url)


def _served(url: str) -> str:
    generations = Database(url).generations()
    current = generations.current()
    assert current is not None
    with Reader(Live("", *current, At(0)), ZoneInfo(ZONE), now_us).snapshot() as snapshot:
        digest = snapshot.digest()
    current[1].engine.dispose()
    generations.close()
    return digest


def counted_right(ground: Ground, path: Path) -> None:
    """The accounts a baseline wrote are those of the journal. Raises: ``AssertionError``."""
    accounts: dict[Account, list[int]] = {}
    for line in path.read_text().splitlines():
        key, _, values = line.partition("\t")
        dinas, asn, service, month = key.split("|")
        accounts[dinas, asn, service, month] = msgspec.json.decode(values, type=list[int])
    assert all(len(balance) == len(MEASURES) for balance in accounts.values())
    assert accounts == expected(ground)
