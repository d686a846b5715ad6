"""The doors: the web servers that are believed, the addresses that are written, plain HTTP, and the start of a process."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from msgspec.structs import replace
from starlette.requests import Request

from api.app import build
from api.http.doors import IN_SCOPE, Doors, address_of
from domain.access.limits import Limits
from neraca.__main__ import main
from neraca.doors import FirstLink
from streams.places.directory import DataDirectory
from tests.api.submissions import problem_of
from tests.process import Process
from tests.serving import ELSEWHERE, FORM, Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRONT: Final = "192.0.2.10"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - the address that is warned of
URL: Final = "https://neraca.kota.go.id"
PROXIES: Final = (ipaddress.ip_network(FRONT), ipaddress.ip_network("2001:db8::/64"))
STATED: Final = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"}
CHAINS: Final = (
    ("198.51.100.7", "198.51.100.7"),
    ("127.0.0.1, 198.51.100.7", "198.51.100.7"),
    ("nonsense, 198.51.100.7", "198.51.100.7"),
    ("198.51.100.7, 192.0.2.10", "198.51.100.7"),
    ("198.51.100.7, 2001:db8::5", "198.51.100.7"),
    ("198.51.100.7:4711", "198.51.100.7"),
    ("[2001:db9::1]:4711", "2001:db9::1"),
    ("2001:db9::1", "2001:db9::1"),
    ("192.0.2.10", "192.0.2.10"),
)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Assembled]:
    """A Neraca behind a web server."""
    with Assembled(tmp_path / "data", doors=Doors(url=URL, proxies=PROXIES)) as neraca:
        yield neraca


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-forwarded-for": "198.51.100.7"},
        {"x-forwarded-proto": "https"},
        STATED | {"x-forwarded-proto": "gopher"},
        STATED | {"x-forwarded-proto": "https, http"},
        STATED | {"x-forwarded-for": ""},
        STATED | {"x-forwarded-for": "198.51.100.7, unknown"},
    ],
    ids=repr,
)
def test_a_web_server_that_does_not_name_its_caller_gets_400(front: Assembled, headers: dict[str, str]) -> None:
    answer = front.get("/v1/dinas", headers=headers, caller=FRONT)
    assert (answer.status_code, problem_of(answer)) == (400, "malformed-headers")
    assert "x-forwarded-" in answer.json()["detail"]


@pytest.mark.parametrize(("chain", "caller"), CHAINS)
def test_the_caller_is_the_nearest_stranger(front: Assembled, chain: str, caller: str) -> None:
    callers: list[Any] = []

    @front.framework.get("/seen")
    def seen(request: Request) -> None:
        callers.append((request.client and request.client.host, request.url.scheme))

    headers = {"x-forwarded-for": chain, "x-forwarded-proto": "https"}
    assert front.get("/seen", headers=headers, caller=FRONT).status_code == 200
    assert callers == [(caller, "https")]


def test_forwarded_headers_of_anybody_else_say_nothing(front: Assembled) -> None:
    """Neither that a call came over TLS, nor from where; and the web server's own address opens nothing."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    secret = front.token("t", "audit").removeprefix("Bearer ")
    for caller in (ELSEWHERE, "127.0.0.1", "192.0.2.11"):
        assert front.get("/v1/journal", headers=STATED, caller=caller).status_code == 401
    assert front.get("/v1/journal", headers=STATED | {"x-forwarded-for": "127.0.0.1"}, caller=FRONT).status_code == 401
    plain = Assembled.ask(
        front, "POST", "/masuk", content=f"token={secret}".encode(), headers=form | STATED, caller=FRONT
    )
    assert "__Host-neraca=" in plain.headers["set-cookie"]


def test_bounds_and_the_security_log_go_by_the_forwarded_address(front: Assembled) -> None:
    """A guesser behind the web server slows nobody else behind it, and is named."""
    secret = front.token("t", "audit").removeprefix("Bearer ")

    def sign_in(address: str, token: str) -> int:
        headers = {**FORM, **STATED, "origin": URL, "x-forwarded-for": address}
        return front.ask("POST", "/masuk", content=f"token={token}".encode(), headers=headers, caller=FRONT).status_code

    assert [sign_in("198.51.100.7", f"wrong-{number}") for number in range(6)] == [401] * 5 + [429]
    assert [sign_in("198.51.100.8", token) for token in ("wrong", secret)] == [401, 303]
    (note,) = [entry.note for entry in front.log.notes(0) if entry.note.what == "sign-in"]
    assert (note.who, note.address) == ("t", "198.51.100.8")


