"""A list of services that a token makes long is read part by part; a file of it has all."""

from __future__ import annotations

import functools
import operator
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.api.facts import fill
from tests.serving import event

if TYPE_CHECKING:
    from tests.serving import Assembled

pytestmark = pytest.mark.speed("test")
MANY: Final = 120
AT: Final = "2026-11-20T10:00:00+07:00"


def decided(number: int) -> dict[str, object]:
    """A decision of a service of its own."""
    data = {
        "dinas": "d",
        "service": f"layanan-{number:03}",
        "case": f"K-{number}",
        "received_at": AT,
        "completed_at": AT,
    }
    return event("permit-processed", f"p{number}", data)


def listed(text: str) -> list[str]:
    """The services that a page lists, in order, once each."""
    return list(dict.fromkeys(re.findall(r"layanan-\d{3}", text)))


def test_services_are_listed_part_by_part(neraca: Assembled) -> None:
    fill(neraca, *map(decided, range(MANY)))
    pages, address = [], "/dinas/d?period=2026-11"
    while address:
        text = neraca.get(address).text
        pages.append(list(listed(text.partition('id="lay"')[2])))
        following = re.search(r'href="(/dinas/d\?[^"]*layanan=\d+[^"]*)#lay"', text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert [len(page) for page in pages] == [50, 50, 20]
    assert sorted(functools.reduce(operator.iadd, pages, [])) == [f"layanan-{number:03}" for number in range(MANY)]
    assert len(listed(neraca.get("/dinas/d?period=2026-11&csv=services").text)) == MANY
    for wrong in ("x", "-1", "1" * 10):
        assert neraca.get(f"/dinas/d?layanan={wrong}").status_code == 422


def test_the_page_for_citizens_lists_the_first_and_leads_to_the_others(neraca: Assembled) -> None:
    fill(neraca, *map(decided, range(MANY)))
    text = neraca.get("/publik?period=2026-11").text
    assert len(listed(text)) == 50
    assert re.search(r'href="/dinas/d\?[^"]*layanan=50[^"]*#lay"', text)
