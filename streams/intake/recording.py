"""One append transaction's decisions: repeat or new, held or free, resolved under the rules that stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, UnsetType

from domain.clock import local_date, parse_instant
from domain.events import submitted as events
from domain.events.entries import decode
from domain.events.submitted import FACT_TYPES, KINDS, RULE_TYPES
from domain.fold.casefiles import CaseFile, intervals, merged
from domain.fold.casefiles import Receipt as FileReceipt
from domain.intake.checks import ahead_faults, data_ahead_faults
from domain.intake.natural_keys import key_of, natural_key, reversed_key
from domain.intake.recorded import Recorded, line_of, read_line, recorded
from domain.intake.resolve import CaseContext, Setting, resolve_fact
from domain.intake.wire import Submission, read_data
from domain.refusal import Fault, Refusal, invalid
from projections.ports import Accepted, Grant, Receipt
from streams.journal.journal import line_hash, originator_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from domain.rules.rulebook import Rulebook
    from streams.journal.journal import Appending

CORRECTED: Final = events.type_of("event-corrected")
_NOTES: Final = (events.PermitPaused, events.PermitResumed)
_OF_A_CASE: Final = (events.PermitProcessed, *_NOTES)
_REVERSALS: Final = (events.EventRetracted, events.EventCorrected)
_FACTS: Final = (events.PermitProcessed, events.TaskCompleted, events.SatisfactionRated, events.PermitReceived)


_UNKNOWN_TARGET: Final = Fault("/data/event", "names no event of the journal")


def is_overtaking(refusal: Refusal) -> bool:
    """Whether a reversal was refused because the event it names is not in the journal, or not yet."""
    return _UNKNOWN_TARGET in refusal.faults


class Policy(Struct, frozen=True):
    """How a city wants its events judged: the zone of its months, and whether unknown dinas and ASN are refused."""

    zone: tzinfo
    strict: bool = False


class Asked(NamedTuple):
    """A submission and the names under which the journal will be asked about it."""

    submission: Submission
    originator: str
    key: str | None
    """The natural key it would hold."""
    receipt: str | None = None
    """The key of its case's receipt, of which a decision and a note take what they leave out."""
    target: str | None = None
    """The originator it reverses."""


def asked(submission: Submission) -> Asked:
    """The names of a submission, made once for looking up and for deciding."""
    originator, typed = originator_of(submission.source, submission.id), submission.typed
    if isinstance(typed, _OF_A_CASE):
        receipt = key_of("receipt", typed.dinas, typed.service, typed.case)
        key = key_of("decision", typed.dinas, typed.service, typed.case)
        return Asked(submission, originator, key, receipt)
    if isinstance(typed, _REVERSALS):
        named = typed.event
        return Asked(
            submission, originator, reversed_key(named.source, named.id), None, originator_of(named.source, named.id)
        )
    return Asked(submission, originator, natural_key(submission.type, submission.data))


