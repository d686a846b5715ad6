"""A token travels beyond this machine over TLS alone, unless that is waived; `emit` and `import` refuse before they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from domain.addresses import is_loopback, travels_in_plain
from neraca.__main__ import main
from streams.emitting.http import IntakeClient

if TYPE_CHECKING:
    from pathlib import Path

MAPPING: Final = (
    'kind = "task-completed"\nsource = "/x"\n[fields]\ndinas = "a"\nasn = "a"\ntask = "a"\ncompleted_at = "a"\n'
)


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("http://192.0.2.7:8001", True),
        ("http://neraca.kota", True),
        ("http://localhost.kota:8001", True),
        ("http://127.0.0.1.kota", True),
        ("http://[2001:db8::1]", True),
        ("http://0.0.0.0:8000", True),
        ("https://neraca.kota", False),
        ("http://127.0.0.1:8001", False),
        ("http://127.9.9.9", False),
        ("http://localhost", False),
        ("http://[::1]:8001", False),
    ],
)
def test_only_beyond_this_machine_is_plain_http_plain(url: str, *, is_plain: bool) -> None:
    assert travels_in_plain(url) == is_plain
    if is_plain:
        with pytest.raises(ValueError, match="--insecure"):
            IntakeClient(url, "neraca_x")
    else:
        IntakeClient(url, "neraca_x")
    IntakeClient(url, None)
    IntakeClient(url, "neraca_x", insecure=True)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LocalHost"])
def test_these_are_this_machine(name: str) -> None:
    assert is_loopback(name)


def test_emit_and_import_refuse_to_send_a_token_in_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent, and the outbox keeps its events; without a token, or waived, it is tried."""
    events, rows = tmp_path / "events.ndjson", tmp_path / "rows.csv"
    events.write_text("{}\n")
    rows.write_text("a\n1\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAPPING)
    emit = ["emit", str(events), "--url", "http://192.0.2.1:9", "--patience", "0"]
    monkeypatch.setenv("NERACA_TOKEN", "neraca_secret")
    assert main(emit) == 2
    output = capsys.readouterr()
    assert "--insecure" in output.err
    assert "neraca_secret" not in output.err + output.out
    assert main(["import", str(rows), "--map", str(mapping), "--url", "http://192.0.2.1:9"]) == 2
    assert "--insecure" in capsys.readouterr().err
    assert main([*emit, "--insecure"]) == 1
    monkeypatch.delenv("NERACA_TOKEN")
    assert main(emit) == 1
