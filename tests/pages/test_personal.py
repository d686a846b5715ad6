"""The counter's page refuses a personal number as the intake does, before it keeps anything."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Final

import pytest

from domain.intake.personal import holds_number, is_bare
from tests.pages.city import FAST

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NUMBERS: Final = (
    *("3273011501900001", "327301-150190-0001", "3273 0115 0190 0001", "327301.15.01.90.0001", "32/73/01/150190/0001"),
    *(
        "32_73_01_15_01_90_0001",
        "198502232009011001",
        "19850223 200901 1 001",
        "19850229 200901 1 001",
        "19391231 200001 1 001",
    ),
    *(
        "9873011501900001",
        "3273013201900001",
        "3273017101900001",
        "3273017201900001",
        "3273011500900001",
        "19850223 200001 1 001",
    ),
    *("19850223 200002 2 001", "19850223 200913 1 001", "1111111111111111", "111111111111111111", "11111111111111111"),
    *(
        "K-2026-118223",
        "2026-11-24-0017",
        "503/1234/2026/DPMPTSP.01",
        "2026-11-24T10:00:00.123456+07:00",
        "K 3273011501900001",
    ),
    *("xyz327301-150190-0001abc", "1-3273-0115-0190-0001", "3273  0115 0190 0001", "327\u200b3011501900001"),
    *("\uff13\uff12\uff17\uff13\uff10\uff11\uff11\uff15\uff10\uff11\uff19\uff10\uff10\uff10\uff10\uff11", ""),
    *("\u0663\u0662\u0667\u0663\u0660\u0661\u0661\u0665\u0660\u0661\u0669\u0660\u0660\u0660\u0660\u0661", "a"),
    *("\u096932730115019\u0966", "327301\u2010150190\u20130001", "327301\u00a0150190\u30000001", "\u3248" * 8),
    *(str(uuid.UUID(int=number * 2**64 + 7)) for number in range(20)),
    *(hashlib.sha256(bytes([number])).hexdigest() for number in range(20)),
    *(hashlib.md5(bytes([number]), usedforsecurity=False).hexdigest() for number in range(20)),
)


@pytest.mark.speed("test")
def test_the_page_refuses_what_the_intake_refuses_as_a_case(page: Page, small_url: str) -> None:
    page.goto(f"{small_url}/loket?dinas={FAST}")
    answers = page.evaluate("texts => texts.map(text => loket.personal.refused(text))", list(NUMBERS))
    refusals = [holds_number(text) or is_bare(text) for text in NUMBERS]
    assert [text for text, answer, right in zip(NUMBERS, answers, refusals, strict=True) if answer != right] == []
    assert 15 < sum(refusals) < len(refusals) - 15
