"""The auditor's desk, then and now: every figure a replay's, every cause the entries it names; without a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.pages.asking import (
    CHANGED,
    FORMULA,
    NAMES,
    NEW,
    QUIET,
    THEN,
    answer,
    cards,
    offline,
    record,
    row_of,
    said,
    sheet,
    then_and_now,
)
from tests.pages.messages import ID
from tests.pages.reading import Page, figure, journal_rows, older, page
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.speed("test")
@pytest.mark.both_databases
def test_then_is_what_the_api_said_then_and_now_is_what_it_says_now(
    own_october: tuple[Assembled, dict[str, Any]],
) -> None:
    """Of every unit whose figures moved; the others are counted, and the causes are told in words."""
    neraca, then = own_october
    now = cards(neraca)
    _, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    ids = {NAMES[dinas]: dinas for dinas in (CHANGED, NEW, FORMULA)}
    table = then_and_now(html)
    assert len(table) == len(ids)
    for name, dinas in ids.items():
        row = row_of(html, name)
        assert row[1:3] == [said(then[dinas]), said(now[dinas])]
    assert ID("auditor.unchanged", n=1) in html
    fell = then[CHANGED]["iku"]["value"] - now[CHANGED]["iku"]["value"]
    assert fell > 0
    assert row_of(html, NAMES[CHANGED])[3:] == [
        f"▼ {figure(fell)}",
        "4 permohonan selesai, 1 pencabutan, 1 koreksi",
        "6",
    ]
    assert row_of(html, NAMES[NEW])[3:5] == ["baru", "60 permohonan selesai, 20 tugas selesai"]
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
        number, path = 0, link
        while path:
            view = page(neraca, path)
            number, path = number + len(journal_rows(view)), older(view)
        assert number == count


def test_what_is_told_is_what_the_command_prints_of_the_downloaded_journal(
    october: tuple[Assembled, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last digit: figures, digest, positions, counts of entries."""
    neraca, _ = october
    address, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    download = neraca.get("/auditor/journal.ndjson")
    assert download.headers["content-disposition"].startswith('attachment; filename="jurnal-')
    command = next(text for text in Page(html).all("code") if text.startswith("neraca replay"))
    result = offline(tmp_path, capsys, download.content, command)
    digests = re.findall(r'<code class="hash">([0-9a-f ]{71})</code>', html)
    assert [digest.replace(" ", "") for digest in digests] == [result["digest"]] * 2
    for dinas in (CHANGED, NEW, FORMULA):
        row, kinds = row_of(html, NAMES[dinas]), result["between"]["dinas"][dinas]
        assert row[1:3] == [said(end["dinas"][dinas]) for end in (result["then"], result)]
        assert int(row[5]) == sum(kinds.values())
    pans = re.findall(r'<b class="total">([\d.]+)</b>', html.partition('id="beda"')[2])[:2]
    assert pans == [figure(end["position"], 0) for end in (result["then"], result)]
    for row in sheet(neraca, address)[1:]:
        dinas = row[0].removeprefix("'")
        values = [end["dinas"][dinas]["iku"]["value"] for end in (result["then"], result)]
        assert [float(cell.replace(",", ".")) if cell else None for cell in row[2:4]] == values


