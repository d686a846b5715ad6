"""Checks of a journal and its balances after any number of kills; each failed check is reported in a sentence."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter as Tally
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.faults.harness import Survived
from tests.faults.traffic import PERIOD
from tests.journal.desk import keys_of
from tests.oracle import Oracle
from tests.serving import ROOT

SHOWN: Final = 5


def verdict(survived: Survived, directory: Path) -> list[str]:
    """Everything that is wrong; the list of a sound run is empty."""
    data, journal = directory / "data", directory / "journal.ndjson"
    _neraca("export", "--data", str(data), "--journal", str(journal))
    survived.lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    replayed = json.loads(_neraca("replay", "--data", str(data), "--period", PERIOD))
    told, kept = survived.ledger.problems, journal_problems(survived) + _keys(survived, data)
    return told + kept + balance_problems(survived, replayed)


def _neraca(*arguments: str) -> str:
    command = [sys.executable, "-m", "neraca", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def journal_problems(survived: Survived) -> list[str]:
    """Every acknowledged event once, at its position; nothing twice, nothing refused, no position left out."""
    ledger, problems = survived.ledger, list[str]()
    names = [(line["source"], line["id"]) for line in survived.lines]
    held = dict(zip(names, (line["position"] for line in survived.lines), strict=True))
    if [line["position"] for line in survived.lines] != list(range(1, len(names) + 1)):
        problems.append("positions are not consecutive")
    problems += _said("recorded twice", [name for name, times in Tally(names).items() if times > 1])
    problems += _said("acknowledged and lost", ledger.acknowledged - held.keys())
    moved = [name for name, position in ledger.positions.items() if held.get(name) != position]
    problems += _said("not at the position of its receipt", moved)
    told = ledger.acknowledged | ledger.in_doubt
    problems += _said("refused and recorded", (ledger.refused - told) & held.keys())
    return problems + _said("recorded though nobody sent it", set(names[1:]) - told - ledger.refused)


def _said(what: str, names: Any) -> list[str]:  # noqa: ANN401 - a collection of names
    listed = sorted(names)
    return [f"{what}: {len(listed)}, the first {listed[:SHOWN]}"] if listed else []


def _keys(survived: Survived, data: Path) -> list[str]:
    """The database is sound, and the natural keys beside the journal are those of its lines."""
    with closing(sqlite3.connect(data / "journal.sqlite")) as db:
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        stored = dict(db.execute("SELECT key, holder FROM natural_keys").fetchall())
    problems = [] if sound == "ok" else [f"the journal's database is damaged: {sound}"]
    wanted = keys_of(survived.lines[1:])
    return problems + _said("natural keys that differ from the lines", set(stored.items()) ^ set(wanted.items()))


def balance_problems(survived: Survived, replayed: dict[str, Any]) -> list[str]:
    """Compare the service, the auditor's replay and the independent oracle: all three must agree."""
    oracle, problems = Oracle(survived.lines), list[str]()
    position, now = len(survived.lines), datetime.now(UTC)
    for who, found in (
        ("served", survived.served),
        ("replayed", {name: replayed[name] for name in ("position", "digest")}),
    ):
        if found != {"position": position, "digest": oracle.digest()}:
            problems.append(f"{who} {found}, but the oracle says {position} and {oracle.digest()}")
    if survived.cards != replayed["dinas"]:
        problems.append("the scorecards served are not those replayed")
    for dinas, card in survived.cards.items():
        wanted = oracle.scorecard("dinas", dinas, PERIOD, now)
        problems += [
            f"{dinas}: {name} is served as {card.get(name)}, but the oracle says {said}"
            for name, said in wanted.items()
            if card.get(name) != said
        ]
    if not survived.cards:
        problems.append("no scorecard was served")
    return problems
