"""A journal on PostgreSQL may be opened by several processes at once, as commands beside a running city are."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from streams.journal.journal import Journal
from streams.places.database import Database
from tests.serving import ZONE, Clock

TOGETHER: Final = 6


def test_a_journal_is_opened_by_many_at_once(database_url: str) -> None:
    """The library makes its functions anew at each opening; what it makes is made by one at a time."""
    database = Database(database_url).prepare()
    own_journal = Journal.open(database.journal, ZONE, Clock()())
    own_journal.close()

    def again(_: int) -> str:
        journal = Journal.read_only(database.journal)
        journal.close()
        return journal.id

    with ThreadPoolExecutor(TOGETHER) as threads:
        assert set(threads.map(again, range(5 * TOGETHER))) == {own_journal.id}
