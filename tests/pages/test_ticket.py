"""A citizen's own phone: the counter's token vouches for one rating of one case, until it is revoked; and for nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest

from api.http.tickets import Case, ticket_for
from api.pages.counter.ticket import source_of
from projections.ports import Grant
from tests.pages.counter import SERVICES, UNIT, rules
from tests.pages.reading import Page

if TYPE_CHECKING:
    import httpx

    from tests.serving import Assembled

FAR: Final[dict[str, Any]] = {"caller": "203.0.113.9", "host": "neraca.example"}
CASE: Final = Case(UNIT, SERVICES[2], "K / 1?")


def cookie(city: Assembled, token_id: str, *scopes: str, **limits: Any) -> dict[str, str]:  # noqa: ANN401 - dinas, sources
    return {"cookie": "neraca=" + city.token(token_id, *scopes, **limits).removeprefix("Bearer ")}


def ticket_of(city: Assembled, token_id: str, case: Case = CASE) -> str:
    held = city.tokens.by_id(token_id)
    assert held is not None
    made = ticket_for(city.tokens, held[0], case)
    assert made is not None
    return made


def rate(city: Assembled, ticket: str, case: Case = CASE, **answers: str) -> httpx.Response:
    form = urlencode({**case._asdict(), "tiket": ticket, **answers}).encode()
    media = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return city.ask("POST", "/nilai", content=form, headers=media, **FAR)


def ratings(city: Assembled) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = city.get("/v1/journal?type=neraca.satisfaction-rated.v1").json()["items"]
    return items


@pytest.fixture
def city(neraca: Assembled) -> Assembled:
    neraca.record(*rules())
    return neraca


def test_the_counters_code_leads_to_a_page_that_records_one_rating(city: Assembled) -> None:
    """Without a token of the phone's own and without a script; under the counter's token, of exactly that case."""
    held = cookie(city, "loket-3", "fact", dinas=[UNIT])
    picture = city.get(f"/loket/qr.svg?{urlencode(CASE._asdict())}", headers=held, **FAR)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert ET.fromstring(picture.content).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    ticket = ticket_of(city, "loket-3")
    address = f"/nilai?{urlencode({**CASE._asdict(), 'tiket': ticket})}"
    shown = Page(city.get(address, **FAR).text)
    fields = {
        attributes.get("name"): attributes.get("value")
        for tag, attributes in shown.tags
        if attributes.get("type") == "hidden"
    }
    assert fields == {**CASE._asdict(), "tiket": ticket}
    assert [attributes["src"] for tag, attributes in shown.tags if tag == "script"] == []
    assert "Pilih salah satu wajah" in rate(city, ticket).text
    assert ratings(city) == []
    assert "Penilaian Anda sudah tercatat" in rate(city, ticket, overall="1", waktu="4", sarana="3").text
    city.settle()
    (one,) = ratings(city)
    assert (one["data"]["case"], one["data"]["unsur"], one["recorded_by"]) == (
        CASE.case,
        {"waktu": 4, "sarana": 3},
        "loket-3",
    )
    second = rate(city, ticket, overall="2")
    assert (second.status_code, "Berkas ini sudah dinilai" in second.text) == (409, True)
    city.settle()
    assert len(ratings(city)) == 1


def test_whoever_is_asked_may_read_it_in_the_other_language(city: Assembled) -> None:
    """The case and its ticket go along, also from a page that asks again."""
    cookie(city, "loket-3", "fact")
    shown = Page(city.get(f"/nilai?{urlencode({**CASE._asdict(), 'tiket': ticket_of(city, 'loket-3')})}", **FAR).text)
    (english,) = [link for link in shown.links if "lang=en" in link]
    other = city.get(english, **FAR).text
    assert '<html lang="en">' in other
    assert f'value="{CASE.case}"' in other
    (action,) = [attributes["action"] for tag, attributes in Page(other).tags if tag == "form"]
    assert action == english
    form = urlencode({**CASE._asdict(), "tiket": ticket_of(city, "loket-3")}).encode()
    media = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    again = city.ask("POST", action, content=form, headers=media, **FAR)
    assert '<html lang="en">' in again.text
    (back,) = [link for link in Page(again.text).links if link.startswith("/nilai")]
    assert f'value="{CASE.case}"' in city.get(back, **FAR).text


def test_a_ticket_is_of_one_case_and_ends_with_its_token(city: Assembled) -> None:
    cookie(city, "loket-3", "fact")
    ticket = ticket_of(city, "loket-3")
    for case in (CASE._replace(case="K-2"), CASE._replace(service=SERVICES[0]), CASE._replace(dinas="lain")):
        assert rate(city, ticket, case, overall="4").status_code == 403, case
    for forged in ("", "x", ticket[1:], f"x{ticket}", ticket.partition(".")[0], ticket + "x", ".loket-3", "é.loket-3"):
        answer = rate(city, forged, overall="4")
        assert answer.status_code == 403, forged
        assert "Minta kode baru di loket" in answer.text
    city.tokens.revoke("loket-3", "2026-11-24T00:00:00Z")
    assert rate(city, ticket, overall="4").status_code == 403
    assert ratings(city) == []


@pytest.mark.parametrize("answers", [{"overall": "5"}, {"overall": "0"}, {"waktu": "9"}, {"overall": "²"}])
def test_what_is_on_no_scale_is_refused(city: Assembled, answers: dict[str, Any]) -> None:
    cookie(city, "loket-3", "fact")
    assert rate(city, ticket_of(city, "loket-3"), **answers).status_code == 422
    assert ratings(city) == []


def test_nobody_vouches_beyond_what_they_cover(city: Assembled) -> None:
    """Not the machine itself, which has no token; not a reader; not another dinas's counter; nor for an address without a case."""
    code = f"/loket/qr.svg?{urlencode(CASE._asdict())}"
    assert city.get(code).status_code == 404
    assert city.get(code, **FAR).status_code == 401
    assert city.get(code, headers=cookie(city, "baca", "read"), **FAR).status_code == 403
    assert city.get(code, headers=cookie(city, "lain", "fact", dinas=["lain"]), **FAR).status_code == 404
    assert city.get("/loket/qr.svg?dinas=x", headers=cookie(city, "loket-3", "fact"), **FAR).status_code == 422
    assert city.get("/nilai", **FAR).status_code == 422
    assert "Scan the code at the counter again" in city.get("/nilai?lang=en", **FAR).text