def test_connections_are_counted_by_the_forwarded_address(tmp_path: Path) -> None:
    doors = Doors(url=URL, proxies=(ipaddress.ip_network("127.0.0.1"),))
    with Assembled(tmp_path / "data", doors=doors) as neraca:
        neraca.built = build(replace(neraca.parts, address_most=1))

        def of(address: str) -> dict[str, str]:
            return {**STATED, "x-forwarded-for": address}

        with Listening(neraca) as server, httpx.stream("GET", f"{server.url}/v1/stream", headers=of("198.51.100.7")):
            answers = [httpx.get(f"{server.url}/v1/dinas", headers=of(f"198.51.100.{number}")) for number in (7, 8)]
    assert [answer.status_code for answer in answers] == [503, 200]


@pytest.mark.parametrize(
    ("doors", "server", "address"),
    [
        (Doors(url=URL), ("10.0.0.5", 8000), URL),
        (Doors(), ("10.0.0.5", 8000), "http://10.0.0.5:8000"),
        (Doors(), ("2001:db8::5", 8000), "http://[2001:db8::5]:8000"),
    ],
)
def test_addresses_are_never_made_of_the_host(doors: Doors, server: tuple[str, int], address: str) -> None:
    headers = [(b"host", b"evil.example"), (b"x-forwarded-host", b"evil.example")]
    scope = {"type": "http", "headers": headers, "server": server, IN_SCOPE: doors}
    assert address_of(Request(scope)) == address


def test_browsers_are_told_to_come_over_tls_where_the_city_does(front: Assembled, tmp_path: Path) -> None:
    """On every answer, refusals too; elsewhere on none."""
    for path in ("/", "/v1/dinas", "/v1/journal", "/static/neraca.css", "/nowhere"):
        answer = front.get(path, headers=STATED, caller=FRONT)
        assert answer.headers["strict-transport-security"] == "max-age=31536000", path
    assert "strict-transport-security" in front.get("/", caller=FRONT).headers
    with Assembled(tmp_path / "plain", doors=Doors(url="http://neraca.kota")) as plain:
        assert "strict-transport-security" not in plain.get("/").headers


@pytest.mark.parametrize(
    ("origin", "is_warned"),
    [
        ({}, False),
        ({"host": "localhost:8000"}, False),
        ({"caller": ELSEWHERE}, True),
        ({"caller": ELSEWHERE, "host": "localhost"}, True),
        ({"host": "neraca.kota"}, True),
    ],
    ids=repr,
)
def test_a_page_that_crossed_a_network_in_plain_text_says_so(
    neraca: Assembled, origin: dict[str, Any], *, is_warned: bool
) -> None:
    """In red, on every page, a kept one too; each caller gets the mark of the own way."""
    for path in ("/", "/publik", "/masuk", "/asn/nobody", "/docs"):
        for _ in range(2):
            assert ('plain"' in neraca.get(path, **origin).text) == is_warned, path
    first = neraca.get("/", **origin)
    other = {"caller": ELSEWHERE} if not is_warned else {}
    tags = {"if-none-match": first.headers["etag"]}
    assert neraca.get("/", headers=tags, **other).status_code == 200


def test_a_city_that_is_reached_over_tls_warns_whom_that_passes_by(front: Assembled) -> None:
    """A page that its own web server passes on crossed no network in plain text; one that somebody fetched past it did."""
    assert 'class="plain"' not in front.get("/", headers=STATED, caller=FRONT).text
    assert 'class="plain"' in front.get("/", headers=STATED | {"x-forwarded-proto": "http"}, caller=FRONT).text
    assert 'class="plain"' in front.get("/", headers=STATED, caller=ELSEWHERE).text


