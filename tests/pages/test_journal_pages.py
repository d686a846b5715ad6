"""The journal's pages: every entry once, in plain words, each with what it takes to prove it; for an auditor alone."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlencode

import pytest

from api.pages.auditor import search as journal_search
from domain.events.entries import decode
from domain.fold.postings import postings_of
from streams.journal import searching
from tests.pages.city import BUSY, FAST, NAMES, ODD
from tests.pages.messages import ID
from tests.pages.reading import FAR, Page, journal_rows, older, page
from tests.serving import ZONE, Assembled, event

pytestmark = pytest.mark.speed("test")


def test_the_whole_journal_page_by_page_is_the_journal(small: Assembled) -> None:
    """The newest first, each position once, each hash the entry's own, each position a link to its entry."""
    positions, links, path = list[int](), list[str](), "/auditor/journal"
    while path:
        view = page(small, path)
        for row in journal_rows(view):
            position = int(row[0].replace(".", ""))
            positions.append(position)
            line = json.loads(small.journal.lines_at([position])[position])
            assert row[6] == (line["contenthash"].partition(":")[2] or line["id"])[:8]
            assert row[5] == line["recordedby"]
        links += [link for link in view.links if link.removeprefix("/auditor/journal/").isdigit()]
        path = older(view)
    assert positions == list(range(small.journal.head(), 0, -1))
    assert links == [f"/auditor/journal/{position}" for position in positions]


def test_a_row_says_what_happened_in_plain_words(small: Assembled) -> None:
    view = page(small, f"/auditor/journal?dinas={FAST}")
    correction, retraction, receipt = journal_rows(view)[:3]
    assert correction[3] == "± Koreksi: Dokumen terbit"
    assert f"{NAMES[FAST]} · ktp-el · K-{FAST}-2026-11-1 · {BUSY} · membalik" in correction[4]
    assert f"membalik /loket # {FAST}-2026-11-izin-1 · alasan: salah-waktu" in correction[4]
    assert retraction[3] == "− Pencabutan: Tugas selesai"
    assert receipt[1:4] == [
        "24 Nov 2026, 11.00.00 WIB",
        "24 Nov 2026, 12.00.00 WIB ○ 1 jam kemudian",
        "Permohonan diterima",
    ]
    rules = journal_rows(page(small, "/auditor/journal?kind=standard-set"))
    assert [row[3] for row in rules] == ["§ Standar ditetapkan"]
    assert "ktp-el · 24 jam · berlaku 1 Januari 2026" in rules[0][4]
    (opening,) = journal_rows(page(small, "/auditor/journal?kind=journal-opened&lang=en"))
    assert (opening[3], ZONE in opening[4]) == ("§ Journal opened", True)


def test_times_are_asked_in_the_zone_and_said_in_words(five_days: Assembled) -> None:
    view = page(five_days, "/auditor/journal?from=2026-11-05T12:00&to=2026-11-09T12:00:00")
    sentence = "dari Kamis, 5 November 2026, 12.00 WIB, sampai Senin, 9 November 2026, 12.00 WIB"
    assert any(text.startswith(sentence) for text in view.all("p"))
    assert {row[2][:10] for row in journal_rows(view)} == {"5 Nov 2026", "9 Nov 2026"}
    assert 'value="2026-11-05T12:00"' in five_days.get("/auditor/journal?from=2026-11-05T12:00").text


