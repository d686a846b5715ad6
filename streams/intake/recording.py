"""The decisions of one append transaction: whether an event is new, whether its key is free, and how it is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, UnsetType

from domain.clock import local_date, parse_instant
from domain.events import submitted as events
from domain.events.entries import decode, fact_of
from domain.events.kinds import BY_TYPE, DECISION, FACT_TYPES, KINDS, NOTES, RECEIPT, reversed_key
from domain.fold.casefiles import files_of, intervals
from domain.intake.checks import ahead_faults, data_ahead_faults
from domain.intake.recorded import EffectiveFact, Recorded, Resolved, line_of, read_line, recorded
from domain.intake.resolve import CaseContext, Setting, resolve_fact
from domain.intake.wire import Submission, read_data
from domain.refusal import Fault, Refusal, invalid
from projections.ports import Accepted, Grant, Receipt
from streams.journal.journal import line_hash, originator_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo
    from typing import Any

    from domain.fold.casefiles import CaseFile
    from domain.rules.rulebook import Rulebook
    from streams.journal.journal import Appending

CORRECTED: Final = KINDS["event-corrected"].type
_UNKNOWN_TARGET: Final = Fault("/data/event", "names no event of the journal")


def is_overtaking(refusal: Refusal) -> bool:
    """True if a reversal was refused because the event it names is not in the journal, or not yet."""
    return _UNKNOWN_TARGET in refusal.faults


class Policy(Struct, frozen=True):
    """A city's settings for its events: the zone of its months, and whether unknown dinas and ASN are refused."""

    zone: tzinfo
    strict: bool = False


class Keyed(Struct, frozen=True, gc=False):
    """A submission with the keys under which the journal is asked about it, spelt once for looking up and deciding."""

    submission: Submission
    originator: str
    key: str | None = None
    """The natural key it would hold."""
    receipt: str | None = None
    """The key of its case's receipt, from which a decision and a note take what they leave out."""
    decision: str | None = None
    """The key of its case's decision, after which a note comes too late."""
    target: str | None = None
    """The originator it reverses."""


def keyed(submission: Submission) -> Keyed:
    """A submission and its keys."""
    originator, typed, data = originator_of(submission.source, submission.id), submission.typed, submission.data
    kind = BY_TYPE[submission.type]
    if kind.role == "fact":
        receipt = RECEIPT.spelt(data) if isinstance(typed, events.PermitProcessed) else None
        return Keyed(submission, originator, kind.natural_key(data), receipt)
    if kind.role == "note":
        return Keyed(submission, originator, None, RECEIPT.spelt(data), DECISION.spelt(data))
    if isinstance(typed, events.Reversal):
        name = typed.event
        key, target = reversed_key(name.source, name.id), originator_of(name.source, name.id)
        return Keyed(submission, originator, key, target=target)
    return Keyed(submission, originator)


def prefetch(append: Appending, submissions: Sequence[Keyed]) -> None:
    """Look up in bulk all that submissions need; the rest is looked up one by one."""
    append.prefetch(
        (name for one in submissions for name in (one.originator, one.target) if name),
        (key for one in submissions for key in (one.key, one.receipt, one.decision) if key),
    )
    receipts, cases = list[str](), list[str]()
    for one in submissions:
        holder = append.holder(one.receipt) if one.receipt else None
        if holder is not None:
            receipts.append(holder)
            cases.append(NOTES.spelt(one.submission.data))
    append.prefetch(receipts, ())
    append.prefetch_notes(cases)


