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


def verdict(outcome: Survived, directory: Path) -> list[str]:
    """Everything that is wrong; the list of a sound run is empty."""
    data, journal = directory / "data", directory / "journal.ndjson"
    _neraca("export", "--data", str(data), "--journal", str(journal))
    outcome.lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    replay = json.loads(_neraca("replay", "--data", str(data), "--period", PERIOD))
    problems, findings = outcome.ledger.problems, journal_problems(outcome) + _keys(outcome, data)
    return problems + findings + balance_problems(outcome, replay)


def _neraca(*arguments: str) -> str:
    command = [sys.executable, "-m", "neraca", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def journal_problems(outcome: Survived) -> list[str]:
    """Every acknowledged event once, at its position; nothing twice, nothing refused, no position left out."""
    ledger, problems = outcome.ledger, list[str]()
    names = [(line["source"], line["id"]) for line in outcome.lines]
    positions = dict(zip(names, (line["position"] for line in outcome.lines), strict=True))
    if [line["position"] for line in outcome.lines] != list(range(1, len(names) + 1)):
        problems.append("positions are not consecutive")
    problems += _problem("recorded twice", [name for name, times in Tally(names).items() if times > 1])
    problems += _problem("acknowledged and lost", ledger.acknowledged - positions.keys())
    names_moved = [name for name, position in ledger.positions.items() if positions.get(name) != position]
    problems += _problem("not at the position of its receipt", names_moved)
    names_sent = ledger.acknowledged | ledger.in_doubt
    problems += _problem("refused and recorded", (ledger.refused - names_sent) & positions.keys())
    return problems + _problem("recorded though nobody sent it", set(names[1:]) - names_sent - ledger.refused)


def _problem(what: str, names: Any) -> list[str]:  # noqa: ANN401 - a collection of names
    in_order = sorted(names)
    return [f"{what}: {len(in_order)}, the first {in_order[:SHOWN]}"] if in_order else []


def _keys(outcome: Survived, data: Path) -> list[str]:
    """The database is sound, and the natural keys beside the journal are those of its lines."""
    with closing(sqlite3.connect(data / "journal.sqlite")) as db:
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        holders = dict(db.execute("SELECT key, holder FROM natural_keys").fetchall())
    problems = [] if sound == "ok" else [f"the journal's database is damaged: {sound}"]
    keys = keys_of(outcome.lines[1:])
    return problems + _problem("natural keys that differ from the lines", set(holders.items()) ^ set(keys.items()))


def balance_problems(outcome: Survived, replay: dict[str, Any]) -> list[str]:
    """Compare the service, the auditor's replay and the independent oracle: all three must agree."""
    oracle, problems = Oracle(outcome.lines), list[str]()
    position, now = len(outcome.lines), datetime.now(UTC)
    for who, digest in (
        ("served", outcome.served),
        ("replayed", {name: replay[name] for name in ("position", "digest")}),
    ):
        if digest != {"position": position, "digest": oracle.digest()}:
            problems.append(f"{who} {digest}, but the oracle says {position} and {oracle.digest()}")
    if outcome.cards != replay["dinas"]:
        problems.append("the scorecards served are not those replayed")
    for dinas, card in outcome.cards.items():
        oracle_card = oracle.scorecard("dinas", dinas, PERIOD, now)
        problems += [
            f"{dinas}: {name} is served as {card.get(name)}, but the oracle says {value}"
            for name, value in oracle_card.items()
            if card.get(name) != value
        ]
    if not outcome.cards:
        problems.append("no scorecard was served")
    return problems
