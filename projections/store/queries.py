"""What is read from a generation, each within one snapshot: positions, balances, open files, rules, the why-index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, Select, case, func, literal, select, tuple_

from domain.fold.casefiles import CaseFile, OpenFile
from domain.fold.ledger import Balance, Ledger, zero
from domain.fold.postings import Account, Amounts, Posting
from projections.live import At
from projections.segment import RULEBOOK
from projections.store.schema import ACCOUNTS, CASE_FILES, DINAS_MONTHS, MOVED, RULES, SOURCES, WHY
from projections.store.store import amounts_held, balance_of, file_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FILES = CASE_FILES.c
_OPEN = _FILES.open_asn.is_not(None)


class Open(NamedTuple):
    """Open files of one subject: how many, and how many of them overdue."""

    files: int
    overdue: int


NONE_OPEN = Open(0, 0)


def reached(db: Connection) -> At:
    """How far everything is folded, in this snapshot."""
    held = {row[0]: row[1] for row in db.execute(select(SOURCES.c.source, SOURCES.c.position))}
    if len(held) <= 1:
        return At(max(held.values(), default=0))
    rulebook = held.pop(RULEBOOK)
    ordered = sorted(held.items(), key=lambda one: int(one[0].partition("/")[2]))
    partitions = tuple(position for _, position in ordered)
    return At(min(*partitions, rulebook), partitions, rulebook)


def standing(db: Connection) -> dict[int, str]:
    """The partitions that stand still, and why."""
    rows = db.execute(select(SOURCES.c.source, SOURCES.c.stopped).where(SOURCES.c.stopped.is_not(None)))
    return {int(row[0].partition("/")[2]): row[1] for row in rows}


def moved_since(db: Connection, position: int) -> list[tuple[str, int]]:
    """Every dinas that moved after a position, and how far its partition was folded when it did."""
    rows = db.execute(select(MOVED.c.dinas, MOVED.c.position).where(MOVED.c.position > position))
    return [(row[0], row[1]) for row in rows]


def last_rule(db: Connection) -> int:
    """The position of the last rule entry."""
    return db.execute(select(func.max(RULES.c.position))).scalar() or 0


def rule_lines(db: Connection, after: int) -> list[tuple[int, bytes]]:
    """Rule entries after a position."""
    rows = db.execute(select(RULES).where(RULES.c.position > after).order_by(RULES.c.position))
    return [(row[0], row[1]) for row in rows]


def dinas_balances(db: Connection, months: Sequence[str], dinas: str | None = None) -> dict[str, Balance]:
    """The balance of each dinas, or of one, summed over months."""
    query = select(DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.measures).where(DINAS_MONTHS.c.month.in_(months))
    return _summed(db.execute(query if dinas is None else query.where(DINAS_MONTHS.c.dinas == dinas)))


class Leaf(NamedTuple):
    """A leaf account of one dinas in one month: whose, of which service, and its non-zero amounts."""

    asn: str
    service: str
    amounts: Amounts


def leaves(db: Connection, dinas: str, months: Sequence[str]) -> list[Leaf]:
    """The leaf accounts of a dinas in some months."""
    query = select(ACCOUNTS.c.asn, ACCOUNTS.c.service, ACCOUNTS.c.measures)
    rows = db.execute(query.where(ACCOUNTS.c.dinas == dinas, ACCOUNTS.c.month.in_(months))).all()
    return [Leaf(asn, service, amounts_held(text)) for asn, service, text in rows]


def asn_balances(accounts: Iterable[Leaf]) -> dict[str, Balance]:
    """The balance of each ASN of a dinas, summed over services and months."""
    return _added((leaf.asn, leaf.amounts) for leaf in accounts if leaf.asn)


def service_balances(accounts: Iterable[Leaf]) -> dict[str, Balance]:
    """The balance of each service of a dinas, summed over its ASN and months; ``""`` holds what has no service."""
    return _added((leaf.service, leaf.amounts) for leaf in accounts)


def asn_balance(db: Connection, months: Sequence[str], asn: str) -> Balance:
    """The balance of one ASN over all dinas, summed over services and months."""
    query = select(ACCOUNTS.c.asn, ACCOUNTS.c.measures).where(ACCOUNTS.c.month.in_(months), ACCOUNTS.c.asn == asn)
    return _summed(db.execute(query)).get(asn) or zero()


def months_of_dinas(db: Connection, months: Sequence[str], dinas: str | None = None) -> dict[tuple[str, str], Balance]:
    """The balance of each dinas, or of one, in each of some months that has one: by dinas and month."""
    months_of = DINAS_MONTHS.c
    query = select(months_of.dinas, months_of.month, months_of.measures).where(months_of.month.in_(months))
    rows = db.execute(query if dinas is None else query.where(months_of.dinas == dinas))
    return {(row[0], row[1]): balance_of(row[2]) for row in rows}


def months_of_asn(db: Connection, months: Sequence[str], asn: str) -> dict[str, Balance]:
    """The balance of one ASN over all dinas, in each of some months that has one."""
    query = select(ACCOUNTS.c.month, ACCOUNTS.c.measures).where(ACCOUNTS.c.asn == asn, ACCOUNTS.c.month.in_(months))
    return _summed(db.execute(query))


def _summed(rows: Iterable[Sequence[str]]) -> dict[str, Balance]:
    return _added((subject, amounts_held(text)) for subject, text in rows)


def _added(amounts: Iterable[tuple[str, Amounts]]) -> dict[str, Balance]:
    sums = Ledger()
    sums.post(Posting((subject, "", "", ""), added) for subject, added in amounts)
    return {account[0]: balance for account, balance in sums.accounts.items()}


def accounts(db: Connection) -> Iterator[tuple[Account, Balance]]:
    """Every leaf account."""
    for row in db.execute(select(ACCOUNTS)).yield_per(1000):
        yield (row[1], row[2], row[3], row[4]), balance_of(row[5])


def _overdue(now_us: int) -> Any:  # noqa: ANN401 - a column expression
    """An open file's clock stands while it is paused, unless a raw ``due_at`` promises it."""
    clock = case(
        ((_FILES.kind == "standard") & _FILES.paused_us.is_not(None) & (_FILES.paused_us < now_us), _FILES.paused_us),
        else_=now_us,
    )
    return func.coalesce(func.sum(case((clock > _FILES.due_us, 1), else_=0)), 0)