def test_a_page_that_looked_far_says_how_far_and_goes_on(small: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rare kind is found by its index in all of the journal at once; anything else run by run."""
    monkeypatch.setattr(searching, "RUN", 400)
    monkeypatch.setattr(journal_search, "LOOKED_S", 0.0)
    rare = page(small, "/auditor/journal?kind=standard-set")
    assert [row[3] for row in journal_rows(rare)] == ["§ Standar ditetapkan"]
    assert not older(rare)
    head, early = small.journal.head(), json.loads(small.journal.lines_at([100])[100])
    view = page(small, f"/auditor/journal?{urlencode({'q': early['id']})}")
    assert any(f"diperiksa: posisi {head - 399}–1.028" in text for text in view.all("p"))
    assert any("Tidak ada yang cocok" in text for text in view.all("p"))
    looks = 1
    while following := older(view):
        view, looks = page(small, following), looks + 1
    assert looks == 3
    assert [row[0] for row in journal_rows(view)] == ["100"]


def test_a_position_that_is_typed_is_opened(small: Assembled) -> None:
    assert "/auditor/journal/1028" in page(small, "/auditor/journal?q=1.028").links
    assert "/auditor/journal/1029" not in page(small, "/auditor/journal?q=1.029").links


@pytest.mark.parametrize("position", [1, 2, 400, 1027, 1028])
def test_an_entry_shows_its_bytes_and_proves_its_hash(small: Assembled, position: int) -> None:
    """The line as it is stored; the canonical bytes hash to what is stored, computed here apart from the page."""
    raw_line = small.journal.lines_at([position])[position]
    view = page(small, f"/auditor/journal/{position}")
    assert raw_line.decode() in view.all("code")
    assert hashlib.sha256(raw_line).hexdigest() in view.all("code")
    assert small.get(f"/auditor/journal/{position}/line").content == raw_line
    line = json.loads(raw_line)
    if line["contenthash"]:
        canonical = small.get(f"/auditor/journal/{position}/canonical")
        assert canonical.headers["content-disposition"] == f'attachment; filename="posisi-{position}-kanonik.json"'
        assert line["contenthash"] == "v1:" + hashlib.sha256(canonical.content).hexdigest()
        assert canonical.text in view.all("code")
        assert "✓ sama, 64 dari 64 karakter" in small.get(f"/auditor/journal/{position}").text
    dinas = [row[0].split()[0] for row in view.rows if len(row) == 2][1:]
    assert dinas == [posting.account[0] for posting in postings_of(decode(raw_line))]


def test_an_entry_that_was_changed_by_hand_is_told(neraca: Assembled) -> None:
    """Its stored hash is no longer that of its content."""
    (position,) = neraca.record(event("asn-registered", "a", {"asn": "a-1"}))
    with neraca.journal._recorder.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
        line = neraca.journal.lines_at([position])[position].replace(b"a-1", b"a-2")
        cursor.execute("DROP TRIGGER stored_events_update")
        cursor.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", [line, position])
    assert "✕ berbeda" in neraca.get(f"/auditor/journal/{position}").text


@pytest.mark.parametrize(
    ("path", "status", "title", "says"),
    [
        ("/auditor/journal/0", 404, "Tidak ditemukan", "Posisi"),
        ("/auditor/journal/1029", 404, "Tidak ditemukan", "Posisi"),
        ("/auditor/journal/x", 404, "Tidak ditemukan", "Posisi"),
        *(
            (f"/auditor/journal/{text}{rest}", 404, "Tidak ditemukan", f"Posisi “{text}” tidak ada di jurnal")
            for text in ("99999999", "99999999999999999999", "abc", "0", "-1")
            for rest in ("", "/line", "/canonical")
        ),
        ("/auditor/journal/abc?lang=en", 404, "Not found", "“abc”"),
        ("/auditor/journal/1029/line", 404, "Tidak ditemukan", "Posisi"),
        ("/auditor/journal?kind=apa", 422, "Alamat tidak dapat dijawab", "“apa” tidak dikenal"),
        ("/auditor/journal?from=kemarin", 422, "Alamat tidak dapat dijawab", "“kemarin” tidak dapat dibaca"),
        ("/auditor/journal?to=0001-01-01T00:00", 422, "Alamat tidak dapat dijawab", "tidak dapat dibaca"),
        ("/auditor/journal?to=0001-01-03T00:00", 200, "Jurnal", "tidak ada posisi"),
        ("/auditor/journal?touches=2026-13", 422, "Alamat tidak dapat dijawab", "“2026-13” tidak dikenal"),
        ("/auditor/journal?after=x", 422, "Alamat tidak dapat dijawab", "“x” bukan posisi"),
        ("/auditor/journal?until=-1", 422, "Alamat tidak dapat dijawab", "“-1” bukan posisi"),
        ("/auditor/journal?cursor=!!", 422, "Alamat tidak dapat dijawab", "Penanda halaman"),
    ],
)
def test_what_cannot_be_answered_is_a_page(small: Assembled, path: str, status: int, title: str, says: str) -> None:
    view = page(small, path, status)
    assert view.all("h1") == [title]
    assert any(says in text for text in view.all("p"))


@pytest.mark.parametrize("path", ["/auditor/journal", "/auditor/journal/400", "/auditor/journal/400/line"])
def test_only_an_auditor_reads_the_journal(small: Assembled, path: str) -> None:
    """A stranger is told that a token is needed, a reader of persons that theirs does not cover it."""
    answer = small.get(path, **FAR)
    assert (answer.status_code, Page(answer.text).all("h1")) == (401, ["Perlu token"])
    assert ID("problem.unauthorized-audit-text") in answer.text
    assert BUSY not in answer.text
    name = path.replace("/", "-").strip("-")
    reader, auditor = small.token(f"baca-{name}", "read"), small.token(f"audit-{name}", "audit")
    refusal = small.get(path, headers={"authorization": reader}, **FAR)
    assert (refusal.status_code, ID("problem.forbidden-audit-text") in refusal.text) == (403, True)
    assert small.get(path, headers={"authorization": auditor}, **FAR).status_code == 200


@pytest.mark.parametrize("path", ["/auditor/journal?kind=task-completed", "/auditor/journal/9"])
def test_english_is_kept_by_every_link_of_a_page(small: Assembled, path: str) -> None:
    address = f"{path}{'&' if '?' in path else '?'}lang=en"
    links = [link for link in page(small, address).links if link.startswith("/")]
    assert [link for link in links if "lang=en" not in link] == [path]


def test_a_dinas_of_any_name_is_filtered_by_its_form(small: Assembled) -> None:
    html = small.get("/auditor/journal").text
    assert html.count("<option value=") > 10
    view = page(small, f"/auditor/journal?{urlencode({'dinas': ODD})}")
    assert len(journal_rows(view)) == 3
    assert all(NAMES[ODD] in row[4] for row in journal_rows(view))


def test_what_bears_on_a_period_is_found_by_its_filter(five_days: Assembled) -> None:
    """Of the month in which it counts, not of that in which it was told."""
    tasks = journal_rows(page(five_days, "/auditor/journal?touches=2026-10&dinas=dishub&kind=task-completed"))
    assert len(tasks) == 30
    assert not journal_rows(page(five_days, "/auditor/journal?touches=2026-10&dinas=dinkes"))
    both = page(five_days, "/auditor/journal?touches=2026-11&dinas=dishub")
    assert [row[3] for row in journal_rows(both)] == ["± Koreksi: Tugas selesai", "§ Perangkat daerah didaftarkan"]
    assert [row[3] for row in journal_rows(page(five_days, "/auditor/journal?touches=2027&kind=scheme-adopted"))] == [
        "§ Skema nilai ditetapkan"
    ]


def test_the_pages_of_the_journal_follow_its_head(neraca: Assembled) -> None:
    """An entry is on the next page; a page that would be the same is not sent again."""
    neraca.settle()
    tag = neraca.get("/auditor/journal").headers["etag"]
    assert neraca.get("/auditor/journal", headers={"if-none-match": tag}).status_code == 304
    neraca.record(event("asn-registered", "a", {"asn": "a-1"}))
    again = neraca.get("/auditor/journal", headers={"if-none-match": tag})
    assert (again.status_code, "a-1" in journal_rows(Page(again.text))[0][4]) == (200, True)
