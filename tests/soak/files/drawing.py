"""Random files: a table whose meaning is known, written in one of many ways, and then damaged in places that are known."""

import gzip
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

ROWS_MOST: Final = 200
DELIMITERS: Final = ",;\t|"
ENDS: Final = ("\n", "\r\n", "\r")
ENCODINGS: Final = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "cp1252": "windows-1252", "utf-16": "utf-16"}
"""Each encoding as Python names it, and as a mapping does."""
ZONES: Final = ("Asia/Jakarta", "UTC", "Asia/Kolkata", "Pacific/Auckland", "America/New_York")
FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%d/%m/%Y %H.%M.%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d %B %Y %H:%M:%S",
    "%A, %d %b %Y pukul %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%d-%m-%y %H:%M:%S",
)
_MONTHS: Final = "Januari Pebruari Maret April Mei Juni Juli Agustus September Oktober Nopember Desember"
_SHORT: Final = "Jan Feb Mar Apr Mei Jun Jul Agt Sep Okt Nov Des"
_DAYS: Final = "Senin Selasa Rabu Kamis Jumat Sabtu Minggu"
MONTHS, SHORT, DAYS = _MONTHS.split(), _SHORT.split(), _DAYS.split()
LETTERS: Final = "abcxyz 0189-_/.éßø'"
NOTES: Final = LETTERS + '",;\t|\n"\n'
COLUMNS: Final = ("D", "S", "C", "R", "E", "N", "X")
USED: Final = frozenset("DSCRE")
PERMITS: Final = """
kind = "permit-processed"
source = "/import/fuzz"
times = ["{format}"]
zone = "{zone}"
delimiter = "{delimiter}"
encoding = "{encoding}"
blank = ["NULL"]
skip_without = "E"
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
"""


class Drawn(NamedTuple):
    """A file and its mapping, and what must come of it."""

    mapping: str
    content: bytes
    name: str
    expected: list[tuple[str, str]]
    """Of each row, in order: its outcome, and the case and the instants that it states."""
    refused: int
    """The number of lines that must be refused beside these rows."""
    cut: bool
    delimiter: str
    encoding: str
    table: list[list[str]] | None
    """The cells as every reader of CSV must read them; ``None`` of a file that is damaged."""


def drawn(seed: int) -> Drawn:
    """A file by its seed."""
    chance = random.Random(seed)  # noqa: S311 - a seed draws the same file again
    zone, pattern, delimiter = chance.choice(ZONES), chance.choice(FORMATS), chance.choice(DELIMITERS)
    encoding = chance.choice(list(ENCODINGS))
    columns = chance.sample(COLUMNS, len(COLUMNS))
    damage = chance.random() < 0.5
    table, outcomes = [list(columns)], list[tuple[str, str]]()
    for case in range(chance.randrange(1, ROWS_MOST)):
        row, outcome = _row(chance, case, pattern, ZoneInfo(zone))
        table.append([row[name] for name in columns])
        outcomes.append(outcome)
    end = chance.choice(ENDS)
    writing = _Writing(chance, delimiter, end)
    lines, refusal_count = [writing.row(table[0])], 0
    expectations = list[tuple[str, str]]()
    for cells, outcome in zip(table[1:], outcomes, strict=True):
        text, is_refused = (
            writing.damaged(cells, columns) if damage and chance.random() < 0.05 else (writing.row(cells), False)
        )
        lines.append(text)
        refusal_count += is_refused
        expectations += [] if is_refused else [outcome]
    text = end.join(lines) + (end if chance.random() < 0.9 else "")
    content = text.encode(encoding)
    name, cut = "rows.csv", False
    if chance.random() < 0.2:
        name, content = "rows.csv.gz", gzip.compress(content, 1)
        if chance.random() < 0.3:
            cut, content = True, content[: chance.randrange(40, max(41, len(content)))]
    places = {
        "format": pattern,
        "zone": zone,
        "delimiter": delimiter.replace("\t", "\\t"),
        "encoding": ENCODINGS[encoding],
    }
    whole = None if damage or cut else table
    return Drawn(PERMITS.format(**places), content, name, expectations, refusal_count, cut, delimiter, encoding, whole)


def _row(chance: random.Random, case: int, pattern: str, zone: ZoneInfo) -> tuple[dict[str, str], tuple[str, str]]:
    """The cells of a row by column, and its outcome."""
    start_time = datetime(2026, 5, 1) + timedelta(seconds=chance.randrange(8_000_000))  # noqa: DTZ001 - local; no clock changes then
    end_time = start_time + timedelta(seconds=chance.randrange(1_000_000))
    is_open = chance.random() < 0.1
    cells = {
        "D": chance.choice(["d", "dinas é"]),
        "S": "s" + _text(chance, LETTERS, 5).strip(),
        "C": str(case),
        "R": spelt(start_time, pattern),
        "E": chance.choice(["", " ", "NULL"]) if is_open else spelt(end_time, pattern),
        "N": "n" + _text(chance, NOTES, 30) if chance.random() < 0.3 else _text(chance, LETTERS, 12),
        "X": _text(chance, LETTERS, 3),
    }
    if is_open:
        return cells, ("skipped", "")
    instants = [str(moment.replace(tzinfo=zone).timestamp()) for moment in (start_time, end_time)]
    return cells, ("event", " ".join([str(case), *instants]))


def spelt(moment: datetime, pattern: str) -> str:
    """A time as an Indonesian office writes it by a format."""
    words = pattern.replace("%B", MONTHS[moment.month - 1]).replace("%b", SHORT[moment.month - 1])
    return moment.strftime(words.replace("%A", DAYS[moment.weekday()]))


def _text(chance: random.Random, letters: str, most: int) -> str:
    return "".join(chance.choices(letters, k=chance.randrange(most)))


class _Writing:
    """One writer's habits, and the faults of its rows."""

    def __init__(self, chance: random.Random, delimiter: str, end: str) -> None:
        self._chance = chance
        self._delimiter = delimiter
        self._end = end
        self._quotes = chance.choice([0.0, 0.1, 1.0])

    def row(self, cells: list[str]) -> str:
        """A row in the form of CSV."""
        return self._delimiter.join(map(self._cell, cells))

    def _cell(self, cell: str) -> str:
        needs = any(letter in cell for letter in (self._delimiter, '"', "\n", "\r"))
        if not needs and self._chance.random() >= self._quotes:
            return cell
        return '"' + cell.replace('"', '""') + '"'

    def damaged(self, cells: list[str], columns: list[str]) -> tuple[str, bool]:
        """A row with a fault, and whether it must be refused: one line, since its note is plain."""
        plain = [self._cell(cell) if name in USED else "note" for name, cell in zip(columns, cells, strict=True)]
        note = columns.index("N")
        way = self._chance.randrange(5)
        if way == 0:  # a quote that is left open
            plain[note] = '"note'
            return self._delimiter.join(plain), True
        if way == 1:  # text after a closing quote
            plain[note] = '"no"te'
            return self._delimiter.join(plain), True
        if way == 2:  # a cell too many, which says something
            return self._delimiter.join([*plain, "more"]), True
        if way == 3:  # cells too many, which are blank
            return self._delimiter.join([*plain, "", " "]), False
        plain[note] = 'no"te'  # a quote within a cell, as in 6"
        return self._delimiter.join(plain), False


def written(folder: Path, file: Drawn) -> tuple[Path, Path]:
    """The file and its mapping on disk."""
    path, mapping = folder / file.name, folder / "mapping.toml"
    path.write_bytes(file.content)
    mapping.write_text(file.mapping, encoding="utf-8")
    return path, mapping
