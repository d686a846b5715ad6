"""A citizen's own phone: the counter's token vouches for one rating of one case, until it is revoked; and for nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from api.http.tickets import Case
from tests.pages.counter import SERVICES, UNIT, ticket_of
from tests.pages.reading import FAR, Page
from tests.serving import FORM, event

if TYPE_CHECKING:
    import httpx

    from tests.serving import Assembled

pytestmark = pytest.mark.speed("test")

CASE: Final = Case(UNIT, SERVICES[2], "K / 1?")
LIMITS: Final[dict[str, Any]] = {"dinas": [UNIT, "lain"], "sources": ["/loket/3"]}


@pytest.fixture(autouse=True)
def _decided(unit: Assembled) -> None:
    """The case is decided: before that nobody rates it."""
    decide(unit, CASE)


def decide(city: Assembled, case: Case) -> None:
    times = {"received_at": "2026-11-20T08:00:00+07:00", "completed_at": "2026-11-20T10:00:00+07:00"}
    city.record(event("permit-processed", f"putus-{case}", {**case._asdict(), **times}))


def cookie(city: Assembled, token_id: str, *roles: str, **limits: Any) -> dict[str, str]:  # noqa: ANN401 - dinas, sources
    city.token(token_id, *roles, **limits)
    return city.cookie(token_id)


def rate(city: Assembled, ticket: str, case: Case = CASE, **answers: str) -> httpx.Response:
    form = urlencode({**case._asdict(), "tiket": ticket, **answers}).encode()
    return city.ask("POST", "/nilai", content=form, headers=FORM, **FAR)


def ratings(city: Assembled) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = city.get("/v1/journal?type=neraca.satisfaction-rated.v1").json()["items"]
    return items


def test_the_counters_code_leads_to_a_page_that_records_one_rating(unit: Assembled) -> None:
    """Without a token of the phone's own and without a script; under the counter's token, of exactly that case."""
    headers = cookie(unit, "loket-3", "counter", **LIMITS)
    picture = unit.get(f"/loket/qr.svg?{urlencode(CASE._asdict())}", headers=headers, **FAR)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert ET.fromstring(picture.content).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    ticket = ticket_of(unit, "loket-3", CASE)
    ticket_answer = unit.get(f"/loket/tiket?{urlencode(CASE._asdict())}", headers=headers, **FAR).json()
    address = urlsplit(ticket_answer["address"])
    assert (address.path, dict(parse_qsl(address.query)), ticket_answer["expires"]) == (
        "/nilai",
        CASE._asdict(),
        "2026-12-01T05:00:00.000000Z",
    )
    assert dict(parse_qsl(address.fragment)) == {"tiket": ticket}
    view = Page(unit.get(f"/nilai?{address.query}", **FAR).text)
    inputs = {attributes.get("name"): attributes for tag, attributes in view.tags if tag == "input"}
    assert {name: inputs[name]["value"] for name in CASE._fields} == CASE._asdict()
    assert (inputs["tiket"]["value"], inputs["tiket"].get("type")) == ("", None), "without a script it is typed"
    assert "Pilih salah satu wajah" in rate(unit, ticket).text
    assert ratings(unit) == []
    assert "Penilaian Anda sudah tercatat" in rate(unit, ticket, overall="1", waktu="4", sarana="3").text
    unit.settle()
    (entry,) = ratings(unit)
    assert (entry["data"]["case"], entry["data"]["unsur"], entry["recorded_by"]) == (
        CASE.case,
        {"waktu": 4, "sarana": 3},
        "loket-3",
    )
    assert entry["source"] == "/nilai/loket-3"
    second = rate(unit, ticket, overall="2")
    assert (second.status_code, "Permohonan ini sudah dinilai" in second.text) == (409, True)
    unit.settle()
    assert len(ratings(unit)) == 1


def test_whoever_is_asked_may_read_it_in_the_other_language(unit: Assembled) -> None:
    """The case and its ticket go along, also from a page that asks again."""
    cookie(unit, "loket-3", "counter", **LIMITS)
    view = Page(unit.get(f"/nilai?{urlencode(CASE._asdict())}", **FAR).text)
    (english,) = [link for link in view.links if "lang=en" in link]
    other = unit.get(english, **FAR).text
    assert '<html lang="en">' in other
    assert f'value="{CASE.case}"' in other
    (action,) = [attributes["action"] for tag, attributes in Page(other).tags if tag == "form"]
    assert action == english
    form = urlencode({**CASE._asdict(), "tiket": ticket_of(unit, "loket-3", CASE)}).encode()
    again = unit.ask("POST", action, content=form, headers=FORM, **FAR)
    assert '<html lang="en">' in again.text
    (back,) = [link for link in Page(again.text).links if link.startswith("/nilai")]
    assert f'value="{CASE.case}"' in unit.get(back, **FAR).text


def test_a_ticket_is_of_one_case_and_ends_with_its_token(unit: Assembled) -> None:
    cookie(unit, "loket-3", "counter", **LIMITS)
    ticket = ticket_of(unit, "loket-3", CASE)
    for case in (CASE._replace(case="K-2"), CASE._replace(service=SERVICES[0]), CASE._replace(dinas="lain")):
        assert rate(unit, ticket, case, overall="4").status_code == 403, case
    for forgery in (
        "",
        "x",
        ticket[1:],
        f"x{ticket}",
        ticket.partition("-")[0],
        ticket + "x",
        "--loket-3",
        "é-é-loket-3",
    ):
        answer = rate(unit, forgery, overall="4")
        assert answer.status_code == 403, forgery
        assert "Minta kode baru di loket" in answer.text
    unit.tokens.revoke("loket-3", "2026-11-24T00:00:00Z")
    assert rate(unit, ticket, overall="4").status_code == 403
    assert ratings(unit) == []


@pytest.mark.parametrize("answers", [{"overall": "5"}, {"overall": "0"}, {"waktu": "9"}, {"overall": "²"}])
def test_what_is_on_no_scale_is_refused(unit: Assembled, answers: dict[str, Any]) -> None:
    cookie(unit, "loket-3", "counter", **LIMITS)
    assert rate(unit, ticket_of(unit, "loket-3", CASE), **answers).status_code == 422
    assert ratings(unit) == []


def test_nobody_vouches_beyond_what_they_cover(unit: Assembled) -> None:
    """Not the machine itself, which has no token; not a reader; not another dinas's counter; nor for an address without a case."""
    code = f"/loket/qr.svg?{urlencode(CASE._asdict())}"
    assert unit.get(code).status_code == 404
    assert unit.get(code, **FAR).status_code == 401
    assert unit.get(code, headers=cookie(unit, "baca", "read"), **FAR).status_code == 403
    assert (
        unit.get(code, headers=cookie(unit, "lain", "counter", dinas=["lain"], sources=["/x"]), **FAR).status_code
        == 403
    )
    assert (
        unit.get("/loket/qr.svg?dinas=x", headers=cookie(unit, "loket-3", "counter", **LIMITS), **FAR).status_code
        == 422
    )
    blank = Page(unit.get("/nilai", **FAR).text)
    names = [attributes["name"] for tag, attributes in blank.tags if tag == "input" and "required" in attributes]
    assert names == [*CASE._fields, "tiket"], "a page without a case asks for it"


