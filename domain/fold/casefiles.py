"""Case files: the open applications, since when they are open, and when they are due.

A file is open while its receipt is in force and no decision for its key is. A file is folded from signed counts and
sorted notes, so the order in which entries arrive does not matter here either.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, assert_type

from msgspec import Struct

from domain.clock import stored_instant
from domain.events.entries import (
    PLAIN_KINDS,
    AnyEntry,
    EventCorrected,
    EventRetracted,
    Fact,
    JournalOpened,
    PermitPaused,
    PermitProcessed,
    PermitReceived,
    PermitResumed,
    PlainFact,
    Rule,
)

CaseKey = tuple[str, str, str]
"""``(dinas, service, case)``."""
Interval = tuple[int, int, str]
"""A pause: ``(from, to, reason)``, instants in microseconds."""


class ReceivedFile(NamedTuple):
    """A receipt in a case file: its ASN, instants in microseconds, and the length of the standard that it promises."""

    asn: str
    received_us: int
    due_us: int | None
    standard_us: int | None


class CaseFile(Struct, frozen=True, array_like=True, gc=False):
    """All entries about a case: receipts with signed counts, the count of decisions, pauses and resumptions."""

    receipts: tuple[tuple[ReceivedFile, int], ...] = ()
    decisions: int = 0
    pauses: tuple[tuple[int, str], ...] = ()
    resumed: tuple[int, ...] = ()

    @property
    def receipt(self) -> ReceivedFile | None:
        """The receipt that stands, if one does."""
        return next((receipt for receipt, count in self.receipts if count > 0), None)

    def reason(self, since_us: int | None) -> str | None:
        """The reason of the pause that began at an instant; ``None`` if none did."""
        return next((reason for at_us, reason in self.pauses if at_us == since_us), None)


Change = tuple[CaseKey, CaseFile]
"""One entry's effect on one case."""
EMPTY: Final = CaseFile()
DECIDED: Final = {sign: CaseFile(decisions=sign) for sign in (1, -1)}


class OpenFile(NamedTuple):
    """An open file as listed: ``due_us`` is the instant from which it is overdue, pauses that ended included."""

    dinas: str
    service: str
    case: str
    asn: str
    received_us: int
    due_us: int | None
    kind: str
    paused_us: int | None

    def overdue_at(self, now_us: int) -> bool:
        """Overdue when the clock, which is stopped while the file is paused, has passed the promised time.

        A ``due_at`` is a raw instant, and no pause moves it.
        """
        standing = self.kind == "standard" and self.paused_us is not None
        return self.due_us is not None and (min(now_us, self.paused_us or now_us) if standing else now_us) > self.due_us


def changes_of(entry: AnyEntry) -> tuple[Change, ...]:
    """The changes of an entry to case files; most entries make none."""
    if type(entry) in PLAIN_KINDS:  # these are half of all entries, and the arms below would try each class in turn
        return ()
    match entry:
        case PermitProcessed() | PermitReceived():
            return _changes_by(entry, 1)
        case PermitPaused(data=note):
            change = CaseFile(pauses=((stored_instant(note.at), note.reason),))
            return (((note.dinas, note.service, note.case), change),)
        case PermitResumed(data=note):
            return (((note.dinas, note.service, note.case), CaseFile(resumed=(stored_instant(note.at),))),)
        case EventRetracted() | EventCorrected():
            adds = entry.data.resolved.adds
            return _changes_by(entry.data.resolved.removes, -1) + (_changes_by(adds, 1) if adds is not None else ())
        case _:
            assert_type(entry, PlainFact | Rule | JournalOpened)
            return ()


def _changes_by(fact: Fact, sign: int) -> tuple[Change, ...]:
    match fact:
        case PermitProcessed(data=decision):
            return (((decision.dinas, decision.service, decision.case), DECIDED[sign]),)
        case PermitReceived(data=data):
            standard = data.resolved.standard
            standard_us = None if standard is None else standard.us
            receipt = ReceivedFile(data.asn, data.resolved.received_us, data.resolved.due_us, standard_us)
            return (((data.dinas, data.service, data.case), CaseFile(receipts=((receipt, sign),))),)
        case _:
            assert_type(fact, PlainFact)
            return ()


def merged(left: CaseFile, right: CaseFile) -> CaseFile:
    """The files of a case in two parts of a journal merge to its file in the whole: counts add, notes are sorted."""
    counts: dict[ReceivedFile, int] = {}
    for receipt, count in left.receipts + right.receipts:
        counts[receipt] = counts.get(receipt, 0) + count
    return CaseFile(
        receipts=tuple(sorted(((r, n) for r, n in counts.items() if n), key=repr)) if counts else (),
        decisions=left.decisions + right.decisions,
        pauses=tuple(sorted(left.pauses + right.pauses)),
        resumed=tuple(sorted(left.resumed + right.resumed)),
    )


def files_of(entries: Iterable[AnyEntry]) -> dict[CaseKey, CaseFile]:
    """The file of each case that entries change, in any order of the entries."""
    files: dict[CaseKey, CaseFile] = {}
    for entry in entries:
        for key, change in changes_of(entry):
            files[key] = merged(files[key], change) if key in files else change
    return files


def intervals(file: CaseFile) -> tuple[tuple[Interval, ...], int | None]:
    """Pauses that have ended, in order, and the instant since which the file is paused, if it is.

    A second pause of a paused case and a resumption of a running one change nothing. At one instant the resumption comes
    first.
    """
    notes = sorted([(at, 1, reason) for at, reason in file.pauses] + [(at, 0, "") for at in file.resumed])
    pauses: list[Interval] = []
    running: tuple[int, str] | None = None
    for at, is_pause, reason in notes:
        if is_pause and running is None:
            running = (at, reason)
        elif not is_pause and running is not None:
            pauses.append((running[0], at, running[1]))
            running = None
    return tuple(pauses), running and running[0]


def counted_pauses(pauses: Iterable[Interval], start_us: int, end_us: int) -> tuple[Interval, ...]:
    """Pauses count once where they overlap, and only inside ``[start, end]``."""
    parts: list[Interval] = []
    for begin, end, reason in sorted(pauses):
        low, high = max(begin, start_us, parts[-1][1] if parts else start_us), min(end, end_us)
        if low < high:
            parts.append((low, high, reason))
    return tuple(parts)


def length_us(pauses: Iterable[Interval]) -> int:
    """The total length of pauses in microseconds."""
    return sum(end - begin for begin, end, _ in pauses)


def open_file(key: CaseKey, file: CaseFile) -> OpenFile | None:
    """The file as counted while it is open; ``None`` when it is not."""
    if file.decisions > 0 or (receipt := file.receipt) is None:
        return None
    pauses, paused_us = intervals(file)
    if receipt.due_us is not None:
        due_us, kind = receipt.due_us, "due_at"
    elif receipt.standard_us is not None:
        latest = max((end for _, end, _ in pauses), default=receipt.received_us)
        pause_us = length_us(counted_pauses(pauses, receipt.received_us, max(latest, receipt.received_us)))
        due_us, kind = receipt.received_us + receipt.standard_us + pause_us, "standard"
    else:
        return OpenFile(*key, receipt.asn, receipt.received_us, None, "none", paused_us)
    return OpenFile(*key, receipt.asn, receipt.received_us, due_us, kind, paused_us)
