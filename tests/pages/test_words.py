"""Each language writes figures, periods and instants its own way and has every label; the demo has its own marks."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from msgspec.structs import replace

from api.http.access import Access
from api.http.cache import Answers
from api.pages.catalog import load_labels
from api.pages.drawing import bar, dot
from api.pages.frame import PageServices
from api.pages.router import pages_router
from api.pages.sentences import notation_of
from api.pages.site import Site
from api.pages.words import Words
from api.v1.formulas import API, indicator_line, score_line
from api.v1.operations import Metrics
from api.v1.reads import Reads
from api.v1.stream import Ending
from domain.clock import parse_instant
from domain.periods import parse_period
from projections.reading.reader import Reader
from projections.reading.why import Formula, IndicatorFormula, Term
from tests.pages.messages import EN, ID, ZONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving import Assembled

pytestmark = pytest.mark.speed("quick")
SPEED: Final = IndicatorFormula(
    "kecepatan",
    Term("capaian_sum_120", 1_184_000),
    Term("capaian_n", 64),
    (),
    "higher",
    Decimal("100.00"),
    120,
    30,
    Decimal("0.125"),
    Decimal("185.00"),
    Decimal("120.00"),
)
RATED: Final = replace(
    SPEED, id="skm", numerator=None, denominator=Term("respondents", 12), value=Decimal("75.00"), capaian=None
)
FORMULA: Final = Formula((SPEED, RATED), Fraction(1, 9), Decimal("0.6"), Decimal(1), Decimal("97.11"))


@pytest.mark.parametrize(
    ("value", "places", "indonesian", "english"),
    [
        (1_204_331, 0, "1.204.331", "1,204,331"),
        (Decimal("98.43"), 2, "98,43", "98.43"),
        (Decimal("-1234.5"), 2, "−1.234,50", "−1,234.50"),
        (0, 0, "0", "0"),
        (None, 2, "–", "–"),
    ],
)
def test_figures(value: Decimal | int | None, places: int, indonesian: str, english: str) -> None:
    assert (ID.number(value, places), EN.number(value, places)) == (indonesian, english)


def test_weights_keep_their_decimals_and_shares_drop_idle_ones() -> None:
    assert [ID.weight(Decimal(text)) for text in ("0.4", "1", "0.125")] == ["0,40", "1,00", "0,125"]
    assert [ID.share(Decimal(text)) for text in ("0.7", "1", "0.125")] == ["70", "100", "12,5"]


@pytest.mark.parametrize(
    ("name", "indonesian", "english"),
    [
        ("2026-11", "November 2026", "November 2026"),
        ("2026-Q4", "Triwulan IV 2026", "Quarter 4 of 2026"),
        ("2026-S2", "Semester II 2026", "Half 2 of 2026"),
        ("2026", "Tahun 2026", "Year 2026"),
    ],
)
def test_periods(name: str, indonesian: str, english: str) -> None:
    period = parse_period(name)
    assert (ID.period(period), EN.period(period)) == (indonesian, english)


def test_instants_are_said_in_the_zone() -> None:
    at = parse_instant("2026-11-24T03:41:07Z")
    assert ID.moment(at) == "24 November 2026, 10.41 WIB"
    assert EN.moment(at) == "24 November 2026, 10:41 WIB"
    assert ID.moment(at, short=True) == "24 Nov 2026, 10.41.07 WIB"
    assert Words("id", ZoneInfo("Asia/Jayapura"), load_labels()).moment(at) == "24 November 2026, 12.41 WIT"
    assert ID.day(date(2026, 8, 1)) == "1 Agustus 2026"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (40, "40 dtk"),
        (61, "1 mnt"),
        (3600, "1 jam"),
        (18_720, "5 jam 12 mnt"),
        (48 * 3600 + 60, "48 jam"),
        (0, "0 dtk"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert ID.duration(seconds * 1_000_000) == text


def test_a_formula_is_written_as_its_language_writes() -> None:
    """One arithmetic: figures and the few words differ, by the language of a page and in the API."""
    speed = FORMULA.indicators[0]
    lower = replace(speed, numerator=Term("permits_rejected", 3), direction="lower")
    without_value, withheld = (
        replace(speed, value=None, capaian=None),
        replace(speed, numerator=None, denominator=None, value=None, capaian=None, withheld=True),
    )
    lines = [
        [
            indicator_line(part, Fraction(111, 1000), notation)
            for part in (*FORMULA.indicators, lower, without_value, withheld)
        ]
        for notation in (notation_of(ID), notation_of(EN), API)
    ]
    assert lines[0] == [
        "1.184.000 / 64 / 100 = 185,00; 185,00 / 100,00 × 100 = 120,00",
        "25 × 111/1.000 × Σ NRR = 75,00; n = 12 < 30",
        "3 / 64 × 100 = 185,00; (2 × 100,00 − 185,00) / 100,00 × 100 = 120,00",
        "belum ada data",
        "tidak ditampilkan, agar penilai tidak dikenali",
    ]
    assert lines[1][:2] == [
        "1,184,000 / 64 / 100 = 185.00; 185.00 / 100.00 × 100 = 120.00",
        "25 × 111/1,000 × Σ NRR = 75.00; n = 12 < 30",
    ]
    assert lines[1][3:] == ["no data yet", "not shown, so that no rater can be identified"]
    assert lines[2][:2] == [
        "1184000 / 64 / 100 = 185.00; 185.00 / 100.00 × 100 = 120.00",
        "25 × 111/1000 × Σ NRR = 75.00; n = 12 < 30",
    ]
    assert lines[2][3:] == ["belum ada data", "tidak ditampilkan"]
    without_cover = replace(FORMULA, iku=None, covered_weight=Decimal("0.3"))
    assert score_line(FORMULA, notation_of(ID)) == "(0,125 × 120,00) / 1 = 97,11"
    assert score_line(without_cover, notation_of(EN)) == "covered weight 0.3 < 0.6"
    assert [score_line(formula, API) for formula in (FORMULA, without_cover)] == [
        "(0.125 × 120.00) / 1 = 97.11",
        "bobot tercakup 0.3 < 0.6",
    ]


def test_marks_lie_within_their_scale() -> None:
    bars = [bar(Decimal(value)) for value in ("100", "112.40", "94.10", "0", "120", "500")]
    assert [(b.x, b.width, b.under) for b in bars if b] == [
        ("50.00", "0.00", False),
        ("50.00", "31.00", False),
        ("35.25", "14.75", True),
        ("0.00", "50.00", True),
        ("50.00", "50.00", False),
        ("50.00", "50.00", False),
    ]
    dots = [dot(Decimal(value)) for value in ("70", "98.43", "110", "20", "130")]
    assert [(d.x, d.beyond) for d in dots if d] == [
        ("0.00", ""),
        ("71.08", ""),
        ("100.00", ""),
        ("0.00", "‹"),
        ("100.00", "›"),
    ]


@pytest.mark.parametrize(
    ("notice", "sentence"), [(lambda: "1/6", "riwayat simulasi sedang dimuat: 1/6"), (lambda: None, None)]
)
def test_a_simulation_is_marked_on_every_page(
    neraca: Assembled, notice: Callable[[], str | None], sentence: str | None
) -> None:
    reader = Reader(neraca.live, ZONE, neraca.clock)
    app = FastAPI()
    reads = Reads(reader, neraca.journal, Access(neraca.tokens, neraca.clock), Answers(reader))
    services, metrics = PageServices(simulated=True, notice=notice), Metrics(neraca.live, neraca.journal)
    app.include_router(pages_router(Site(reads, services), reads, services, Ending(), metrics.listeners))

    async def get(path: str) -> str:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(path)).text

    board, not_found = (asyncio.run(get(path)) for path in ("/", "/dinas/tak-ada"))
    assert '<span class="tag sim">Data simulasi</span>' in board
    assert '<span class="tag sim">Data simulasi</span>' in not_found
    assert ("sedang dimuat" in board) == (sentence is not None)
    assert sentence is None or sentence in board