class Recording:
    """Decides each submission in order, earlier ones of the same transaction included."""

    def __init__(self, append: Appending, rulebook: Rulebook, policy: Policy, now_us: int) -> None:
        self._append = append
        self._rulebook = rulebook
        self._policy = policy
        self._setting = Setting(rulebook, policy.zone)
        self._now_us = now_us

    def record(self, one: Keyed, grant: Grant) -> Accepted:
        """Record one event, or answer a repeat with its first receipt. Raises: ``Refusal``."""
        submission = one.submission
        earlier = self._append.find(one.originator)
        if earlier is not None:
            return _repeat(submission, *earlier)
        typed = submission.typed
        faults = ahead_faults(submission.time_us, typed, self._now_us)
        if faults:
            raise invalid(*faults)
        if isinstance(typed, events.Fact):
            return self._fact(one, typed, grant)
        if isinstance(typed, events.CaseNote):
            return self._note(one, typed, grant)
        if isinstance(typed, events.Reversal):
            return self._reversal(one, typed, grant)
        return self._rule(one, typed, grant)

    def _add(self, one: Keyed, grant: Grant, resolved: Resolved | None = None, note: str | None = None) -> Accepted:
        event = recorded(one.submission, resolved, self._now_us, grant.id)
        line = line_of(event)
        return Accepted(_receipt(self._append.add(one.originator, event.type, line, note=note), event))

    def _fact(self, one: Keyed, fact: events.Fact, grant: Grant) -> Accepted:
        self._must_be_free(one.key)
        self._must_be_known(fact, "/data")
        submission = one.submission
        case = self._case(one.receipt, submission.data) if one.receipt else None
        accepted = self._add(one, grant, resolve_fact(fact, submission.time_us, self._setting, case))
        if one.key is not None:
            self._append.set_key(one.key, one.originator)
        return accepted

    def _must_be_free(self, key: str | None) -> None:
        holder = self._append.holder(key) if key is not None else None
        if holder is not None:
            detail = "this case, or this survey response, already has one; correct or retract it first"
            raise Refusal("natural-key-held", detail, holder=_name(*self._held_by(holder)))

    def _must_be_known(self, fact: events.Fact | events.CaseNote, at: str) -> None:
        if not self._policy.strict:
            return
        faults = []
        if self._rulebook.dinas_name(fact.dinas) is None:
            faults.append(Fault(f"{at}/dinas", "is not registered"))
        asn = getattr(fact, "asn", "")
        if asn and not isinstance(asn, UnsetType) and not self._rulebook.knows_asn(asn):
            faults.append(Fault(f"{at}/asn", "is not registered"))
        if faults:
            raise invalid(*faults)

    def _case(self, receipt_key: str, data: Mapping[str, Any]) -> CaseContext | None:
        """The state of a case in the journal now; ``None`` if no receipt of it is in force."""
        holder = self._append.holder(receipt_key)
        if holder is None:
            return None
        receipt = fact_of(decode(self._held_by(holder)[1]))
        notes = map(decode, self._append.notes(NOTES.spelt(data)))
        files = files_of((*notes, receipt) if receipt else notes)
        return next(map(context_of, files.values()), None)

    def _note(self, one: Keyed, note: events.CaseNote, grant: Grant) -> Accepted:
        self._must_be_known(note, "/data")
        data = one.submission.data
        case = self._case(one.receipt, data) if one.receipt else None
        if case is None or (one.decision and self._append.holder(one.decision) is not None):
            raise invalid(Fault("/data/case", "has no open file: its receipt is not in the journal, or it is decided"))
        at_us = parse_instant(note.at)
        if isinstance(note, events.PermitPaused):
            _must_pause(case, at_us)
        elif case.paused is None:
            raise invalid(Fault("/data/case", "is not paused"))
        elif at_us <= case.paused[0]:
            raise invalid(Fault("/data/at", "must lie after the pause began"))
        return self._add(one, grant, note=NOTES.spelt(data))

    def _reversal(self, one: Keyed, reversal: events.Reversal, grant: Grant) -> Accepted:
        fact = self._reversible(one)
        dinas = fact.data["dinas"]
        if grant.dinas is not None and dinas not in grant.dinas:
            raise Refusal("forbidden", f"the token may not reverse events of dinas {dinas}")
        adds = self._replacement(reversal, fact) if isinstance(reversal, events.EventCorrected) else None
        accepted = self._add(one, grant, Resolved(removes=fact, adds=adds))
        key = BY_TYPE[fact.type].natural_key(fact.data)
        if key is not None:
            self._append.set_key(key, None if adds is None else one.originator)
        if one.key is not None:
            self._append.set_key(one.key, one.originator)
        return accepted

    def _reversible(self, one: Keyed) -> EffectiveFact:
        """The fact in force under the event that a reversal names. Raises: ``Refusal``."""
        target = self._append.find(one.target) if one.target else None
        if target is None:
            raise invalid(_UNKNOWN_TARGET)
        event = read_line(target[1])
        if event.type not in FACT_TYPES and event.type != CORRECTED:
            raise invalid(Fault("/data/event", "names no fact and no correction: only these can be reversed"))
        holder = self._append.holder(one.key) if one.key else None
        if holder is not None:
            raise Refusal("already-reversed", "this event was reversed before", holder=_name(*self._held_by(holder)))
        return event.fact

    def _replacement(self, correction: events.EventCorrected, fact: EffectiveFact) -> EffectiveFact:
        at, data, faults = "/data/replacement", correction.replacement, list[Fault]()
        kind = BY_TYPE[fact.type]
        typed = read_data(kind.submitted, data, at, faults)
        if typed is not None:
            faults += [
                Fault(f"{at}/{name}", "must stay as it was: retract the event, and record it anew")
                for name in kind.fixed_fields(fact.data)
                if data.get(name) != fact.data.get(name)
            ]
            faults += data_ahead_faults(at, typed, self._now_us)
        if faults or not isinstance(typed, events.Fact):
            raise invalid(*faults)
        self._must_be_known(typed, at)
        case = self._case(RECEIPT.spelt(data), data) if isinstance(typed, events.PermitProcessed) else None
        resolved = resolve_fact(typed, parse_instant(fact.time), self._setting, case, at)
        return EffectiveFact(fact.type, fact.time, {**data, "resolved": resolved})

    def _rule(self, one: Keyed, rule: events.Rule, grant: Grant) -> Accepted:
        if isinstance(rule, events.SchemeAdopted):
            today = local_date(self._now_us, self._policy.zone).isoformat()
            if rule.effective_from < today and self._append.holds_facts():
                raise invalid(Fault("/data/effective_from", "must not lie in the past: facts have been scored"))
        accepted = self._add(one, grant)
        position, line = self._held_by(one.originator)
        self._rulebook.apply(position, decode(line))
        return accepted

    def _held_by(self, originator: str) -> tuple[int, bytes]:
        event = self._append.find(originator)
        if event is None:
            message = f"a natural key is held by {originator}, which the journal does not hold"
            raise RuntimeError(message)
        return event


def context_of(file: CaseFile) -> CaseContext | None:
    """The state of a case from its file; ``None`` if no receipt of it is in force."""
    if file.receipt is None:
        return None
    ended, since = intervals(file)
    return CaseContext(file.receipt, ended, None if since is None else (since, file.reason(since) or ""))


def _must_pause(case: CaseContext, at_us: int) -> None:
    if case.paused is not None:
        raise invalid(Fault("/data/case", "is already paused"))
    latest = max((end for _, end, _ in case.ended), default=None)
    if latest is not None and at_us < latest:
        raise invalid(Fault("/data/at", "must not lie before the last pause ended"))


def _repeat(submission: Submission, position: int, line: bytes) -> Accepted:
    if line_hash(line) != submission.content_hash:
        detail = "an event of this source and id is recorded with other content"
        raise Refusal("content-conflict", detail, holder=_name(position, line))
    return Accepted(_receipt(position, read_line(line)), repeated=True)


def _receipt(position: int, event: Recorded) -> Receipt:
    return Receipt(position, {"source": event.source, "id": event.id}, event.recordedtime)


def _name(position: int, line: bytes) -> dict[str, object]:
    event = read_line(line)
    return {"source": event.source, "id": event.id, "position": position}
