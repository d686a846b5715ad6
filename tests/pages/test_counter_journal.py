"""Another journal at the same address: what the counter sent to the one before is of no account in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.cable import Cable
from tests.pages.counter import SERVICES, UNIT, Clerk, Running, decided, entries, rules
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]


@pytest.fixture
def cities(tmp_path: Path) -> Iterator[tuple[Assembled, Assembled]]:
    with Assembled(tmp_path / "old", clock=Running()) as old, Assembled(tmp_path / "new", clock=Running()) as new:
        for one in (old, new):
            one.record(*rules(), decided("R-1"))
        yield old, new


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.screen(1280, 800)
        yield opened


def begun_anew(cable: Cable, new: Listening) -> None:
    cable.lead_to(new.url)
    cable.pull()
    cable.mend()


def test_a_journal_begun_anew_knows_nothing_of_what_was_sent_to_the_one_before(
    cities: tuple[Assembled, Assembled], browser: Browser
) -> None:
    """Neither a file's state, nor what can be undone, nor who has rated; the receipts say where it is recorded."""
    old, new = cities
    with Listening(old) as first, Listening(new) as second, Cable(first.url) as cable:
        clerk = Clerk(browser, cable.url)
        clerk.open(ready=False)
        browser.press("Alt+3")
        clerk.step("K-1", "F2")
        clerk.step("K-1", "F8")
        until(lambda: clerk.text("#tanda").count("posisi") == 2, "both are recorded")
        clerk.step("K-2", "F2")
        until(lambda: clerk.text("#tanda").count("posisi") == 3, "and one more")
        until(lambda: "K-1" in clerk.text("#nilai"), "it is offered to the citizen")
        held = browser.promised("loket.queue.last(9).then(all => all.map(one => one.journal))")
        assert held == [old.live.journal] * 3
        begun_anew(cable, second)
        clerk.look_up("K-2", "belum diterima")
        until(
            lambda: clerk.text("#tanda").count("✓ tercatat di jurnal terdahulu") == 3,
            "heard without loading the page anew",
        )
        assert browser.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 0
        assert browser.ask("document.querySelector('#warga').hidden")
        browser.press("F2")
        until(lambda: len(entries(new)) == 1, "it is received in the new journal")
        clerk.sees("#tanda", "posisi")
        clerk.open(ready=False)
        assert browser.ask("document.getElementById('loket').dataset.journal") == new.live.journal
        browser.press("Alt+3")
        clerk.look_up("K-1", "belum diterima")
        assert clerk.text("#tanda").count("✓ tercatat di jurnal terdahulu") == 3
        assert browser.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 1
        assert len(entries(old)) == 3


def test_what_is_sent_at_once_is_said_to_be_of_the_journal_it_went_to(
    cities: tuple[Assembled, Assembled], browser: Browser
) -> None:
    """The page is of the old journal and nothing was looked up since: the server is asked beside the batch."""
    old, new = cities
    with Listening(old) as first, Listening(new) as second, Cable(first.url) as cable:
        clerk = Clerk(browser, cable.url)
        clerk.open(ready=False)
        browser.press("Alt+3")
        assert browser.ask("document.getElementById('loket').dataset.journal") == old.live.journal
        begun_anew(cable, second)
        clerk.step("K-1", "F2")
        until(lambda: entries(new), "it is in the new journal", within_s=60)
        clerk.sees("#tanda", "✓ posisi")
        assert browser.promised("loket.queue.last(1).then(([one]) => one.journal)") == new.live.journal


def test_what_the_worker_sends_tells_the_page_of_another_journal(
    cities: tuple[Assembled, Assembled], browser: Browser
) -> None:
    """Whoever has heard it from the server tells it with what was settled: no tab takes a fresh entry for an old one."""
    old, new = cities
    with Listening(old) as first, Listening(new) as second, Cable(first.url) as cable:
        clerk = Clerk(browser, cable.url)
        clerk.open()
        browser.press("Alt+3")
        browser.run("loket.sending.send = async () => ({link: 'off', date: NaN})")
        begun_anew(cable, second)
        clerk.step("K-1", "F2")
        until(lambda: entries(new), "the worker has sent it")
        clerk.sees("#tanda", "✓ posisi")
        assert "jurnal terdahulu" not in clerk.text("#tanda")
        assert entries(old) == []


def test_a_file_rated_in_the_journal_before_can_be_rated_in_this_one(
    cities: tuple[Assembled, Assembled], browser: Browser
) -> None:
    old, new = cities
    with Listening(old) as first, Listening(new) as second, Cable(first.url) as cable:
        for city in cities:
            browser.open(f"{cable.url}/loket/warga?dinas={UNIT}&service={SERVICES[2]}&case=R-1")
            until(lambda: not browser.ask("document.querySelector('#layar').hidden"), "it asks")
            browser.run("document.querySelector('[name=overall][value=\"3\"]').focus()")
            browser.press("Space")
            browser.press("Enter")
            Clerk(browser, cable.url).sees("#terima", "sudah tercatat")
            assert len(entries(city, "satisfaction-rated")) == 1
            begun_anew(cable, second)
