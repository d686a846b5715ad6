"""The file importer: rows, in a stream, become CloudEvents by a mapping.

It names each event by what its row is about, so that a file read again gives the same events. It refuses only rows that
it cannot turn into an event; whether a fact is acceptable is for the intake to decide.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import NamedTuple

from streams.importing.cells import MalformedError, read_cells
from streams.importing.checking import zone_of
from streams.importing.composing import Composer
from streams.importing.mapping import Mapping, MappingError
from streams.importing.moments import OpenDay
from streams.importing.opening import ReadError

__all__ = ["Mapping", "MappingError", "ReadError", "Row", "read_rows"]


class Row(NamedTuple):
    """The result of a data row: an event, a reason to refuse it, or a reason to skip it; exactly one of the three.

    ``number`` is the number of the row in its file, from 1; of a case that has many rows, that of the first. ``former`` is
    the id under which the former version would have recorded the event, where that may have been another one. ``day`` is the
    day of a decision or a note that its row alone does not settle.
    """

    number: int
    event: dict[str, object] | None
    refusal: str | None
    skipped: str | None
    former: str | None = None
    day: OpenDay | None = None


def read_rows(
    path: Path, mapping: Mapping, zone: str, note: Callable[[str], None] = lambda _text: None
) -> Iterator[Row]:
    """The rows of a file in its order; the same file, mapping and zone give the same events under the same ids.

    The file is read twice: its columns of times are looked at first, as far as a row may still show something of them, and
    ``note`` hears of what they show. A pipe is kept in a temporary file for that. Of the rows that share a ``one_per`` only the
    first counts. Memory grows only with distinct events and cases.
    Raises: ``MappingError`` before the first row, for a column the file lacks; ``ReadError``.
    """
    with _readable_twice(Path(path)) as source:
        yield from _rows(source, mapping, zone, note)


@contextmanager
def _readable_twice(path: Path) -> Iterator[Path]:
    """A file as it is; the content of a pipe as a file of the same name."""
    if not path.is_fifo():
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with path.open("rb") as pipe, copy.open("wb") as target:
            copyfileobj(pipe, target)
        yield copy


def _rows(path: Path, mapping: Mapping, zone: str, note: Callable[[str], None]) -> Iterator[Row]:
    compose = Composer(mapping, zone_of(mapping.zone or zone))
    with closing(_readable(path, mapping, compose)) as rows:
        for cells in rows:
            if not compose.see(cells):
                break
    for text in compose.findings():
        note(text)
    columns = list(mapping.uses())
    case = None if mapping.one_per is None else columns.index(mapping.one_per)
    cases: set[str] = set()
    for number, cells in read_cells(path, mapping, compose.is_row):
        if isinstance(cells, str):
            yield Row(number, None, cells, None)
            continue
        if case is not None:
            if cells[case] in cases:
                continue
            if cells[case].strip():
                cases.add(cells[case])
            else:
                yield Row(number, None, f"{mapping.one_per}: empty, and one event is made of each", None)
                continue
        yield _row(number, cells, compose)


def _readable(path: Path, mapping: Mapping, compose: Composer) -> Generator[Sequence[str]]:
    """The rows that can be read, up to where a file breaks off."""
    try:
        for _, cells in read_cells(path, mapping, compose.is_row):
            if not isinstance(cells, str):
                yield cells
    except ReadError as error:
        if not error.row:
            raise


def _row(number: int, cells: Sequence[str], compose: Composer) -> Row:
    why = compose.skipped(cells)
    if why is not None:
        return Row(number, None, None, why)
    try:
        event, former, day = compose.event(cells)
    except MalformedError as reason:
        return Row(number, None, str(reason), None)
    return Row(number, event, None, None, former, day)