def prefetch(append: Appending, all_asked: Sequence[Asked]) -> None:
    """Look up at once what many submissions need; what is missing here is looked up when it is needed."""
    append.prefetch(
        (name for one in all_asked for name in (one.originator, one.target) if name),
        (key for one in all_asked for key in (one.key, one.receipt) if key),
    )
    cases, receipts = [], []
    for one in all_asked:
        holder = append.holder(one.receipt) if one.receipt else None
        if holder is not None:
            data = one.submission.data
            cases.append(key_of("case", data["dinas"], data["service"], data["case"]))
            receipts.append(holder)
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

    def record(self, one: Asked, grant: Grant) -> Accepted:
        """Record one event, or answer a repeat with its first receipt. Raises: ``Refusal``."""
        submission, originator = one.submission, one.originator
        found = self._append.find(originator)
        if found is not None:
            return _repeat(submission, *found)
        faults = ahead_faults(submission.time_us, submission.typed, self._now_us)
        if faults:
            raise invalid(*faults)
        typed = submission.typed
        if isinstance(typed, _FACTS):
            return self._fact(one, typed, grant)
        if isinstance(typed, _NOTES):
            return self._note(submission, typed, originator, grant)
        if isinstance(typed, _REVERSALS):
            return self._reversal(submission, typed, originator, grant)
        return self._rule(submission, typed, originator, grant)

    def _add(
        self,
        submission: Submission,
        originator: str,
        grant: Grant,
        resolved: dict[str, Any] | None,
        note: str | None = None,
    ) -> Accepted:
        entry = recorded(submission, resolved, self._now_us, grant.id)
        line = line_of(entry)
        position = self._append.add(originator, entry.type, line, note=note)
        if entry.type in RULE_TYPES:
            self._rulebook.apply(position, decode(line))
        return Accepted(_receipt(position, entry))

    def _fact(self, one: Asked, fact: events.Fact, grant: Grant) -> Accepted:
        submission, originator, key = one.submission, one.originator, one.key
        self._must_be_free(key)
        self._must_be_known(fact, "/data")
        case = self._case(fact, one.receipt) if one.receipt and isinstance(fact, events.PermitProcessed) else None
        resolved = resolve_fact(fact, submission.time_us, self._setting, case)
        accepted = self._add(submission, originator, grant, resolved)
        if key is not None:
            self._append.set_key(key, originator)
        return accepted

    def _must_be_free(self, key: str | None) -> None:
        holder = self._append.holder(key) if key is not None else None
        if holder is not None:
            position, entry = self._read(holder)
            detail = "this case, or this survey response, already has one; correct or retract it first"
            raise Refusal("natural-key-held", detail, holder=_name(position, entry))

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

    def _case(self, of: events.PermitProcessed | events.CaseNote, receipt_key: str | None = None) -> CaseContext | None:
        """The case's file as the journal holds it now; ``None`` without a receipt that stands."""
        holder = self._append.holder(receipt_key or key_of("receipt", of.dinas, of.service, of.case))
        if holder is None:
            return None
        data = self._read(holder)[1].fact["data"]
        resolved = data["resolved"]
        standard = resolved.get("standard")
        receipt = FileReceipt(
            data.get("asn", ""), resolved["received_us"], resolved.get("due_us"), standard["us"] if standard else None
        )
        file = CaseFile()
        for line in self._append.notes(key_of("case", of.dinas, of.service, of.case)):
            note = read_line(line)
            at_us = parse_instant(note.data["at"])
            paused = "reason" in note.data
            said = CaseFile(pauses=((at_us, note.data["reason"]),)) if paused else CaseFile(resumed=(at_us,))
            file = merged(file, said)
        ended, since = intervals(file)
        return CaseContext(receipt, ended, None if since is None else (since, file.reason(since) or ""))

    def _note(self, submission: Submission, note: events.CaseNote, originator: str, grant: Grant) -> Accepted:
        self._must_be_known(note, "/data")
        case = self._case(note)
        decided = self._append.holder(key_of("decision", note.dinas, note.service, note.case)) is not None
        if case is None or decided:
            raise invalid(Fault("/data/case", "has no open file: its receipt is not in the journal, or it is decided"))
        at_us = parse_instant(note.at)
        if isinstance(note, events.PermitPaused):
            _must_pause(case, at_us)
        elif case.paused is None:
            raise invalid(Fault("/data/case", "is not paused"))
        elif at_us <= case.paused[0]:
            raise invalid(Fault("/data/at", "must lie after the pause began"))
        return self._add(submission, originator, grant, None, key_of("case", note.dinas, note.service, note.case))

    def _reversal(self, submission: Submission, reversal: events.Reversal, originator: str, grant: Grant) -> Accepted:
        named = reversal.event
        found = self._append.find(originator_of(named.source, named.id))
        if found is None:
            raise invalid(_UNKNOWN_TARGET)
        target = read_line(found[1])
        if target.type not in FACT_TYPES and target.type != CORRECTED:
            raise invalid(Fault("/data/event", "names no fact and no correction: only these can be reversed"))
        reversed_by = self._append.holder(reversed_key(named.source, named.id))
        if reversed_by is not None:
            position, entry = self._read(reversed_by)
            raise Refusal("already-reversed", "this event was reversed before", holder=_name(position, entry))
        fact = target.fact
        if grant.dinas is not None and fact["data"]["dinas"] not in grant.dinas:
            raise Refusal("forbidden", f"the token may not reverse events of dinas {fact['data']['dinas']}")
        resolved: dict[str, Any] = {"removes": fact}
        if isinstance(reversal, events.EventCorrected):
            resolved["adds"] = self._replacement(reversal, fact)
        accepted = self._add(submission, originator, grant, resolved)
        key = natural_key(fact["type"], fact["data"])
        if key is not None:
            self._append.set_key(key, originator if "adds" in resolved else None)
        self._append.set_key(reversed_key(named.source, named.id), originator)
        return accepted

    def _replacement(self, correction: events.EventCorrected, fact: dict[str, Any]) -> dict[str, Any]:
        at, data, faults = "/data/replacement", correction.replacement, list[Fault]()
        typed = read_data(KINDS[fact["type"].split(".")[1]], data, at, faults)
        if typed is not None:
            faults += [
                Fault(f"{at}/{name}", "must stay as it was: retract the event, and record it anew")
                for name in _kept(fact)
                if data.get(name) != fact["data"].get(name)
            ]
            faults += data_ahead_faults(at, typed, self._now_us)
        if faults or not isinstance(typed, events.Fact):
            raise invalid(*faults)
        self._must_be_known(typed, at)
        case = self._case(typed) if isinstance(typed, events.PermitProcessed) else None
        resolved = resolve_fact(typed, parse_instant(fact["time"]), self._setting, case, at)
        return {"type": fact["type"], "time": fact["time"], "data": {**data, "resolved": resolved}}

    def _rule(self, submission: Submission, rule: events.Rule, originator: str, grant: Grant) -> Accepted:
        if isinstance(rule, events.SchemeAdopted):
            today = local_date(self._now_us, self._policy.zone).isoformat()
            if rule.effective_from < today and self._append.holds_facts():
                raise invalid(Fault("/data/effective_from", "must not lie in the past: facts have been scored"))
        return self._add(submission, originator, grant, None)

    def _read(self, originator: str) -> tuple[int, Recorded]:
        found = self._append.find(originator)
        if found is None:
            message = f"a natural key is held by {originator}, which the journal does not hold"
            raise RuntimeError(message)
        return found[0], read_line(found[1])


