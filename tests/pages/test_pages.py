"""The pages' laws: figures are the API's, thin months give way, refusals are pages, nothing foreign gets in or is fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from tests.pages.city import BUSY, FAST, IDLE, LONG, NAMES, ODD, OTHER_TWIN, RARE, SMALL, TWIN, UNRATED, WILD
from tests.pages.messages import ID
from tests.pages.reading import FAR, Page, figure, page
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from tests.conftest import Assemble

pytestmark = pytest.mark.speed("test")

DINAS: Final = f"/dinas/{FAST}"
ALL: Final = (
    "/", "/?lang=en", "/?period=2026", DINAS, f"/dinas/{quote(ODD, safe='')}", f"/dinas/{LONG}", f"{DINAS}/why",
    f"/dinas/{quote(ODD, safe='')}/why", f"/asn/{BUSY}", f"/asn/{BUSY}/why", "/dinas/tak-ada", "/?period=besok",
    "/publik", "/publik?lang=en", "/auditor", "/auditor?lang=en", "/auditor?period=2026-11&since=9&until=1028",
    "/auditor/journal", f"/auditor/journal?dinas={quote(ODD, safe='')}", "/auditor/journal/1028", "/auditor/journal/0",
    "/loket", f"/loket?dinas={FAST}", "/loket/warga", "/loket/warga?lang=en",
)  # fmt: skip
MONTH: Final = "?period=2026-11"


def next_page(shown: Page) -> str | None:
    """The address of the list's next page, if there is one."""
    links = [link for link in shown.links if "cursor=" in link and "#" in link]
    return links[-1].partition("#")[0] if links else None


def test_the_board_shows_the_figures_of_the_ranking(small: Assembled) -> None:
    board = page(small, f"/{MONTH}")
    cards = small.get(f"/v1/rankings/dinas{MONTH}").json()["items"]
    ranked = [card for card in cards if card["iku"]["value"] is not None]
    assert len(ranked) == 4
    for card in ranked:
        row = board.row(NAMES[card["subject"]["id"]])
        assert row[2] == figure(card["iku"]["value"])
        for said, cell in zip(card["indicators"], row[3:6], strict=True):
            n = f"n {figure(said['n'], 0)}" if said["state"] == "ok" else f"{said['n']} dari"
            assert cell.startswith(f"{figure(said['capaian'])} {n}")
        assert row[7].split()[0] == figure(card["counts"]["permits_open"], 0)


def test_the_board_stands_in_the_order_of_the_ranking(small: Assembled) -> None:
    board = page(small, f"/{MONTH}")
    cards = small.get(f"/v1/rankings/dinas{MONTH}").json()["items"]
    shown = [row[1] for row in board.rows if len(row) > 3][1:]
    names = [NAMES.get(card["subject"]["id"], f"{WILD} belum terdaftar") for card in cards]
    assert shown == names


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
    shown, card = page(small, f"{DINAS}{MONTH}"), small.get(f"/v1{DINAS}{MONTH}").json()
    assert figure(card["iku"]["value"]) in shown.row("Nilai kinerja (gabungan IKU)")
    for said, name in zip(card["indicators"], ("Kecepatan", "Kepuasan", "Ketepatan"), strict=True):
        row = shown.row(name)
        unit = "" if said["id"] == "kepuasan" else " %"
        assert figure(said["n"], 0) in row[0]
        assert row[1:3] == [figure(said["value"]) + unit, figure(said["target"]) + unit]
        assert row[3] == figure(said["capaian"])
        assert row[4] == figure(said["weight"])
        assert row[5] == figure(said["weight"] * said["capaian"])
    counts = card["counts"]
    assert shown.has(
        (ID("count.permits"), figure(counts["permits"], 0)), ("Sesuai standar waktu", figure(counts["permits_on_time"], 0)),
        (ID("count.permits_rejected"), figure(counts["permits_rejected"], 0)), ("Penilaian warga", figure(counts["ratings"], 0)),
        ("Tugas dilaporkan sendiri", figure(counts["tasks_self_reported"], 0)), ("Peringkat", "1 dari 3"),
    )  # fmt: skip


