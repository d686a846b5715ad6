"""A workbook of Excel (.xlsx): a bounded package of XML, of which the shared texts, the styles and one sheet are read.

Refuses what is larger than a set-up or a year of one agency needs, and any document type: no entity is ever expanded.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from xml.parsers import expat

from streams.importing.opening import ReadError

PACKED_MOST: Final = 5 << 20
UNPACKED_MOST: Final = 50 << 20
"""Bytes of all parts together that are unpacked."""
TEXTS_MOST: Final = 1_000_000
_PIECE: Final = 1 << 16
_DATE_FORMATS: Final = frozenset({14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)})
_TIME_FORMATS: Final = frozenset({18, 19, 20, 21, 45, 46, 47})
"""The built-in number formats of dates, and of times alone (ECMA-376 part 1, 18.8.30)."""
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')

Start = Callable[[str, dict[str, str]], None]


class Style(NamedTuple):
    """A number format shows a number as a date, a time of day, both or neither."""

    date: bool
    time: bool


class _Opened(NamedTuple):
    archive: zipfile.ZipFile
    path: Path
    left: list[int]
    """The number of bytes that may still be unpacked."""


class Workbook(NamedTuple):
    """An open workbook: the sheet to read, its shared texts and styles, and where its days begin."""

    package: _Opened
    sheet: str
    """The sheet's name."""
    part: str
    texts: list[str]
    styles: list[Style]
    begins_1904: bool

    def parse(self, begin: Start, end: Callable[[str], None], text: Callable[[str], None]) -> Iterator[None]:
        """Read the sheet piece by piece."""
        return _parse(self.package, self.part, begin, end, text)


@contextmanager
def workbook(path: Path, sheet_name: str | None) -> Iterator[Workbook]:
    """A workbook opened at a sheet: the one that is wanted, or the first visible one. Raises: ``ReadError``."""
    try:
        size = path.stat().st_size
        if size > PACKED_MOST:
            raise ReadError(path, 0, f"a workbook of {size:,} bytes; at most {PACKED_MOST:,} are read: save it as CSV")
        with zipfile.ZipFile(path) as archive:
            package = _Opened(archive, path, [UNPACKED_MOST])
            yield _open(package, sheet_name)
    except zipfile.BadZipFile as error:
        raise ReadError(path, 0, f"not a workbook: {error}") from error
    except OSError as error:
        raise ReadError(path, 0, error.strerror or error) from error


def _open(package: _Opened, sheet_name: str | None) -> Workbook:
    main = _main_part(package)
    place = PurePosixPath(main)
    name, relation_id, begins_1904 = _sheet_of(package, main, sheet_name)
    targets = dict(_relations(package, str(place.parent / "_rels" / f"{place.name}.rels"), "Id"))
    parts = {PurePosixPath(target).name: _part(place, target) for target in targets.values()}
    texts, styles = list[str](), list[Style]()
    if "sharedStrings.xml" in parts:
        _read_texts(package, parts["sharedStrings.xml"], texts)
    if "styles.xml" in parts:
        _read_styles(package, parts["styles.xml"], styles)
    return Workbook(package, name, _part(place, targets.get(relation_id, "")), texts, styles, begins_1904)


def _sheet_of(package: _Opened, main: str, sheet_name: str | None) -> tuple[str, str, bool]:
    """The name of the sheet to read, the id of its relation, and whether the workbook's days begin in 1904."""
    sheets, begins_1904 = list[tuple[str, str]](), False

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal begins_1904
        if name == "workbookPr":
            begins_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet":
            visible = attributes.get("state", "visible") == "visible"
            if sheet_name == attributes.get("name") or (sheet_name is None and visible):
                sheets.append((attributes.get("name", ""), attributes.get("id", "")))

    for _ in _parse(package, main, begin):
        pass
    if not sheets:
        reason = "it has no visible sheet" if sheet_name is None else f"it has no sheet {sheet_name!r}"
        raise ReadError(package.path, 0, reason)
    return *sheets[0], begins_1904


