"""The laws of every page: refusals are pages, nothing foreign gets in or is fetched, and nothing is sent again unchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from tests.pages.city import BUSY, FAST, LONG, NAMES, ODD, SMALL, WILD
from tests.pages.messages import ID
from tests.pages.reading import FAR, Page, figure, page
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from tests.conftest import Assemble

pytestmark = pytest.mark.speed("test")

DINAS: Final = f"/dinas/{FAST}"
ALL: Final = (
    "/",
    "/?lang=en",
    "/?period=2026",
    DINAS,
    f"/dinas/{quote(ODD, safe='')}",
    f"/dinas/{LONG}",
    f"{DINAS}/why",
    f"/dinas/{quote(ODD, safe='')}/why",
    f"/asn/{BUSY}",
    f"/asn/{BUSY}/why",
    "/dinas/tak-ada",
    "/?period=besok",
    "/publik",
    "/publik?lang=en",
    "/auditor",
    "/auditor?lang=en",
    "/auditor?period=2026-11&since=9&until=1028",
    "/auditor/journal",
    f"/auditor/journal?dinas={quote(ODD, safe='')}",
    "/auditor/journal/1028",
    "/auditor/journal/0",
    "/loket",
    f"/loket?dinas={FAST}",
    "/loket/warga",
    "/loket/warga?lang=en",
)
MONTH: Final = "?period=2026-11"


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
    text = own_small.get(f"{path}?period=2026-12").text
    assert "Desember 2026 · dibaca" in text
    assert "masih tipis" not in text


def test_an_empty_journal_has_a_board_that_says_so(assemble: Assemble) -> None:
    view = page(assemble(), "/")
    assert any(text.startswith("Belum ada perangkat daerah") for text in view.all("p"))


def test_names_and_ids_are_text_wherever_they_stand(small: Assembled) -> None:
    for path in (*ALL, "/dinas/%3Cscript%3Ealert(1)", "/?period=%3Cscript%3E", f"{DINAS}?lang=%3Cscript%3E"):
        view = Page(small.get(path).text)
        tags = {tag for tag, _ in view.tags}
        assert all("src" in attributes for tag, attributes in view.tags if tag == "script"), path
        assert not tags & {"img", "iframe", "object", "style"}, path
    assert NAMES[SMALL] in page(small, f"/{MONTH}").row("<script>")


def test_an_id_with_signs_of_an_address_is_reached_by_its_link(small: Assembled) -> None:
    link = next(link for link in page(small, f"/{MONTH}").links if "onerror" in link and "/why" not in link)
    view = page(small, link)
    assert view.all("h1") == [NAMES[ODD]]
    data = next(address for address in view.links if address.startswith("/v1/"))
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
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]


@pytest.mark.parametrize("path", ["/", DINAS, f"{DINAS}/why", f"/asn/{BUSY}", f"/asn/{BUSY}/why"])
def test_english_is_kept_by_every_link_of_a_page(small: Assembled, path: str) -> None:
    answer = small.get(f"{path}{MONTH}&lang=en")
    assert answer.headers["content-language"] == "en"
    view = Page(answer.text)
    pages = [link for link in view.links if link.startswith("/") and not link.startswith("/v1/")]
    plain = [link for link in pages if "lang=en" not in link]
    assert plain == [f"{path}{MONTH}"], "only the link back to Bahasa Indonesia leaves English"
    assert '<input type="hidden" name="lang" value="en">' in answer.text
    assert "read 24 November 2026, 12:00 WIB" in answer.text


def test_of_persons_a_stranger_learns_nothing(small: Assembled) -> None:
    assert small.get("/", **FAR).status_code == 200
    view = page(small, DINAS, **FAR)
    assert any(text == ID("subject.staff_guarded") for text in view.all("p"))
    assert not [link for link in view.links if link.startswith("/asn/")]
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
    with_version, plain = small.get(address[1]), small.get("/static/neraca.css")
    assert with_version.headers["content-type"] == "text/css; charset=utf-8"
    assert with_version.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    assert with_version.text == plain.text


def test_the_pages_are_no_part_of_the_api_document(small: Assembled) -> None:
    paths = small.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if path == "/" or path.startswith(("/dinas", "/asn", "/static", "/auditor"))]
