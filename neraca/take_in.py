"""The command that takes a foreign file in: `import`."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from domain.rules.rulebook import Rulebook
from neraca.options import Command, add_data, add_insecure, add_zone, pair
from neraca.settings import SETTINGS
from neraca.terminal import Progress, say
from neraca.wiring import journal_of, journal_to_read, now_us, place_of, policy_of
from projections.ports import Grant
from streams.emitting.client import NotNow, NotTaken
from streams.emitting.http import IntakeClient
from streams.importing.promises import REMEDY, Unpromised
from streams.importing.rows import Mapping, ReadError, Row, read_rows
from streams.importing.sending import Importing, LocalSink, Refused, RemoteSink, Sink
from streams.importing.trying import FormSink, trial
from streams.intake.noting import NotedIntake
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory

IMPORT: Final = Grant("import", frozenset({"counter", "rate", "rules", "correct", "auditor"}), alone=True)
REFUSALS_SHOWN: Final = 20
EVENTS_SHOWN: Final = 20
"""The events that a check prints."""
FORM_ALONE: Final = (
    "with --url the form of each row is checked, and the service is not asked: whether a row is recorded already, "
    "whether its case is received, decided or paused, whether its dinas and ASN are registered, which standard judges it, "
    "and what the token may send is not known. --check --data on the service's machine checks all of it but the token, "
    "also while the service runs"
)
"""The limits of a check that has no journal at hand."""


def _import_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="CSV or NDJSON, also .gz; or .xlsx")
    command.add_argument(
        "--map", type=Path, required=True, metavar="MAPPING.toml", help="which column is which field (see examples/)"
    )
    add_data(command)
    add_zone(command)
    command.add_argument("--url", help="send to a running intake instead of --data (token: NERACA_TOKEN)")
    add_insecure(command)
    command.add_argument(
        "--set", type=pair, action="append", default=[], metavar="field=value", help="a fixed value, such as dinas=…"
    )
    command.add_argument(
        "--refused", type=Path, metavar="FILE", help="write each refused row and its reason to FILE, as NDJSON"
    )
    command.add_argument(
        "--correct", action="store_true", help="record a row that says something else than before as a correction"
    )
    command.add_argument(
        "--check",
        action="store_true",
        help="record nothing: print the first 20 events, and say what would be refused (with --url: for its form alone)",
    )


def import_file(options: argparse.Namespace) -> int:
    """Import a file by a mapping; the last line, on standard output, counts the rows by outcome whatever ends the import."""
    policy = policy_of(options)
    mapping = Mapping.load(options.map, dict(options.set))
    rows = read_rows(options.file, mapping, options.zone, say)
    if options.check and options.url:
        say(FORM_ALONE)
    with ExitStack() as ending:
        refuse = _refusals(ending, options.refused)
        journal = None if options.url else _journal(ending, options)
        sink = _trial(ending, journal, policy) if options.check else _sink(ending, options, journal, policy)
        if journal is not None:
            rows = Unpromised(_rules(journal), policy.zone).watched(rows, say)
        importing = Importing(sink, refuse, policy.zone, correct=options.correct)
        try:
            importing.run(_shown(rows) if options.check else rows, Progress("rows read:"))
        finally:
            if isinstance(sink, RemoteSink) and sink.unpromised:
                say(f"rows without a standard of their time: {sink.unpromised:,}; {REMEDY}")
            _tell(importing, check=options.check, form_alone=bool(options.url))
    return 0


def _shown(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, of which the first events are printed."""
    to_print = EVENTS_SHOWN
    for row in rows:
        if row.event is not None and to_print:
            to_print -= 1
            print(msgspec.json.encode(row.event).decode())
        yield row


def _tell(importing: Importing, *, check: bool, form_alone: bool) -> None:
    total = importing.total
    if total.corrected:
        say(f"corrections among the accepted: {total.corrected}")
    if check:
        say("nothing was recorded: this was a check" + (" of the form alone" if form_alone else ""))
    print(total)


def _journal(ending: ExitStack, options: argparse.Namespace) -> Journal:
    """The journal of this machine; a check only reads it, and begins none that does not exist."""
    place = place_of(options)
    if options.check and place.journal.exists():
        return ending.enter_context(journal_to_read(place, options.zone))
    if options.check:
        place = DataDirectory(Path(ending.enter_context(TemporaryDirectory())))
    return ending.enter_context(journal_of(place, options.zone))


def _rules(journal: Journal) -> Rulebook:
    rulebook = Rulebook()
    rulebook.read(journal.rule_lines(0))
    return rulebook


def _sink(ending: ExitStack, options: argparse.Namespace, journal: Journal | None, policy: Policy) -> Sink:
    """The receiver of the events: an intake elsewhere, or the journal of this machine."""
    if journal is None:
        return RemoteSink(
            IntakeClient(options.url, SETTINGS["NERACA_TOKEN"].from_environment, insecure=options.insecure), say
        )
    intake, log = IntakeService(journal, policy, now_us), place_of(options).security_log()
    for part in (log, intake):
        ending.callback(part.close)
    return LocalSink(NotedIntake(intake, log, now_us), IMPORT, journal.events)


def _trial(ending: ExitStack, journal: Journal | None, policy: Policy) -> Sink:
    """A receiver that records nothing."""
    return FormSink() if journal is None else ending.enter_context(trial(journal, policy, now_us(), IMPORT))


def _refusals(ending: ExitStack, path: Path | None) -> Callable[[Refused], None]:
    """Says the first refusals, and writes all of them to a file if one is named."""
    file = ending.enter_context(path.open("wb")) if path else None
    count = 0

    def refuse(refusal: Refused) -> None:
        nonlocal count
        count += 1
        if file is not None:
            file.write(msgspec.json.encode(refusal) + b"\n")
        if count <= REFUSALS_SHOWN:
            say(f"row {refusal.row} refused: {refusal.detail}")
        elif count == REFUSALS_SHOWN + 1:
            say("further refusals are not shown" + ("" if file else "; --refused FILE keeps them all"))

    return refuse


COMMANDS: Final = (
    Command(
        "import",
        "import a CSV, NDJSON or XLSX file by a mapping",
        _import_options,
        import_file,
        errors=(ReadError, NotNow, NotTaken),
        note="Safe to run twice: rows that say nothing new are counted as duplicates. The last line counts the rows by outcome. "
        "docs/reference/mapping.md describes mappings.",
    ),
)
