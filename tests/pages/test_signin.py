"""Signing in: a session opens what its token covers, from this site only, until it ends; and it leads nowhere else."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest

from api.http.doors import Doors
from domain.clock import HOUR_US
from tests.pages.city import BUSY
from tests.pages.reading import FAR, Page
from tests.serving import BATCH, Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

pytestmark = pytest.mark.speed("test")

ELSEWHERE: Final = ("https://jahat.example/", "//jahat.example", "/\\jahat.example", "javascript:alert(1)", "/\r\nx: y")
MINUTE_US: Final = HOUR_US // 60
DAY_US: Final = 24 * HOUR_US
HTTPS: Final = Doors(url="https://neraca.example")


def send(city: Assembled, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
    form = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    return city.ask("POST", path, content=urlencode(fields).encode(), headers=form, **FAR)


def secret_of(city: Assembled, token_id: str, *scopes: str) -> str:
    return city.token(token_id, *scopes).removeprefix("Bearer ")


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return {"cookie": f"{morsel.key}={morsel.value}"}


def signed_in(city: Assembled, token_id: str, *scopes: str) -> dict[str, str]:
    return cookie_of(send(city, "/masuk", token=secret_of(city, token_id, *scopes)))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Assembled]:
    """A Neraca that its city reaches over TLS."""
    with Assembled(tmp_path / "secure", doors=HTTPS) as neraca:
        yield neraca


def test_a_browser_that_signs_in_reads_what_the_token_covers_until_it_is_revoked(own_small: Assembled) -> None:
    answer = send(own_small, "/masuk", token=f" {secret_of(own_small, 'kepala', 'read')} ", ke=f"/asn/{BUSY}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/asn/{BUSY}")
    headers = cookie_of(answer)
    assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 200
    assert own_small.get(f"/v1/asn/{BUSY}", headers=headers, **FAR).status_code == 200
    assert "Keluar (kepala)" in own_small.get("/", headers=headers, **FAR).text
    assert own_small.get("/v1/journal", headers=headers, **FAR).status_code == 403
    own_small.tokens.revoke("kepala", "2026-11-24T00:00:00Z")
    assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 401
    assert own_small.get("/", headers=headers, **FAR).status_code == 200, "what anybody may read stays open"


def test_the_cookie_holds_no_token_and_is_kept_from_scripts_and_from_other_sites(own_small: Assembled) -> None:
    secret = secret_of(own_small, "rapat", "read")
    answer = send(own_small, "/masuk", token=secret)
    text = answer.headers["set-cookie"]
    assert secret not in text
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in text.split(";")}
    assert "secure" not in text.lower()
    assert "domain" not in text.lower()
    assert own_small.get(f"/asn/{BUSY}", headers={"cookie": f"neraca={secret}"}, **FAR).status_code == 401
    for sign in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://lain.example"}):
        headers = cookie_of(answer) | sign
        assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 401, sign
        assert send(own_small, "/masuk", sign, token=secret).status_code == 403, sign


def test_over_tls_the_cookie_is_of_this_host_alone(secure: Assembled) -> None:
    """A cookie of the plain name, which any other host of the city could set, opens nothing."""
    answer = send(secure, "/masuk", {"origin": "https://neraca.example"}, token=secret_of(secure, "rapat", "audit"))
    text = answer.headers["set-cookie"]
    assert text.startswith("__Host-neraca=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in text.split(";")}
    headers = cookie_of(answer)
    assert secure.get("/v1/journal", headers=headers, **FAR).status_code == 200
    plain = {"cookie": headers["cookie"].removeprefix("__Host-")}
    assert secure.get("/v1/journal", headers=plain, **FAR).status_code == 401


def test_a_wrong_token_is_told_and_sets_nothing(own_small: Assembled) -> None:
    for secret in ("neraca_salah", "", "x" * 300):
        answer = send(own_small, "/masuk", token=secret, ke="/publik")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "Token tidak dikenal di sini" in answer.text
        assert 'name="ke" value="/publik"' in answer.text
    assert send(own_small, "/masuk", token="x" * 5_000).status_code == 413


@pytest.mark.parametrize(
    ("scopes", "idle_us", "whole_us"),
    [
        (("fact",), None, 30 * DAY_US),
        (("fact", "reverse"), None, 30 * DAY_US),
        (("fact", "read"), 30 * MINUTE_US, 12 * HOUR_US),
        (("read",), 30 * MINUTE_US, 12 * HOUR_US),
        (("audit",), 30 * MINUTE_US, 12 * HOUR_US),
        (("rulebook", "reverse"), 30 * MINUTE_US, 12 * HOUR_US),
    ],
    ids=repr,
)
def test_a_session_ends_when_it_is_idle_and_in_any_case(
    neraca: Assembled, scopes: tuple[str, ...], idle_us: int | None, whole_us: int
) -> None:
    """A counter's is a month, idle or not."""

    def is_in() -> bool:
        return "Keluar (t)" in neraca.get("/masuk", headers=headers, **FAR).text

    headers, start_us = signed_in(neraca, "t", *scopes), neraca.clock.us
    step_us = whole_us // 2 - 1 if idle_us is None else idle_us - MINUTE_US
    while neraca.clock.us + step_us < start_us + whole_us:
        neraca.clock.us += step_us
        assert is_in()
    neraca.clock.us = start_us + whole_us
    assert not is_in()
    if idle_us is not None:
        headers = cookie_of(send(neraca, "/masuk", token=secret_of(neraca, "t2", *scopes)))
        neraca.clock.us += idle_us
        assert "Keluar (t2)" not in neraca.get("/masuk", headers=headers, **FAR).text


