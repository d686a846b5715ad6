"""The page of one task: when it was due and done, by how much it was early or late, and who corrected it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from msgspec import Struct

from api.pages.page import AddressedPage
from api.pages.sentences import name_of, verdict
from api.pages.subject.course import Step, course_table, steps_of_task
from domain.clock import stored_instant
from domain.intake.judged import TASK, due_us, margin_us
from domain.intake.recorded import read_line
from domain.refusal import Fault, Refusal
from projections.reading.course import course_of
from projections.reading.persons import LimitedSnapshot

if TYPE_CHECKING:
    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.intake.recorded import EffectiveFact


class TaskView(Struct, frozen=True):
    """A task in words; ``late`` is none where no due time is known. ``position`` is none if it was retracted."""

    task: str
    dinas: str
    unit: str
    due: str
    done: str
    verdict: str
    late: bool | None
    reported: str
    position: int | None
    steps: tuple[Step, ...]


class TaskPage(AddressedPage, frozen=True):
    """One task of an ASN."""

    template: ClassVar[str] = "task.html"
    action: ClassVar[Action] = "read-person"
    parameters: ClassVar[frozenset[str]] = frozenset({"at"})

    asn: str
    task: TaskView

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The task that an address names, by the position of an entry about it. Raises: ``Refusal``."""
        return cls(query.path["asn"], task_view(query, query.path["asn"], query.parameters.get("at", "")))

    def tables(self, words: Words) -> Tables:
        """The steps of the task."""
        return {"course": lambda: course_table(self.task.steps, words)}


def task_view(query: PageQuery, asn: str, at: str) -> TaskView:
    """A task as far as it is folded. Raises: ``Refusal`` for a position that is no task of this ASN."""
    is_position = at.isascii() and at.isdigit() and len(at) < 19  # noqa: PLR2004 - digits of 63 bits
    lines = query.lines.course_of(int(at)) if is_position else []
    first = read_line(lines[0][1]).fact if lines else None
    dinas = first.data["dinas"] if first is not None and first.type == TASK else ""
    course = course_of(lines if dinas else [], query.snapshot.folded(dinas))
    facts = [event.fact for _, event in course.entries if event.fact.type == TASK]
    is_elsewhere = isinstance(query.snapshot, LimitedSnapshot) and dinas not in query.snapshot.within
    if not facts or is_elsewhere or asn not in [fact.data["asn"] for fact in facts]:
        raise Refusal("not-found", f"position {at} is no task of {asn}", Fault("/task", "is not known"))
    standing = course.last(TASK)
    fact = facts[-1] if standing is None else standing.fact
    return _view(fact, None if standing is None else standing.position, query, steps_of_task(course, query.words))


def _view(fact: EffectiveFact, position: int | None, query: PageQuery, steps: tuple[Step, ...]) -> TaskView:
    words, due, margin = query.words, due_us(fact), margin_us(fact)
    return TaskView(
        fact.data["task"],
        fact.data["dinas"],
        name_of(query.snapshot, fact.data["dinas"]),
        "" if due is None else words.moment(due),
        words.moment(stored_instant(fact.data["completed_at"])),
        verdict(margin, None, words),
        None if margin is None else margin < 0,
        words("task.by_self" if fact.data.get("reported_by") == "self" else "task.by_system"),
        position,
        steps,
    )
