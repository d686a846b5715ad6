"""A Faust app as its documentation has one: an agent counts each record into a Table. A process of its own.

It counts by the project's own postings, so what differs is only how records, state and changelog are handled.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Final

import faust

from domain.events.entries import decode
from domain.fold.postings import postings_of
from domain.measures import MEASURES

TABLE: Final = "accounts"


def changelog_of(name: str) -> str:
    """The topic in which an app of some name keeps its table, as Faust calls it."""
    return f"{name}-{TABLE}-changelog"


def counting(name: str, server: str, topic: str, partitions: int, total: int, path: Path) -> Any:  # noqa: ANN401 - an untyped framework
    """The app; once ``total`` records are counted it says so, writes every account, and ends."""
    app = faust.App(
        name,
        broker=f"kafka://{server}",
        store="memory://",
        topic_partitions=partitions,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        datadir=tempfile.mkdtemp(),
    )
    accounts = app.Table(TABLE, default=dict)
    finish = 0

    async def count(stream: Any) -> None:  # noqa: ANN401 - an untyped framework
        try:
            await count_each(stream)
        except Exception:  # noqa: BLE001 - Faust would pass over the record and go on, and the count would never be whole
            traceback.print_exc()
            os._exit(1)

    async def count_each(stream: Any) -> None:  # noqa: ANN401 - an untyped framework
        nonlocal finish
        async for event in stream:
            if not finish:
                print("first", flush=True)
            for posting in postings_of(decode(event)):
                key = "|".join(posting.account)
                balance = accounts[key]
                for index, amount in posting.amounts:
                    balance[MEASURES[index]] = balance.get(MEASURES[index], 0) + amount
                accounts[key] = balance
            finish += 1
            if finish == total:
                print("counted", flush=True)
                write(accounts, path)

    app.agent(app.topic(topic, value_serializer="raw", key_serializer="raw"))(count)
    return app


def write(accounts: Any, path: Path) -> None:  # noqa: ANN401 - an untyped framework
    """Every account, a line each, and the end of the process."""
    with path.open("w") as file:
        for key, balance in accounts.items():
            file.write(f"{key}\t{[balance.get(name, 0) for name in MEASURES]}\n")
    print("written", flush=True)
    os._exit(0)


def main(name: str, server: str, topic: str, partitions: str, total: str, path: str) -> None:
    """Count until all are."""
    app = counting(name, server, topic, int(partitions), int(total), Path(path))
    faust.Worker(app, loglevel="error", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
