"""Ratings are withheld under any name that a scheme gives their indicator."""

import json
from typing import Any, Literal

import msgspec
import pytest

from api.http.withheld import hides_ratings, suppressed
from domain.events.entries import decode
from domain.fold.ledger import Ledger, zero
from domain.fold.postings import postings_of
from domain.intake.recorded import line_of, read_line
from domain.measures import UNSUR
from domain.periods import parse_period
from domain.rules.scheme import CONTOH_2026, Indicator, Scheme
from domain.score.scorecard import Scorecard, Standing, Subject, scorecard
from domain.score.scoring import score_of
from projections.reading.why import behind

RATING: dict[str, Any] = {
    "type": "neraca.satisfaction-rated.v1",
    "specversion": "1.0",
    "source": "/s",
    "id": "1",
    "time": "2026-11-02T08:00:00+07:00",
    "data": {
        "dinas": "d",
        "service": "ktp-el",
        "case": "k-1",
        "asn": "a-1",
        "unsur": dict.fromkeys(UNSUR, 1),
        "resolved": {"month": "2026-11", "rulebook": 0},
    },
    "recordedtime": "2026-11-02T01:00:00.000000Z",
    "recordedby": "local",
    "contenthash": "v1:0",
}
LINE = json.dumps(RATING).encode()


def renamed(name: str, numerator: str, denominator: str) -> Scheme:
    """The example scheme with its indicator of ratings under another name and over another measure."""

    def change(indicator: Indicator) -> Indicator:
        if indicator.id != "kepuasan":
            return indicator
        return msgspec.structs.replace(indicator, id=name, numerator=numerator, denominator=denominator)

    return msgspec.structs.replace(
        CONTOH_2026, indicators=tuple(change(indicator) for indicator in CONTOH_2026.indicators)
    )


@pytest.mark.parametrize(
    ("name", "numerator", "denominator"),
    [
        ("kepuasan", "ikm", "respondents"),
        ("skm", "ikm", "respondents"),
        ("suara", "respondent_mean_sum", "respondents"),
    ],
)
@pytest.mark.parametrize("kind", ["asn", "dinas"])
def test_one_rating_of_an_asn_is_withheld_whatever_the_indicator_is_called(
    kind: str, name: str, numerator: str, denominator: str
) -> None:
    """An ASN's value is left out and its ratings hidden; a dinas keeps its value and its n."""
    ledger, scheme = Ledger(), renamed(name, numerator, denominator)
    ledger.post(postings_of(decode(LINE)))
    (balance,) = ledger.accounts.values()
    standing = Standing(
        Subject("asn" if kind == "asn" else "dinas", "x"),
        registered=True,
        balance=balance,
        permits_open=0,
        permits_open_overdue=0,
    )
    card = scorecard(standing, score_of(balance, scheme), period="2026-11", position=1, scheme=scheme.id)
    values = {line.id: line.value for line in suppressed(card, scheme).indicators}
    assert (values[name] is None) is (kind == "asn")
    assert hides_ratings(card, scheme) is (kind == "asn")


def _rated_card(kind: Literal["asn", "dinas"], surveys: int, taps: int) -> Scorecard:
    """The scorecard of so many surveys, and so many answers to a single question."""
    tap = {**RATING, "data": {"dinas": "d", "asn": "a-1", "overall": 1, "scale": 4, "resolved": {"month": "2026-11"}}}
    ledger = Ledger()
    for line, times in ((LINE, surveys), (json.dumps(tap).encode(), taps)):
        for _ in range(times):
            ledger.post(postings_of(decode(line)))
    balance = zero()
    for account in ledger.accounts.values():
        balance = [total + amount for total, amount in zip(balance, account, strict=True)]
    standing = Standing(Subject(kind, "x"), registered=True, balance=balance, permits_open=0, permits_open_overdue=0)
    return scorecard(standing, score_of(balance, CONTOH_2026), period="2026-11", position=1, scheme="contoh-2026")


@pytest.mark.parametrize(
    ("surveys", "taps", "is_hidden"), [(40, 0, False), (40, 1, True), (40, 29, True), (40, 30, False), (1, 40, True)]
)
def test_one_tap_beside_many_surveys_is_hidden_too(surveys: int, taps: int, is_hidden: object) -> None:
    """Each kind of rating of an ASN needs a sample of its own; a dinas shows its mean with its number."""
    card = _rated_card("asn", surveys, taps)
    assert hides_ratings(card, CONTOH_2026) is is_hidden
    values = suppressed(card, CONTOH_2026).overall
    assert (values.value is None, values.n) == (taps < 30, taps)
    if taps:
        assert suppressed(_rated_card("dinas", surveys, taps), CONTOH_2026).overall.value == 25


def test_the_reasons_of_a_dinas_do_not_say_whom_a_rating_was_about() -> None:
    """The answers count for the dinas and are shown; the ASN and the case are not, neither in data nor in postings."""
    period = parse_period("2026-11")
    (reason,) = behind([(2, LINE)], Subject("dinas", "d"), period)
    assert reason.data == {"dinas": "d", "service": "ktp-el", "unsur": dict.fromkeys(UNSUR, 1)}
    assert [posting["account"] for posting in reason.postings] == [("d", "", "ktp-el", "2026-11")]
    assert reason.id == ""
    assert b"a-1" in line_of(read_line(LINE))


def test_what_a_rating_is_called_gives_its_case_away_no_more_than_its_fields_do() -> None:
    """Nor does the reversal of one, which names it."""
    indicator = RATING | {"id": "rating:ktp-el:k-1"}
    reversal = {
        **indicator,
        "type": "neraca.event-retracted.v1",
        "id": "batal",
        "data": {
            "event": {"source": "/s", "id": indicator["id"]},
            "reason": "ganda",
            "resolved": {
                "month": "2026-11",
                "rulebook": 0,
                "removes": {"type": indicator["type"], "data": indicator["data"]},
            },
        },
    }
    lines = [(2, json.dumps(indicator).encode()), (3, json.dumps(reversal).encode())]
    reasons = behind(lines, Subject("dinas", "d"), parse_period("2026-11"))
    assert [reason.position for reason in reasons] == [2, 3]
    assert b"k-1" not in msgspec.json.encode(reasons)
    assert b"a-1" not in msgspec.json.encode(reasons)
