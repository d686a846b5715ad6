"""Corrections that the service records itself: it resolves a fact again and puts the outcome in the fact's place.

Order of arrival must not decide a figure: a receipt may be recorded after its decision, and a standard after the facts
that it is for. Such a correction changes only resolved values; the data stay as they were submitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.canonical import content_hash
from domain.clock import local_date, stored_instant, utc_text
from domain.events import own
from domain.events.kinds import BY_TYPE, reversed_key
from domain.events.submitted import PermitProcessed, PermitReceived
from domain.intake.checks import is_instant
from domain.intake.recorded import EffectiveFact, Recorded, Resolved, as_submitted, line_of, read_line
from domain.intake.resolve import judged_otherwise, resolve_fact, unpromised
from domain.refusal import Refusal
from streams.intake.cases import CORRECTED, Cases
from streams.journal.journal import originator_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from domain.intake.resolve import Setting
    from streams.journal.journal import Appending


class OwnCorrections:
    """Resolves facts again within one append transaction."""

    def __init__(self, append: Appending, setting: Setting, now_us: int) -> None:
        self._append = append
        self._cases = Cases(append)
        self._setting = setting
        self._now_us = now_us

    def after_receipt(self, decision: str) -> None:
        """Judge the decision that an originator holds by the receipt recorded just now, where that changes it."""
        event = read_line(self._cases.event(decision)[1])
        resolution = self._again(event.fact)
        if resolution is not None and judged_otherwise(event.fact.resolved, resolution):
            self._record(event, resolution, "receipt-came-later")

    def after_rule(self, event: Recorded) -> Resolved | None:
        """The values of a receipt or a decision in force that lacked a promise, if it has a standard now; else ``None``."""
        resolution = self._again(event.fact, late_rule=True)
        return None if resolution is None or unpromised(resolution) else resolution

    def record_after_rule(self, event: Recorded, resolution: Resolved) -> None:
        """Record what ``after_rule`` found."""
        self._record(event, resolution, "rule-came-later")

    def _again(self, fact: EffectiveFact, *, late_rule: bool = False) -> Resolved | None:
        """A receipt or a decision resolved again; ``None`` where it cannot be, as when it ends before its receipt."""
        data = as_submitted(fact.data)
        values = msgspec.convert(_in_utc(data), BY_TYPE[fact.type].submitted)
        if not isinstance(values, PermitReceived | PermitProcessed):
            return None
        case = self._cases.case(data) if isinstance(values, PermitProcessed) else None
        if case is not None and case.standard is None and late_rule:
            day = local_date(case.receipt.received_us, self._setting.zone)
            case = case._replace(standard=self._setting.rulebook.standard(values.dinas, values.service, day))
        try:
            return resolve_fact(values, stored_instant(fact.time), self._setting, case)
        except Refusal:
            return None

    def _record(self, event: Recorded, resolution: Resolved, reason: own.Reason) -> None:
        fact = event.fact
        data = as_submitted(fact.data)
        target = originator_of(event.source, event.id)
        statement = {"event": {"source": event.source, "id": event.id}, "reason": reason, "replacement": data}
        adds = EffectiveFact(fact.type, fact.time, {**data, "resolved": resolution})
        time, name = utc_text(self._now_us), f"{reason}-{target}"
        correction = Recorded(
            type=CORRECTED,
            source=own.SOURCE,
            id=name,
            time=time,
            data={**statement, "resolved": Resolved(removes=fact, adds=adds)},
            attributes={},
            recordedtime=time,
            recordedby=own.RECORDER,
            contenthash=content_hash(CORRECTED, time, statement),
        )
        originator = originator_of(own.SOURCE, name)
        self._append.add(originator, CORRECTED, line_of(correction))
        self._append.set_key(reversed_key(event.source, event.id), originator)
        key = BY_TYPE[fact.type].natural_key(data)
        if key is not None:
            self._append.set_key(key, originator)


def _in_utc(data: Mapping[str, Any]) -> dict[str, Any]:
    """Stored data with each instant spelt anew: former versions took spellings that are refused from outside today."""
    pauses = [
        {name: value if name == "reason" else utc_text(stored_instant(value)) for name, value in pause.items()}
        for pause in data.get("pauses", ())
    ]
    instants = {name: utc_text(stored_instant(value)) for name, value in data.items() if is_instant(name)}
    return {**data, **instants, **({"pauses": pauses} if "pauses" in data else {})}
