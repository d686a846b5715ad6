"""The figures of the board, a dinas and an ASN are those of the API, and reasons are paged to their end."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.pages.city import BUSY, FAST, IDLE, NAMES, OTHER_TWIN, RARE, SMALL, TWIN, UNRATED, WILD
from tests.pages.messages import ID
from tests.pages.reading import PERSONAL, Page, as_role, figure, page
from tests.serving import Assembled, event

pytestmark = pytest.mark.speed("test")

DINAS: Final = f"/dinas/{FAST}"
MONTH: Final = "?period=2026-11"


def next_page(view: Page) -> str | None:
    """The address of the list's next page, if there is one."""
    links = [link for link in view.links if "cursor=" in link and "#" in link]
    return links[-1].partition("#")[0] if links else None


def test_the_board_shows_the_figures_of_the_ranking(small: Assembled) -> None:
    board = page(small, f"/{MONTH}")
    cards = small.get(f"/v1/rankings/dinas{MONTH}").json()["items"]
    cards_ranked = [card for card in cards if card["iku"]["value"] is not None]
    assert len(cards_ranked) == 4
    for card in cards_ranked:
        row = board.row(NAMES[card["subject"]["id"]])
        assert row[2] == figure(card["iku"]["value"])
        for indicator, cell in zip(card["indicators"], row[3:6], strict=True):
            n = f"n {figure(indicator['n'], 0)}" if indicator["state"] == "ok" else f"{indicator['n']} dari"
            assert cell.startswith(f"{figure(indicator['capaian'])} {n}")
        assert row[7].split()[0] == figure(card["counts"]["permits_open"], 0)


def test_the_board_stands_in_the_order_of_the_ranking(small: Assembled) -> None:
    board = page(small, f"/{MONTH}")
    cards = small.get(f"/v1/rankings/dinas{MONTH}").json()["items"]
    names_shown = [row[1] for row in board.rows if len(row) > 3][1:]
    names = [NAMES.get(card["subject"]["id"], f"{WILD} belum terdaftar") for card in cards]
    assert names_shown == names


def test_equal_scores_share_a_rank_and_other_covered_sets_stand_apart(small: Assembled) -> None:
    board = page(small, f"/{MONTH}")
    ranks = {name: board.row(NAMES[name])[0] for name in (FAST, TWIN, OTHER_TWIN, UNRATED)}
    assert ranks == {FAST: "1", TWIN: "2–3", OTHER_TWIN: "2–3", UNRATED: "1"}
    titles = [row[0] for row in board.rows if len(row) == 1]
    assert titles == [
        "Bobot tercakup 70 %, tanpa: Kepuasan masyarakat. Hanya diperingkat di antara mereka sendiri",
        "Belum cukup data: tanpa nilai, tanpa peringkat",
    ]
    assert len(board.bodies) == 3


def test_what_lacks_data_has_no_figure_and_says_what_is_missing(small: Assembled) -> None:
    row = page(small, f"/{MONTH}").row(NAMES[SMALL])
    assert row[0] == "–"
    missing = "permohonan berstandar 18 dari 30, responden 12 dari 30, tugas bertenggat 3 dari 10"
    assert row[2] == f"○ belum cukup data {missing}"
    assert re.search(r"\d,\d\d", " ".join(row)) is None


def test_the_citys_scales_count_scores_by_the_side_of_their_target(small: Assembled) -> None:
    values = [card["iku"]["value"] for card in small.get(f"/v1/rankings/dinas{MONTH}").json()["items"]]
    below, above = (sum(value is not None and side * (value - 100) > 0 for value in values) for side in (-1, 1))
    html = small.get(f"/{MONTH}").text
    assert f'<b class="total under">{below}</b>' in html
    assert f'<b class="total over">{above}</b>' in html
    assert page(small, f"/{MONTH}").has(("Dinas Cepat", "▲ 1 dari 2"))


