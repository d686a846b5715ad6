"""The parts that stores of secrets share: the hash by which a secret is kept, and a transaction that tells of its failure."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from projections.ports import Unavailable
from projections.store.statements import is_transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


def hash_of(secret: str) -> str:
    """The hash that stands for a secret of 256 random bits: so many need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@contextmanager
def transaction(engine: Engine, rows: str) -> Iterator[Connection]:
    """A transaction on some rows, as a message calls them. Raises: ``Unavailable`` while the database is away."""
    try:
        with engine.begin() as db:
            yield db
    except DBAPIError as error:
        if is_transient(error):
            message = f"{rows} cannot be read now"
            raise Unavailable(message) from error
        raise
