"""The page of one case: its promise, how long its clock ran and stood, and so why it is late or in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from msgspec import Struct

from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.subject.files import time_left
from api.pages.tables import Table
from api.pages.words import MINUTE_US
from domain.fold.casefiles import counted_pauses, intervals, length_us, open_file
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.fold.casefiles import CaseFile, OpenFile, ReceivedFile
    from projections.reading.reader import Snapshot


class Step(Struct, frozen=True):
    """A step of a case; ``length`` says how long a pause was, or is."""

    at: str
    instant: str
    what: str
    length: str


class CaseView(Struct, frozen=True):
    """A case in words. ``state``: `received`, `paused` or `decided`; ``clock`` is the arithmetic of its service time."""

    service: str
    case: str
    asn: str
    state: str
    overdue: bool
    promise: str
    due: str
    clock: str
    left: str
    steps: tuple[Step, ...]


class FilePage(AddressedPage, frozen=True):
    """One case of a dinas."""

    template: ClassVar[str] = "file.html"
    scope: ClassVar[str] = "read"
    parameters: ClassVar[frozenset[str]] = frozenset({"service", "case"})

    id: str
    name: str
    file: CaseView

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The case that an address names. Raises: ``Refusal``."""
        dinas = query.path["dinas"]
        service, case = (query.parameters.get(name, "") for name in ("service", "case"))
        file = case_view(query.snapshot, dinas, service, case, query.words, query.now_us)
        return cls(dinas, name_of(query.snapshot, dinas), file)

    def tables(self, words: Words) -> Tables:
        """The steps of the case."""
        return {"course": lambda: _course_table(self.file, words)}


def case_view(snapshot: Snapshot, dinas: str, service: str, case: str, words: Words, now_us: int) -> CaseView:
    """A case as far as it is folded. Raises: ``Refusal`` for one that nothing ever named."""
    file = snapshot.case_file(dinas, service, case)
    if file is None or (file.receipt is None and file.decisions <= 0):
        raise Refusal("not-found", f"nothing was received as {case}", Fault("/file", "is not known"))
    pending, steps = open_file((dinas, service, case), file), tuple(_steps(file, words, now_us))
    state = "decided" if pending is None else "received" if pending.paused_us is None else "paused"
    if pending is None or file.receipt is None:
        return CaseView(service, case, "", state, overdue=False, promise="", due="", clock="", left="", steps=steps)
    overdue, due_us = pending.overdue_at(now_us), pending.due_us
    left = time_left(due_us, words, now_us, stands=state == "paused" and not overdue)
    return CaseView(
        service,
        case,
        pending.asn,
        state,
        overdue,
        _promise(file.receipt, words),
        "" if due_us is None else words.moment(due_us),
        _clock(file, file.receipt, pending, words, now_us),
        left,
        steps,
    )


def _promise(receipt: ReceivedFile, words: Words) -> str:
    if receipt.due_us is not None:
        return words("file.due_at", moment=words.moment(receipt.due_us))
    return words("open.no_due") if receipt.standard_us is None else words.duration(receipt.standard_us)


def _clock(file: CaseFile, receipt: ReceivedFile, pending: OpenFile, words: Words, now_us: int) -> str:
    """Service time is what has passed since receipt less the pauses, each instant counted once; in whole minutes, that add up."""
    ended, paused_us = intervals(file)
    open_pause = () if paused_us is None else ((paused_us, now_us, ""),)
    stood_us = length_us(counted_pauses((*ended, *open_pause), receipt.received_us, now_us))
    passed, stood = max(now_us - receipt.received_us, 0) // MINUTE_US, stood_us // MINUTE_US
    lengths = {"passed": words.minutes(passed), "stood": words.minutes(stood), "served": words.minutes(passed - stood)}
    plain = "" if stood else "_plain"
    if pending.kind == "standard" and receipt.standard_us is not None:
        return words(f"file.clock_of{plain}", **lengths, promise=words.duration(receipt.standard_us))
    return words("file.clock_due" if pending.kind == "due_at" else f"file.clock{plain}", **lengths)


def _steps(file: CaseFile, words: Words, now_us: int) -> Iterator[Step]:
    ended, paused_us = intervals(file)
    receipt = file.receipt
    steps: list[tuple[int, str, str]] = []
    if receipt is not None:
        steps.append((receipt.received_us, words("file.received"), ""))
    for begun, end, reason in ended:
        steps.append((begun, words("file.paused", reason=words.named("pause", reason)), words.span(end - begun)))
        steps.append((end, words("file.resumed"), ""))
    if paused_us is not None and file.decisions <= 0:
        reason = file.reason(paused_us) or ""
        stands = words("file.stands", length=words.span(max(now_us - paused_us, 0)))
        steps.append((paused_us, words("file.paused", reason=words.named("pause", reason)), stands))
    for at_us, what, length in sorted(steps, key=lambda step: step[0]):
        yield Step(words.moment(at_us, short=True), words.sortable(at_us), what, length)


def _course_table(file: CaseView, words: Words) -> Table:
    names = ("receipt.occurred", "receipt.event", "file.length")
    return Table([words(name) for name in names], [(step.instant, step.what, step.length) for step in file.steps])
