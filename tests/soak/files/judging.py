"""The judge of one random file: what the importer makes of it, against what it must come to and what other readers read."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from streams.importing.rows import Mapping, ReadError, Row, read_rows
from streams.importing.sending import Importing, Refused
from streams.importing.trying import FormSink
from tests.soak.files.drawing import COLUMNS, Drawn, written

_ZONE: Final = "Asia/Jakarta"


def judged(folder: Path, file: Drawn) -> tuple[Counter[str], list[str]]:
    """What came of a file, counted, and each way in which that is wrong."""
    path, mapping = written(folder, file)
    rows, is_broken = _read(path, Mapping.load(mapping, {}))
    outcomes = [_outcome(row) for row in rows]
    counts = Counter(name for name, _ in outcomes) + Counter(rows=len(rows), files=1)
    problems = _problems(file, rows, outcomes, is_broken=is_broken)
    if file.table is not None:
        others: dict[str, Callable[[Drawn], list[list[str]]]] = {
            "csv": _by_csv,
            "DuckDB": _by_duckdb,
            "polars": _by_polars,
        }
        for name, reader in others.items():
            agrees = _agrees(reader, file)
            counts[f"files that {name} {'reads the same' if agrees else 'does not read so'}"] += 1
            if name == "csv" and not agrees:
                problems.append("Python's csv reads other cells than were written")
    return counts, problems


def _read(path: Path, mapping: Mapping) -> tuple[list[Row], bool]:
    rows, reading = list[Row](), read_rows(path, mapping, _ZONE)
    while True:
        try:
            rows.append(next(reading))
        except StopIteration:
            return rows, False
        except ReadError:
            return rows, True


def _outcome(row: Row) -> tuple[str, str]:
    if row.event is None:
        return ("skipped", "") if row.skipped else ("refused", "")
    data: Any = row.event["data"]
    instants = (str(datetime.fromisoformat(data[name]).timestamp()) for name in ("received_at", "completed_at"))
    return "event", " ".join([data["case"], *instants])


def _problems(file: Drawn, rows: list[Row], outcomes: list[tuple[str, str]], *, is_broken: bool) -> list[str]:
    problems = []
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        problems.append("the numbers of the rows have a gap")
    outcomes_told = [outcome for outcome in outcomes if outcome[0] != "refused"]
    refusal_count = len(outcomes) - len(outcomes_told)
    if file.cut:
        if outcomes_told != file.expected[: len(outcomes_told)] or refusal_count > file.refused + 1:
            problems.append("a file cut short is no beginning of the whole")
    elif is_broken or outcomes_told != file.expected or refusal_count != file.refused:
        problems.append(
            f"{len(outcomes_told)} rows told and {refusal_count} refused, for {len(file.expected)} and {file.refused}"
        )
    importing = Importing(FormSink(), _nothing, ZoneInfo(_ZONE))
    importing.run(rows, lambda _number: None)
    total = importing.total
    if total.accepted + total.duplicates + total.refused + total.skipped != len(rows):
        problems.append(f"{total} does not add up to {len(rows)} rows")
    return problems


def _nothing(_refusal: Refused) -> None:
    """A refusal is counted elsewhere."""


def _agrees(reader: Callable[[Drawn], list[list[str]]], file: Drawn) -> bool:
    try:
        return reader(file) == file.table
    except (duckdb.Error, pl.exceptions.PolarsError, csv.Error, UnicodeError):
        return False


def _text(file: Drawn) -> str:
    content = gzip.decompress(file.content) if file.name.endswith(".gz") else file.content
    return content.decode(file.encoding)


def _by_csv(file: Drawn) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(_text(file), newline=""), delimiter=file.delimiter) if row]


def _by_duckdb(file: Drawn) -> list[list[str]]:
    with NamedTemporaryFile(suffix=".csv") as copy:
        copy.write(_text(file).encode())
        copy.flush()
        columns = {f"c{number}": "VARCHAR" for number in range(len(COLUMNS))}
        table = duckdb.execute(
            "SELECT * FROM read_csv($path, delim = $delimiter, quote = '\"', escape = '\"', header = false,"
            " auto_detect = false, columns = $columns)",
            {"path": copy.name, "delimiter": file.delimiter, "columns": columns},
        ).fetchall()
    return [[cell or "" for cell in row] for row in table]


def _by_polars(file: Drawn) -> list[list[str]]:
    frame = pl.read_csv(
        io.BytesIO(_text(file).encode()), has_header=False, separator=file.delimiter, infer_schema=False
    )
    return [[cell or "" for cell in row] for row in frame.rows()]