@pytest.mark.parametrize(
    ("token_id", "source"),
    [
        ("a b/c'(é)", "/nilai/a%20b%2Fc%27%28%C3%A9%29"),
        ("loket-3-", "/nilai/loket-3-"),
        ("..", "/nilai/.."),
        ("é" * 200, f"/nilai/{'%C3%A9' * 200}"),
    ],
)
def test_a_rating_is_given_under_the_name_of_its_token_however_odd(unit: Assembled, token_id: str, source: str) -> None:
    cookie(unit, token_id, "counter", **LIMITS)
    assert rate(unit, ticket_of(unit, token_id, CASE), overall="4").status_code == 200
    unit.settle()
    (entry,) = ratings(unit)
    assert (entry["source"], entry["recorded_by"]) == (source, token_id)


def test_files_that_are_called_alike_are_rated_each(unit: Assembled) -> None:
    """Two agencies behind one token that speaks under one name, and names that only run together alike."""
    cookie(unit, "loket-1", "counter", dinas=[UNIT, "lain"], sources=["/loket/1"])
    cases = (CASE, CASE._replace(dinas="lain"), Case("lain", "a:b", "zz"), Case("lain", "a", "b:zz"))
    for case in cases[1:]:
        decide(unit, case)
    for case in cases:
        assert rate(unit, ticket_of(unit, "loket-1", case), case, overall="4").status_code == 200, case
    unit.settle()
    entries = ratings(unit)
    assert [entry["data"]["case"] for entry in entries] == [case.case for case in cases]
    assert not [entry["id"] for entry in entries if entry["data"]["case"] in entry["id"]]


def test_the_counter_offers_the_code_to_whoever_signed_in(unit: Assembled) -> None:
    headers = cookie(unit, "loket-3", "counter", **LIMITS)
    assert 'id="qr"' in unit.get(f"/loket?dinas={UNIT}", headers=headers, **FAR).text
    assert 'id="qr"' not in unit.get(f"/loket?dinas={UNIT}").text