def test_the_services_of_a_dinas_add_up_to_its_permits(small: Assembled) -> None:
    shown, card = page(small, f"{DINAS}{MONTH}"), small.get(f"/v1{DINAS}{MONTH}").json()
    counts, speed = card["counts"], card["indicators"][0]
    for row in (shown.row("ktp-el"), shown.row("Semua layanan")):
        assert row[3:5] == [figure(counts["permits"], 0), figure(counts["permits_rejected"], 0)]
        late = counts["permits_with_standard"] - counts["permits_on_time"]
        told = f"{counts['permits_on_time']} dari {counts['permits_with_standard']}"
        assert row[6].endswith(f"{told} {late} terlambat" if late else told)
        assert row[7] == f"{figure(speed['value'])} n {speed['n']}"
    assert "standar 24 jam" in shown.row("ktp-el")[0]


def test_months_of_a_dinas_are_those_of_the_api(small: Assembled) -> None:
    shown = page(small, f"{DINAS}{MONTH}")
    for month, name in (("2026-11", "November 2026"), ("2026-10", "Oktober 2026")):
        card = small.get(f"/v1{DINAS}?period={month}").json()
        row = next(row for row in shown.rows if row and row[0].startswith(name))
        assert row[1] == figure(card["iku"]["value"])


def test_the_receipt_holds_the_numbers_of_why(small: Assembled) -> None:
    shown, why = page(small, f"{DINAS}/why{MONTH}"), small.get(f"/v1{DINAS}/why{MONTH}&limit=50").json()
    balance, codes = why["balance"], shown.all("code")
    assert shown.has(
        (ID("measure.capaian_n"), figure(balance["capaian_n"], 0)), ("responden", figure(balance["respondents"], 0)),
        ("tugas tepat waktu", figure(balance["tasks_on_time"], 0)),
        ("jumlah capaian, batas 120 (dalam satuan 0,01 %)", figure(balance["capaian_sum_120"], 0)),
        ("Nilai", figure(why["scorecard"]["iku"]["value"])),
    )  # fmt: skip
    assert [code.partition(": ")[2].replace(".", "").replace(",", ".") for code in codes] == [
        *(part["expression"] for part in why["formula"]["indicators"]), why["formula"]["iku"],
    ]  # fmt: skip
    term = why["formula"]["indicators"][1]["unsur"][0]
    assert shown.row("Persyaratan") == ["Persyaratan", str(term["n"]), str(term["sum"]), figure(term["nrr"])]
    evidence = [row for row in shown.rows if row and row[0].replace(".", "").isdigit()]
    assert [int(row[0].replace(".", "")) for row in evidence] == [entry["position"] for entry in why["events"]]


def test_evidence_is_paged_to_its_end_and_every_event_comes_once(small: Assembled) -> None:
    path, seen = f"{DINAS}/why{MONTH}", list[str]()
    while path:
        shown = page(small, path)
        seen += [row[0] for row in shown.rows if row and row[0].replace(".", "").isdigit()]
        path = next_page(shown) or ""
    why = small.get(f"/v1{DINAS}/why{MONTH}&limit=1000").json()
    assert [int(position.replace(".", "")) for position in seen] == [entry["position"] for entry in why["events"]]


def test_evidence_says_reversals_in_words(small: Assembled) -> None:
    shown = page(small, f"{DINAS}/why{MONTH}")
    while following := next_page(shown):
        shown = page(small, following)
    withdrawn = next(row for row in shown.rows if any(cell.startswith("Pencabutan: Tugas selesai") for cell in row))
    assert withdrawn[3] == "tugas −1 · tugas bertenggat −1 · tugas tepat waktu −1 · dilaporkan sendiri −1"
    corrected = next(row for row in shown.rows if any(cell.startswith("Koreksi: Dokumen terbit") for cell in row))
    assert "alasan: salah-waktu" in corrected[2]
    assert corrected[3] == "sesuai standar −1 · waktu layanan +14 jam · capaian −28,33"


