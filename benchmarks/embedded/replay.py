"""replay: a million events folded by `neraca replay`, beside DuckDB reading the same file and grouping the same measures."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import duckdb
import msgspec

from audit.ends import Until
from audit.journal_file import fold_file
from benchmarks.embedded.duck import agrees, statement
from benchmarks.harness import ERA, Figure, Size, command, exported_journal, pairs

if TYPE_CHECKING:
    from pathlib import Path

PAIRS: Final = 5
DUCK: Final = """
import duckdb, sys
db = duckdb.connect(config={"threads": 2})
rows = db.execute(sys.argv[2], {"path": sys.argv[1]}).fetchall()
print(len(rows))
"""


def ours(path: Path) -> float:
    """Events a second of the whole command, start and scorecards included."""
    beginning = time.perf_counter()
    exit_result = subprocess.run(command("replay", "--journal", str(path)), check=True, capture_output=True)
    took = time.perf_counter() - beginning
    return int(msgspec.json.decode(exit_result.stdout)["position"]) / took


def theirs(path: Path, count: int) -> float:
    """Events a second of a DuckDB process with two threads, start included."""
    beginning = time.perf_counter()
    subprocess.run([sys.executable, "-c", DUCK, str(path), statement()], check=True, capture_output=True)
    return count / (time.perf_counter() - beginning)


def run(size: Size) -> list[Figure]:
    """The ratio of this measurement."""
    path = exported_journal(size.facts(ERA))
    with path.open("rb") as file:
        count = sum(1 for _ in file)
    with duckdb.connect(config={"threads": 2}) as db:
        assert agrees(db.execute(statement(), {"path": str(path)}).fetchall(), fold_file(path, Until()).accounts())
    ratio = pairs(lambda: ours(path), lambda: theirs(path, count), size.count(PAIRS))
    return [Figure("replay ÷ DuckDB", ratio, 0.7, note="a million events, two cores, all measures by leaf account")]
