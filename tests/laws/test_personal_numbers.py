"""A NIK or a NIP is found in whatever a person types, however it is written; what is no personal number passes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intake.wire import read_submission
from domain.refusal import Refusal
from tests.laws.histories import bounded

NIK_GROUPS: Final = ((16,), (6, 6, 4), (4, 4, 4, 4), (6, 2, 2, 2, 4), (2, 2, 2, 6, 4), (2, 2, 2, 2, 2, 2, 4))
NIP_GROUPS: Final = ((18,), (8, 6, 1, 3))
SEPARATORS: Final = " ./_-"
AT: Final = "2026-11-24T10:00:00+07:00"
DIGITS: Final = tuple("".join(chr(start + n) for n in range(10)) for start in (0x30, 0xFF10, 0x660, 0x966, 0x1D7CE))
"""The digits of the keyboard, of full width, Arabic, Devanagari, and bold ones of mathematics."""
FORMAT: Final = ("", "\u200b", "\u00ad", "\u2060", "\u200e")
"""Characters that nobody sees."""
TYPED: Final = (
    ("task-completed", "dinas"),
    ("task-completed", "asn"),
    ("task-completed", "task"),
    ("permit-received", "service"),
    ("permit-received", "case"),
    ("satisfaction-rated", "survey"),
    ("dinas-registered", "name"),
)
DATA: Final[dict[str, dict[str, Any]]] = {
    "task-completed": {"dinas": "d", "asn": "a", "task": "t", "completed_at": AT},
    "permit-received": {"dinas": "d", "service": "s", "case": "c", "received_at": AT},
    "satisfaction-rated": {"dinas": "d", "survey": "s", "overall": 4},
    "dinas-registered": {"dinas": "d", "name": "Dinas"},
}

niks = st.builds(
    "{:02}{:04}{:02}{:02}{:02}{:04}".format,
    st.integers(11, 97),
    st.integers(0, 9999),
    st.one_of(st.integers(1, 31), st.integers(41, 71)),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(0, 9999),
)


@st.composite
def nips(draw: st.DrawFn) -> str:
    """A NIP: a date of birth, a month of appointment at least 15 years later, a sex, a number."""
    born = draw(st.dates(datetime(1940, 1, 1).date(), datetime(2010, 12, 31).date()))  # noqa: DTZ001 - dates alone
    months = born.year * 12 + born.month - 1 + draw(st.integers(180, 700))
    return f"{born:%Y%m%d}{months // 12}{months % 12 + 1:02}{draw(st.integers(1, 2))}{draw(st.integers(0, 999)):03}"


@st.composite
def spelt(draw: st.DrawFn) -> str:
    """A personal number in one of its groupings, with any separators, in any digits, with characters that nobody sees."""
    number, patterns = draw(st.one_of(st.tuples(niks, st.just(NIK_GROUPS)), st.tuples(nips(), st.just(NIP_GROUPS))))
    text, rest = "", number
    for length in draw(st.sampled_from(patterns)):
        separator = draw(st.sampled_from(SEPARATORS)) if text else ""
        text, rest = text + separator + rest[:length], rest[length:]
    digits, unseen = draw(st.sampled_from(DIGITS)), draw(st.sampled_from(FORMAT))
    line = text.translate(str.maketrans("0123456789", digits))
    at = draw(st.integers(0, len(line)))
    return line[:at] + unseen + line[at:]


around = st.text(st.sampled_from("ABCxyz:()#é "), max_size=12)
"""What may stand around a number: no digit, and no separator that would lengthen a group beside one."""


def faults(kind: str, data: dict[str, Any], **attributes: object) -> list[str]:
    """The pointers of the faults of an event."""
    envelope = {"specversion": "1.0", "type": f"neraca.{kind}.v1", "source": "/loket", "id": "1", "time": AT}
    try:
        read_submission({**envelope, "data": data, **attributes})
    except Refusal as refusal:
        return [fault.pointer for fault in refusal.faults]
    return []


@bounded(150)
@given(where=st.sampled_from(TYPED), number=spelt(), before=around, after=around)
def test_a_planted_number_is_refused_at_its_pointer(
    where: tuple[str, str], number: str, before: str, after: str
) -> None:
    kind, name = where
    text = before + number + after
    if name in ("dinas", "asn"):
        text = text.replace("/", "-")
    assert faults(kind, {**DATA[kind], name: text}) == [f"/data/{name}"]


@bounded(60)
@given(number=spelt().filter(lambda text: "/" not in text), other=st.sampled_from(["a", "loket-7", ""]))
def test_a_number_is_refused_as_a_segment_of_a_source_and_as_an_id(number: str, other: str) -> None:
    data = DATA["task-completed"]
    assert faults("task-completed", data, source=f"/{number}/{other}") == ["/source"]
    assert faults("task-completed", data, source=f"https://loket.example/{other}/{number}?a=1") == ["/source"]
    assert faults("task-completed", data, id=number) == ["/id"]
    assert faults("task-completed", data, source=f"/x{number}") == []


@bounded(100)
@given(
    at=st.datetimes(datetime(1999, 1, 1), datetime(2026, 11, 24)),  # noqa: DTZ001 - the zone is added below
    hours=st.integers(-11, 13),
    seed=st.integers(0, 2**64),
    uuid=st.uuids(),
)
def test_instants_dates_hashes_and_uuids_pass(at: datetime, hours: int, seed: int, uuid: object) -> None:
    zone = timezone(timedelta(hours=hours))
    instant, digest = at.replace(tzinfo=zone).isoformat(), hashlib.sha256(str(seed).encode())
    data = DATA["task-completed"]
    for text in (instant, f"{at:%Y-%m-%d}", digest.hexdigest(), digest.hexdigest()[:32], str(uuid), f"urn:uuid:{uuid}"):
        assert faults("task-completed", {**data, "task": text, "completed_at": instant}, time=instant, id=text) == []
        assert faults("task-completed", data, source=f"/loket/{text}") == []
    assert faults("task-completed", data, time=at.replace(tzinfo=UTC).isoformat()) == []


@pytest.mark.parametrize(
    "text",
    [
        "0973011501900001",  # no province
        "9873011501900001",
        "3273013201900001",  # no day
        "3273017201900001",
        "3273014001900001",
        "3273011500900001",  # no month
        "3273011513900001",
        "19391231 200001 1 001",  # born too early
        "19850230 200901 1 001",  # no such day
        "19850223 200001 1 001",  # appointed as a child
        "19850223 200913 1 001",
        "19850223 200901 3 001",
        "327301  150190 0001",  # two spaces
        "3273 01150190 0001",  # no usual groups
        "32730115019000011",  # seventeen digits
        "2026-11-24-0017",
        "503/1234/2026/DPMPTSP.01",
    ],
)
def test_other_numbers_pass_where_they_are_no_asn_and_no_case(text: str) -> None:
    assert faults("task-completed", {**DATA["task-completed"], "task": text}) == []


@pytest.mark.parametrize(("name", "kind"), [("asn", "task-completed"), ("case", "permit-received")])
@pytest.mark.parametrize("text", ["0" * 16, "9" * 18, "\uff10" * 16, "0" * 8 + "\u200b" + "0" * 8])
def test_a_bare_asn_or_case_of_16_or_18_digits_is_refused_whatever_they_are(name: str, kind: str, text: str) -> None:
    assert faults(kind, {**DATA[kind], name: text}) == [f"/data/{name}"]


def test_a_number_hides_in_no_code_no_scheme_and_no_correction() -> None:
    nik = "3273011501900001"
    reversal = {"event": {"source": "/loket", "id": "1"}, "reason": f"nik-{nik}"}
    assert faults("event-retracted", reversal) == ["/data/reason"]
    indicator = {
        "id": nik,
        "numerator": "tasks_on_time",
        "denominator": "tasks_with_due",
        "direction": "higher",
        "target": "100",
        "cap": 120,
        "min_n": 1,
        "weight": "1",
    }
    scheme = {"scheme": f"x {nik}", "effective_from": "2026-12-01", "indicators": [indicator]}
    assert faults("scheme-adopted", {**scheme, "skm_weight": "1/9", "min_coverage": "0.6"}) == [
        "/data/scheme",
        "/data/indicators/0/id",
    ]


def test_an_event_that_the_journal_holds_can_be_reversed_whatever_its_name() -> None:
    """The reversal is recorded only if the journal holds that very name."""
    assert (
        faults(
            "event-retracted", {"event": {"source": "/3273011501900001", "id": "3273011501900001"}, "reason": "typo"}
        )
        == []
    )
