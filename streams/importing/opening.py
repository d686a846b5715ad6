"""Opening a file: what it holds by its first bytes, its bytes as far as they can be read, and its text.

A stream that breaks off ends like any other, and the fault is kept: the rows before it are good.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

ENCODINGS: Final = ("utf-8", "utf-16", "windows-1252")
_AHEAD: Final = 1 << 16
_SIGNS: Final = (
    (b"\xff\xfe\0\0", "UTF-32 text: save it as UTF-8"),
    (b"\0\0\xfe\xff", "UTF-32 text: save it as UTF-8"),
    (b"PK\x03\x04", "a zip archive, as workbooks are: give a workbook the name .xlsx, or unpack the archive"),
    (b"\x1f\x8b", "gzip data under another name: call it .gz"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save it as .xlsx or as CSV"),
    (b"BZh", "bzip2 data: unpack it first"),
    (b"\xfd7zXZ\0", "xz data: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstandard data: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a rar archive: unpack it first"),
    (b"%PDF", "a PDF document, which holds no rows"),
    (b"PAR1", "a Parquet file: save it as CSV"),
    (b"SQLite format 3\0", "a SQLite database: save the table as CSV"),
)
_UTF16: Final = 'UTF-16 text: save it as UTF-8, or write encoding = "utf-16" in the mapping'
_PAGES: Final = (b"<!doctype html", b"<html", b"<?xml", b"<table")


class ReadError(Exception):
    """A file cannot be read any further; ``row`` is the number of the last row that was read."""

    def __init__(self, path: Path, row: int, reason: object) -> None:
        super().__init__(f"{path}: cannot be read after row {row}: {reason}")
        self.row = row


class Stream(io.RawIOBase):
    """The bytes of a file, unpacked; after an error it ends, and ``error`` says why."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.error: Exception | None = None

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; 0 at the end, or where the file breaks off."""
        view = memoryview(buffer)  # type: ignore[arg-type] # the library's own type of a buffer begins with Python 3.12
        if self.error is not None:
            return 0
        try:
            piece: bytes = self._file.read1(len(view))  # type: ignore[attr-defined] # of both a plain and a gzip file
        except (OSError, EOFError, zlib.error) as error:
            self.error = error
            return 0
        view[: len(piece)] = piece
        return len(piece)


class Opened:
    """An open file: ``bytes`` to read from, and whether it broke off."""

    def __init__(self, path: Path, stream: Stream) -> None:
        self.path = path
        self._stream = stream
        self.bytes = io.BufferedReader(stream, _AHEAD)

    @property
    def broken(self) -> bool:
        """True if the file broke off at the place that has been reached."""
        return self._stream.error is not None

    def check(self, row: int) -> None:
        """Raises: ``ReadError`` if the file broke off after a row."""
        error = self._stream.error
        if error is not None:
            raise ReadError(self.path, row, getattr(error, "strerror", None) or error) from error

    def text(self, encoding: str) -> io.TextIOWrapper:
        """The file's text. A byte that is no text becomes a lone surrogate: it harms only the rows that use its cell."""
        name = {"utf-8": "utf-8-sig", "windows-1252": "cp1252"}.get(encoding, encoding)
        head = self.check_text(encoding)
        if name == "utf-16" and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            name = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
        return io.TextIOWrapper(self.bytes, name, "surrogateescape" if name != "utf-16" else "replace", newline="")

    def check_text(self, encoding: str) -> bytes:
        """The first bytes. Raises: ``ReadError`` if the file does not begin as text does in an encoding."""
        head = self.bytes.peek(_AHEAD)
        if not head:
            self.check(0)
        fault = _fault(head, encoding)
        if fault is not None:
            raise ReadError(self.path, 0, fault)
        return head


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A file, unpacked if its name ends with ``.gz``. Raises: ``ReadError`` if it cannot be opened."""
    try:
        file = cast("BinaryIO", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ReadError(path, 0, error.strerror or error) from error
    with file:
        yield Opened(path, Stream(file))


def _fault(head: bytes, encoding: str) -> str | None:
    """The reason why a file that begins so is no text in an encoding; ``None`` if it may be."""
    for sign, reason in _SIGNS:
        if head.startswith(sign):
            return reason
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith(_PAGES):
        return "a page of HTML or XML, which some programs call .xls: save it as CSV"
    if encoding == "utf-16":
        return None
    nulls = head[:1024].count(0)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or nulls * 4 > len(head[:1024]) > 1:
        return _UTF16
    return "binary data, not text" if nulls else None
