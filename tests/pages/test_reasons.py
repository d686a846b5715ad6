"""The reasons of a score, on its own page: in words that are the counts, and in arithmetic that adds up."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.pages.city import BUSY, FAST, MONTH, ODD, RARE, SMALL, TWIN, UNRATED
from tests.pages.reading import FAR, Page, figure
from tests.serving import NDJSON, Assembled, event, ndjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Assemble

pytestmark = pytest.mark.speed("test")


def decimal(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))


def reasons(html: str) -> list[str]:
    return re.findall(r'<span class="reason">(.*?)</span>', html)


@pytest.mark.parametrize("path", [f"/dinas/{FAST}", f"/dinas/{TWIN}", f"/dinas/{UNRATED}", f"/asn/{BUSY}"])
def test_a_reason_says_the_counts_and_its_arithmetic_adds_up_to_the_score(small: Assembled, path: str) -> None:
    card = small.get(f"/v1{path}?{MONTH}").json()
    why = small.get(f"/v1{path}/why?{MONTH}").json()["formula"]["indicators"]
    html = small.get(f"{path}?{MONTH}").text
    counts, sentences = card["counts"], reasons(html)
    late, misses = (
        counts["permits_with_standard"] - counts["permits_on_time"],
        counts["tasks_with_due"] - counts["tasks_on_time"],
    )
    permits = (
        f"{counts['permits_on_time']} dari {counts['permits_with_standard']} permohonan berstandar selesai dalam waktu yang "
        f"dijanjikan; {late} terlambat."
        if late
        else f"Semua {counts['permits_with_standard']} permohonan berstandar selesai dalam waktu yang dijanjikan."
    )
    tasks = (
        f"{counts['tasks_on_time']} dari {counts['tasks_with_due']} tugas selesai sebelum tenggat; {misses} terlambat."
    )
    sentence = [
        f"{part['denominator']['balance']} warga menilai; rata-rata kesembilan unsur "
        f"{figure(sum(Decimal(unsur['sum']) / unsur['n'] for unsur in part['unsur']) / 9)} dari 4."
        for part in why
        if part["id"] == "kepuasan" and part["capaian"] is not None
    ]
    speed = next(part["capaian"] for part in why if part["id"] == "kecepatan")
    pace = "di atas 100: lebih cepat" if speed > 100 else "di bawah 100: lebih lambat"
    assert sentences == [f"Rata-rata capaian waktu {pace} daripada standar. {permits}", *sentence, tasks]
    contributions = [decimal(text.rpartition(" = ")[2]) for text in Page(html).all("code")]
    assert len(contributions) == len(sentences)
    assert abs(sum(contributions) - Decimal(str(card["iku"]["value"]))) <= Decimal("0.02"), "each is rounded by itself"


def test_of_what_has_not_enough_data_no_reason_gives_a_rating_away(small: Assembled) -> None:
    """Three citizens rated this ASN; neither their answers nor the mean is on the page."""
    page = Page(small.get(f"/asn/{RARE}?{MONTH}").text)
    assert page.all("code") == []
    assert "warga menilai" not in small.get(f"/asn/{RARE}?{MONTH}").text
    assert reasons(small.get(f"/dinas/{SMALL}?{MONTH}").text) == []


def test_measures_of_another_scheme_are_said_by_their_names(assemble: Assemble) -> None:
    def part(name: str, numerator: str, denominator: str) -> dict[str, object]:
        figures = {"direction": "higher", "target": "80", "cap": None, "min_n": 1, "weight": "0.5"}
        return {"id": name, "numerator": numerator, "denominator": denominator, **figures}

    parts = [part("ditolak", "permits_rejected", "permits"), part("suara", "overall_sum", "overall_n")]
    scheme = {
        "scheme": "lain",
        "effective_from": "2026-01-01",
        "indicators": parts,
        "skm_weight": "1/9",
        "min_coverage": "0.1",
    }
    neraca = assemble()
    neraca.record(event("scheme-adopted", "skema", scheme))
    case = {
        "dinas": "d",
        "service": "s",
        "received_at": "2026-11-02T08:00:00+07:00",
        "completed_at": "2026-11-02T09:00:00+07:00",
    }
    for n in range(4):
        outcome = "rejected" if n == 0 else "issued"
        neraca.record(
            event("permit-processed", f"p{n}", {**case, "case": f"K{n}", "outcome": outcome}),
            event("satisfaction-rated", f"r{n}", {"dinas": "d", "survey": f"S{n}", "overall": 3}),
        )
    neraca.settle()
    assert reasons(neraca.get(f"/dinas/d?{MONTH}").text) == [
        "1 ditolak dari 4 permohonan.",
        "Rata-rata dari 4 penilaian.",
    ]


def tasks(dinas: str, month: str, late: int) -> Iterable[dict[str, Any]]:
    """Twenty tasks and forty permits in time, some tasks late."""
    start = datetime.fromisoformat(f"{month}-03T08:00:00+07:00")
    for n in range(40):
        if n < 20:
            due = start + timedelta(hours=-1 if n < late else 1)
            data = {"dinas": dinas, "asn": "a-1", "task": f"{month}-{n}", "completed_at": start.isoformat()}
            yield event("task-completed", f"{month}-t{n}", {**data, "due_at": due.isoformat()})
        yield event(
            "permit-processed",
            f"{month}-p{n}",
            {
                "dinas": dinas,
                "service": "s",
                "case": f"{month}-{n}",
                "asn": "a-1",
                "received_at": start.isoformat(),
                "completed_at": (start + timedelta(hours=12)).isoformat(),
                "due_at": (start + timedelta(hours=24)).isoformat(),
            },
        )


@pytest.mark.parametrize(
    ("months", "sentence"),
    [
        ({"2026-08": 10, "2026-09": 5, "2026-10": 0}, "Dari Agustus 2026 ({}) ke Oktober 2026 ({}): naik {} poin."),
        ({"2026-08": 0, "2026-10": 10}, "Dari Agustus 2026 ({}) ke Oktober 2026 ({}): turun {} poin."),
        ({"2026-09": 5, "2026-10": 5}, "Dari September 2026 ke Oktober 2026: tetap {}."),
        ({"2026-10": 5}, ""),
    ],
)
def test_an_asns_own_way_is_told_in_words_from_whole_month_to_whole_month(
    assemble: Assemble, months: dict[str, int], sentence: str
) -> None:
    """The month that runs is left out: it still changes."""
    neraca = assemble()
    for month, late in {**months, "2026-11": 20}.items():
        assert not neraca.post(ndjson(tasks("d", month, late)), NDJSON).json()["rejected"]
    neraca.settle()
    scores = [neraca.get(f"/v1/asn/a-1?period={month}").json()["iku"]["value"] for month in months]
    gap = figure(abs(scores[-1] - scores[0]))
    figures = (figure(scores[-1]),) if "tetap" in sentence else (figure(scores[0]), figure(scores[-1]), gap)
    sentences = [text for text in Page(neraca.get(f"/asn/a-1?{MONTH}").text).all("p") if text.startswith("Dari ")]
    assert [text.partition(" Ketidakpastian")[0] for text in sentences] == (
        [sentence.format(*figures)] if sentence else []
    )


def test_an_asn_finds_their_own_page_by_id(small: Assembled) -> None:
    page = Page(small.get("/asn").text)
    assert page.all("h1") == ["Nilai saya"]
    assert "/asn" in Page(small.get("/").text).links
    answer = small.get(f"/asn?asn=%20{BUSY}%20&lang=en")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/asn/{BUSY}?lang=en")
    odd = small.get("/asn?asn=%2F%2Fjahat.example%2F..")
    assert odd.headers["location"] == "/asn/%2F%2Fjahat.example%2F..", "an id leads to no other place"
    redirection = small.ask("POST", "/asn?lang=en", content=f"asn=+{BUSY}+".encode())
    assert (redirection.status_code, redirection.headers["location"]) == (303, f"/asn/{BUSY}?lang=en")
    unknown = small.get("/asn/a-lain")
    assert unknown.status_code == 404
    assert "/asn" in Page(unknown.text).links


@pytest.mark.parametrize(
    "number", ["198501012010011001", "19850101 201001 1 001", "3674.0123.4567.8901", " 3674-012345-678901 "]
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_personal_number_is_not_searched_and_stands_in_no_answer(small: Assembled, method: str, number: str) -> None:
    """Neither in the address that the form leads to, nor on the page; the form sends it in no address."""
    assert '<form class="tools" method="post" action="/asn">' in small.get("/asn").text
    query = f"asn={quote(number)}"
    answer = small.ask(method, f"/asn{f'?{query}' if method == 'GET' else ''}", content=query.encode())
    assert (answer.status_code, "location" in answer.headers) == (422, False)
    main = answer.text.partition("<main")[2]
    assert "NIK atau NIP" in main
    assert number.strip() not in main
    for page in (f"/auditor/journal?q={quote(number)}", f"/loket?{query}"):
        refusal = small.get(page)
        assert (refusal.status_code, number.strip() in refusal.text.partition("<main")[2]) == (422, False), page


def test_an_id_is_found_whatever_its_capitals_by_those_who_may_read_of_persons(small: Assembled) -> None:
    """Only the way on from the form is kind: the address of a page is an id letter for letter."""
    for text in (BUSY.upper(), BUSY.title(), BUSY):
        redirection = small.ask("POST", "/asn", content=f"asn={text}".encode())
        assert (redirection.status_code, redirection.headers["location"]) == (303, f"/asn/{BUSY}")
    assert small.get(f"/asn/{BUSY.upper()}").status_code == 404
    guest = small.ask("POST", "/asn", content=f"asn={BUSY.upper()}".encode(), **FAR)
    assert guest.headers["location"] == f"/asn/{BUSY.upper()}", "a guest learns of no id"


def test_who_may_not_read_of_persons_finds_nobody(small: Assembled) -> None:
    assert small.get("/asn", **FAR).status_code == 200
    own, unknown = (small.get(f"/asn/{asn}", **FAR) for asn in (BUSY, "a-lain"))
    assert (own.status_code, unknown.status_code) == (401, 401)


def test_the_newest_events_stand_on_an_asns_page_and_all_of_them_in_its_table(small: Assembled) -> None:
    newest = [item["position"] for item in small.get(f"/v1/asn/{BUSY}/events?{MONTH}&limit=8").json()["items"]]
    page = Page(small.get(f"/asn/{BUSY}?{MONTH}").text)
    positions = [row[0] for row in page.rows if row and row[0].replace(".", "").isdigit()]
    assert positions == [figure(position, 0) for position in newest]
    assert f"/asn/{BUSY}/events?{MONTH}" in page.links
    rows = small.get(f"/asn/{BUSY}?{MONTH}&csv=events").text.splitlines()
    behind = small.get(f"/v1/asn/{BUSY}/events?{MONTH}&limit=1000").json()["items"]
    assert len(rows) == 1 + len(behind)


@pytest.mark.parametrize("path", [f"/dinas/{FAST}", f"/asn/{BUSY}", f"/dinas/{ODD}"])
@pytest.mark.parametrize("more", ["/events", "/events?measure=ratings", "/why"])
def test_what_one_citizen_answered_is_on_no_page(small: Assembled, path: str, more: str) -> None:
    """Not though there are enough of them, and not in its table: only that they answered."""
    address = f"{quote(path)}{more}{'&' if '?' in more else '?'}{MONTH}"
    page = small.get(address)
    assert page.status_code == 200
    cells = [row[-1] for row in Page(page.text).rows if any(cell.startswith("Warga menilai") for cell in row)]
    lines = [line for line in small.get(f"{address}&csv=events").text.splitlines() if "Warga menilai" in line]
    assert lines
    assert set(cells) <= {"responden +1 · isi jawaban tidak ditampilkan satu per satu"}
    assert {line.split(";")[-2] for line in lines} == {"responden +1 · isi jawaban tidak ditampilkan satu per satu"}
