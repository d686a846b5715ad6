"""The page for citizens: units and services, what they promise and keep; nobody is named, and few files tell nothing."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pages.public import LEAST_FILES, Public, PublicPage, _of, public
from domain.periods import Period
from projections.reading.reader import Snapshot
from tests.api.facts import fill, permit, rating
from tests.conftest import Assemble
from tests.pages.messages import EN, ID
from tests.pages.reading import Page
from tests.serving import Assembled, Clock, event

pytestmark = pytest.mark.speed("test")

STANDARD = event(
    "standard-set", "std", {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
)
PATH = "/publik?period=2026-11"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([10, 100]), st.data())
def test_a_share_is_all_or_none_only_where_it_is(whole: int, data: st.DataObject) -> None:
    """Else the nearest of ten, or of a hundred, halves up."""
    n = data.draw(st.integers(1, 10_000))
    part = data.draw(st.integers(0, n))
    number = _of(whole, part, n)
    assert (number == whole) == (part == n)
    assert (number == 0) == (part == 0)
    if 0 < number < whole and number not in (1, whole - 1):
        assert abs(Fraction(whole * part, n) - number) <= Fraction(1, 2)


def test_what_was_promised_and_what_was_kept(neraca: Assembled) -> None:
    """18 of 20 within 24 hours; on average (18 x 12 + 2 x 48) / 20 = 15 h 36 min; the mean stands at 65 % of the promise."""
    fill(
        neraca,
        STANDARD,
        event("dinas-registered", "n", {"dinas": "dishub", "name": "Dinas Perhubungan"}),
        *(permit("dishub", 12) for _ in range(18)),
        *(permit("dishub", 48) for _ in range(2)),
        *(permit("dishub", 1, service="lain") for _ in range(3)),
        *(rating("dishub", 4, service="kir", asn="a-7") for _ in range(30)),
        *(permit("dinkes", 30) for _ in range(LEAST_FILES)),
    )
    text = neraca.get(PATH).text
    view = Page(text)
    assert view.all("h2")[:2] == ["Dinas Perhubungan", "dinkes"]
    assert view.row("kir") == [
        "kir Janji: 24 jam",
        "rata-rata 15 jam 36 mnt",
        "9 dari 10 sesuai janji 18 dari 20 permohonan",
        "A sangat baik 100,00 · 30 warga",
    ]
    assert view.row("lain") == [
        "lain Belum ada janji waktu",
        "rata-rata 1 jam",
        "–",
        "○ belum cukup data 0 dari 30 penilaian",
    ]
    assert '<rect width="45.50%"/>' in text
    assert "0 dari 10 sesuai janji" in text
    assert '<rect class="u" width="87.50%"/>' in text
    assert ID("public.of_hundred", n=60) in text


def test_nearly_all_is_neither_all_nor_nine_of_ten(neraca: Assembled) -> None:
    """275 of 276 is not one in ten that waits too long; a file with a due date of its own has a promise without a standard."""
    fill(
        neraca,
        STANDARD,
        *(permit("dishub", 12) for _ in range(39)),
        permit("dishub", 48),
        *(permit("dinkes", 48) for _ in range(39)),
        permit("dinkes", 12),
        *(permit("dlh", 12, service="tebang", due_at="2026-11-20T00:00:00+07:00") for _ in range(12)),
    )
    view = Page(neraca.get(PATH).text)
    shares = [row[2] for row in view.rows if row and row[0].startswith("kir ")]
    assert shares == [
        "hampir tidak ada yang sesuai janji 1 dari 40 permohonan",
        "hampir semua sesuai janji 39 dari 40 permohonan",
    ]
    assert view.row("tebang")[0] == f"tebang {ID('public.own_promise')}"


def test_what_is_known_without_a_score_is_on_the_board(neraca: Assembled) -> None:
    """A city that records permits alone sees its speed: no score and no rank, and what is missing for them."""
    fill(neraca, STANDARD, *(permit("dishub", 12) for _ in range(30)))
    row = Page(neraca.get("/?period=2026-11").text).row("dishub")
    assert row[0] == "–"
    assert row[2] == "○ belum cukup data Kecepatan 120,00 (n 30), responden 0 dari 30, tugas bertenggat 0 dari 10"


def test_nobody_is_named(neraca: Assembled) -> None:
    """No ASN, no case, no rating that identifies a citizen; and no token is needed."""
    fill(neraca, STANDARD, permit("dishub", 12, asn="a-17"), rating("dishub", 2, service="kir", asn="a-17"))
    answer = neraca.ask("GET", PATH, caller="10.0.0.9")
    assert answer.status_code == 200
    assert "a-17" not in answer.text
    assert "25,00" not in answer.text
    assert "K-" not in answer.text


@pytest.mark.parametrize(("query", "sentence"), [("", ID("public.empty")), ("&lang=en", EN("public.empty"))])
def test_without_services_it_says_so(assemble: Assemble, query: str, sentence: str) -> None:
    assert sentence in assemble().get(PATH + query).text


def test_a_page_for_the_whole_city_is_made_once_a_position_and_once_a_second_at_most(
    neraca: Assembled, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second caller gets the same bytes; who holds them gets 304; another language, or a refusal, is its own."""
    assert PublicPage.lifetime_s == 1.0
    monkeypatch.setattr(PublicPage, "lifetime_s", 1e-9)
    periods: list[str] = []

    def counted(snapshot: Snapshot, period: Period, today: date) -> Public:
        periods.append("x")
        return public(snapshot, period, today)

    monkeypatch.setattr("api.pages.public.public", counted)
    neraca.settle()
    first = neraca.get("/publik?period=2026-11")
    assert periods == ["x"]
    again = neraca.get("/publik?period=2026-11")
    assert (again.content, periods) == (first.content, ["x"])
    answer = neraca.get("/publik?period=2026-11", headers={"if-none-match": first.headers["etag"]})
    assert (answer.status_code, answer.content, periods) == (304, b"", ["x"])
    assert neraca.get("/publik?period=2026-11&lang=en").content != first.content
    assert [neraca.get("/publik?period=besok").status_code for _ in range(2)] == [422, 422]
    number = len(periods)
    clock.us += 50_000_000
    assert neraca.get("/publik?period=2026-11").content == first.content
    assert len(periods) == number, "nothing has moved"
    monkeypatch.setattr(PublicPage, "lifetime_s", 3_600.0)
    fill(neraca, permit("dishub", 12))
    other = neraca.get("/publik?period=2026-11").content
    assert (other != first.content, len(periods)) == (True, number + 1)
    fill(neraca, permit("dishub", 12))
    assert neraca.get("/publik?period=2026-11").content == other, "for its lifetime no look is taken at the position"
    assert len(periods) == number + 1
