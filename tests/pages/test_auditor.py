"""The auditor's desk: every figure a replay's, every cause the entries it names, a lie found; without a command line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from domain.clock import HOUR_US, utc_text
from neraca import main
from projections.ports import Question
from projections.tables import ACCOUNTS
from tests.api.test_reads import STANDARD, permit, rating, task
from tests.pages.reading import Page, figure
from tests.pages.test_journal_pages import older, rows
from tests.pages.test_pages import FAR, page
from tests.pages.told import opened
from tests.serving import NDJSON, Assembled, event, ndjson, until

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["opened"]
OCTOBER: Final = {"received_at": "2026-10-02T08:00:00+07:00", "completed_at": "2026-10-03T08:00:00+07:00"}
DONE_AT: Final = {"completed_at": "2026-10-05T10:00:00+07:00", "due_at": "2026-10-05T10:00:00+07:00"}
CHANGED, QUIET, NEW, FORMULA = "dishub", "dinkes", "disparbud", "=1+1"
NAMES: Final = {CHANGED: "Dinas Perhubungan", QUIET: "Dinas Kesehatan", NEW: "Dinas Pariwisata", FORMULA: "+Rumus"}
THEN: Final = "2026-11-01T00:00"
FIRST: Final = Question("2026-11", "1")


def record(neraca: Assembled, *events: dict[str, Any]) -> None:
    """Record at once, as of an hour ago, and fold."""
    ago = utc_text(neraca.clock() - HOUR_US)
    tally = neraca.post(ndjson({**one, "time": ago} for one in events), NDJSON).json()
    assert tally["rejected"] == []
    neraca.settle()


def fair(dinas: str) -> list[dict[str, Any]]:
    """An October with enough of everything."""
    return [
        *(permit(dinas, 24, **OCTOBER) for _ in range(35)), *(rating(dinas, 3) for _ in range(35)),
        *(task(dinas, on_time=True, **DONE_AT) for _ in range(20)),
    ]  # fmt: skip


@pytest.fixture
def october(opened: Assembled) -> tuple[Assembled, dict[str, Any]]:
    """October as it was known on the first of November, as the API said it then; and what was recorded of it since."""
    neraca, wrong, twice = opened, permit(CHANGED, 24, **OCTOBER), permit(CHANGED, 24, **OCTOBER)
    neraca.clock.set("2026-11-01T00:00:00+07:00")
    record(neraca, event("standard-set", "std", STANDARD), *(
        event("dinas-registered", f"n-{dinas}", {"dinas": dinas, "name": name}) for dinas, name in NAMES.items()
    ))  # fmt: skip
    record(
        neraca,
        *fair(CHANGED),
        *fair(QUIET),
        *fair(FORMULA),
        wrong,
        twice,
        *(permit(NEW, 24, **OCTOBER) for _ in range(3)),
    )
    then = cards(neraca)
    neraca.clock.set("2026-11-03T09:00:00+07:00")
    slow = {**OCTOBER, "completed_at": "2026-10-04T20:00:00+07:00"}
    replacement = {**wrong["data"], "completed_at": "2026-10-03T20:00:00+07:00"}
    record(
        neraca, *(permit(CHANGED, 60, **slow) for _ in range(4)), *(permit(FORMULA, 60, **slow) for _ in range(9)),
        event("event-corrected", "k", {
            "event": {"source": "/loket", "id": wrong["id"]}, "reason": "salah-waktu", "replacement": replacement}),
        event("event-retracted", "x", {"event": {"source": "/loket", "id": twice["id"]}, "reason": "ganda"}),
        *(permit(NEW, 24, **OCTOBER) for _ in range(60)), *(task(NEW, on_time=True, **DONE_AT) for _ in range(20)),
        permit(QUIET, 24),
    )  # fmt: skip
    neraca.clock.set("2026-11-24T12:00:00+07:00")
    return neraca, then


def cards(neraca: Assembled) -> dict[str, Any]:
    """October as the API says it now."""
    items = neraca.get("/v1/dinas?period=2026-10&limit=1000").json()["items"]
    return {card["subject"]["id"]: card for card in items}


def answer(neraca: Assembled, path: str, **asked: Any) -> tuple[str, str]:  # noqa: ANN401 - the keywords of ``ask``
    """Press a button of the desk and wait as a browser does, reloading: the address of the answer, and its page."""
    pressed = neraca.get(path, **asked)
    assert pressed.status_code == 303, pressed.text
    address = pressed.headers["location"].partition("#")[0]
    return address, waited(neraca, address, **asked)


def waited(neraca: Assembled, address: str, **asked: Any) -> str:  # noqa: ANN401 - the keywords of ``ask``
    def told() -> str | None:
        html = neraca.get(address, **asked).text
        return None if '<meta http-equiv="refresh" content="2">' in html else html

    return until(told, "the replay has ended")


def then_and_now(html: str) -> dict[str, list[str]]:
    """The rows of the table of then and now, by the name of the unit."""
    table = html.partition('id="beda"')[2].partition("</table>")[0]
    return {row[0].split(" · ")[0].rpartition(" ")[0] or row[0]: row for row in Page(table).rows[1:] if row}


def row_of(html: str, name: str) -> list[str]:
    return next(row for row in then_and_now(html).values() if row[0].startswith(name))


def said(card: dict[str, Any]) -> str:
    value = card["iku"]["value"]
    return "○ belum cukup data" if value is None else figure(value)


def offline(tmp_path: Path, capsys: pytest.CaptureFixture[str], journal: bytes, command: str) -> dict[str, Any]:
    """What the command prints that stands on the page, of the journal that was downloaded."""
    (tmp_path / "jurnal.ndjson").write_bytes(journal)
    words = command.replace("jurnal.ndjson", str(tmp_path / "jurnal.ndjson")).split()
    assert words[0] == "neraca"
    assert main(words[1:]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


@pytest.mark.both_databases
def test_then_is_what_the_api_said_then_and_now_is_what_it_says_now(october: tuple[Assembled, dict[str, Any]]) -> None:
    """Of every unit whose figures moved; the others are counted, and the causes are told in words."""
    neraca, then = october
    now = cards(neraca)
    _, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    moved = {NAMES[dinas]: dinas for dinas in (CHANGED, NEW, FORMULA)}
    table = then_and_now(html)
    assert len(table) == len(moved)
    for name, dinas in moved.items():
        row = row_of(html, name)
        assert row[1:3] == [said(then[dinas]), said(now[dinas])]
    assert "1 perangkat daerah lain tidak berubah." in html
    fell = then[CHANGED]["iku"]["value"] - now[CHANGED]["iku"]["value"]
    assert fell > 0
    assert row_of(html, NAMES[CHANGED])[3:] == [
        f"▼ {figure(fell)}", "4 izin diputus, 1 pencabutan, 1 koreksi", "6",
    ]  # fmt: skip
    assert row_of(html, NAMES[NEW])[3:5] == ["baru", "60 izin diputus, 20 tugas selesai"]
    assert "Diketahui Minggu, 1 November 2026, 00.00 WIB" in html
    assert "✓ sama, 64 dari 64 karakter" in html


def test_a_position_leads_where_an_instant_does(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    by_time, at_time = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    position = re.search(r'<b class="total">([\d.]+)</b>', at_time.partition('id="beda"')[2])
    assert position is not None
    by_position, at_position = answer(neraca, f"/auditor?period=2026-10&at=&position={position[1]}")
    assert by_time != by_position
    assert then_and_now(at_position).keys() == then_and_now(at_time).keys()
    for name, row in then_and_now(at_time).items():
        assert then_and_now(at_position)[name][1:] == row[1:]


def test_each_count_leads_to_exactly_its_entries(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    _, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    table = Page(html.partition('id="beda"')[2].partition("</table>")[0])
    links = [link for link in table.links if link.startswith("/auditor/journal?")]
    counts = [int(row[5]) for row in table.rows[1:]]
    assert len(links) == 2 * len(counts), "one for a phone, one for a wide screen"
    for link, count in zip(links[::2], counts, strict=True):
        seen, path = 0, link
        while path:
            shown = page(neraca, path)
            seen, path = seen + len(rows(shown)), older(shown)
        assert seen == count


def test_what_is_told_is_what_the_command_prints_of_the_downloaded_journal(
    october: tuple[Assembled, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last digit: figures, digest, positions, counts of entries."""
    neraca, _ = october
    address, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    download = neraca.get("/auditor/journal.ndjson")
    assert download.headers["content-disposition"].startswith('attachment; filename="jurnal-')
    command = next(text for text in Page(html).all("code") if text.startswith("neraca replay"))
    printed = offline(tmp_path, capsys, download.content, command)
    digests = re.findall(r'<code class="hash">([0-9a-f ]{71})</code>', html)
    assert [digest.replace(" ", "") for digest in digests] == [printed["digest"]] * 2
    for dinas in (CHANGED, NEW, FORMULA):
        row, kinds = row_of(html, NAMES[dinas]), printed["between"]["dinas"][dinas]
        assert row[1:3] == [said(end["dinas"][dinas]) for end in (printed["then"], printed)]
        assert int(row[5]) == sum(kinds.values())
    pans = re.findall(r'<b class="total">([\d.]+)</b>', html.partition('id="beda"')[2])[:2]
    assert pans == [figure(end["position"], 0) for end in (printed["then"], printed)]
    taken = neraca.get(address.replace("/auditor?", "/auditor/differences.csv?lang=en&"))
    table = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"), newline="")))
    for row in table[1:]:
        dinas = row[0].removeprefix("'")
        expected = [end["dinas"][dinas]["iku"]["value"] for end in (printed["then"], printed)]
        assert [float(cell) if cell else None for cell in row[2:4]] == expected