@pytest.mark.parametrize(
    ("words", "settings", "message"),
    [
        (("--host", EVERYWHERE), {}, "--open: only on this machine's own address"),
        (("--host", "::"), {}, "--open: only on this machine's own address"),
        (("--host", "192.168.1.5"), {}, "--open: only on this machine's own address"),
        ((), {"NERACA_URL": URL}, "--open: not with NERACA_URL"),
        ((), {"NERACA_PROXIES": "127.0.0.1"}, "--open: not with NERACA_URL or NERACA_PROXIES"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("command", ["up", "intake", "api"])
def test_open_is_refused_wherever_others_come_in(
    command: str,
    words: tuple[str, ...],
    settings: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Before anything is opened or made."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    place = ["--data", str(tmp_path / "var")] if command == "up" else ["--database", "postgresql://127.0.0.1:1/none"]
    assert main([command, "--open", *place, *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"NERACA_URL": "neraca.kota.go.id"},
        {"NERACA_URL": "https://neraca.kota.go.id/neraca"},
        {"NERACA_URL": "https://user@neraca.kota.go.id"},
        {"NERACA_URL": "ftp://neraca.kota.go.id"},
        {"NERACA_PROXIES": "proxy.kota"},
        {"NERACA_PROXIES": "10.0.0.1/8"},
        {"NERACA_SESSION_IDLE_S": "0"},
        {"NERACA_SESSION_IDLE_S": "lama"},
    ],
    ids=repr,
)
def test_a_setting_that_cannot_be_is_named(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ((name, value),) = settings.items()
    monkeypatch.setenv(name, value)
    assert main(["up", "--data", str(tmp_path / "var")]) == 2
    assert f"{name}: " in capsys.readouterr().err


OPENNESS: Final[tuple[tuple[tuple[str, ...], dict[str, str], str], ...]] = (
    ((), {}, "operator masuk dengan tautan atau token"),
    (("--open",), {}, "siapa pun yang mencapai port ini adalah operator"),
    (("--latihan",), {}, "siapa pun yang mencapai port ini adalah operator"),
    (("--latihan",), {"NERACA_URL": URL}, "operator masuk dengan tautan atau token"),
    (("--latihan", "--host", EVERYWHERE), {}, "operator masuk dengan tautan atau token"),
    (("--host", EVERYWHERE), {}, "warning: 0.0.0.0 is reached in plain HTTP"),
)


@pytest.mark.parametrize(("words", "settings", "line"), OPENNESS, ids=repr)
def test_the_start_says_who_the_operator_is(
    tmp_path: Path, words: tuple[str, ...], settings: dict[str, str], line: str
) -> None:
    """Without a terminal the link lies in a file of the account's own, until it is spent; an open process makes none."""
    data = tmp_path / "var"
    with Process(data, *words, is_open=False, environment=settings) as process:
        assert line in process.output()
        is_open = "siapa pun" in process.output()
        assert (data / "link").exists() != is_open
        if not is_open:
            assert (data / "link").stat().st_mode & 0o777 == 0o600
            assert "/masuk/tautan#" in (data / "link").read_text(encoding="utf-8")
            assert "#" not in process.output().partition("link")[2], "the secret is in no log"


@pytest.mark.parametrize(("state", "has_link"), [("none", True), ("stands", False), ("revoked", True), ("ended", True)])
def test_a_link_is_made_where_no_token_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, state: str, has_link: bool
) -> None:
    """Of a journal whose tokens were all revoked, or have ended, too; a link that was left is removed."""
    directory = DataDirectory(tmp_path)
    tokens, link = directory.token_store(), FirstLink(tmp_path)
    if state != "none":
        until_us = 1 if state == "ended" else None
        tokens.make("t", ["auditor"], "2026-11-24T00:00:00Z", Limits(), until_us=until_us)
    if state == "revoked":
        tokens.revoke("t", "2026-11-24T00:00:00Z")
    (tmp_path / "link").write_text("left")
    link.show(tokens, Doors(), "http://127.0.0.1:8000/")
    text = (tmp_path / "link").read_text() if (tmp_path / "link").exists() else ""
    assert text.startswith("http://127.0.0.1:8000/masuk/tautan#") == has_link
    assert "#" not in capsys.readouterr().err
    link.show(tokens, Doors(is_open=True), "http://127.0.0.1:8000/")
    assert not (tmp_path / "link").exists()
    tokens._engine.dispose()
