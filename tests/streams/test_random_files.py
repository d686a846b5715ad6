"""Random files, some of them damaged: every row is told of, with its meaning. `make soak` judges a million rows."""

from collections import Counter
from pathlib import Path

from tests.soak.files.__main__ import run
from tests.soak.files.drawing import drawn
from tests.soak.files.judging import judged


def test_every_row_of_a_random_file_is_told_of() -> None:
    """And Python's csv, DuckDB and polars read the same cells, wherever they read the file at all."""
    counts, problems = run(5_000, 1)
    assert problems == []
    assert counts["rows"] >= 5_000
    assert min(counts["event"], counts["refused"], counts["skipped"]) > 50
    for reader in ("csv", "DuckDB", "polars"):
        assert counts[f"files that {reader} reads the same"] > 10


def test_the_judge_sees_a_row_that_is_lost(tmp_path: Path) -> None:
    """Of a file that must have a row more than it has, and one less, the judge says so: it is not blind."""
    file = next(candidate for candidate in map(drawn, range(1, 50)) if not candidate.cut and candidate.expected)
    assert judged(tmp_path, file) == (Counter(judged(tmp_path, file)[0]), [])
    for wrong in (file.expected[1:], [*file.expected, file.expected[0]]):
        assert judged(tmp_path, file._replace(expected=wrong))[1] != []