def _relations(package: _Opened, part: str, key: str) -> Iterator[tuple[str, str]]:
    """One attribute of each relation of a part, and its target."""
    names = list[tuple[str, str]]()

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            names.append((attributes.get(key, ""), attributes.get("Target", "")))

    for _ in _parse(package, part, begin):
        pass
    yield from names


def _main_part(package: _Opened) -> str:
    relations = _relations(package, "_rels/.rels", "Type")
    main = next((target.lstrip("/") for kind, target in relations if kind.endswith("/officeDocument")), "")
    if not main.endswith(".xml"):
        raise ReadError(package.path, 0, "not a workbook of Excel: save it as .xlsx or as CSV")
    return main


def _part(place: PurePosixPath, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(place.parent / target)


def _read_texts(package: _Opened, part: str, texts: list[str]) -> None:
    """The shared texts, in order; what is only a reading aid (``rPh``) is left out."""
    pieces, inside, aid = list[str](), False, False

    def begin(name: str, _attributes: dict[str, str]) -> None:
        nonlocal inside, aid
        if name == "si":
            pieces.clear()
        aid = aid or name == "rPh"
        inside = name == "t" and not aid

    def end(name: str) -> None:
        nonlocal inside, aid
        if name == "si":
            texts.append("".join(pieces))
            if len(texts) > TEXTS_MOST:
                raise ReadError(package.path, 0, f"more than {TEXTS_MOST:,} texts: save it as CSV")
        aid = aid and name != "rPh"
        inside = False

    for _ in _parse(package, part, begin, end, lambda text: pieces.append(text) if inside else None):
        pass


def _read_styles(package: _Opened, part: str, styles: list[Style]) -> None:
    """The styles of cells, by their number."""
    formats, inside = dict[int, Style](), False

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        inside = name == "cellXfs" or (inside and name != "cellStyles")
        if name == "numFmt":
            formats[int(attributes.get("numFmtId", "0"))] = style_of(attributes.get("formatCode", ""))
        elif name == "xf" and inside:
            number = int(attributes.get("numFmtId", "0"))
            built_in = Style(number in _DATE_FORMATS, number in _TIME_FORMATS or number == 22)  # noqa: PLR2004 - m/d/yy h:mm
            styles.append(formats.get(number, built_in))

    for _ in _parse(package, part, begin):
        pass


def style_of(code: str) -> Style:
    """The code of a format shows it by letters outside quotes and brackets, in its first section. `m` is month or minute."""
    letters = _QUOTED.sub("", code.partition(";")[0]).casefold()
    letters = letters.replace("general", "")
    clock = bool(set(letters) & set("hs"))
    day = bool(set(letters) & set("dy")) or ("m" in letters and not clock)
    is_duration = bool(re.search(r"\[(?:h+|m+|s+)\]", code.casefold()))
    return Style(day and not is_duration, clock or is_duration)


def _parse(
    package: _Opened,
    part: str,
    begin: Start,
    end: Callable[[str], None] = lambda _name: None,
    text: Callable[[str], None] = lambda _text: None,
) -> Iterator[None]:
    """Parse a part of a package, a piece at a time. Names come without their namespace. Raises: ``ReadError``."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: begin(
        _local(name), {_local(k): v for k, v in attributes.items()}
    )
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    try:
        with package.archive.open(part) as file:
            while piece := file.read(_PIECE):
                package.left[0] -= len(piece)
                if package.left[0] < 0:
                    raise ReadError(package.path, 0, f"it unpacks to more than {UNPACKED_MOST:,} bytes: save it as CSV")
                parser.Parse(piece)
                yield
            parser.Parse(b"", True)  # noqa: FBT003 - expat's word for the end
    except KeyError:
        raise ReadError(package.path, 0, f"not a workbook: it has no part {part!r}") from None
    except (expat.ExpatError, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise ReadError(package.path, 0, f"the workbook is damaged at {part}: {error}") from error
    yield


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse_doctype(*_: object) -> None:
    message = "it declares a document type"
    raise ValueError(message)
