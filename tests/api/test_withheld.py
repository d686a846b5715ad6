"""An ASN's satisfaction is no live figure, whatever a scheme calls its indicators; reasons name no single rating."""

import json
from typing import Any, Literal

import msgspec
import pytest

from api.http.withheld import formula_told, is_withheld
from domain.events.entries import decode
from domain.fold.cells import Waiting
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


def card_of(kind: Literal["asn", "dinas"], scheme: Scheme, waiting: Waiting | None, ratings: int = 1) -> Scorecard:
    """The scorecard of a subject with so many ratings, exact or as published."""
    ledger = Ledger()
    for _ in range(ratings):
        ledger.post(postings_of(decode(LINE)))
    balance = next(iter(ledger.accounts.values()), zero())
    standing = Standing(Subject(kind, "x"), True, balance, 0, 0, waiting)  # noqa: FBT003 - it is registered
    return scorecard(standing, score_of(balance, scheme), period="2026-11", position=1, scheme=scheme.id)


@pytest.mark.parametrize(
    ("name", "numerator", "denominator"),
    [
        ("kepuasan", "ikm", "respondents"),
        ("skm", "ikm", "respondents"),
        ("suara", "respondent_mean_sum", "respondents"),
        ("beban", "permits", "respondents"),
    ],
)
@pytest.mark.parametrize("kind", ["asn", "dinas"])
def test_ratings_of_an_asn_are_withheld_whatever_the_indicator_is_called(
    kind: Literal["asn", "dinas"], name: str, numerator: str, denominator: str
) -> None:
    """Neither value nor number nor a part of the arithmetic is told, before any of it is published."""
    scheme = renamed(name, numerator, denominator)
    card = card_of(kind, scheme, Waiting(), ratings=0)
    line = next(line for line in card.indicators if line.id == name)
    part = next(
        part for part in formula_told(zero(), score_of(zero(), scheme), scheme, card).indicators if part.id == name
    )
    nothing = (line.n is None, card.counts.ratings is None, card.overall.n is None, part.denominator is None)
    assert nothing == (kind == "asn",) * 4
    assert is_withheld(card, line) is (kind == "asn")


def test_auditors_see_an_asns_satisfaction_from_the_first_rating() -> None:
    card = card_of("asn", CONTOH_2026, None)
    line = card.indicators[1]
    assert (card.published, card.counts.ratings, line.n, line.value and int(line.value)) == (False, 1, 1, 25)


def test_what_is_published_leaves_single_ratings_out_of_the_reasons() -> None:
    period = parse_period("2026-11")
    assert behind([(2, LINE)], Subject("dinas", "d"), period, published=True) == []
    assert behind([(2, LINE)], Subject("asn", "a-1"), period, published=True) == []


def test_the_reasons_of_a_dinas_do_not_say_whom_a_rating_was_about() -> None:
    """The answers count for the dinas and are shown to auditors; the ASN and the case are not, in data or postings."""
    period = parse_period("2026-11")
    (reason,) = behind([(2, LINE)], Subject("dinas", "d"), period, published=False)
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
    reasons = behind(lines, Subject("dinas", "d"), parse_period("2026-11"), published=False)
    assert [reason.position for reason in reasons] == [2, 3]
    assert b"k-1" not in msgspec.json.encode(reasons)
    assert b"a-1" not in msgspec.json.encode(reasons)
    assert behind(lines, Subject("dinas", "d"), parse_period("2026-11"), published=True) == []
