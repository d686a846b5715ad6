"""Scorecards and rankings: a score as it is served. Here exact fractions become JSON numbers of two decimals."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from domain.fold.blocks import RATED
from domain.fold.cells import Waiting
from domain.fold.ledger import Balance
from domain.measures import INDEX
from domain.rules.scheme import Scheme
from domain.score.scoring import OVERALL_LEAST, IndicatorScore, Score, hundredths, overall, rank_keys

State = Literal["ok", "insufficient"]


Kind = Literal["dinas", "asn"]


class Subject(Struct, frozen=True):
    """The subject of a scorecard."""

    kind: Kind
    id: str


class Iku(Struct, frozen=True):
    """The composite in percent; ``se``, ``lo`` and ``hi`` stay null until intervals exist."""

    value: Decimal | None
    state: State
    se: Decimal | None = None
    lo: Decimal | None = None
    hi: Decimal | None = None


class IndicatorLine(Struct, frozen=True):
    """One indicator: value, target and capaian in percent, weight a fraction of 1, n the size of its sample.

    Of ratings that are not published of an ASN neither value nor n is told.
    """

    id: str
    value: Decimal | None
    target: Decimal
    capaian: Decimal | None
    weight: Decimal
    n: int | None
    state: State


class Counts(Struct, frozen=True):
    """Plain counts, all present; ``ratings`` is null of an ASN whose ratings are not served, but to the ASN.

    The ASN is told the number of the published ones. ``permits_rejected`` is null for the public until the period has ended.
    """

    permits: int
    permits_with_standard: int
    permits_on_time: int
    permits_rejected: int | None
    permits_open: int
    permits_open_overdue: int
    tasks: int
    tasks_with_due: int
    tasks_on_time: int
    tasks_self_reported: int
    ratings: int | None


class Overall(Struct, frozen=True):
    """The answers to a single question, as by one tap on a face: their mean in percent of the scale, and their number.

    It is a figure of its own beside the survey, and enters a score only where the scheme has an indicator of it.
    """

    value: Decimal | None
    n: int | None
    state: State


class Rank(Struct, frozen=True):
    """A place among the peers of one covered set; best and worst differ when values as served are equal."""

    best: int
    worst: int


class Scorecard(Struct, frozen=True):
    """Everything served about one subject in one period."""

    subject: Subject
    period: str
    position: int
    scheme: str
    registered: bool
    iku: Iku
    indicators: tuple[IndicatorLine, ...]
    counts: Counts
    overall: Overall
    published: bool = False
    """True if ratings count as far as blocks of them are published; false where each counts, as it does for auditors."""
    waiting: Waiting = Waiting()
    """The ratings and the reversals that waited to be published at the last local midnight."""
    left_out: int | UnsetType = UNSET
    """For the public: the number of services, all tasks counted as one, that hold fewer than ten and are in no sum here."""
    rank: Rank | UnsetType | None = field(default=UNSET)


class Standing(Struct, frozen=True):
    """The ingredients of a scorecard: the subject, its balance of the period, and its open files.

    ``waiting`` is what waits to be published where the balance is one of published ratings, else ``None``.
    """

    subject: Subject
    registered: bool
    balance: Balance
    permits_open: int
    permits_open_overdue: int
    waiting: Waiting | None = None
    naming: int | None = None
    """The number of published ratings that name an ASN, where it is told: to the ASN alone."""
    left_out: int | None = None
    """The number of services that the balance leaves out where it is the public's, else ``None``."""
    hides_rejected: bool = False
    """True where the number of rejected permits is not shown yet."""

    @property
    def hides_ratings(self) -> bool:
        """True of an ASN's balance of published ratings, as long as none of theirs is served."""
        if self.waiting is None or self.subject.kind != "asn":
            return False
        return not any(self.balance[index] for index in RATED)


PLAIN: Final = tuple(
    name for name in Counts.__struct_fields__ if name not in ("permits_open", "permits_open_overdue", "ratings")
)


def number(value: Fraction) -> Decimal:
    """Two decimals, half-up: the only rounding between a balance and a served figure."""
    return Decimal(hundredths(value)).scaleb(-2)


def exact(weight: Fraction) -> Decimal:
    """A weight given as a decimal string, as that decimal."""
    return Decimal(weight.numerator) / Decimal(weight.denominator)


def scorecard(standing: Standing, score: Score, *, period: str, position: int, scheme: str) -> Scorecard:
    """A standing and its score as served."""
    hides = standing.hides_ratings
    return Scorecard(
        subject=standing.subject,
        period=period,
        position=position,
        scheme=scheme,
        registered=standing.registered,
        iku=Iku(None, "insufficient") if score.value is None else Iku(number(score.value), "ok"),
        indicators=tuple(_line(part, hides=hides) for part in score.indicators),
        counts=_counts(standing, hides=hides),
        overall=Overall(None, None, "insufficient") if hides else _overall(standing.balance),
        published=standing.waiting is not None,
        waiting=standing.waiting or Waiting(),
        left_out=UNSET if standing.left_out is None else standing.left_out,
    )


def _line(part: IndicatorScore, *, hides: bool) -> IndicatorLine:
    return IndicatorLine(
        id=part.indicator.id,
        value=None if part.value is None else number(part.value),
        target=number(part.indicator.target),
        capaian=None if part.capaian is None else number(part.capaian),
        weight=exact(part.indicator.weight),
        n=None if hides and part.indicator.of_ratings else part.n,
        state="ok" if part.sufficient else "insufficient",
    )


def _counts(standing: Standing, *, hides: bool) -> Counts:
    balance = standing.balance
    counts = Counts(
        permits_open=standing.permits_open,
        permits_open_overdue=standing.permits_open_overdue,
        ratings=standing.naming if hides else balance[INDEX["respondents"]] + balance[INDEX["overall_n"]],
        **{name: balance[INDEX[name]] for name in PLAIN},
    )
    return replace(counts, permits_rejected=None) if standing.hides_rejected else counts


def _overall(balance: Balance) -> Overall:
    n, value = balance[INDEX["overall_n"]], overall(balance)
    return Overall(None if value is None else number(value), n, "ok" if n >= OVERALL_LEAST else "insufficient")


def ranked(standings: Iterable[Standing], scheme: Scheme) -> list[tuple[Standing, Rank | None]]:
    """Subjects of one covered set are ranked by value as served; larger covered weight first, unranked last.

    Values equal to two decimals are a tie: they share their ranks, in the order of their ids.
    """
    key_of = rank_keys(scheme)
    groups: dict[tuple[Fraction, tuple[int, ...]], list[tuple[int, Standing]]] = {}
    unranked_rows: list[tuple[Standing, Rank | None]] = []
    for standing in sorted(standings, key=lambda standing: standing.subject.id):
        key = key_of(standing.balance)
        if key.hundredths is None:
            unranked_rows.append((standing, None))
        else:
            groups.setdefault((-key.covered, key.covered_set), []).append((key.hundredths, standing))
    out: list[tuple[Standing, Rank | None]] = []
    for _, group in sorted(groups.items(), key=itemgetter(0)):
        place = 1
        # The sort is stable, also in reverse: the peers of a tie stay in the order of their ids.
        for _, tie in groupby(sorted(group, key=itemgetter(0), reverse=True), key=itemgetter(0)):
            peers = [standing for _, standing in tie]
            rank = Rank(place, place + len(peers) - 1)
            out += [(standing, rank) for standing in peers]
            place += len(peers)
    return out + unranked_rows
