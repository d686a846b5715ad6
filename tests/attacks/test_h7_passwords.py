"""Finding H7: the password of a role is seen by nobody but its process and the server that it signs in to."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from neraca.__main__ import main
from streams.places.roles import API, ROLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.speed("all")


def test_a_password_lies_in_a_file_that_only_its_owner_reads(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    words = ["database", "prepare", "--database", database_url, "--secrets", str(folder)]
    assert main(words) == 0
    passwords = {role: (folder / role).read_text() for role in ROLES}
    assert len({*passwords.values()}) == len(ROLES)
    assert {(folder / role).stat().st_mode & 0o777 for role in ROLES} == {0o600}
    assert main(words) == 0
    assert {role: (folder / role).read_text() for role in ROLES} == passwords


def test_a_password_is_in_no_statement(database_url: str, tmp_path: Path) -> None:
    """The server's log may show statements: it is sent the verifier by which the role signs in (RFC 5802, section 3)."""
    import psycopg  # noqa: PLC0415 - an extra

    from streams.places.roles import prepare_roles  # noqa: PLC0415 - the same

    assert main(["database", "prepare", "--database", database_url]) == 0
    passwords = {role: f"rahasia-{role}" for role in ROLES}
    with (tmp_path / "statements").open("w+") as trace, psycopg.connect(database_url) as db:
        db.pgconn.trace(trace.fileno())
        prepare_roles(db, passwords)
        db.pgconn.untrace()
        statements = (tmp_path / "statements").read_text()
        rows = db.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL").fetchall()
    assert statements.count(" PASSWORD ") == len(ROLES)
    assert "rahasia" not in statements
    verifiers: dict[str, str] = dict(rows)
    assert all(signs_in(passwords[role], verifiers[role]) for role in ROLES)
    assert not signs_in("rahasia", verifiers[API])


def signs_in(password: str, verifier: str) -> bool:
    """True if a server that keeps a verifier takes a password."""
    kind, parameters, keys = verifier.split("$")
    rounds, salt = parameters.split(":")
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    client_key = hmac.digest(key, b"Client Key", "sha256")
    return kind == "SCRAM-SHA-256" and b64decode(keys.split(":")[0]) == hashlib.sha256(client_key).digest()