def test_the_indicators_of_one_unit_are_told_on_request(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, then = october
    address, _ = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    html, now = neraca.get(f"{address}&pick={CHANGED}").text, cards(neraca)
    shown = Page(html.partition('id="rinci"')[2].partition("</table>")[0])
    for number, row in enumerate(shown.rows[1:4]):
        ends = [end[CHANGED]["indicators"][number] for end in (then, now)]
        assert row[1:3] == [f"{figure(line['value'])} n {line['n']}" for line in ends]
    assert shown.rows[4][1:3] == [said(end[CHANGED]) for end in (then, now)]
    assert 'class="picked"' in html


def test_a_table_for_spreadsheets_holds_no_formula(october: tuple[Assembled, dict[str, Any]]) -> None:
    """A cell that begins as one is marked as text; a negative number stays a number."""
    neraca, _ = october
    address, _ = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    taken = neraca.get(address.replace("/auditor?", "/auditor/differences.csv?lang=en&"))
    assert taken.headers["content-type"] == "text/csv; charset=utf-8"
    assert taken.headers["content-disposition"].startswith('attachment; filename="perbedaan-2026-10-')
    table = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"), newline="")))
    assert table[0] == [
        "id", "agency", "then", "now", "difference", "position then", "position now", "cause", "entries",
    ]  # fmt: skip
    mine = next(row for row in table if FORMULA in row[0])
    assert mine[:2] == [f"'{FORMULA}", f"'{NAMES[FORMULA]}"]
    assert float(mine[4]) < 0
    assert len(table) == 5
    before = neraca.get("/auditor/differences.csv?period=2026-10&since=3&until=9")
    assert (before.status_code, before.headers["location"]) == (303, "/auditor?period=2026-10&since=3&until=9")


@pytest.mark.both_databases
def test_a_balance_that_was_changed_by_hand_is_found(october: tuple[Assembled, dict[str, Any]]) -> None:
    """The digest served is then not the one replayed; where, and by how much, stands beneath."""
    neraca, _ = october
    with neraca.live.store.engine.begin() as db:
        one = db.execute(select(ACCOUNTS).where(ACCOUNTS.c.dinas == CHANGED, ACCOUNTS.c.service == "kir")).first()
        assert one is not None
        measures = json.loads(one.measures)
        lied = {**measures, "permits_on_time": measures["permits_on_time"] + 1}
        db.execute(
            update(ACCOUNTS).where(ACCOUNTS.c.id == one.id).values(measures=json.dumps(lied, separators=(",", ":")))
        )
    _, html = answer(neraca, "/auditor?period=2026-10&check=1")
    assert "✕ berbeda" in html
    assert "1 baris berbeda; 1 yang pertama:" in html
    row = Page(html).row(NAMES[CHANGED])
    assert row == [
        f"{NAMES[CHANGED]} · kir · {one.month}", "sesuai standar", str(measures["permits_on_time"] + 1),
        str(measures["permits_on_time"]),
    ]  # fmt: skip


def test_a_digest_from_a_note_is_compared_at_its_position(october: tuple[Assembled, dict[str, Any]]) -> None:
    """As a person copies it: grouped, in capitals, its position with points. A letter that differs is told; so is the list."""
    neraca, _ = october
    noted = neraca.get("/v1/digest").json()
    record(neraca, permit(QUIET, 24))
    digest = " ".join(re.findall(".{8}", noted["digest"].upper()))
    address = f"/auditor?period=2026-10&digest={digest}&until={figure(noted['position'], 0)}"
    html = waited(neraca, address)
    assert "✓ sama, 64 dari 64 karakter" in html
    assert "Dari catatan" in html
    wrong = ("0" if noted["digest"][0] != "0" else "1") + noted["digest"][1:]
    html = waited(neraca, f"/auditor?period=2026-10&digest={wrong}&until={noted['position']}")
    assert "✕ berbeda" in html
    assert "hanya dapat dicari untuk digest yang baru saja dibaca" in html
    others = Page(html.partition("Pemeriksaan lain")[2])
    assert others.row("Dari catatan")[1:] == [
        figure(noted["position"], 0), f"{noted['digest'][:16]}…", f"{noted['digest'][:16]}…", "✓ sama, 64 dari 64 karakter",
    ]  # fmt: skip


def test_a_page_does_not_take_an_addresss_word_for_what_was_served(opened: Assembled) -> None:
    """Only what this service read of itself is said to be served."""
    head = opened.settle()
    digest = opened.get("/v1/digest").json()["digest"]
    made_up = waited(opened, f"/auditor?period=2026-10&digest={digest}&until={head}")
    assert "Dari catatan" in made_up
    assert "Yang disajikan layanan" not in made_up
    _, html = answer(opened, "/auditor?check=1")
    assert "Yang disajikan layanan, dibaca 1 Okt 2026, 12.00.00 WIB" in html


@pytest.mark.parametrize("upto", [None, 1, 40])
def test_the_downloaded_journal_replays_to_the_served_digest(
    october: tuple[Assembled, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], upto: int | None
) -> None:
    """It is what the command exports, byte for byte; of an earlier position its beginning."""
    neraca, _ = october
    taken = neraca.get("/auditor/journal.ndjson" + (f"?until={upto}" if upto else ""))
    assert taken.headers["content-type"] == "application/x-ndjson"
    exported = tmp_path / "exported.ndjson"
    data = str(tmp_path / "data")
    assert main(["export", "--data", data, "--journal", str(exported)]) == 0
    capsys.readouterr()
    lines = exported.read_bytes().splitlines(keepends=True)
    assert taken.content == b"".join(lines[:upto])
    printed = offline(tmp_path, capsys, taken.content, "neraca replay --journal jurnal.ndjson --period 2026-10")
    assert printed["position"] == (upto or neraca.journal.head())
    if upto is None:
        assert printed["digest"] == neraca.get("/v1/digest").json()["digest"]


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
        ("until=0", "“0” bukan posisi"),
        ("until=999999", "“999999” bukan posisi"),
        ("until={}", "“{}” bukan posisi"),
        ("until=1&since=2", "“2” bukan posisi atau saat"),
        ("until=1&since=kemarin", "“kemarin” bukan posisi atau saat"),
        ("until=1&digest=abc", "“abc” bukan digest"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(opened: Assembled, query: str, says: str) -> None:
    opened.settle()
    opened.clock.set("2026-11-24T12:00:00+07:00")
    shown = page(opened, f"/auditor?{query}", 422)
    assert shown.all("h1") == ["Alamat tidak dapat dijawab"]
    assert any(says in text for text in shown.all("p")), shown.all("p")
    assert opened.replays.finished() == []


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
def test_a_stranger_sees_and_starts_nothing(opened: Assembled, path: str) -> None:
    opened.settle()
    refused = opened.get(path, **FAR)
    assert (refused.status_code, Page(refused.text).all("h1")) == (401, ["Perlu token"])
    reader = opened.token("pembaca", "read")
    assert opened.get(path, headers={"authorization": reader}, **FAR).status_code == 403
    assert opened.replays.ask(FIRST, begin=False) is None
    auditor = opened.token("inspektorat", "audit")
    assert opened.get(path, headers={"authorization": auditor}, **FAR).status_code in (200, 303)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-purpose": "prefetch;prerender"}])
@pytest.mark.parametrize("path", ["/auditor?check=1", "/auditor?period=2026-10&until=1"])
def test_only_a_reader_starts_a_replay(opened: Assembled, headers: dict[str, str], path: str) -> None:
    """Not a page of another site that names the address, nor a browser that loads ahead."""
    opened.settle()
    shown = opened.get(path, headers=headers)
    assert shown.status_code == 200
    assert "sedang memutar ulang" not in shown.text
    assert opened.replays.ask(FIRST, begin=False) is None


def test_what_was_asked_is_shown_again(october: tuple[Assembled, dict[str, Any]]) -> None:
    """The form holds the period and the instant; before anything is asked, that at which the period had ended."""
    neraca, _ = october
    html = neraca.get("/auditor?period=2026-10").text
    assert 'name="at" step="any" value="2026-11-01T00:00"' in html
    assert "= Minggu, 1 November 2026, 00.00 WIB" in html
    assert 'name="at" step="any" value="2026-11-24T00:00"' in neraca.get("/auditor?period=2026-11").text
    _, html = answer(neraca, "/auditor?period=2026-10&at=2026-11-02T08:30:15")
    assert 'name="at" step="any" value="2026-11-02T08:30:15"' in html
    assert '<option value="2026-10" selected>' in html


def test_nothing_moved_is_said(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    _, html = answer(neraca, f"/auditor?period=2026-10&position={neraca.live.position}")
    assert "Tidak ada yang berubah: angka 4 perangkat daerah sama dulu dan kini." in html


def test_english_is_kept(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    address, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}&lang=en")
    assert parse_qs(urlsplit(address).query)["lang"] == ["en"]
    assert "October 2026: then and now" in html
    assert "permits decided: 4, retractions: 1, corrections: 1" in html
    links = [link for link in Page(html).links if link.startswith("/")]
    assert [link for link in links if "lang=en" not in link] == [address.replace("&lang=en", "")]


def test_the_lines_that_were_served_hash_to_their_digest(
    opened: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any tool proves it; and the command compares them with what the journal comes to."""
    opened.settle()
    address, html = answer(opened, "/auditor?check=1")
    link = next(link for link in Page(html).links if link.startswith("/auditor/digest.ndjson"))
    taken = opened.get(link)
    assert hashlib.sha256(taken.content).hexdigest() == parse_qs(urlsplit(address).query)["digest"][0]
    (tmp_path / "served.ndjson").write_bytes(taken.content)
    assert main(["replay", "--data", str(tmp_path / "data"), "--against", str(tmp_path / "served.ndjson")]) == 0
    assert json.loads(capsys.readouterr().out)["against"]["differs"] == 0
    unknown = opened.get(f"/auditor/digest.ndjson?until=1&digest={'0' * 64}")
    assert (unknown.status_code, unknown.headers["location"]) == (303, f"/auditor?until=1&digest={'0' * 64}")


def test_a_scheme_adopted_since_is_a_cause_of_all_it_may_score(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    record(neraca, event("scheme-adopted", "scheme", {
        "scheme": "baru", "effective_from": "2026-12-01", "skm_weight": "1/9", "min_coverage": "0.4", "indicators": [
            {"id": "tepat", "numerator": "tasks_on_time", "denominator": "tasks_with_due", "direction": "higher",
             "target": "100", "cap": None, "min_n": 1, "weight": "1"}]}))  # fmt: skip
    _, html = answer(neraca, f"/auditor?period=2026-Q4&at={THEN}")
    assert row_of(html, NAMES[QUIET])[4] == "1 izin diputus, 1 skema nilai"
    link = next(link for link in Page(html).links if f"dinas={QUIET}&" in link and link.startswith("/auditor/journal"))
    assert [row[3] for row in rows(page(neraca, link))] == ["§ Skema nilai ditetapkan", "Izin terbit"]
