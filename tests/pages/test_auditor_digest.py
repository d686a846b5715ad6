"""The auditor's desk, digest beside digest: a lie is found, a note is checked, the journal is taken away; for nobody else."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from neraca.__main__ import main
from projections.store.schema import ACCOUNTS
from tests.api.facts import permit
from tests.pages.asking import (
    CHANGED,
    FIRST,
    NAMES,
    QUIET,
    answer,
    offline,
    record,
    waited,
)
from tests.pages.messages import ID
from tests.pages.reading import FAR, Page, figure, page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Assembled


@pytest.mark.both_databases
def test_a_balance_that_was_changed_by_hand_is_found(own_october: tuple[Assembled, dict[str, Any]]) -> None:
    """The digest served is then not the one replayed; where, and by how much, stands beneath."""
    neraca, _ = own_october
    with neraca.live.store.engine.begin() as db:
        account_row = db.execute(
            select(ACCOUNTS).where(ACCOUNTS.c.dinas == CHANGED, ACCOUNTS.c.service == "kir")
        ).first()
        assert account_row is not None
        measures = json.loads(account_row.measures)
        lie = {**measures, "permits_on_time": measures["permits_on_time"] + 1}
        db.execute(
            update(ACCOUNTS)
            .where(ACCOUNTS.c.id == account_row.id)
            .values(measures=json.dumps(lie, separators=(",", ":")))
        )
    _, html = answer(neraca, "/auditor?period=2026-10&check=1")
    assert "✕ berbeda" in html
    assert ID("auditor.differs", n=1, shown=1) in html
    row = Page(html).row(NAMES[CHANGED])
    assert row == [
        f"{NAMES[CHANGED]} · kir · {account_row.month}",
        "sesuai standar",
        str(measures["permits_on_time"] + 1),
        str(measures["permits_on_time"]),
    ]


def test_a_digest_from_a_note_is_compared_at_its_position(own_october: tuple[Assembled, dict[str, Any]]) -> None:
    """As a person copies it: groups, capitals, points in its position. A wrong letter is reported; checks are listed."""
    neraca, _ = own_october
    note = neraca.get("/v1/digest").json()
    record(neraca, permit(QUIET, 24))
    digest = " ".join(re.findall(".{8}", note["digest"].upper()))
    address = f"/auditor?period=2026-10&digest={digest}&until={figure(note['position'], 0)}"
    html = waited(neraca, address)
    assert "✓ sama, 64 dari 64 karakter" in html
    assert ID("auditor.noted") in html
    wrong = ("0" if note["digest"][0] != "0" else "1") + note["digest"][1:]
    html = waited(neraca, f"/auditor?period=2026-10&digest={wrong}&until={note['position']}")
    assert "✕ berbeda" in html
    assert ID("auditor.different_note") in html
    others = Page(html.partition("Pemeriksaan lain")[2])
    assert others.row(ID("auditor.noted"))[1:] == [
        figure(note["position"], 0),
        f"{note['digest'][:16]}…",
        f"{note['digest'][:16]}…",
        "✓ sama, 64 dari 64 karakter",
    ]


def test_a_page_does_not_take_an_addresss_word_for_what_was_served(october_journal: Assembled) -> None:
    """Only a digest that this service read of itself is called served."""
    head = october_journal.settle()
    digest = october_journal.get("/v1/digest").json()["digest"]
    made_up = waited(october_journal, f"/auditor?period=2026-10&digest={digest}&until={head}")
    assert ID("auditor.noted") in made_up
    assert "Yang disajikan layanan" not in made_up
    _, html = answer(october_journal, "/auditor?check=1")
    assert "Yang disajikan layanan, dibaca 1 Okt 2026, 12.00.00 WIB" in html


@pytest.mark.parametrize("upto", [None, 1, 40])
def test_the_downloaded_journal_replays_to_the_served_digest(
    own_october: tuple[Assembled, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], upto: int | None
) -> None:
    """It equals the command's export, byte for byte; for an earlier position, the beginning of the export."""
    neraca, _ = own_october
    download = neraca.get("/auditor/journal.ndjson" + (f"?until={upto}" if upto else ""))
    assert download.headers["content-type"] == "application/x-ndjson"
    export = tmp_path / "exported.ndjson"
    data = str(tmp_path / "data")
    assert main(["export", "--data", data, "--journal", str(export)]) == 0
    capsys.readouterr()
    lines = export.read_bytes().splitlines(keepends=True)
    assert download.content == b"".join(lines[:upto])
    result = offline(tmp_path, capsys, download.content, "neraca replay --journal jurnal.ndjson --period 2026-10")
    assert result["position"] == (upto or neraca.journal.head())
    if upto is None:
        assert result["digest"] == neraca.get("/v1/digest").json()["digest"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("position=0", "Posisi “0” tidak ada"),
        ("position=999999", "Posisi “999999” tidak ada"),
        ("position=satu", "Posisi “satu” tidak ada"),
        ("at=2026-10-01T11:59", "Saat “2026-10-01T11:59” tidak dapat dipakai"),
        ("at=2026-11-24T12:01", "Saat “2026-11-24T12:01” tidak dapat dipakai"),
        ("at=kemarin", "Saat “kemarin” tidak dapat dipakai"),
        ("at=2026-11-02T00:00&period=2026-13", "Periode “2026-13” tidak dikenal"),
        ("until=1&period=2026-13", "Periode “2026-13” tidak dikenal"),
        ("until=0", "“0” bukan posisi"),
        ("until=999999", "“999999” bukan posisi"),
        ("until={}", "“{}” bukan posisi"),
        ("until=1&since=2", "“2” bukan posisi atau saat"),
        ("until=1&since=kemarin", "“kemarin” bukan posisi atau saat"),
        ("until=1&digest=abc", "“abc” bukan digest"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(october_journal: Assembled, query: str, says: str) -> None:
    october_journal.settle()
    october_journal.clock.set("2026-11-24T12:00:00+07:00")
    view = page(october_journal, f"/auditor?{query}", 422)
    assert view.all("h1") == ["Alamat tidak dapat dijawab"]
    assert any(says in text for text in view.all("p")), view.all("p")
    assert october_journal.replays.ask(FIRST, begin=False) is None, "nothing goes on"


@pytest.mark.parametrize(
    "path",
    [
        "/auditor",
        "/auditor?check=1",
        "/auditor?until=1",
        "/auditor/journal.ndjson",
        "/auditor/differences.csv?until=1",
        "/auditor/digest.ndjson",
    ],
)
def test_a_stranger_sees_and_starts_nothing(october_journal: Assembled, path: str) -> None:
    october_journal.settle()
    refusal = october_journal.get(path, **FAR)
    assert (refusal.status_code, Page(refusal.text).all("h1")) == (401, ["Perlu token"])
    reader = october_journal.token("pembaca", "read")
    assert october_journal.get(path, headers={"authorization": reader}, **FAR).status_code == 403
    assert october_journal.replays.ask(FIRST, begin=False) is None
    auditor = october_journal.token("inspektorat", "audit")
    assert october_journal.get(path, headers={"authorization": auditor}, **FAR).status_code in (200, 303)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-purpose": "prefetch;prerender"}])
@pytest.mark.parametrize("path", ["/auditor?check=1", "/auditor?period=2026-10&until=1"])
def test_only_a_reader_starts_a_replay(october_journal: Assembled, headers: dict[str, str], path: str) -> None:
    """Not a page of another site that names the address, nor a browser that loads ahead."""
    october_journal.settle()
    response = october_journal.get(path, headers=headers)
    assert response.status_code == (401 if "sec-fetch-site" in headers else 200), "a call of another site is nobody's"
    assert "sedang memutar ulang" not in response.text
    assert october_journal.replays.ask(FIRST, begin=False) is None


def test_the_lines_that_were_served_hash_to_their_digest(
    october_journal: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any tool proves it; and the command compares them with what the journal comes to."""
    october_journal.settle()
    address, html = answer(october_journal, "/auditor?check=1")
    link = next(link for link in Page(html).links if link.startswith("/auditor/digest.ndjson"))
    download = october_journal.get(link)
    assert hashlib.sha256(download.content).hexdigest() == parse_qs(urlsplit(address).query)["digest"][0]
    (tmp_path / "served.ndjson").write_bytes(download.content)
    assert main(["replay", "--data", str(tmp_path / "data"), "--against", str(tmp_path / "served.ndjson")]) == 0
    assert json.loads(capsys.readouterr().out)["against"]["differs"] == 0
    unknown = october_journal.get(f"/auditor/digest.ndjson?until=1&digest={'0' * 64}")
    assert (unknown.status_code, unknown.headers["location"]) == (303, f"/auditor?until=1&digest={'0' * 64}")