def test_the_time_of_idleness_is_a_setting(tmp_path: Path) -> None:
    with Assembled(tmp_path / "data", doors=Doors(session_idle_s=2)) as neraca:
        headers = signed_in(neraca, "t", "audit")
        for _ in range(4):
            neraca.clock.us += 1_500_000
            assert neraca.get("/v1/journal", headers=headers, **FAR).status_code == 200
        neraca.clock.us += 2_000_000
        assert neraca.get("/v1/journal", headers=headers, **FAR).status_code == 401


def test_each_sign_in_has_an_id_of_its_own_and_ends_the_browsers_earlier_one(own_small: Assembled) -> None:
    """An id that somebody else put into the browser is never taken on."""
    secret = secret_of(own_small, "rapat", "read")
    earlier = cookie_of(send(own_small, "/masuk", token=secret))
    later = cookie_of(send(own_small, "/masuk", earlier, token=secret))
    assert later != earlier
    assert own_small.get(f"/asn/{BUSY}", headers=earlier, **FAR).status_code == 401
    assert own_small.get(f"/asn/{BUSY}", headers=later, **FAR).status_code == 200
    fresh = cookie_of(send(own_small, "/masuk", {"cookie": "neraca=planted"}, token=secret))
    assert fresh["cookie"] != "neraca=planted"


@pytest.mark.parametrize(
    ("scopes", "page"),
    [(("fact",), "/loket"), (("fact", "reverse"), "/loket"), (("audit",), "/auditor"), (("read",), "/")],
    ids=repr,
)
def test_signing_in_lands_on_the_page_that_the_token_is_for(
    own_small: Assembled, scopes: tuple[str, ...], page: str
) -> None:
    secret = secret_of(own_small, "-".join(scopes), *scopes)
    assert send(own_small, "/masuk", token=secret).headers["location"] == page
    assert send(own_small, "/masuk?lang=en", token=secret).headers["location"] == f"{page}?lang=en"
    assert send(own_small, "/masuk", token=secret, ke="/publik").headers["location"] == "/publik"


def test_an_asn_lands_on_the_own_page(own_small: Assembled) -> None:
    """By `/saya`, which leads there and nowhere else; it is refused to everybody who is no ASN."""
    secret = own_small.token("asn-1", "asn", asn=BUSY).removeprefix("Bearer ")
    answer = send(own_small, "/masuk?lang=en", token=secret)
    assert answer.headers["location"] == "/saya?lang=en"
    headers = cookie_of(answer)
    own = own_small.get("/saya?lang=en", headers=headers, **FAR)
    assert (own.status_code, own.headers["location"]) == (303, f"/asn/{BUSY}?lang=en")
    assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 200
    assert own_small.get("/saya", **FAR).status_code == 401
    for role in ("personnel", "auditor", "rules"):
        assert own_small.get("/saya", headers=signed_in(own_small, role, role), **FAR).status_code == 403
    assert own_small.get("/saya").headers["location"] == "/asn", "the operator is no ASN: the form asks for one"


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_signing_in_leads_nowhere_else(own_small: Assembled, elsewhere: str) -> None:
    answer = send(
        own_small, "/masuk", token=secret_of(own_small, f"t-{ELSEWHERE.index(elsewhere)}", "read"), ke=elsewhere
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_page_that_is_refused_leads_to_signing_in_and_back(own_small: Assembled) -> None:
    view = Page(own_small.get(f"/asn/{BUSY}?period=2026-11&lang=en", **FAR).text)
    assert [link for link in view.links if "ke=" in link] == [f"/masuk?ke=%2Fasn%2F{BUSY}%3Fperiod%3D2026-11&lang=en"]
    form = own_small.get(f"/masuk?ke=/asn/{BUSY}&lang=en", **FAR)
    assert form.headers["cache-control"] == "no-store"
    assert f'value="/asn/{BUSY}"' in form.text
    answer = send(
        own_small, "/masuk?lang=en", token=secret_of(own_small, "reader", "read"), ke=f"/asn/{BUSY}?period=2026-11"
    )
    assert answer.headers["location"] == f"/asn/{BUSY}?period=2026-11&lang=en"


def test_signing_out_ends_the_session_on_the_server(own_small: Assembled) -> None:
    """The browser drops its cache of this site; what waits in a counter's queue is storage, and stays."""
    headers = signed_in(own_small, "kepala", "read")
    answer = send(own_small, "/keluar", headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert answer.headers["clear-site-data"] == '"cache"'
    assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 401
    assert send(own_small, "/keluar").status_code == 303, "of a browser that has no session too"


def test_another_site_signs_nobody_out(own_small: Assembled) -> None:
    headers = signed_in(own_small, "kepala", "read")
    assert send(own_small, "/keluar", headers | {"sec-fetch-site": "cross-site"}).status_code == 403
    assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 200


def test_a_counter_that_signed_in_records_under_its_token(own_small: Assembled) -> None:
    headers = signed_in(own_small, "loket-3", "fact")
    task = event(
        "task-completed",
        "masuk-1",
        {"dinas": "cepat", "asn": BUSY, "task": "T-masuk", "completed_at": "2026-11-24T10:00:00+07:00"},
    )
    answer = own_small.post([task], BATCH, headers=headers, **FAR)
    assert answer.json()["accepted"] == 1, answer.text
    assert own_small.post([task], BATCH, **FAR).status_code == 401
    signs: tuple[dict[str, Any], ...] = ({"sec-fetch-site": "cross-site"}, {"origin": "http://lain.example"})
    for sign in signs:
        assert own_small.post([task], BATCH, headers=headers | sign, **FAR).status_code == 401, sign
