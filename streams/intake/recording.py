"""The decisions of one append transaction: whether an event is new, whether its key is free, and how it is resolved."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from msgspec import Struct, UnsetType
from msgspec.structs import replace

from domain.access.policy import allowed
from domain.access.subjects import SOME, Reversal, Rule, Unit
from domain.clock import SECOND_US, local_date, parse_date, parse_instant, utc_text
from domain.events import submitted as events
from domain.events.entries import decode
from domain.events.kinds import BY_TYPE, NOTES
from domain.intake.checks import ahead_faults, data_ahead_faults
from domain.intake.recorded import EffectiveFact, Recorded, Resolved, line_of, read_line, recorded
from domain.intake.resolve import CaseContext, Setting, resolve_correction, resolve_fact, unpromised
from domain.intake.wire import Submission, read_data
from domain.refusal import Fault, Refusal, invalid
from projections.ports import Accepted, Grant, Receipt
from streams.intake.cases import UNKNOWN_TARGET, Cases, key_holder
from streams.intake.own_corrections import OwnCorrections
from streams.intake.permitting import NOT_COVERED, RATED, not_covered
from streams.journal.journal import line_hash

if TYPE_CHECKING:
    from datetime import tzinfo

    from domain.rules.rulebook import Rulebook
    from streams.intake.keyed import Keyed
    from streams.journal.journal import Appending

UNDO_US: Final = 900 * SECOND_US
_STATE_PAUSES: Final = "; a correction of the decision may state the pauses before it"


class Policy(Struct, frozen=True):
    """A city's settings for its events: the zone of its months, and whether unknown dinas and ASN are refused.

    ``undo_us`` is the time in which whoever recorded an event may undo it alone.
    """

    zone: tzinfo
    strict: bool = False
    undo_us: int = UNDO_US


class Recording:
    """Decides each submission in order, earlier ones of the same transaction included."""

    def __init__(self, append: Appending, rulebook: Rulebook, policy: Policy, now_us: int) -> None:
        self._append = append
        self._rulebook = rulebook
        self._policy = policy
        self._setting = Setting(rulebook, policy.zone)
        self._now_us = now_us
        self._cases = Cases(append)
        self._own = OwnCorrections(append, self._setting, now_us)

    def record(self, query: Keyed, grant: Grant) -> Accepted:
        """Record one event, or answer a repeat with its first receipt. Raises: ``Refusal``."""
        submission = query.submission
        earlier = self._append.find(query.originator)
        if earlier is not None:
            self._must_be_told(query, grant, earlier[1])
            return self._repeat(submission, grant, *earlier)
        values = submission.typed
        faults = ahead_faults(submission.time_us, values, self._now_us)
        if faults:
            raise invalid(*faults)
        if isinstance(values, events.Fact):
            return self._fact(query, values, grant)
        if isinstance(values, events.CaseNote):
            return self._note(query, values, grant)
        if isinstance(values, events.Reversal):
            return self._reversal(query, values, grant)
        return self._rule(query, values, grant)

    def _add(self, query: Keyed, grant: Grant, resolution: Resolved | None = None, note: str | None = None) -> Accepted:
        event = recorded(query.submission, resolution, self._now_us, grant.id)
        line = line_of(event)
        return Accepted(_receipt(self._append.add(query.originator, event.type, line, note=note), event))

    def _fact(self, query: Keyed, fact: events.Fact, grant: Grant) -> Accepted:
        self._must_be_free(query.key, grant)
        self._must_be_known(fact, "/data")
        decision = self._append.holder(query.decision) if query.decision else None
        if query.decision and decision is None and isinstance(fact, events.SatisfactionRated):
            raise not_decided()
        submission = query.submission
        case = self._cases.case(submission.data) if query.receipt else None
        resolution = resolve_fact(fact, submission.time_us, self._setting, case)
        outcome = self._add(query, grant, resolution)
        if isinstance(fact, events.PermitReceived | events.PermitProcessed) and unpromised(resolution):
            outcome = Accepted(outcome.receipt, unpromised=True)
        if query.key is not None:
            self._append.set_key(query.key, query.originator)
        if decision is not None and isinstance(fact, events.PermitReceived):
            self._own.after_receipt(decision)
        return outcome

    def _repeat(self, submission: Submission, grant: Grant, position: int, line: bytes) -> Accepted:
        if line_hash(line) != submission.content_hash:
            detail = "an event of this source and id is recorded with other content"
            raise Refusal("content-conflict", detail, holder=self._holder(grant, position, line))
        return Accepted(_receipt(position, read_line(line)), repeated=True)

    def _must_be_free(self, key: str | None, grant: Grant) -> None:
        holder = self._append.holder(key) if key is not None else None
        if holder is not None:
            detail = "this case, or this survey response, already has one; correct or retract it first"
            raise Refusal("natural-key-held", detail, holder=self._holder(grant, *self._cases.event(holder)))

    def _holder(self, grant: Grant, position: int, line: bytes) -> dict[str, object] | None:
        """The event that a conflict is with; ``None`` if the caller is not told of it.

        Of a rating, and of a reversal of one, those alone are told who may read the journal. An event without
        a dinas, such as a general rule, is told to grants that are limited to none.
        """
        event = read_line(line)
        fact = event.resolved.removes or event.fact
        is_told = (
            allowed(grant, "audit", SOME, self._now_us)
            if fact.type == RATED
            else allowed(grant, "see-holder", Unit(fact.data.get("dinas") or ""), self._now_us)
        )
        return key_holder(position, line) if is_told else None

    def _must_be_known(self, fact: events.Fact | events.CaseNote, at: str) -> None:
        if not self._policy.strict:
            return
        faults = []
        if self._rulebook.dinas_name(fact.dinas) is None:
            faults.append(Fault(f"{at}/dinas", "is not registered", for_now=True))
        asn = getattr(fact, "asn", "")
        if asn and not isinstance(asn, UnsetType) and not self._rulebook.knows_asn(asn):
            faults.append(Fault(f"{at}/asn", "is not registered", for_now=True))
        service = getattr(fact, "service", "")
        if service and not isinstance(service, UnsetType) and not self._rulebook.knows_service(fact.dinas, service):
            faults.append(Fault(f"{at}/service", "is not registered: no standard names it", for_now=True))
        if faults:
            raise invalid(*faults)

    def _note(self, query: Keyed, note: events.CaseNote, grant: Grant) -> Accepted:
        self._must_be_known(note, "/data")
        data = query.submission.data
        case = self._cases.case(data) if query.receipt else None
        decision = self._append.holder(query.decision) if query.decision else None
        if decision is not None:
            raise _too_late(self._cases.event(decision)[0])
        if case is None:
            raise invalid(Fault("/data/case", "has no open file: its receipt is not in the journal", for_now=True))
        at_us = parse_instant(note.at)
        if isinstance(note, events.PermitPaused):
            _must_pause(case, at_us)
        elif case.paused is None:
            raise invalid(Fault("/data/case", "is not paused", for_now=True))
        elif at_us <= case.paused[0]:
            raise invalid(Fault("/data/at", "must lie after the pause began", earliest=utc_text(case.paused[0] + 1)))
        return self._add(query, grant, note=NOTES.text(data))

    def _reversal(self, query: Keyed, reversal: events.Reversal, grant: Grant) -> Accepted:
        self._must_be_covered(query, grant)
        key, fact = self._reversible(query)
        adds = self._replacement(reversal, fact) if isinstance(reversal, events.EventCorrected) else None
        outcome = self._add(query, grant, Resolved(removes=fact, adds=adds))
        natural_key = BY_TYPE[fact.type].natural_key(fact.data)
        if natural_key is not None:
            self._append.set_key(natural_key, None if adds is None else query.originator)
        self._append.set_key(key, query.originator)
        return outcome

    def _reversible(self, query: Keyed) -> tuple[str, EffectiveFact]:
        """The fact in force under the event that a reversal names, and the key that its reversal holds. Raises: ``Refusal``."""
        if query.target is None or query.key is None:
            raise invalid(UNKNOWN_TARGET)
        key, event = self._cases.reversible(query.target, query.key)
        return key, event.fact

    def _must_be_told(self, query: Keyed, grant: Grant, line: bytes) -> None:
        """Refuse the receipt of a reversal that another caller recorded, unless the grant covers the event that it names."""
        if not isinstance(query.submission.typed, events.Reversal):
            return
        event = read_line(line)
        removal = event.resolved.removes
        if event.recordedby != grant.id and removal is not None:
            under = query.submission.source
            names = (removal.data["dinas"], under, under, grant.id)
            mine = Reversal(*names, frozenset({grant.id}), self._now_us + 1, rating=removal.type == RATED)
            if not allowed(grant, "reverse", mine, self._now_us):
                raise not_covered(Fault("/data/event", NOT_COVERED, for_now=True))

    def _must_be_covered(self, query: Keyed, grant: Grant) -> None:
        """Refuse a reversal that the grant does not cover, in the same words whether there is such an event or not."""
        target = self._append.find(query.target) if query.target else None
        subject = self._reversed(query.submission.source, None if target is None else read_line(target[1]))
        if allowed(grant, "reverse", subject, self._now_us):
            return
        if allowed(grant, "correct", subject, self._now_us):
            raise Refusal("second-person", "whoever recorded this reverses it no longer: another person has to")
        fresh = replace(subject, recorder=grant.id, undone_until_us=self._now_us + 1)
        if allowed(grant, "reverse", fresh, self._now_us):  # of its own dinas and source, where it may be told so
            raise not_covered(
                Fault("/data/event", "needs the role correct: it was recorded by others, or too long ago")
            )
        raise not_covered(Fault("/data/event", NOT_COVERED, for_now=True))

    def _reversed(self, under: str, event: Recorded | None) -> Reversal:
        """The reversal of an event as the policy knows it; of one that the journal does not hold, nothing is known."""
        statements = () if event is None else self._cases.statements(event)
        if event is None or not statements:
            return Reversal("", "", under, "", frozenset(), 0)
        recorder = statements[0].recordedby
        own_us = [parse_instant(each.recordedtime) for each in statements if each.recordedby == recorder]
        return Reversal(
            event.fact.data.get("dinas", ""),
            statements[-1].source,
            under,
            recorder,
            frozenset(each.recordedby for each in statements),
            min(own_us) + self._policy.undo_us,  # a correction does not begin the time anew
            rating=event.fact.type == RATED,
        )

    def _replacement(self, correction: events.EventCorrected, fact: EffectiveFact) -> EffectiveFact:
        at, data, faults = "/data/replacement", correction.replacement, list[Fault]()
        kind = BY_TYPE[fact.type]
        values = read_data(kind.submitted, data, at, faults)
        if values is not None:
            faults += [
                Fault(f"{at}/{name}", "must stay as it was: retract the event, and record it anew")
                for name in kind.fixed_fields(fact.data)
                if data.get(name) != fact.data.get(name)
            ]
            faults += data_ahead_faults(at, values, self._now_us)
        if faults or not isinstance(values, events.Fact):
            raise invalid(*faults)
        self._must_be_known(values, at)
        case = self._cases.case(data) if isinstance(values, events.PermitProcessed) else None
        resolution = resolve_correction(values, fact, data, self._setting, case, at)
        return EffectiveFact(fact.type, fact.time, {**data, "resolved": resolution})

    def _rule(self, query: Keyed, rule: events.Rule, grant: Grant) -> Accepted:
        self._must_be_its_rule(query.submission.source, rule, grant)
        if isinstance(rule, events.SchemeAdopted):
            today = local_date(self._now_us, self._policy.zone).isoformat()
            if rule.effective_from < today and self._append.holds_facts():
                raise invalid(Fault("/data/effective_from", "must not lie in the past: facts have been scored"))
        outcome = self._add(query, grant)
        position, line = self._cases.event(query.originator)
        self._rulebook.apply(position, decode(line))
        return outcome

    def _must_be_its_rule(self, source: str, rule: events.Rule, grant: Grant) -> None:
        """Refuse to a grant of some dinas an ASN whom an assignment places elsewhere on a day of this one."""
        if isinstance(rule, events.AsnAssigned):
            until = date.max if rule.effective_to is None else parse_date(rule.effective_to)
            places = self._rulebook.places(rule.asn, parse_date(rule.effective_from), until) or frozenset()
            subject = Rule(rule.dinas, source, elsewhere=bool(places - {rule.dinas}))
            if not allowed(grant, "set-rules", subject, self._now_us):
                raise not_covered()


def not_decided() -> Refusal:
    """The refusal, for now, of a rating of a case that is not decided yet."""
    detail = "is not decided in the journal: a case is rated once it is"
    return Refusal("not-decided", f"/data/case: {detail}", Fault("/data/case", detail, for_now=True))


def _must_pause(case: CaseContext, at_us: int) -> None:
    if case.paused is not None:
        raise invalid(Fault("/data/case", "is already paused", for_now=True))
    latest = max((end for _, end, _ in case.ended), default=None)
    if latest is not None and at_us < latest:
        raise invalid(Fault("/data/at", "must not lie before the last pause ended", earliest=utc_text(latest)))


def _too_late(position: int) -> Refusal:
    """The refusal of a note after the decision of its case, which names the decision and the remedy (decision record 0035)."""
    return invalid(Fault("/data/case", f"has no open file: it is decided (position {position}){_STATE_PAUSES}"))


def _receipt(position: int, event: Recorded) -> Receipt:
    return Receipt(position, {"source": event.source, "id": event.id}, event.recordedtime)
