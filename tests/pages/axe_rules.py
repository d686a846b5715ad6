"""The rules of WCAG 2.2 AA and of good practice that a page breaks, as axe-core finds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.pages.browser import screen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Page

AXE: Final = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
FOUND: Final = """axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: {'target-size': {enabled: true}},
}).then(r => [r.passes.length, r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target + ' ' + n.failureSummary))])"""
PASSED_LEAST: Final = 10
"""At least so many rules pass on any page: with fewer, axe has not looked."""


def broken_rules(page: Page) -> list[str]:
    """The rules that a page breaks as it stands now, each with its element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    passes, violations = page.evaluate(FOUND)
    assert passes >= PASSED_LEAST, "the rules were tried"
    return list(violations)


def day_and_night(*sizes: tuple[int, int]) -> list[tuple[int, int, bool]]:
    """Screens of some sizes, each in light and in dark."""
    return [(width, height, dark) for width, height in sizes for dark in (False, True)]


def broken_on(page: Page, screens: Iterable[tuple[int, int, bool]], what: str) -> list[str]:
    """The rules that a page breaks as it stands, on each of some screens: width, height, and whether it is dark."""
    rules_broken = []
    for width, height, dark in screens:
        screen(page, width, height, dark=dark)
        rules_broken += [f"{what} {width} {'dark' if dark else 'light'}: {rule}" for rule in broken_rules(page)]
    return rules_broken