def test_an_asn_page_shows_their_scorecard_over_all_dinas(small: Assembled) -> None:
    shown, card = page(small, f"/asn/{BUSY}{MONTH}"), small.get(f"/v1/asn/{BUSY}{MONTH}").json()
    assert shown.all("h1") == ["Nilai kinerja individu"]
    assert figure(card["iku"]["value"]) in shown.row("Nilai kinerja individu")
    assert not any(text == "Peringkat" for _, text in shown.texts)
    assert any(link.startswith(f"{DINAS}?") for link in shown.links)


def test_satisfaction_of_one_asn_below_the_minimum_is_withheld(small: Assembled) -> None:
    shown = page(small, f"/asn/{RARE}{MONTH}")
    row = shown.row("Kepuasan masyarakat")
    assert row[1] == "–"
    assert ID("subject.withheld") in row[0]
    why = small.get(f"/asn/{RARE}/why{MONTH}").text
    assert ID("receipt.hidden") in why
    assert "skor unsur" not in why
    assert "Persyaratan" not in why


def test_an_asn_nobody_reported_on_is_known_and_has_no_score(small: Assembled) -> None:
    assert "○ belum cukup data" in small.get(f"/asn/{IDLE}{MONTH}").text


def test_an_asn_sees_the_open_files_that_are_theirs(neraca: Assembled) -> None:
    """The file that is due first stands first, over all their dinas; files of others are not shown."""
    for case, asn, day in (("K-1", "a-1", 3), ("K-2", "a-1", 2), ("K-3", "a-2", 1)):
        said = {
            "dinas": f"d-{day}",
            "service": "kir",
            "case": case,
            "asn": asn,
            "received_at": f"2026-11-{day:02}T08:00:00+07:00",
        }
        neraca.record(event("permit-received", case, said | {"due_at": f"2026-11-{day + 4:02}T08:00:00+07:00"}))
    text = neraca.get(f"/asn/a-1{MONTH}").text
    assert [row[0].split()[0] for row in Page(text).rows if row and row[0].startswith("K-")] == ["K-2", "K-1"]
    assert "K-3" not in text
    assert neraca.get(f"/asn/a-1{MONTH}&csv=files").text.count("\r\n") == 3


def test_the_list_of_asn_is_paged_by_fifty(small: Assembled) -> None:
    first = page(small, f"/dinas/{TWIN}{MONTH}")
    second = page(small, next_page(first) or "")
    listed = [link for shown in (first, second) for link in shown.links if link.startswith("/asn/")]
    api = small.get(f"/v1/dinas/{TWIN}/asn{MONTH}&limit=1000").json()["items"]
    assert [link.partition("?")[0] for link in listed] == [f"/asn/{card['subject']['id']}" for card in api]
    assert any("Menampilkan 1–50 dari 62" in text for text in first.all("caption"))
    assert any("Menampilkan 51–62 dari 62" in text for text in second.all("caption"))


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/dinas/tak-ada", 404, "Tidak ditemukan"),
        ("/dinas/tak-ada/why", 404, "Tidak ditemukan"),
        ("/asn/tak-ada", 404, "Tidak ditemukan"),
        ("/asn/tak-ada/why", 404, "Tidak ditemukan"),
        ("/?period=besok", 422, "Alamat tidak dapat dijawab"),
        ("/?period=", 422, "Alamat tidak dapat dijawab"),
        (f"{DINAS}?period=2026-13", 422, "Alamat tidak dapat dijawab"),
        (f"{DINAS}?cursor=!!", 422, "Alamat tidak dapat dijawab"),
        (f"{DINAS}/why?cursor=!!", 422, "Alamat tidak dapat dijawab"),
        ("/dinas/tak-ada?lang=en", 404, "Not found"),
    ],
)
def test_a_refusal_is_a_page(small: Assembled, path: str, status: int, title: str) -> None:
    assert page(small, path, status).all("h1") == [title]


