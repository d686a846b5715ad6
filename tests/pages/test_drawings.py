"""The drawings of a score in a real browser: the beam with its zones, and the chart of twelve months with its names."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from tests.api.facts import SCHEME, STANDARD, fill
from tests.pages.browser import screen
from tests.pages.city import settle_in
from tests.pages.messages import EN, ID
from tests.serving import Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page


BANDS: Final = {
    "0": "sangat_rendah",
    "29.99": "sangat_rendah",
    "40": "sangat_rendah",
    "50.99": "sangat_rendah",
    "51": "rendah",
    "65.25": "rendah",
    "66": "sedang",
    "69.99": "sedang",
    "70": "sedang",
    "75.99": "sedang",
    "76": "tinggi",
    "91": "sangat_tinggi",
    "100": "sangat_tinggi",
    "110": "sangat_tinggi",
    "120": "sangat_tinggi",
    "150": "sangat_tinggi",
}
"""The band of each score, by the table of Permendagri 86/2017."""
AROUND: Final = ("70", "95", "99", "99.99", "100", "100.4", "101.5", "105", "119")
"""Last values of a trend: close to the target, on either side of it, and far away."""
WIDTHS: Final = (390, 1366)
LANGUAGES: Final = {"id": ID, "en": EN}
BOXES: Final = """svg => { const inside = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text, circle')].filter(one => one.checkVisibility()).map(one => {
    const box = one.getBoundingClientRect();
    return [one.tagName + ' ' + (one.getAttribute('class') || ''), one.firstChild?.nodeName === '#text' ? one.textContent : '',
      box.left - inside.left, box.top - inside.top, box.right - inside.left, box.bottom - inside.top,
      inside.width, inside.height]; }); }"""


class Box(NamedTuple):
    """A text or a dot of a drawing, in pixels from its corner; ``wide`` and ``high`` are those of the drawing."""

    kind: str
    text: str
    left: float
    top: float
    right: float
    bottom: float
    wide: float
    high: float

    def meets(self, other: Box) -> bool:
        """True if the two share a pixel."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    @property
    def middle(self) -> float:
        """The middle between left and right."""
        return (self.left + self.right) / 2


def boxes(page: Page, selector: str) -> list[Box]:
    """The texts and dots of a drawing that can be seen."""
    return [Box(*row) for row in page.eval_on_selector(selector, BOXES)]