def open_by_dinas(db: Connection, now_us: int, dinas: str | None = None) -> dict[str, Open]:
    """Open files of each dinas, or of one."""
    query = select(_FILES.dinas, func.count(), _overdue(now_us)).where(_OPEN).group_by(_FILES.dinas)
    return _opened(db, query if dinas is None else query.where(_FILES.dinas == dinas))


def open_by_asn(db: Connection, now_us: int, *, dinas: str | None = None, asn: str | None = None) -> dict[str, Open]:
    """Open files of each ASN within a dinas, or of one ASN over all."""
    query = select(_FILES.open_asn, func.count(), _overdue(now_us)).where(_OPEN, _FILES.open_asn != "")
    if dinas is not None:
        query = query.where(_FILES.dinas == dinas)
    if asn is not None:
        query = query.where(_FILES.open_asn == asn)
    return _opened(db, query.group_by(_FILES.open_asn))


def open_by_service(db: Connection, now_us: int, dinas: str) -> dict[str, Open]:
    """Open files of each service of a dinas."""
    query = select(_FILES.service, func.count(), _overdue(now_us)).where(_OPEN, _FILES.dinas == dinas)
    return _opened(db, query.group_by(_FILES.service))


class Ahead(NamedTuple):
    """Of open files in time: how many are due before an instant, and how many wait with their clock standing."""

    due: int
    paused: int


def ahead(db: Connection, now_us: int, until_us: int, dinas: str) -> Ahead:
    """What lies ahead of a dinas; a file that is paused is due by a ``due_at`` of its own alone."""
    paused = _FILES.paused_us.is_not(None) & (_FILES.paused_us < now_us)
    due = (_FILES.due_us >= now_us) & (_FILES.due_us < until_us) & ~((_FILES.kind == "standard") & paused)
    counts = [func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in (due, paused)]
    return Ahead(*map(int, db.execute(select(*counts).where(_OPEN, _FILES.dinas == dinas)).one()))


def _opened(db: Connection, query: Select[Any]) -> dict[str, Open]:
    return {row[0]: Open(row[1], int(row[2])) for row in db.execute(query)}


def overdue(db: Connection, now_us: int) -> tuple[int, int | None]:
    """How many open files are overdue, and the next instant at which one more may be."""
    number = db.execute(select(_overdue(now_us)).where(_OPEN)).scalar_one()
    following = db.execute(select(func.min(_FILES.due_us)).where(_OPEN, _FILES.due_us >= now_us)).scalar()
    return int(number), following


