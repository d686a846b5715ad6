"""The shipped mappings for an Indonesian Excel: each reads what such a program writes, as CSV and as a workbook."""

from pathlib import Path
from typing import Any, Final

import pytest

from domain.intake.wire import submission_or_refusal
from domain.refusal import Refusal
from streams.importing.rows import Mapping, Row, read_rows
from tests.streams.workbooks import number, text, workbook

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
PERMITS: Final = """OPD;Layanan;Nomor Berkas;Tanggal Masuk;Tanggal Selesai;Tanggal Janji;Hasil;Catatan
dpmptsp;pbg;0017;02/03/2026 08:15;31/03/2026 14.30;31/03/2026;Terbit;"baris satu
baris dua; caf\xe9"
dpmptsp;pbg;0018;02/03/2026 08:15;02/03/2026;31/03/2026;Ditolak;
dpmptsp;pbg;0019;02/03/2026 08:15;NULL;-;;
dpmptsp;pbg;0020;2 Maret 2026;4 Agustus 2026;00/00/0000;Disetujui;
"""
TASKS: Final = """No;OPD;ID ASN;Tugas;Diberikan;Tenggat;Selesai
1;dlh;a-1;pohon;01/03/2026;02/03/2026;02/03/2026
2;dlh;a-1;pohon;01/03/2026;02/03/2026;02/03/2026 16:00
3;dlh;a-1;pohon;01/03/2026;02/03/2026;
"""
SURVEY: Final = """OPD;Periode;No;Tanggal;Persyaratan;Prosedur;Waktu;Biaya;Produk;Kompetensi;Perilaku;Sarana;Pengaduan
disdukcapil;2026-I;1;31/03/2026;4;3;4,0;4;3;3;4;-;NULL
disdukcapil;2026-I;2;31/03/2026;3,5;3;4;4;3;3;4;4;4
"""


def rows_of(folder: Path, content: bytes, example: str, name: str = "rows.csv") -> list[Row]:
    path = folder / name
    path.write_bytes(content)
    return list(read_rows(path, Mapping.load(EXAMPLES / example, {}), "Asia/Jakarta"))


def events_of(rows: list[Row]) -> list[dict[str, Any]]:
    """The data of the events, each of which an intake takes."""
    events: list[dict[str, Any]] = [row.event for row in rows if row.event is not None]
    assert not any(isinstance(submission_or_refusal(event), Refusal) for event in events)
    return [event["data"] for event in events]


def test_permits_of_an_indonesian_excel(tmp_path: Path) -> None:
    """A promised day holds until it is over; a permit that was decided on the day it came in is decided after it came."""
    rows = rows_of(tmp_path, PERMITS.encode("cp1252"), "excel-izin.toml")
    first, second, third = events_of(rows)
    assert [row.skipped for row in rows if row.skipped] == ["Tanggal Selesai: empty"]
    assert first == {
        "dinas": "dpmptsp",
        "service": "pbg",
        "case": "0017",
        "received_at": "2026-03-02T08:15:00+07:00",
        "completed_at": "2026-03-31T14:30:00+07:00",
        "due_at": "2026-03-31T23:59:59.999999+07:00",
        "outcome": "issued",
    }
    assert (second["completed_at"], second["outcome"]) == ("2026-03-02T08:15:00+07:00", "rejected")
    assert (third["received_at"][:10], third["completed_at"][:10]) == ("2026-03-02", "2026-08-04")
    assert "due_at" not in third


def test_tasks_of_an_indonesian_excel(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, TASKS.encode("cp1252"), "excel-tugas.toml")
    first, second = events_of(rows)
    assert first["due_at"] == second["due_at"] == "2026-03-02T23:59:59.999999+07:00"
    assert (first["completed_at"], second["completed_at"][11:16]) == ("2026-03-02T00:00:00+07:00", "16:00")
    assert len({str(row.event["id"]) for row in rows if row.event}) == 2


def test_a_survey_of_an_indonesian_excel(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, SURVEY.encode("cp1252"), "excel-skm.toml")
    (answers,) = events_of(rows)
    assert answers["survey"] == "2026-I 1"
    assert answers["unsur"] == {
        "persyaratan": 4,
        "prosedur": 3,
        "waktu": 4,
        "biaya": 4,
        "produk": 3,
        "kompetensi": 3,
        "perilaku": 4,
    }  # a missing answer is left out
    assert rows[1].refusal == "unsur.persyaratan: '3,5' is not a whole number"


@pytest.mark.parametrize("style", ["m/d/yyyy", "[$-421]dd\\ mmmm\\ yyyy;@"])
def test_the_same_list_as_a_workbook(tmp_path: Path, style: str) -> None:
    names = PERMITS.partition("\n")[0].split(";")
    places = [f"{letter}1" for letter in "ABCDEFGH"]
    headings = "".join(map(text, names, places))
    cells = [
        text("dpmptsp", "A2"),
        text("pbg", "B2"),
        text("0017", "C2"),
        number("46083.34375", "D2", "dd/mm/yyyy\\ hh:mm"),
        text("31/03/2026 14.30", "E2"),
        number("46112", "F2", style),
        text("Terbit", "G2"),
    ]  # a workbook mixes dates that Excel knows with dates that are text
    rows = rows_of(tmp_path, workbook(headings, "".join(cells)), "excel-izin.toml", "rows.xlsx")
    (data,) = events_of(rows)
    assert data == events_of(rows_of(tmp_path, PERMITS.encode("cp1252"), "excel-izin.toml"))[0]
