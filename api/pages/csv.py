"""Tables as CSV for a spreadsheet: UTF-8 with its mark, and no cell that a spreadsheet would run as a formula.

In Indonesian, semicolons and decimal commas, as spreadsheets there expect; in English RFC 4180 as it stands.
"""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from fastapi import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from api.pages.catalog import Code

Cell = str | int | Decimal | None
RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""Marks that no text may begin with, four of them in full width: each begins a formula or a command somewhere."""
_RUNS_WITHIN: Final = re.compile(rf"([;,\t]\s*)(?=[{re.escape(''.join(RUNS))}])")
"""The places where a spreadsheet with another separator than this file's would begin a cell."""
_UNSAFE_IN_NAMES: Final = re.compile(r"[^a-z0-9.-]+")


def as_text(cell: Cell, code: Code) -> str:
    """A cell as written: figures as figures, text never as a formula, and nothing for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        safe = _RUNS_WITHIN.sub(r"\1'", cell)
        return f"'{safe}" if cell.lstrip().startswith(RUNS) or cell.startswith(RUNS) else safe
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return text.replace(".", ",") if code == "id" else text


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]], code: Code) -> bytes:
    """A table with its head."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if code == "id" else ",", lineterminator="\r\n")
    writer.writerow([as_text(cell, code) for cell in head])
    writer.writerows([as_text(cell, code) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def csv_response(
    name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], code: Code, headers: Mapping[str, str] | None = None
) -> Response:
    """A table to keep as a file of that name."""
    file = _UNSAFE_IN_NAMES.sub("-", name.lower()).strip("-") or "neraca"
    as_file = {"content-disposition": f'attachment; filename="{file}.csv"'}
    return Response(as_csv(head, rows, code), 200, {**(headers or {}), **as_file}, "text/csv; charset=utf-8")
