"""Queries on open files: counts by dinas, ASN or service, and lists by due time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Executable, Select, Text, bindparam, case, func, literal, select, tuple_

from domain.fold.casefiles import CaseFile, OpenFile
from domain.fold.digest import in_order
from projections.store.schema import CASE_FILES
from projections.store.vectors import file_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement

_FILES = CASE_FILES.c
_OPEN = _FILES.open_asn >= ""
"""True of an open file. SQLite takes the index of open files for a comparison, and reads all files for ``IS NOT NULL``."""

FOREVER: Final = 2**62
"""Replaces the due time of a file without a promise, so that such files are listed last."""
AT_ONCE: Final = 500
"""The number of ASN whose files are in memory at once while all of them are read."""
_DUE = func.coalesce(_FILES.due_us, FOREVER)
_OPEN_FILE: Final = (
    _FILES.dinas,
    _FILES.service,
    _FILES.case,
    _FILES.open_asn,
    _FILES.received_us,
    _FILES.due_us,
    _FILES.kind,
    _FILES.paused_us,
)


class Open(NamedTuple):
    """The numbers of open and of overdue files of one subject."""

    files: int
    overdue: int


NONE_OPEN: Final = Open(0, 0)


class OpenOfDinas(NamedTuple):
    """Open files of a dinas, and the next instant at which one more of them may be overdue."""

    open: Open
    next_due_us: int | None


class Ahead(NamedTuple):
    """The numbers of open files in time that are due before an instant, and that are paused."""

    due: int
    paused: int


class Choice(NamedTuple):
    """Which open files are listed: those overdue at an instant, those of a service, or all."""

    overdue_at_us: int | None = None
    service: str = ""


ALL_OPEN: Final = Choice()


class ListedFile(NamedTuple):
    """An open file, with every pause recorded for it."""

    file: OpenFile
    state: CaseFile


# Statements that every page sends are made once: to make one anew takes SQLAlchemy longer than SQLite needs to answer it.
_NOW: Final = bindparam("now_us", type_=BigInteger)
_UNTIL: Final = bindparam("until_us", type_=BigInteger)
_DINAS: Final = bindparam("dinas", type_=Text)
_ASN: Final = bindparam("asn", type_=Text)
_IS_PAUSED: Final = _FILES.paused_us.is_not(None) & (_FILES.paused_us < _NOW)
_IS_STANDARD: Final = _FILES.kind == "standard"
_CLOCK: Final = case((_IS_STANDARD & _IS_PAUSED, _FILES.paused_us), else_=_NOW)
_IS_OVERDUE: Final = _FILES.due_us < _CLOCK
"""True of overdue files. The clock of a paused file does not run, unless its promise is a raw ``due_at``."""


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Counts the files of which a condition is true."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_COUNTS: Final = (func.count(), _number(_IS_OVERDUE))
_SERVICE: Final = func.coalesce(_FILES.service, "")
"""A plain column would be grouped by the key, through all files."""
_OF_SERVICE: Final = bindparam("service", type_=Text) == _SERVICE
_OF_DINAS: Final = (_OPEN, _FILES.dinas == _DINAS)
_FALLS_DUE: Final = (_FILES.due_us >= _NOW) & (_FILES.due_us < _UNTIL) & ~(_IS_STANDARD & _IS_PAUSED)
_BY_DINAS: Final = (
    select(_FILES.dinas, *_COUNTS, func.min(case((_FILES.due_us >= _NOW, _FILES.due_us))))
    .where(_OPEN)
    .group_by(_FILES.dinas)
)
_BY_ASN: Final = select(_FILES.open_asn, *_COUNTS).where(*_OF_DINAS, _FILES.open_asn != "").group_by(_FILES.open_asn)
_BY_SERVICE: Final = select(_SERVICE, *_COUNTS).where(*_OF_DINAS).group_by(_SERVICE)
_OF_ASN: Final = select(*_COUNTS).where(_FILES.open_asn == _ASN)
_AHEAD: Final = select(_number(_FALLS_DUE), _number(_IS_PAUSED)).where(*_OF_DINAS)


class OpenFileQueries:
    """Queries on the open files of one snapshot; ``within``: the dinas whose files alone an ASN has."""

    def __init__(self, db: Connection, within: frozenset[str] | None = None) -> None:
        self._db = db
        self._within = within

    def by_dinas(self, now_us: int, dinas: Collection[str] | None = None) -> dict[str, OpenOfDinas]:
        """Open files of every dinas that has any, or of those among ``dinas``."""
        query = _BY_DINAS if dinas is None else _BY_DINAS.where(_FILES.dinas.in_(sorted(dinas)))
        rows = self._db.execute(query, {"now_us": now_us})
        return {row[0]: OpenOfDinas(Open(row[1], int(row[2])), row[3]) for row in rows}

    def by_asn(self, now_us: int, dinas: str) -> dict[str, Open]:
        """Open files of each ASN within a dinas."""
        return self._counts(_BY_ASN, now_us, dinas)

    def by_service(self, now_us: int, dinas: str) -> dict[str, Open]:
        """Open files of each service of a dinas."""
        return self._counts(_BY_SERVICE, now_us, dinas)

    def of_asn(self, now_us: int, asn: str) -> Open:
        """Open files of one ASN over all its dinas."""
        query = _OF_ASN if self._within is None else _OF_ASN.where(_FILES.dinas.in_(sorted(self._within)))
        row = self._db.execute(query, {"now_us": now_us, "asn": asn}).one()
        return Open(row[0], int(row[1]))

    def _of_asn(self, asn: str) -> tuple[ColumnElement[bool], ...]:
        mine = _FILES.open_asn == asn
        return (mine,) if self._within is None else (mine, _FILES.dinas.in_(sorted(self._within)))

    def _counts(self, query: Executable, now_us: int, dinas: str) -> dict[str, Open]:
        rows = self._db.execute(query, {"now_us": now_us, "dinas": dinas})
        return {row[0]: Open(row[1], int(row[2])) for row in rows}

    def ahead(self, now_us: int, until_us: int, dinas: str) -> Ahead:
        """The files of a dinas that are due before an instant, and those paused.

        A paused file falls due only by a ``due_at`` of its own.
        """
        row = self._db.execute(_AHEAD, {"now_us": now_us, "until_us": until_us, "dinas": dinas}).one()
        return Ahead(*map(int, row))

    def page(
        self, dinas: str, after: tuple[int, str, str] | None, limit: int, choice: Choice = ALL_OPEN
    ) -> list[ListedFile]:
        """Open files of a dinas by due time, service and case, after a place in that order; those without a promise last."""
        query = select(*_OPEN_FILE, _FILES.state).where(_OPEN, _FILES.dinas == dinas)
        if choice.overdue_at_us is not None:
            query = query.where(_IS_OVERDUE).params(now_us=choice.overdue_at_us)
        if choice.service:
            query = query.where(_OF_SERVICE).params(service=choice.service)
        if after is not None:
            query = query.where(tuple_(_DUE, _FILES.service, _FILES.case) > tuple_(*map(literal, after)))
        return self._rows(query.order_by(_DUE, _FILES.service, _FILES.case).limit(limit))

    def listed_of_asn(self, asn: str, limit: int) -> list[ListedFile]:
        """The first open files of an ASN over all its dinas, in the same order."""
        query = select(*_OPEN_FILE, _FILES.state).where(*self._of_asn(asn))
        return self._rows(query.order_by(_DUE, _FILES.service, _FILES.case, _FILES.dinas).limit(limit))

    def _rows(self, query: Select[Any]) -> list[ListedFile]:
        return [ListedFile(OpenFile(*row[:8]), file_of(row[8])) for row in self._db.execute(query)]

    def all(self) -> Iterator[OpenFile]:
        """Every open file."""
        yield from (OpenFile(*row) for row in self._db.execute(select(*_OPEN_FILE).where(_OPEN)))

    def by_name_of_asn(self) -> Iterator[list[OpenFile]]:
        """Every open file, those of some ASN after those of others, in the order of a digest's lines."""
        names = in_order(row[0] for row in self._db.execute(select(_FILES.open_asn).where(_OPEN).distinct()))
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            rows = self._db.execute(select(*_OPEN_FILE).where(_FILES.open_asn.in_(some)))
            yield [OpenFile(*row) for row in rows]

    def any_of_asn(self, asn: str) -> bool:
        """True if an ASN has an open file."""
        return self._db.execute(select(_FILES.case).where(_FILES.open_asn == asn).limit(1)).first() is not None

    def case_file(self, dinas: str, service: str, case_id: str) -> CaseFile | None:
        """Everything recorded about one case; ``None`` when no entry ever named it."""
        query = select(_FILES.state).where(_FILES.dinas == dinas, _FILES.service == service, _FILES.case == case_id)
        row = self._db.execute(query).first()
        return None if row is None else file_of(row[0])

    def any_of_dinas(self, dinas: str) -> bool:
        """True if a dinas ever had a case file, open or not."""
        return self._db.execute(select(_FILES.case).where(_FILES.dinas == dinas).limit(1)).first() is not None
