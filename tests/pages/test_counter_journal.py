"""Another journal at the same address: what the counter sent to the one before is of no account in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk, Running, decided, entries, rules
from tests.serving import Assembled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pages.line import Line

pytestmark = pytest.mark.browser


@pytest.fixture
def cities(counter: Assembled, tmp_path: Path) -> Iterator[tuple[Assembled, Assembled]]:
    """Two journals of one unit: the one that the line leads to, and one begun anew."""
    with Assembled(tmp_path / "new", clock=Running()) as new:
        new.record(*rules(), decided("R-1"))
        yield counter, new


def test_a_journal_begun_anew_knows_nothing_of_what_was_sent_to_the_one_before(
    cities: tuple[Assembled, Assembled], clerk: Clerk, line: Line
) -> None:
    """Neither a file's state, nor its undo, nor its rating; the receipts name the journal in which it is recorded."""
    old, new = cities
    clerk.open(ready=False)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    clerk.sees("#tanda", "posisi", times=2)
    clerk.step("K-2", "F2")
    clerk.sees("#tanda", "posisi", times=3)
    clerk.until(lambda: "K-1" in clerk.text("#nilai"), "it is offered to the citizen")
    journals = clerk.ask("loket.queue.last(9).then(all => all.map(one => one.journal))")
    assert journals == [old.live.journal] * 3
    line.mend(new)
    clerk.look_up("K-2", "belum diterima")
    clerk.sees("#tanda", "✓ tercatat di jurnal terdahulu", times=3)
    assert clerk.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 0
    assert clerk.ask("document.querySelector('#warga').hidden")
    clerk.press("F2")
    clerk.until(lambda: len(entries(new)) == 1, "it is received in the new journal")
    clerk.sees("#tanda", "posisi")
    clerk.open(ready=False)
    assert clerk.ask("document.getElementById('loket').dataset.journal") == new.live.journal
    clerk.press("Alt+3")
    clerk.look_up("K-1", "belum diterima")
    assert clerk.text("#tanda").count("✓ tercatat di jurnal terdahulu") == 3
    assert clerk.ask("document.querySelectorAll('#tanda [data-kind=undo]').length") == 1
    assert len(entries(old)) == 3


def test_what_is_sent_at_once_is_said_to_be_of_the_journal_it_went_to(
    cities: tuple[Assembled, Assembled], clerk: Clerk, line: Line
) -> None:
    """The page is of the old journal and nothing was looked up since: the server is asked beside the batch."""
    old, new = cities
    clerk.open(ready=False)
    clerk.press("Alt+3")
    assert clerk.ask("document.getElementById('loket').dataset.journal") == old.live.journal
    line.mend(new)
    clerk.step("K-1", "F2")
    clerk.until(lambda: entries(new), "it is in the new journal", within_s=60)
    clerk.sees("#tanda", "✓ posisi")
    assert clerk.ask("loket.queue.last(1).then(([one]) => one.journal)") == new.live.journal


def test_what_the_worker_sends_tells_the_page_of_another_journal(
    cities: tuple[Assembled, Assembled], clerk: Clerk, line: Line
) -> None:
    """The worker hears it from the server and tells it with each receipt: no tab takes a fresh entry for an old one."""
    old, new = cities
    clerk.open()
    clerk.press("Alt+3")
    clerk.ask("() => { loket.sending.send = async () => ({link: 'off', date: NaN}); }")
    line.mend(new)
    clerk.step("K-1", "F2")
    clerk.until(lambda: entries(new), "the worker has sent it")
    clerk.sees("#tanda", "✓ posisi")
    assert "jurnal terdahulu" not in clerk.text("#tanda")
    assert entries(old) == []


def test_a_file_rated_in_the_journal_before_can_be_rated_in_this_one(
    cities: tuple[Assembled, Assembled], clerk: Clerk, line: Line
) -> None:
    for city in cities:
        line.mend(city)
        clerk.page.goto(f"{clerk.url}/loket/warga?dinas={UNIT}&service={SERVICES[2]}&case=R-1")
        clerk.until("!document.querySelector('#layar').hidden", "it asks")
        clerk.ask("document.querySelector('[name=overall][value=\"3\"]').focus()")
        clerk.press("Space", "Enter")
        clerk.sees("#terima", "sudah tercatat")
        assert len(entries(city, "satisfaction-rated")) == 1