def test_a_rating_is_given_under_a_name_the_token_allows(city: Assembled) -> None:
    cookie(city, "loket-3", "fact", sources=["/loket/b", "/loket/a"])
    assert rate(city, ticket_of(city, "loket-3"), overall="4").status_code == 200
    city.settle()
    assert ratings(city)[0]["source"] == "/loket/a"
    anyone = Grant("t", frozenset({"fact"}))
    assert source_of(anyone, "a b/c'(é)") == "/loket/a%20b%2Fc'(%C3%A9)/warga"
    assert source_of(anyone, "é" * 200) == "/loket"


def test_files_that_are_called_alike_are_rated_each(city: Assembled) -> None:
    """Two agencies behind one token that speaks under one name, and names that only run together alike."""
    cookie(city, "loket-1", "fact", sources=["/loket/1"])
    cases = (CASE, CASE._replace(dinas="lain"), Case("lain", "a:b", "zz"), Case("lain", "a", "b:zz"))
    for case in cases:
        assert rate(city, ticket_of(city, "loket-1", case), case, overall="4").status_code == 200, case
    city.settle()
    held = ratings(city)
    assert [one["data"]["case"] for one in held] == [case.case for case in cases]
    assert not [one["id"] for one in held if one["data"]["case"] in one["id"]]


def test_the_counter_offers_the_code_to_whoever_signed_in(city: Assembled) -> None:
    held = cookie(city, "loket-3", "fact")
    assert 'id="qr"' in city.get(f"/loket?dinas={UNIT}", headers=held, **FAR).text
    assert 'id="qr"' not in city.get(f"/loket?dinas={UNIT}").text
