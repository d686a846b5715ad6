"""storage: bytes of an event in the journal, in the balances with their index of reasons, and on the topic of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from benchmarks.harness import shown
from benchmarks.scaled.contents import LAYOUT, records
from benchmarks.scaled.ground import BEGUN, JOURNAL
from benchmarks.scaled.plain_loop import folding, key_of
from streams.worker.turn import TAKE

if TYPE_CHECKING:
    from benchmarks.harness import Figure
    from benchmarks.scaled.ground import Ground

_SIZE: Final = (
    "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = %s AND c.relkind = 'r' AND c.relname LIKE %s"
)


def _bytes(url: str, schema: str, table: str = "%") -> int:
    with psycopg.connect(url) as db:
        ((size,),) = db.execute(_SIZE, (schema, table)).fetchall()
    return int(size)


def run(ground: Ground) -> list[Figure]:
    """The figures of this measurement: tables with their indexes, nothing vacuumed."""
    with ground.database(JOURNAL) as url:
        journal = _bytes(url, "neraca")
    with ground.database(BEGUN) as url:
        topic_records = records(ground, key_of(url, LAYOUT))
        fold = folding(url, LAYOUT)
        for start in range(0, len(topic_records), TAKE):
            fold.fold(topic_records[start : start + TAKE])
        balances, why = _bytes(url, "neraca_1"), _bytes(url, "neraca_1", "why")
        accounts = _bytes(url, "neraca_1", "accounts")
        with psycopg.connect(url) as db:
            ((rows,),) = db.execute("SELECT count(*) FROM neraca_1.accounts").fetchall()
    topic = sum(len(record.value or b"") for record in topic_records)
    return [
        shown("journal, bytes a fact", journal / ground.facts, "B", "lines, positions, natural keys, indexes"),
        shown("balances, bytes a fact", balances / ground.facts, "B", "accounts, months, case files, index of reasons"),
        shown("of these the index of reasons, bytes a fact", why / ground.facts, "B"),
        shown("an account, bytes", accounts / rows, "B", "one ASN, service and month of a dinas, with its indexes"),
        shown("segments, bytes a fact", topic / ground.facts, "B", "compressed, one replica"),
    ]