def test_the_indicators_of_one_unit_are_told_on_request(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, then = october
    address, _ = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    html, now = neraca.get(f"{address}&pick={CHANGED}").text, cards(neraca)
    view = Page(html.partition('id="rinci"')[2].partition("</table>")[0])
    for number, row in enumerate(view.rows[1:4]):
        ends = [end[CHANGED]["indicators"][number] for end in (then, now)]
        assert row[1:3] == [f"{figure(line['value'])} n {line['n']}" for line in ends]
    assert view.rows[4][1:3] == [said(end[CHANGED]) for end in (then, now)]
    assert 'class="picked"' in html


def test_a_table_for_spreadsheets_holds_no_formula(october: tuple[Assembled, dict[str, Any]]) -> None:
    """A cell that begins as one is marked as text; a negative number stays a number. In English it is written in English."""
    neraca, _ = october
    address, _ = answer(neraca, f"/auditor?period=2026-10&at={THEN}")
    table = sheet(neraca, address)
    assert table[0] == [
        "id",
        "perangkat daerah",
        "dulu",
        "kini",
        "selisih",
        "posisi dulu",
        "posisi kini",
        "sebab",
        "catatan",
    ]
    mine = next(row for row in table if FORMULA in row[0])
    assert mine[:2] == [f"'{FORMULA}", f"'{NAMES[FORMULA]}"]
    assert re.fullmatch(r"-\d+,\d\d", mine[4])
    assert len(table) == 5
    english = sheet(neraca, f"{address}&lang=en", ",")
    assert next(row for row in english if FORMULA in row[0])[4] == mine[4].replace(",", ".")
    before = neraca.get("/auditor/differences.csv?period=2026-10&since=3&until=9")
    assert (before.status_code, before.headers["location"]) == (303, "/auditor?period=2026-10&since=3&until=9")


def test_what_was_asked_is_shown_again(october: tuple[Assembled, dict[str, Any]]) -> None:
    """The form holds the period and the instant; before anything is asked, that at which the period had ended."""
    neraca, _ = october
    html = neraca.get("/auditor?period=2026-10").text
    bounds = 'min="2026-10-01T12:00" max="2026-11-24T12:00"'
    assert f'name="at" step="any" {bounds} value="2026-11-01T00:00"' in html
    assert "= Minggu, 1 November 2026, 00.00 WIB" in html
    assert f'{bounds} value="2026-11-24T00:00"' in neraca.get("/auditor?period=2026-11").text
    assert f'{bounds} value="2026-10-01T12:00"' in neraca.get("/auditor?period=2026-08").text, "the journal began later"
    _, html = answer(neraca, "/auditor?period=2026-10&at=2026-11-02T08:30:15")
    assert f'{bounds} value="2026-11-02T08:30:15"' in html
    assert '<option value="2026-10" selected>' in html
    _, html = answer(neraca, "/auditor?period=2026-10&position=5")
    assert 'name="position" inputmode="numeric" size="11" autocomplete="off" value="5"' in html
    assert f'name="at" step="any" {bounds} value=""' in html, (
        "an instant that was not used is not shown as one that was"
    )
    assert 'href="/auditor"' in neraca.get("/auditor?position=abc").text.partition("<main")[2], "and back to the form"


def test_nothing_moved_is_said(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    _, html = answer(neraca, f"/auditor?period=2026-10&position={neraca.live.position}")
    assert ID("auditor.nothing_moved", n=4) in html


def test_english_is_kept(october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = october
    address, html = answer(neraca, f"/auditor?period=2026-10&at={THEN}&lang=en")
    assert parse_qs(urlsplit(address).query)["lang"] == ["en"]
    assert "October 2026: then and now" in html
    assert "4 applications decided, 1 retraction, 1 correction" in html
    links = [link for link in Page(html).links if link.startswith("/")]
    assert [link for link in links if "lang=en" not in link] == [address.replace("&lang=en", "")]


def test_a_scheme_adopted_since_is_a_cause_of_all_it_may_score(own_october: tuple[Assembled, dict[str, Any]]) -> None:
    neraca, _ = own_october
    record(
        neraca,
        event(
            "scheme-adopted",
            "scheme",
            {
                "scheme": "baru",
                "effective_from": "2026-12-01",
                "skm_weight": "1/9",
                "min_coverage": "0.4",
                "indicators": [
                    {
                        "id": "tepat",
                        "numerator": "tasks_on_time",
                        "denominator": "tasks_with_due",
                        "direction": "higher",
                        "target": "100",
                        "cap": None,
                        "min_n": 1,
                        "weight": "1",
                    }
                ],
            },
        ),
    )
    _, html = answer(neraca, f"/auditor?period=2026-Q4&at={THEN}")
    assert row_of(html, NAMES[QUIET])[4] == "1 permohonan selesai, 1 skema nilai"
    link = next(link for link in Page(html).links if f"dinas={QUIET}&" in link and link.startswith("/auditor/journal"))
    assert [row[3] for row in journal_rows(page(neraca, link))] == [
        "§ Skema nilai ditetapkan",
        ID("kind.permit-processed"),
    ]