def test_a_period_is_chosen_by_a_form_that_needs_no_script(small: Assembled) -> None:
    html = small.get("/?period=2026-10").text
    assert '<option value="2026-10" selected>Oktober 2026</option>' in html
    assert {"November 2026 (berjalan)", "Triwulan IV 2026 (berjalan)", "Semester II 2026 (berjalan)"} <= set(
        Page(html).all("option")
    )
    assert '<form class="tools" method="get">' in html
    assert "Triwulan IV 2026" in small.get("/?period=2026-Q4").text


@pytest.mark.parametrize("period", ["2026-10", "2026-Q4", "2026-S2", "2026"])
def test_the_board_of_any_period_is_that_of_the_api(small: Assembled, period: str) -> None:
    board = page(small, f"/?period={period}")
    for card in small.get(f"/v1/rankings/dinas?period={period}").json()["items"]:
        if card["iku"]["value"] is not None:
            assert board.row(NAMES[card["subject"]["id"]])[2] == figure(card["iku"]["value"])


def test_without_a_period_the_current_month_is_shown_when_it_holds_enough(small: Assembled) -> None:
    html = small.get("/").text
    assert "November 2026 · dibaca" in html
    assert "masih tipis" not in html


@pytest.mark.parametrize("path", ["/", DINAS, f"{DINAS}/why", f"/asn/{BUSY}"])
def test_a_thin_month_gives_way_to_the_last_full_one_and_the_page_says_so(
    own_small: Assembled, clock: Clock, path: str
) -> None:
    clock.set("2026-12-02T09:00:00+07:00")
    html = own_small.get(path).text
    assert "November 2026 · dibaca" in html
    assert ID("page.thin", shown="November 2026", current="Desember 2026", ok=0, n=7) in html
    asked = own_small.get(f"{path}?period=2026-12").text
    assert "Desember 2026 · dibaca" in asked
    assert "masih tipis" not in asked


def test_an_empty_journal_has_a_board_that_says_so(assemble: Assemble) -> None:
    shown = page(assemble(), "/")
    assert any(text.startswith("Belum ada perangkat daerah") for text in shown.all("p"))


def test_names_and_ids_are_text_wherever_they_stand(small: Assembled) -> None:
    for path in (*ALL, "/dinas/%3Cscript%3Ealert(1)", "/?period=%3Cscript%3E", f"{DINAS}?lang=%3Cscript%3E"):
        shown = Page(small.get(path).text)
        tags = {tag for tag, _ in shown.tags}
        assert all("src" in attributes for tag, attributes in shown.tags if tag == "script"), path
        assert not tags & {"img", "iframe", "object", "style"}, path
    assert NAMES[SMALL] in page(small, f"/{MONTH}").row("<script>")


def test_an_id_with_signs_of_an_address_is_reached_by_its_link(small: Assembled) -> None:
    link = next(link for link in page(small, f"/{MONTH}").links if "onerror" in link and "/why" not in link)
    shown = page(small, link)
    assert shown.all("h1") == [NAMES[ODD]]
    data = next(found for found in shown.links if found.startswith("/v1/"))
    assert small.get(data).json()["subject"]["id"] == ODD


def test_an_unregistered_dinas_goes_by_its_id_and_is_marked(small: Assembled) -> None:
    assert page(small, f"/{MONTH}").row(WILD)[1] == f"{WILD} belum terdaftar"


@pytest.mark.parametrize("path", ALL)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(small: Assembled, path: str) -> None:
    answer = small.get(path)
    for tag, attributes in Page(answer.text).tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("href", "src", "action"):
                assert value is not None
                assert value.startswith(("/", "#", "data:,")), value
                assert not value.startswith("//"), value
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "worker-src 'self'", "connect-src 'self'",
        "img-src 'self' data:", "form-action 'self'",
        "frame-ancestors 'none'", "base-uri 'none'",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/", DINAS, f"{DINAS}/why", f"/asn/{BUSY}", f"/asn/{BUSY}/why"])