def open_files(db: Connection) -> Iterator[OpenFile]:
    """Every open file."""
    rows = db.execute(
        select(
            _FILES.dinas,
            _FILES.service,
            _FILES.case,
            _FILES.open_asn,
            _FILES.received_us,
            _FILES.due_us,
            _FILES.kind,
            _FILES.paused_us,
        ).where(_OPEN)
    )
    for row in rows:
        yield OpenFile(*row)


class ListedFile(NamedTuple):
    """An open file, with every pause that was said of it."""

    file: OpenFile
    state: CaseFile


FOREVER: Final = 2**62
"""When a file without a promise is due, where files are in the order in which they are."""


_DUE = func.coalesce(_FILES.due_us, FOREVER)
_LISTED = (_FILES.dinas, _FILES.service, _FILES.case, _FILES.open_asn, _FILES.received_us, _FILES.due_us, _FILES.kind,
           _FILES.paused_us, _FILES.state)  # fmt: skip


def files_of(db: Connection, dinas: str, after: tuple[int, str, str] | None, limit: int) -> list[ListedFile]:
    """Open files of a dinas after a due time, a service and a case, in that order; those without a promise last."""
    query = select(*_LISTED).where(_OPEN, _FILES.dinas == dinas)
    if after is not None:
        query = query.where(tuple_(_DUE, _FILES.service, _FILES.case) > tuple_(*map(literal, after)))
    return _listed(db, query.order_by(_DUE, _FILES.service, _FILES.case).limit(limit))


def files_of_asn(db: Connection, asn: str, limit: int) -> list[ListedFile]:
    """The first open files of an ASN over all dinas, in the same order."""
    query = select(*_LISTED).where(_OPEN, _FILES.open_asn == asn)
    return _listed(db, query.order_by(_DUE, _FILES.service, _FILES.case, _FILES.dinas).limit(limit))


def _listed(db: Connection, query: Select[Any]) -> list[ListedFile]:
    return [ListedFile(OpenFile(*row[:8]), file_of(row[8])) for row in db.execute(query)]


def case_file(db: Connection, dinas: str, service: str, case: str) -> CaseFile | None:
    """All that was said of one case; ``None`` when nothing ever named it."""
    query = select(_FILES.state).where(_FILES.dinas == dinas, _FILES.service == service, _FILES.case == case)
    row = db.execute(query).first()
    return None if row is None else file_of(row[0])


def services_known(db: Connection, dinas: str) -> set[str]:
    """Every service that a fact or a file of a dinas ever named."""
    counted = select(ACCOUNTS.c.service).where(ACCOUNTS.c.dinas == dinas, ACCOUNTS.c.service != "")
    return {row[0] for row in db.execute(counted.union(select(_FILES.service).where(_FILES.dinas == dinas)))}


def known_dinas(db: Connection, dinas: str) -> bool:
    """Whether any fact or file ever named it."""
    counted = db.execute(select(DINAS_MONTHS.c.month).where(DINAS_MONTHS.c.dinas == dinas).limit(1)).first()
    return (
        counted is not None or db.execute(select(_FILES.case).where(_FILES.dinas == dinas).limit(1)).first() is not None
    )


def known_asn(db: Connection, asn: str) -> bool:
    """Whether any fact or open file ever named them."""
    counted = db.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.asn == asn).limit(1)).first()
    return (
        counted is not None
        or db.execute(select(_FILES.case).where(_FILES.open_asn == asn).limit(1)).first() is not None
    )


def months_known(db: Connection) -> list[str]:
    """Every month with a balance, oldest first."""
    return [row[0] for row in db.execute(select(DINAS_MONTHS.c.month).distinct().order_by(DINAS_MONTHS.c.month))]


def positions(
    db: Connection, months: Sequence[str], after: int, limit: int, of: Mapping[str, str], *, newest: bool = False
) -> list[int]:  # fmt: skip
    """The positions after one that moved the accounts of some months and of some dinas, asn or service, in order.

    ``newest``: those before it, or all where it is 0, the last of them first.
    """
    query = select(WHY.c.position).join(ACCOUNTS, ACCOUNTS.c.id == WHY.c.account)
    query = query.where(ACCOUNTS.c.month.in_(months), *(ACCOUNTS.c[name] == value for name, value in of.items()))
    query = query.where(WHY.c.position < (after or FOREVER) if newest else WHY.c.position > after)
    order = WHY.c.position.desc() if newest else WHY.c.position
    return [row[0] for row in db.execute(query.distinct().order_by(order).limit(limit))]
