"""Each limit that `neraca token make` takes holds, or is refused; a counter's source is its own (H3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from domain.access.limits import Limits, refusal_of
from domain.clock import utc_text
from neraca.__main__ import main
from neraca.wiring import now_us
from streams.places.directory import DataDirectory
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTER: Final = ("--role", "counter", "--dinas", "dishub")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def make(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``neraca token``; what it printed, or its refusal."""

    def run(*words: str) -> str:
        code = main(["token", "--data", str(data), *words])
        output = capsys.readouterr()
        return output.out.strip() if code == 0 else f"refused: {output.err.strip()}"

    return run


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--role", "counter"), "counter needs --dinas and --source"),
        (("--role", "counter", "--dinas", "d"), "counter needs --dinas and --source"),
        (("--scope", "fact", "--source", "/l"), "counter needs --dinas and --source"),
        ((*COUNTER, "--source", "/l", "--role", "rate"), "counter never goes with rate"),
        (("--role", "leader"), "leader needs --dinas, or --all"),
        (("--role", "leader", "--all", "--dinas", "d"), "--all is for leader, without --dinas"),
        (("--role", "auditor", "--all"), "--all is for leader"),
        (("--role", "asn"), "asn needs --asn"),
        (("--role", "auditor", "--asn", "a"), "--asn is for the role asn"),
        (("--role", "auditor", "--dinas", "d"), "--dinas does not limit auditor"),
        (("--role", "personnel", "--dinas", "d"), "--dinas does not limit personnel"),
        (("--role", "leader", "--dinas", "d", "--source", "/l"), "none of these roles records"),
        (("--role", "auditor", "--events-hour", "5"), "none of these roles records"),
        (("--role", "keys", "--role", "auditor"), "keys goes with no other role"),
        (("--role", "auditor", "--expires", "2020-01-01"), "lies in the past"),
        (("--role", "auditor", "--expires", "besok"), "--expires"),
        (("--role", "auditor", "--replaces", "tiada"), "there is no token tiada"),
    ],
)
def test_a_limit_that_would_not_hold_is_refused(
    make: Callable[..., str], data: Path, words: tuple[str, ...], why: str
) -> None:
    assert why in make("make", "t", *words)
    assert DataDirectory(data).token_store().rows() == []


@pytest.mark.parametrize("token_id", ["local", "import", "kafka", "neraca", "demo"])
def test_no_token_has_the_name_of_a_recorder_that_is_no_token(
    make: Callable[..., str], data: Path, token_id: str
) -> None:
    """Its entries would be taken for theirs, which nobody beside them has to correct."""
    assert make("make", token_id, "--role", "auditor") == f"refused: neraca token: the id '{token_id}' is taken"
    assert DataDirectory(data).token_store().rows() == []


def test_limits_are_kept_with_the_token(make: Callable[..., str], data: Path) -> None:
    secret = make("make", "t", *COUNTER, "--source", "/l,/m", "--expires", "2999-12-31", "--events-hour", "60")
    grant = DataDirectory(data).token_store().grant(secret)
    assert grant is not None
    limits = (frozenset({"counter"}), frozenset({"dishub"}), frozenset({"/l", "/m"}))
    assert (grant.roles, grant.dinas, grant.sources) == limits
    assert grant.events_hour == 60
    assert grant.until_us is not None
    assert utc_text(grant.until_us) == "2999-12-31T17:00:00.000000Z", "a date lasts through its end in the zone"


def test_old_names_make_new_roles(make: Callable[..., str], data: Path) -> None:
    for token_id, words in {
        "a": ("--scope", "read"),
        "b": ("--scope", "read", "--dinas", "d"),
        "c": ("--scope", "rulebook", "--scope", "reverse"),
        "d": ("--scope", "audit"),
    }.items():
        make("make", token_id, *words)
    rows = {row.grant.id: set(row.grant.roles) for row in DataDirectory(data).token_store().rows()}
    assert rows == {"a": {"personnel"}, "b": {"leader"}, "c": {"rules", "correct"}, "d": {"auditor"}}


def test_a_source_is_one_counters(make: Callable[..., str]) -> None:
    """Once that has ended, or is replaced in the same step, it is free for the same dinas, and for no other."""
    assert make("make", "satu", *COUNTER, "--source", "/l").startswith("neraca_")
    assert "that of the token satu" in make("make", "dua", *COUNTER, "--source", "/l")
    assert "of another dinas" in make(
        "make", "tiga", "--role", "counter", "--dinas", "dinkes", "--source", "/l", "--replaces", "satu"
    )
    assert "revoked" not in make("list"), "a refused replacement ends nothing"
    assert make("make", "dua", *COUNTER, "--source", "/l", "--replaces", "satu").startswith("neraca_")
    listing = make("list").splitlines()
    assert [bool(re.search("revoked", line)) for line in listing] == [False, True]
    make("revoke", "dua")
    assert make("make", "lima", *COUNTER, "--source", "/l").startswith("neraca_")


def test_a_source_that_an_old_token_has_used_is_not_free(make: Callable[..., str], data: Path) -> None:
    """A token of a former version without a source works until it is replaced, and the list says so."""
    with Assembled(data) as neraca:
        old = neraca.token("lama", "fact")
        task = {"dinas": "dishub", "asn": "a", "task": "t", "completed_at": "2026-11-20T10:00:00+07:00"}
        answer = neraca.post(event("task-completed", "t", task, source="/l"), headers={"authorization": old})
        assert answer.status_code == 201
    assert "old: replace it" in make("list")
    assert "was used by the token lama" in make("make", "baru", *COUNTER, "--source", "/l")
    assert make("make", "lain", *COUNTER, "--source", "/m").startswith("neraca_")
    other = ("--role", "counter", "--dinas", "dinkes", "--source", "/l", "--replaces", "lama")
    assert "for another dinas" in make("make", "baru", *other)
    assert make("make", "baru", *COUNTER, "--source", "/l", "--replaces", "lama").startswith("neraca_")
    assert "old: replace it" not in make("list")


def test_tokens_of_a_former_version_keep_working_with_the_limits_they_name(data: Path) -> None:
    """Its table has no columns for the new limits; such a row is read as it was meant."""
    store = DataDirectory(data).token_store()
    with store._engine.begin() as db:
        row = "('00', 'tua', 'fact reverse', 'dishub', NULL, '2026-11-24T00:00:00Z', NULL)"
        db.exec_driver_sql(f"INSERT INTO tokens (hash, id, scopes, dinas, sources, made, revoked) VALUES {row}")
    token = store.by_id("tua")
    assert token is not None
    assert token.roles == {"counter", "correct"}
    assert (token.dinas, token.sources) == (frozenset({"dishub"}), None)
    assert store.rows()[0].stands(now_us())


def test_no_combination_of_roles_gets_around_a_limit() -> None:
    """A limit that one of the roles does not keep is refused, whatever stands beside it."""
    limits = Limits(frozenset({"d"}), frozenset({"/l"}))
    assert refusal_of(frozenset({"counter", "leader", "correct"}), limits) is None
    for role in ("personnel", "auditor", "close", "keys", "asn"):
        assert refusal_of(frozenset({"counter", role}), limits) is not None, role
    assert refusal_of(frozenset(), Limits()) is not None