def test_english_is_kept_by_every_link_of_a_page(small: Assembled, path: str) -> None:
    answer = small.get(f"{path}{MONTH}&lang=en")
    assert answer.headers["content-language"] == "en"
    shown = Page(answer.text)
    pages = [link for link in shown.links if link.startswith("/") and not link.startswith("/v1/")]
    plain = [link for link in pages if "lang=en" not in link]
    assert plain == [f"{path}{MONTH}"], "only the link back to Bahasa Indonesia leaves English"
    assert '<input type="hidden" name="lang" value="en">' in answer.text
    assert "read 24 November 2026, 12:00 WIB" in answer.text


def test_of_persons_a_stranger_learns_nothing(small: Assembled) -> None:
    assert small.get("/", **FAR).status_code == 200
    shown = page(small, DINAS, **FAR)
    assert any(text == ID("subject.staff_guarded") for text in shown.all("p"))
    assert not [link for link in shown.links if link.startswith("/asn/")]
    for path in (f"/asn/{BUSY}", f"/asn/{BUSY}/why", f"{DINAS}/why"):
        answer = small.get(path, **FAR)
        assert Page(answer.text).all("h1") == ["Perlu token"]
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="neraca"')


def test_a_token_opens_what_its_scopes_cover(own_small: Assembled) -> None:
    reader, writer = own_small.token("pembaca", "read"), own_small.token("loket", "fact")
    assert own_small.get(f"/asn/{BUSY}", headers={"authorization": reader}, **FAR).status_code == 200
    assert own_small.get(f"/asn/{BUSY}", headers={"authorization": writer}, **FAR).status_code == 403
    assert "/asn/" in own_small.get(DINAS, headers={"authorization": reader}, **FAR).text
    assert "/asn/" not in own_small.get(DINAS, headers={"authorization": writer}, **FAR).text
    assert own_small.get("/", headers={"authorization": "Bearer salah"}, **FAR).status_code == 401


def test_a_page_is_not_sent_again_while_it_would_be_the_same(own_small: Assembled, clock: Clock) -> None:
    first = own_small.get("/").headers["etag"]
    again = own_small.get("/", headers={"if-none-match": first})
    assert (again.status_code, again.content) == (304, b"")
    assert own_small.get("/?lang=en", headers={"if-none-match": first}).status_code == 200
    assert own_small.get(DINAS).headers["etag"] != own_small.get(DINAS, **FAR).headers["etag"]
    clock.set("2026-11-24T12:01:00+07:00")
    assert own_small.get("/", headers={"if-none-match": first}).status_code == 200, "the time of reading is on the page"


def test_a_new_fact_is_on_the_next_page(neraca: Assembled) -> None:
    neraca.record(event("dinas-registered", "d", {"dinas": "baru", "name": "Dinas Baru"}))
    before = neraca.get("/").headers["etag"]
    neraca.record(event("dinas-registered", "e", {"dinas": "baru", "name": "Dinas Lebih Baru"}))
    after = neraca.get("/", headers={"if-none-match": before})
    assert after.status_code == 200
    assert "Dinas Lebih Baru" in after.text


def test_a_fold_that_has_stopped_is_told(neraca: Assembled) -> None:
    neraca.live.stopped = "position 7: unknown"
    assert f"○ {ID('page.stopped')}" in neraca.get("/").text


def test_the_style_sheet_is_kept_for_good_under_its_own_version(small: Assembled) -> None:
    address = re.search(r'href="(/static/neraca\.css\?v=\w+)"', small.get("/").text)
    assert address is not None
    versioned, plain = small.get(address[1]), small.get("/static/neraca.css")
    assert versioned.headers["content-type"] == "text/css; charset=utf-8"
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    assert versioned.text == plain.text


def test_the_pages_are_no_part_of_the_api_document(small: Assembled) -> None:
    paths = small.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if path == "/" or path.startswith(("/dinas", "/asn", "/static", "/auditor"))]