def test_a_dinas_page_shows_its_scorecard(small: Assembled) -> None:
    view, card = page(small, f"{DINAS}{MONTH}"), small.get(f"/v1{DINAS}{MONTH}").json()
    assert figure(card["iku"]["value"]) in view.row("Nilai kinerja (gabungan IKU)")
    for indicator, name in zip(card["indicators"], ("Kecepatan", "Kepuasan", "Ketepatan"), strict=True):
        row = view.row(name)
        unit = "" if indicator["id"] == "kepuasan" else " %"
        assert figure(indicator["n"], 0) in row[0]
        assert row[1:3] == [figure(indicator["value"]) + unit, figure(indicator["target"]) + unit]
        assert row[3] == figure(indicator["capaian"])
        assert row[4] == figure(indicator["weight"])
        assert row[5] == figure(indicator["weight"] * indicator["capaian"])
    counts = card["counts"]
    assert view.has(
        (ID("count.permits"), figure(counts["permits"], 0)),
        ("Sesuai standar waktu", figure(counts["permits_on_time"], 0)),
        (ID("count.permits_rejected"), figure(counts["permits_rejected"], 0)),
        ("Penilaian warga", figure(counts["ratings"], 0)),
        ("Tugas dilaporkan sendiri", figure(counts["tasks_self_reported"], 0)),
        ("Peringkat", "1 dari 3"),
    )


def test_the_services_of_a_dinas_add_up_to_its_permits(small: Assembled) -> None:
    view, card = page(small, f"{DINAS}{MONTH}"), small.get(f"/v1{DINAS}{MONTH}").json()
    counts, speed = card["counts"], card["indicators"][0]
    for row in (view.row("ktp-el"), view.row("Semua layanan")):
        assert row[3:5] == [figure(counts["permits"], 0), figure(counts["permits_rejected"], 0)]
        late = counts["permits_with_standard"] - counts["permits_on_time"]
        share = f"{counts['permits_on_time']} dari {counts['permits_with_standard']}"
        assert row[6].endswith(f"{share} {late} terlambat" if late else share)
        assert row[7] == f"{figure(speed['value'])} n {speed['n']}"
    assert "standar 24 jam" in view.row("ktp-el")[0]


def test_months_of_a_dinas_are_those_of_the_api(small: Assembled) -> None:
    view = page(small, f"{DINAS}{MONTH}")
    for month, name in (("2026-11", "November 2026"), ("2026-10", "Oktober 2026")):
        card = small.get(f"/v1{DINAS}?period={month}").json()
        row = next(row for row in view.rows if row and row[0].startswith(name))
        assert row[1] == figure(card["iku"]["value"])


def test_the_receipt_holds_the_numbers_of_why(small: Assembled) -> None:
    view, why = page(small, f"{DINAS}/why{MONTH}"), small.get(f"/v1{DINAS}/why{MONTH}&limit=50").json()
    balance, codes = why["balance"], view.all("code")
    assert view.has(
        (ID("measure.capaian_n"), figure(balance["capaian_n"], 0)),
        ("responden", figure(balance["respondents"], 0)),
        ("tugas tepat waktu", figure(balance["tasks_on_time"], 0)),
        ("jumlah capaian, batas 120 (dalam satuan 0,01 %)", figure(balance["capaian_sum_120"], 0)),
        ("Nilai", figure(why["scorecard"]["iku"]["value"])),
    )
    assert [code.partition(": ")[2].replace(".", "").replace(",", ".") for code in codes] == [
        *(part["expression"] for part in why["formula"]["indicators"]),
        why["formula"]["iku"],
    ]
    term = why["formula"]["indicators"][1]["unsur"][0]
    assert view.row("Persyaratan") == ["Persyaratan", str(term["n"]), str(term["sum"]), figure(term["nrr"])]
    evidence = [row for row in view.rows if row and row[0].replace(".", "").isdigit()]
    assert [int(row[0].replace(".", "")) for row in evidence] == [entry["position"] for entry in why["events"]]


def test_evidence_is_paged_to_its_end_and_every_event_comes_once(small: Assembled) -> None:
    path, positions = f"{DINAS}/why{MONTH}", list[str]()
    while path:
        view = page(small, path)
        positions += [row[0] for row in view.rows if row and row[0].replace(".", "").isdigit()]
        path = next_page(view) or ""
    why = small.get(f"/v1{DINAS}/why{MONTH}&limit=1000").json()
    assert [int(position.replace(".", "")) for position in positions] == [entry["position"] for entry in why["events"]]


