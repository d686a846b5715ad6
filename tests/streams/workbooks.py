"""Workbooks for tests, written as Excel writes them: parts of XML in a zip archive."""

import io
import zipfile
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (
    "General",
    "m/d/yyyy",
    "h:mm",
    "dd/mm/yyyy\\ hh:mm",
    "#,##0.00",
    "[$-421]dd\\ mmmm\\ yyyy;@",
    '0 "hari"',
    "[h]:mm",
)
"""Codes of number formats; a cell's style is the place in this list."""


def text(value: str, place: str) -> str:
    """A cell with a text of its own."""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(value: str, place: str, style: str = "General") -> str:
    """A cell with a number, shown by a format."""
    return f'<c r="{place}" s="{STYLES.index(style)}"><v>{value}</v></c>'


def workbook(
    *rows: str, sheets: str = "", book: str = "", parts: dict[str, str] | None = None, texts: tuple[str, ...] = ()
) -> bytes:
    """A workbook whose first visible sheet has these rows; ``parts`` replaces parts of the archive."""
    formats = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for n, code in enumerate(STYLES)
    )
    styles = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(STYLES)))
    sheets = sheets or '<sheet name="Data" sheetId="1" r:id="rId1"/>'
    shared_texts = "".join(f"<si>{item}</si>" for item in texts)
    body = "".join(f'<row r="{n}">{row}</row>' for n, row in enumerate(rows, 1))
    relation = '<Relationship Id="rId{}" Type="' + _RELATIONS + '/{}" Target="{}"/>'
    content = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">'
        + relation.format(1, "officeDocument", "xl/workbook.xml")
        + "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">{book}<sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        + relation.format(1, "worksheet", "worksheets/sheet1.xml")
        + relation.format(2, "styles", "styles.xml")
        + relation.format(3, "sharedStrings", "/xl/sharedStrings.xml")
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{formats}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs>{styles}</cellXfs><cellStyles><cellStyle name="Normal"/></cellStyles></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{shared_texts}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (content | (parts or {})).items():
            archive.writestr(name, part)
    return file.getvalue()