def _kept(fact: dict[str, Any]) -> tuple[str, ...]:
    """The fields a correction leaves as they are: the dinas, and what the natural key is made of."""
    if natural_key(fact["type"], fact["data"]) is None:
        return ("dinas",)
    return ("dinas", "case", "survey") if "survey" in fact["data"] else ("dinas", "service", "case", "survey")


def _must_pause(case: CaseContext, at_us: int) -> None:
    if case.paused is not None:
        raise invalid(Fault("/data/case", "is already paused"))
    latest = max((end for _, end, _ in case.ended), default=None)
    if latest is not None and at_us < latest:
        raise invalid(Fault("/data/at", "must not lie before the last pause ended"))


def _repeat(submission: Submission, position: int, line: bytes) -> Accepted:
    entry = read_line(line)
    if line_hash(line) != submission.content_hash:
        detail = "an event of this source and id is recorded with other content"
        raise Refusal("content-conflict", detail, holder=_name(position, entry))
    return Accepted(_receipt(position, entry), repeated=True)


def _receipt(position: int, entry: Recorded) -> Receipt:
    return Receipt(position, {"source": entry.source, "id": entry.id}, entry.recordedtime)


def _name(position: int, entry: Recorded) -> dict[str, object]:
    return {"source": entry.source, "id": entry.id, "position": position}
