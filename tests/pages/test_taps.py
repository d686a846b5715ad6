"""Ratings by one tap are a figure of their own on every page that shows satisfaction."""

import csv
import io

import pytest

from tests.api.facts import SCHEME, STANDARD, TEPAT, fill, permit, rating, task
from tests.pages.messages import EN, ID
from tests.pages.reading import Page
from tests.serving import Assembled, event

pytestmark = pytest.mark.speed("test")


def taps(count: int, answer: int, **data: object) -> list[dict[str, object]]:
    """So many answers to a single question at one agency."""
    return [
        event(
            "satisfaction-rated",
            f"tap-{answer}-{n}",
            {"dinas": "dishub", "survey": f"s-{answer}-{n}", "overall": answer, **data},
        )
        for n in range(count)
    ]


def notes(text: str) -> str:
    return " ".join(Page(text).all("p"))


def test_the_page_of_an_agency_shows_taps_beside_the_survey(neraca: Assembled) -> None:
    """Two taps of 3 of 4: they enter no score of the built-in scheme, and the page says so."""
    fill(neraca, *(rating("dishub", 3) for _ in range(30)), *taps(2, 3))
    assert ID("subject.taps", value="75,00 %", n=2) in notes(neraca.get("/dinas/dishub?period=2026-11").text)
    english = neraca.get("/dinas/dishub?period=2026-11&lang=en").text
    assert EN("subject.taps", value="75.00 %", n=2) in notes(english)


@pytest.mark.parametrize("count", [29, 60])
@pytest.mark.parametrize("limits", [{"role": "personnel"}, {"role": "asn", "asn": "a-1"}])
def test_the_page_of_an_asn_withholds_taps_from_all_but_auditors(
    neraca: Assembled, limits: dict[str, str], count: int
) -> None:
    """Few or many: in a month no figure of them, though the ASN's tasks are shown; an auditor sees each from the first."""
    fill(neraca, task("dishub", on_time=True), *taps(count, 2, asn="a-1"))
    path = "/asn/a-1?period=2026-11"
    caller = {"authorization": neraca.token("t", limits["role"], asn=limits.get("asn", ""))}
    html = neraca.get(path, headers=caller).text
    assert ID("subject.half_year") in notes(html)
    assert 'class="note taps"' not in html
    assert "50,00" not in html
    auditor = {"authorization": neraca.token("u", "auditor")}
    assert ID("subject.taps", value="50,00 %", n=count) in notes(neraca.get(path, headers=auditor).text)


def test_the_page_for_citizens_shows_taps_of_a_service_from_thirty_on(neraca: Assembled) -> None:
    fill(neraca, *_of_cases("kir", 30), *_of_cases("uji", 29))
    page_read = Page(neraca.get("/publik?period=2026-11").text)
    cells = {service: " ".join(page_read.row(service)).replace("\N{NO-BREAK SPACE}", " ") for service in ("kir", "uji")}
    assert "satu ketuk 100,00 % · 30 jawaban" in cells["kir"]
    assert "satu ketuk" not in cells["uji"]


def _of_cases(service: str, count: int) -> list[dict[str, object]]:
    """So many cases of a service, each decided and then rated."""
    rows = []
    for n in range(count):
        case = {"service": service, "case": f"{service}-{n}"}
        rows += [
            permit("dishub", 12, **case),
            event("satisfaction-rated", f"{service}-{n}", {"dinas": "dishub", "overall": 4, **case}),
        ]
    return rows


def _city(neraca: Assembled, *events: dict[str, object]) -> None:
    """An agency with enough permits, and thirty surveys; another with surveys alone, so that it has no score."""
    fill(neraca, event("standard-set", "std", STANDARD), *events)
    fill(neraca, *(permit("dishub", 12) for _ in range(30)), *(rating("dishub", 3) for _ in range(30)))
    fill(neraca, *(rating("dinkes", 3) for _ in range(30)))


def _cells(neraca: Assembled, dinas: str) -> str:
    row = Page(neraca.get("/?period=2026-11").text).row(dinas)
    return " ".join(row).replace("\N{NO-BREAK SPACE}", " ")


def test_the_board_shows_taps_beside_the_survey(neraca: Assembled) -> None:
    """With a score and without one; below the least number only how many there are, and none where nobody tapped."""
    _city(neraca)
    assert "satu ketuk" not in neraca.get("/?period=2026-11").text
    fill(neraca, *taps(30, 3), *(event("satisfaction-rated", f"k-{n}", _tap("dinkes", n)) for n in range(29)))
    assert "satu ketuk 75,00 % · n 30" in _cells(neraca, "dishub")
    assert "satu ketuk 29 dari 30" in _cells(neraca, "dinkes")
    assert "100,00 %" not in _cells(neraca, "dinkes")
    fill(neraca, event("satisfaction-rated", "k-29", _tap("dinkes", 29)))
    assert "satu ketuk 100,00 % · n 30" in _cells(neraca, "dinkes")
    rows = list(
        csv.DictReader(io.StringIO(neraca.get("/?period=2026-11&csv=board").text.lstrip("\ufeff")), delimiter=";")
    )
    assert {row["id"]: (row[ID("csv.impression")], row[ID("csv.taps")]) for row in rows} == {
        "dishub": ("75,00", "30"),
        "dinkes": ("100,00", "30"),
    }


def test_a_board_whose_scheme_weighs_taps_shows_them_once(neraca: Assembled) -> None:
    """As an indicator of their own, in a column."""
    ikm = {
        **TEPAT,
        "id": "kepuasan",
        "numerator": "ikm",
        "denominator": "respondents",
        "target": "88.31",
        "weight": "0.5",
    }
    taps_part = {**TEPAT, "id": "kesan", "numerator": "overall_sum", "denominator": "overall_n", "weight": "0.5"}
    _city(neraca, event("scheme-adopted", "scheme", {**SCHEME, "indicators": [ikm, taps_part]}))
    fill(neraca, *taps(30, 3))
    assert "satu ketuk" not in _cells(neraca, "dishub")
    head = neraca.get("/?period=2026-11&csv=board").text.splitlines()[0]
    assert ID("csv.taps") not in head


def _tap(dinas: str, number: int) -> dict[str, object]:
    return {"dinas": dinas, "survey": f"k-{number}", "overall": 4}
