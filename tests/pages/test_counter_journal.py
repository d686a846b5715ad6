"""Another journal at the same address: what the counter sent to the one before is of no account in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages.browser import MISSING, installed
from tests.pages.cable import Cable
from tests.pages.counter import SERVICES, UNIT, Clerk, Running, decided, entries, rules
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]


@pytest.fixture
def cities(tmp_path: Path) -> Iterator[tuple[Assembled, Assembled]]:
    with Assembled(tmp_path / "old", clock=Running()) as old, Assembled(tmp_path / "new", clock=Running()) as new:
        for one in (old, new):
            one.record(*rules(), decided("R-1"))
        yield old, new


@pytest.fixture
def served(cities: tuple[Assembled, Assembled]) -> Iterator[tuple[Listening, Listening]]:
    old, new = cities
    with Listening(old) as first, Listening(new) as second:
        yield first, second


@pytest.fixture
def cable(served: tuple[Listening, Listening]) -> Iterator[Cable]:
    """One address: of the old journal, until it is begun anew."""
    with Cable(served[0].url) as cable:
        yield cable


@pytest.fixture
def begun_anew(served: tuple[Listening, Listening], cable: Cable) -> Callable[[], None]:
    """From now on the address is the new journal's."""

    def anew() -> None:
        cable.lead_to(served[1].url)
        cable.pull()
        cable.mend()

    return anew


def test_a_journal_begun_anew_knows_nothing_of_what_was_sent_to_the_one_before(
    cities: tuple[Assembled, Assembled], clerk: Clerk, begun_anew: Callable[[], None]
) -> None:
    """Neither a file's state, nor what can be undone, nor who has rated; the receipts say where it is recorded."""
    old, new = cities
    clerk.open(ready=False)
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    until(lambda: clerk.text("#tanda").count("posisi") == 2, "both are recorded")
    clerk.step("K-2", "F2")
    until(lambda: clerk.text("#tanda").count("posisi") == 3, "and one more")
    until(lambda: "K-1" in clerk.text("#nilai"), "it is offered to the citizen")
    held = clerk.browser.promised("loket.queue.last(9).then(all => all.map(one => one.journal))")
    assert held == [old.live.journal] * 3
    begun_anew()
    clerk.look_up("K-2", "belum diterima")
    until(
        lambda: clerk.text("#tanda").count("✓ tercatat di jurnal terdahulu") == 3,
        "heard without loading the page anew",
    )
    assert clerk.browser.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 0
    assert clerk.browser.ask("document.querySelector('#warga').hidden")
    clerk.browser.press("F2")
    until(lambda: len(entries(new)) == 1, "it is received in the new journal")
    clerk.sees("#tanda", "posisi")
    clerk.open(ready=False)
    assert clerk.browser.ask("document.getElementById('loket').dataset.journal") == new.live.journal
    clerk.browser.press("Alt+3")
    clerk.look_up("K-1", "belum diterima")
    assert clerk.text("#tanda").count("✓ tercatat di jurnal terdahulu") == 3
    assert clerk.browser.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 1
    assert len(entries(old)) == 3


def test_what_is_sent_at_once_is_said_to_be_of_the_journal_it_went_to(
    cities: tuple[Assembled, Assembled], clerk: Clerk, begun_anew: Callable[[], None]
) -> None:
    """The page is of the old journal and nothing was looked up since: the server is asked beside the batch."""
    old, new = cities
    clerk.open(ready=False)
    clerk.browser.press("Alt+3")
    assert clerk.browser.ask("document.getElementById('loket').dataset.journal") == old.live.journal
    begun_anew()
    clerk.step("K-1", "F2")
    until(lambda: entries(new), "it is in the new journal", within_s=60)
    clerk.sees("#tanda", "✓ posisi")
    assert clerk.browser.promised("loket.queue.last(1).then(([one]) => one.journal)") == new.live.journal


def test_what_the_worker_sends_tells_the_page_of_another_journal(
    cities: tuple[Assembled, Assembled], clerk: Clerk, begun_anew: Callable[[], None]
) -> None:
    """Whoever has heard it from the server tells it with what was settled: no tab takes a fresh entry for an old one."""
    old, new = cities
    clerk.open()
    clerk.browser.press("Alt+3")
    clerk.browser.run("loket.sending.send = async () => ({link: 'off', date: NaN})")
    begun_anew()
    clerk.step("K-1", "F2")
    until(lambda: entries(new), "the worker has sent it")
    clerk.sees("#tanda", "✓ posisi")
    assert "jurnal terdahulu" not in clerk.text("#tanda")
    assert entries(old) == []


def test_a_file_rated_in_the_journal_before_can_be_rated_in_this_one(
    cities: tuple[Assembled, Assembled], clerk: Clerk, begun_anew: Callable[[], None]
) -> None:
    for city in cities:
        clerk.browser.open(f"{clerk.url}/loket/warga?dinas={UNIT}&service={SERVICES[2]}&case=R-1")
        until(lambda: not clerk.browser.ask("document.querySelector('#layar').hidden"), "it asks")
        clerk.browser.run("document.querySelector('[name=overall][value=\"3\"]').focus()")
        clerk.browser.press("Space")
        clerk.browser.press("Enter")
        clerk.sees("#terima", "sudah tercatat")
        assert len(entries(city, "satisfaction-rated")) == 1
        begun_anew()