def test_evidence_says_reversals_in_words(small: Assembled) -> None:
    view = page(small, f"{DINAS}/why{MONTH}")
    while following := next_page(view):
        view = page(small, following)
    withdrawn = next(row for row in view.rows if any(cell.startswith("Pencabutan: Tugas selesai") for cell in row))
    assert withdrawn[3] == "tugas −1 · tugas bertenggat −1 · tugas tepat waktu −1 · dilaporkan sendiri −1"
    correction = next(row for row in view.rows if any(cell.startswith("Koreksi: Dokumen terbit") for cell in row))
    assert "alasan: salah-waktu" in correction[2]
    assert correction[3] == "sesuai standar −1 · waktu layanan +14 jam · capaian −28,33"


def test_an_asn_page_shows_their_scorecard_over_all_dinas(small: Assembled) -> None:
    view, card = page(small, f"/asn/{BUSY}{MONTH}"), small.get(f"/v1/asn/{BUSY}{MONTH}").json()
    assert view.all("h1") == ["Nilai kinerja individu"]
    assert figure(card["iku"]["value"]) in view.row("Nilai kinerja individu")
    assert not any(text == "Peringkat" for _, text in view.texts)
    assert any(link.startswith(f"{DINAS}?") for link in view.links)


@pytest.mark.parametrize("role", PERSONAL)
def test_satisfaction_of_one_asn_is_withheld_from_all_but_auditors(small: Assembled, role: str) -> None:
    """Though 120 citizens rated, whoever else sees the ASN reads that it is not shown, in the receipt too, and no part."""
    caller = as_role(small, role)
    row = page(small, f"/asn/{BUSY}{MONTH}", **caller).row("Kepuasan masyarakat")
    assert (row[1], row[3], row[5]) == ("–", f"○ {ID('page.insufficient')}", "–")
    assert ID("subject.withheld") in row[0]
    assert "120" not in row[0]
    why = small.get(f"/asn/{BUSY}/why{MONTH}", **caller).text
    assert f"Kepuasan masyarakat: {ID('subject.withheld')}" in Page(why).all("code")
    assert "skor unsur" not in why
    assert "Persyaratan" not in why


@pytest.mark.parametrize(("asn", "n"), [(RARE, "13"), (BUSY, "120")])
def test_an_auditor_sees_the_satisfaction_with_one_asn_from_the_first_rating(
    small: Assembled, asn: str, n: str
) -> None:
    caller = as_role(small, "auditor")
    row = page(small, f"/asn/{asn}{MONTH}", **caller).row("Kepuasan masyarakat")
    assert row[1] == "75,00"
    assert row[0].startswith(f"Kepuasan masyarakat {n} ")
    assert "Persyaratan" in small.get(f"/asn/{asn}/why{MONTH}", **caller).text


def test_an_asn_nobody_reported_on_is_known_and_has_no_data(small: Assembled) -> None:
    assert f"○ {ID('page.no_data')}" in small.get(f"/asn/{IDLE}{MONTH}").text


def test_an_asn_sees_the_open_files_that_are_theirs(neraca: Assembled) -> None:
    """The file that is due first stands first, over all their dinas; files of others are not shown."""
    for case, asn, day in (("K-1", "a-1", 3), ("K-2", "a-1", 2), ("K-3", "a-2", 1)):
        cells = {
            "dinas": f"d-{day}",
            "service": "kir",
            "case": case,
            "asn": asn,
            "received_at": f"2026-11-{day:02}T08:00:00+07:00",
        }
        neraca.record(event("permit-received", case, cells | {"due_at": f"2026-11-{day + 4:02}T08:00:00+07:00"}))
    text = neraca.get(f"/asn/a-1{MONTH}").text
    assert [row[0].split()[0] for row in Page(text).rows if row and row[0].startswith("K-")] == ["K-2", "K-1"]
    assert "K-3" not in text
    assert neraca.get(f"/asn/a-1{MONTH}&csv=files").text.count("\r\n") == 3


def test_the_list_of_asn_is_paged_by_fifty(small: Assembled) -> None:
    first = page(small, f"/dinas/{TWIN}{MONTH}")
    second = page(small, next_page(first) or "")
    links = [link for view in (first, second) for link in view.links if link.startswith("/asn/")]
    api = small.get(f"/v1/dinas/{TWIN}/asn{MONTH}&limit=1000").json()["items"]
    assert [link.partition("?")[0] for link in links] == [f"/asn/{card['subject']['id']}" for card in api]
    assert any("Menampilkan 1–50 dari 62" in text for text in first.all("caption"))
    assert any("Menampilkan 51–62 dari 62" in text for text in second.all("caption"))