def scored(dinas: str, asn: str, month: str, score: str) -> dict[str, Any]:
    """A decision that alone gives a score in a month: of a day promised, 2 - score / 100 are taken."""
    received_at = datetime.fromisoformat(f"{month}-02T08:00:00+07:00")
    taken_us = int((2 - Fraction(score) / 100) * 24 * 3600 * 10**6)
    case = f"{dinas}-{asn}-{month}"
    data = {
        "dinas": dinas,
        "service": "kir",
        "case": case,
        "asn": asn,
        "received_at": received_at.isoformat(),
        "completed_at": (received_at + timedelta(microseconds=taken_us)).isoformat(),
    }
    return event("permit-processed", case, data)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A city in which an ASN, and a dinas, has each of the scores, and an ASN each of the trends."""
    with Assembled(tmp_path_factory.mktemp("drawn") / "data") as city:
        fill(
            city,
            event("scheme-adopted", "year", {**SCHEME, "effective_from": "2026-01-01"}),
            event("standard-set", "std", STANDARD),
            *(scored(f"d-{index}", f"b-{index}", "2026-11", score) for index, score in enumerate(BANDS)),
            *(
                scored("trend", f"{name}-{index}", month, score)
                for index, last in enumerate(AROUND)
                for name, first in (("low", "90"), ("near", "100"))
                for month, score in (("2026-09", first), ("2026-10", "100"), ("2026-11", last))
            ),
            scored("trend", "gone", "2026-10", "99.5"),
        )
        with Listening(city) as listening:
            yield listening.url


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_score_stands_whole_in_the_zone_that_its_band_names(url: str, page: Page, width: int, language: str) -> None:
    """No dot and no text is cut off or lies on another, and the name in bold below the dot is that of its band."""
    words = LANGUAGES[language]
    screen(page, width)
    for index, band in enumerate(BANDS.values()):
        for address in (f"/asn/b-{index}", *([f"/dinas/d-{index}"] if index % 4 == 1 else [])):
            page.goto(f"{url}{address}?period=2026-11&lang={language}")
            parts = boxes(page, "svg.beam")
            texts = [part for part in parts if part.text.strip()]
            for part in parts:
                assert part.left >= 0, (address, part)
                assert part.right <= part.wide, (address, part)
                assert part.top >= 0, (address, part)
                assert part.bottom <= part.high, (address, part)
                assert not [text for text in texts if text is not part and text.meets(part)], (address, part)
            (dot,) = (part for part in parts if part.kind.startswith("circle"))
            (own,) = (part.text for part in parts if "own" in part.kind.split())
            assert own == words(f"axis.{band}"), address
            facts = page.locator("dl.facts").inner_text()
            assert words(f"band.{band}") in facts
            cuts = {part.text: part.middle for part in parts if part.text in ("51", "66", "76", "91")}
            bounds = {"sangat_rendah": (None, "51"), "rendah": ("51", "66"), "sedang": ("66", "76")}
            first, last = (bounds | {"tinggi": ("76", "91"), "sangat_tinggi": ("91", None)})[band]
            assert cuts.get(first or "", 0) - 0.5 <= dot.middle <= cuts.get(last or "", dot.wide) + 0.5, address


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_names_of_a_chart_never_meet(url: str, page: Page, width: int, language: str) -> None:
    """The last value and the target are both named, apart from each other, from the months and from the figures."""
    screen(page, width)
    for name in [*(f"{way}-{index}" for way in ("low", "near") for index in range(len(AROUND))), "gone"]:
        page.goto(f"{url}/asn/{name}?period=2026-11&lang={language}")
        texts = [part for part in boxes(page, "svg.chart") if part.text]
        assert LANGUAGES[language]("trend.target") in [part.text for part in texts]
        (value,) = (part for part in texts if "strong" in part.kind and "100" not in part.text.split()[1:])
        for part in texts:
            assert not [text for text in texts if text is not part and text.meets(part)], (name, part)
            assert part.right <= part.wide + 1, (name, part)
        dot = [part for part in boxes(page, "svg.chart") if part.kind.startswith("circle")][-1]
        assert abs((value.top + value.bottom) / 2 - (dot.top + dot.bottom) / 2) < 20, (name, "beside its point")


KESAN: Final = {
    "id": "kesan",
    "numerator": "overall_sum",
    "denominator": "overall_n",
    "direction": "higher",
    "target": "80",
    "cap": 120,
    "min_n": 30,
    "weight": "0.1",
}
"""A fourth indicator, of answers by one tap."""
ROOM: Final = """() => { const board = document.querySelector('.board');
  const bars = [...board.querySelectorAll('.bar svg')].filter((bar) => bar.checkVisibility());
  return [bars.length > 0, board.scrollWidth <= board.clientWidth]; }"""
"""True if bars are seen, and true if the table lies within its place."""


@pytest.mark.browser
def test_bars_of_four_indicators_stand_where_there_is_room(neraca: Assembled, page: Page) -> None:
    """On a wall and on a wide desk; on a laptop the figures stand alone. Nothing sticks out anywhere."""
    parts = [
        {**KESAN, "id": name, "numerator": numerator, "denominator": denominator, "weight": "0.3"}
        for name, numerator, denominator in (
            ("kecepatan", "capaian_sum_120", "capaian_n"),
            ("kepuasan", "ikm", "respondents"),
            ("ketepatan_waktu", "tasks_on_time", "tasks_with_due"),
        )
    ]
    scheme = {**SCHEME, "effective_from": "2026-01-01", "indicators": [*parts, KESAN], "min_coverage": "0.6"}
    neraca.record(event("scheme-adopted", "scheme", scheme))
    settle_in(neraca)
    with Listening(neraca) as listening:
        page.goto(f"{listening.url}/?period=2026-11")
        rooms = {}
        for width in (1100, 1366, 1600, 1680, 1823, 1900, 1920, 2560):
            screen(page, width, 900)
            rooms[width] = tuple(page.evaluate(ROOM))
    assert {width for width, (_, is_within) in rooms.items() if not is_within} == set()
    assert {width for width, (has_bars, _) in rooms.items() if has_bars} == {1600, 1680, 1823, 1920, 2560}
