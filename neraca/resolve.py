"""The command `resolve`: it judges facts that were recorded before their standard was."""

import argparse
from typing import Final

from neraca.noting import note
from neraca.options import Command, add_data, add_zone
from neraca.terminal import Progress, say
from neraca.wiring import journal_of, now_us, place_of, policy_of
from streams.intake.late_rules import resolve_late


def _options(command: argparse.ArgumentParser) -> None:
    add_data(command)
    add_zone(command)
    action = command.add_mutually_exclusive_group(required=True)
    action.add_argument("--dry-run", action="store_true", help="count what would be judged; record nothing")
    action.add_argument(
        "--record", action="store_true", help="record a correction for each fact that has a standard now"
    )


def resolve(options: argparse.Namespace) -> int:
    """Judge receipts and decisions that lacked a standard; the last line counts what was, or would be, corrected."""
    policy = policy_of(options)
    place = place_of(options)
    with journal_of(place, options.zone) as journal:
        late = resolve_late(journal, policy, now_us(), record=options.record, progress=Progress("entries read:"))
    totals = [0, 0, 0, 0]
    for service in late.services:
        receipts, decisions, on_time, overdue = service.counts
        totals = [total + count for total, count in zip(totals, service.counts, strict=True)]
        print(
            f"{service.dinas} {service.service}: {receipts} receipts, {decisions} decisions "
            f"({on_time} on time, {overdue} late)"
        )
    if late.without:
        say(f"{late.without} receipts and decisions have no standard of their time: they count as volume")
    receipts, decisions, on_time, overdue = totals
    if options.record and receipts + decisions:
        note(place, "reversal", "journal", f"{receipts + decisions} corrections by neraca resolve")
    print(f"receipts={receipts} decisions={decisions} on_time={on_time} late={overdue} without_standard={late.without}")
    return 0


COMMANDS: Final = (
    Command(
        "resolve",
        "judge facts that were recorded before their standard",
        _options,
        resolve,
        note="Each correction is recorded in the journal with the reason rule-came-later; a verdict that stands is not moved.",
    ),
)
