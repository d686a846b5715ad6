"""Signing in: a cookie opens what its token covers, from this site only, until it is revoked; and it leads nowhere else."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest

from tests.pages.city import BUSY
from tests.pages.reading import FAR, Page
from tests.serving import BATCH, Assembled, event

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.speed("test")

ELSEWHERE: Final = ("https://jahat.example/", "//jahat.example", "/\\jahat.example", "javascript:alert(1)", "/\r\nx: y")


def send(city: Assembled, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
    form = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    return city.ask("POST", path, content=urlencode(fields).encode(), headers=form, **FAR)


def secret_of(city: Assembled, token_id: str, *scopes: str) -> str:
    return city.token(token_id, *scopes).removeprefix("Bearer ")


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    morsel = SimpleCookie(answer.headers["set-cookie"])["neraca"]
    return {"cookie": f"neraca={morsel.value}"}


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


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(own_small: Assembled) -> None:
    secret = secret_of(own_small, "rapat", "read")
    plain, behind_tls = (
        send(own_small, "/masuk", token=secret),
        send(own_small, "/masuk", {"x-forwarded-proto": "https"}, token=secret),
    )
    text = plain.headers["set-cookie"].lower()
    assert "httponly" in text
    assert "samesite=strict" in text
    assert "path=/" in text
    assert "secure" not in text
    assert "secure" in behind_tls.headers["set-cookie"].lower()
    for site in ("cross-site", "same-site"):
        headers = cookie_of(plain) | {"sec-fetch-site": site}
        assert own_small.get(f"/asn/{BUSY}", headers=headers, **FAR).status_code == 401, site
        assert send(own_small, "/masuk", {"sec-fetch-site": site}, token=secret).status_code == 403, site


def test_a_wrong_token_is_told_and_sets_nothing(own_small: Assembled) -> None:
    for secret in ("neraca_salah", "", "x" * 300):
        answer = send(own_small, "/masuk", token=secret, ke="/publik")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "Token tidak dikenal di sini" in answer.text
        assert 'name="ke" value="/publik"' in answer.text
    assert send(own_small, "/masuk", token="x" * 5_000).status_code == 413


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


def test_signing_out_forgets_the_token(own_small: Assembled) -> None:
    answer = send(own_small, "/keluar")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "max-age=0" in answer.headers["set-cookie"].lower()


def test_a_counter_that_signed_in_records_under_its_token(own_small: Assembled) -> None:
    headers = cookie_of(send(own_small, "/masuk", token=secret_of(own_small, "loket-3", "fact")))
    task = event(
        "task-completed",
        "masuk-1",
        {"dinas": "cepat", "asn": BUSY, "task": "T-masuk", "completed_at": "2026-11-24T10:00:00+07:00"},
    )
    answer = own_small.post([task], BATCH, headers=headers, **FAR)
    assert answer.json()["accepted"] == 1, answer.text
    assert own_small.post([task], BATCH, **FAR).status_code == 401
    assert own_small.post([task], BATCH, headers=headers | {"sec-fetch-site": "cross-site"}, **FAR).status_code == 401
