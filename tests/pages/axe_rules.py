"""What axe-core holds against a page, by the rules of WCAG 2.2 AA and by good practice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.pages.browser import Browser

AXE: Final = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
FOUND: Final = """axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: {'target-size': {enabled: true}},
}).then(r => [r.passes.length, r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target + ' ' + n.failureSummary))])"""


def broken_rules(browser: Browser, url: str | None = None, *, passed_least: int = 10) -> list[str]:
    """What axe holds against a page, opened or as it stands now; it must have looked at something."""
    if url is not None:
        browser.open(url)
    browser.run(AXE)
    passed, found = browser.promised(FOUND)
    assert passed >= passed_least, "the rules were tried"
    return list(found)
