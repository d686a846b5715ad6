"""C1: a web server in front makes nobody the operator, configured or not; a relay of bytes does not either without `--open`."""

from __future__ import annotations

import re
import ssl
import subprocess
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import pytest

from local.local_server import free_port
from tests.attacks.between import Nginx, Relay, raw, status_of
from tests.process import Process
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.speed("all")

BARE: Final = "server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass {url}; }} }}"
GUARDED: Final = ("/v1/journal", "/v1/asn/a-1", "/v1/dinas/d/why", "/auditor/journal")
EVENT: Final = {"content-type": "application/cloudevents-batch+json"}
NAME: Final = "neraca.kota.go.id"
GUIDE: Final = (ROOT / "docs" / "guides" / "web-server.md").read_text(encoding="utf-8")
CONFIGURED: Final = re.findall(r"^```nginx\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)[0]


def statuses(url: str, client: httpx.Client | None = None) -> set[int]:
    """What a caller without a token gets who reads what is guarded, and who writes."""
    asker = client or httpx.Client()
    answers = [asker.get(f"{url}{path}") for path in GUARDED]
    answers.append(asker.post(f"{url}/v1/events", content=b"[]", headers=EVENT))
    return {answer.status_code for answer in answers}


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Process]:
    with Process(tmp_path / "var", is_open=request.param) as process:
        yield process


def test_a_bare_proxy_pass_makes_nobody_the_operator(process: Process, tmp_path: Path) -> None:
    """As it is, and when the caller dresses up as this machine; the public's answers are given."""
    with Nginx(tmp_path / "nginx", BARE.format(url=process.url)) as nginx:
        url = f"http://127.0.0.1:{nginx.port}"
        assert statuses(url) == {401}
        for headers in ({"host": "localhost"}, {"x-forwarded-for": "127.0.0.1"}, {"origin": process.url}):
            with httpx.Client(headers=headers) as client:
                assert statuses(url, client) == {401}
        assert httpx.get(f"{url}/v1/dinas").status_code == 200
        assert httpx.get(url).status_code == 200


def test_a_relay_of_bytes_makes_nobody_the_operator_without_open(tmp_path: Path) -> None:
    """Under `--open` one of the same account cannot be told apart, which the documents say."""
    with Process(tmp_path / "var", is_open=False) as process, Relay(process.port) as relay:
        assert statuses(f"http://127.0.0.1:{relay.port}") == {401}
        for version in (b"1.1", b"1.0"):
            request = b"GET /v1/journal HTTP/" + version + b"\r\nHost: localhost\r\n\r\n"
            assert status_of(raw(relay.port, request)) == 401
    assert "relay of bytes" in " ".join(GUIDE.split())


def test_forwarded_headers_count_from_no_web_server_that_is_not_named(process: Process) -> None:
    """Whatever they say, a caller stays the caller: neither this machine nor one that came over TLS."""
    forgery = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", "forwarded": "for=127.0.0.1;proto=https"}
    answer = httpx.get(f"{process.url}/masuk", headers=forgery)
    assert "strict-transport-security" not in answer.headers
    assert statuses(process.url, httpx.Client(headers=forgery)) == {401}


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of the city's name, and its key beside it."""
    path = tmp_path / "neraca.pem"
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(tmp_path / "neraca.key"), "-out", str(path)]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(words, check=True, capture_output=True)
    return path


def test_the_web_server_of_the_guide_passes_on_its_caller(tmp_path: Path, certificate: Path) -> None:
    """A real nginx with the guide's own configuration: nobody becomes anybody; a session is kept over TLS; a stream flows."""
    settings = {"NERACA_URL": f"https://{NAME}", "NERACA_PROXIES": "127.0.0.1"}
    with Process(tmp_path / "var", is_open=False, environment=settings) as process:
        address = urlsplit(process.url).netloc
        servers = CONFIGURED.replace("127.0.0.1:8000", address).replace("127.0.0.1:8001", address)
        servers = re.sub(r"/etc/ssl/\S+\.pem", str(certificate), servers)
        servers = re.sub(r"/etc/ssl/\S+\.key", str(certificate.with_suffix(".key")), servers)
        servers = re.sub(r"listen [^;]*443 ssl", "listen 127.0.0.1:{port} ssl", servers)
        servers = re.sub(r"listen [^;]*80;", f"listen 127.0.0.1:{free_port()};", servers)
        with Nginx(tmp_path / "nginx", servers) as nginx:
            context = ssl.create_default_context(cafile=certificate)
            headers = {"host": NAME, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}
            with httpx.Client(verify=context, headers=headers) as client:
                url = f"https://127.0.0.1:{nginx.port}"
                extensions = {"sni_hostname": NAME}
                answers = [client.get(f"{url}{path}", extensions=extensions) for path in GUARDED]
                assert {answer.status_code for answer in answers} == {401}
                page = client.get(url, extensions=extensions)
                assert (page.status_code, 'class="plain"' in page.text) == (200, False)
                assert page.headers["strict-transport-security"].startswith("max-age=")
                with client.stream("GET", f"{url}/v1/stream", extensions=extensions) as stream:
                    assert next(line for line in stream.iter_lines() if line.startswith("data"))
                link = (tmp_path / "var" / "link").read_text(encoding="utf-8").strip()
                assert link.startswith(f"https://{NAME}/masuk/tautan#")
                form = {"origin": f"https://{NAME}", "content-type": "application/x-www-form-urlencoded"}
                answer = client.post(
                    f"{url}/masuk/tautan",
                    content=f"tautan={link.partition('#')[2]}",
                    headers=form,
                    extensions=extensions,
                )
                assert answer.status_code == 303
                assert answer.headers["set-cookie"].startswith("__Host-neraca=")
                assert "; Secure" in answer.headers["set-cookie"]
                cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
                assert client.get(f"{url}/v1/journal", headers=cookie, extensions=extensions).status_code == 200
        assert httpx.get(f"{process.url}/v1/dinas").status_code == 400, "a web server that says nothing of its caller"
        assert httpx.get(f"{process.url}/v1/dinas", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 400
