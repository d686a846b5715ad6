"""Statements on many rows at once, as PostgreSQL takes them fastest: arrays unnested, and binary COPY."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Dialect, LargeBinary, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

_DIALECT: Final[Dialect] = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call] # the library's
_JSON: Final = msgspec.json.Encoder()
_ESCAPED: Final = re.compile(rb'\\[^"\\]')
"""How JSON writes a control character. A backslash of the text's own before a letter looks alike, which costs only time."""
BY_INDEX: Final = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
"""For the length of a transaction: a fold's keys are few beside a table's rows, which would be read whole to join them."""


def _type(column: Column[Any]) -> str:
    return column.type.compile(dialect=_DIALECT).lower()


def _arrays(columns: Sequence[Column[Any]]) -> str:
    kinds = ["%b" if isinstance(column.type, LargeBinary) else "%s" for column in columns]
    return ", ".join(f"{kind}::{_type(column)}[]" for kind, column in zip(kinds, columns, strict=True))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[str | list[Any]]:
    return [as_array(column) for column in zip(*rows, strict=True)]


def as_array(column: Sequence[Any]) -> str | list[Any]:
    """A column as PostgreSQL reads an array: JSON with other brackets, unless a control character is in it.

    Then, and of bytes, it is the driver's to write: value by value, which takes four times as long.
    """
    if isinstance(column[0], bytes):
        return list(column)
    written = _JSON.encode(column)[1:-1]
    return list(column) if _ESCAPED.search(written) else f"{{{written.decode()}}}"


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


@contextmanager
def driven(db: Connection) -> Iterator[Any]:
    """The driver's own connection. Raises: ``DBAPIError`` for its errors, as any other statement."""
    driver: Any = db.connection.driver_connection
    known: Any = db.dialect.loaded_dbapi
    try:
        yield driver
    except known.Error as error:
        if driver.closed:
            db.invalidate(error)
        raise DBAPIError.instance(None, None, error, known.Error, dialect=db.dialect) from error


@contextmanager
def together(db: Connection) -> Iterator[None]:
    """Statements are sent without waiting for answers, until one is asked for: the server works while its caller does."""
    with driven(db) as driver, driver.pipeline():
        yield


class Unnested:
    """A statement that takes its rows as one array a column."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows, in the order of the statement's columns."""
        if rows:
            with driven(db) as driver:
                driver.execute(self._sql, _columns(rows))


def upserting(table: Table) -> Unnested:
    """Rows of all columns, put in the place of those with their key."""
    columns, keys = list(table.c), list(table.primary_key)
    changed = ", ".join(f"{_name(one)} = excluded.{_name(one)}" for one in columns if one not in keys)
    return Unnested(
        f"INSERT INTO {table.name} ({', '.join(map(_name, columns))}) SELECT * FROM unnest({_arrays(columns)}) "
        f"ON CONFLICT ({', '.join(map(_name, keys))}) DO UPDATE SET {changed}"
    )


def updating(key: Column[Any], value: Column[Any]) -> Unnested:
    """Pairs of a key and what its row's column now holds."""
    table = key.table
    return Unnested(
        f"UPDATE {table} SET {_name(value)} = fresh.held "
        f"FROM unnest({_arrays([key, value])}) AS fresh(row, held) WHERE {table}.{_name(key)} = fresh.row"
    )


class Copied:
    """New rows of a table, by binary COPY."""

    def __init__(self, table: Table) -> None:
        self._sql = f"COPY {table.name} ({', '.join(map(_name, table.c))}) FROM STDIN (FORMAT BINARY)"
        self._types = [
            "int8"
            if isinstance(column.type, BigInteger)
            else "bytea"
            if isinstance(column.type, LargeBinary)
            else "text"
            for column in table.c
        ]

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of all columns, in their order."""
        with self.running(db, rows):
            pass

    @contextmanager
    def running(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[None]:
        """Rows are sent; the server writes them while its caller goes on to the end of the ``with``."""
        if not rows:
            yield
            return
        with driven(db) as driver, driver.cursor() as cursor, cursor.copy(self._sql) as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)
            yield


class Joined:
    """Rows of a table by many keys at once: the keys are arrays, joined."""

    def __init__(self, columns: Sequence[Column[Any]], key: Sequence[Column[Any]]) -> None:
        table = key[0].table
        chosen = ", ".join(f"{table}.{_name(column)}" for column in columns)
        names = ", ".join(f"k{at}" for at in range(len(key)))
        where = " AND ".join(f"{table}.{_name(column)} = sought.k{at}" for at, column in enumerate(key))
        self._sql = f"SELECT {chosen} FROM unnest({_arrays(key)}) AS sought({names}) JOIN {table} ON {where}"

    def ask(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Callable[[], Iterable[Any]]:
        """Send the question; what is returned waits for the answer: the rows held, in no order."""
        if not keys:
            return tuple
        with driven(db) as driver:
            cursor = driver.cursor(binary=True)
            cursor.execute(self._sql, _columns(keys))
        rows: Callable[[], Iterable[Any]] = cursor.fetchall
        return rows


def free_ids(db: Connection, number: int) -> Callable[[], Iterable[int]]:
    """Ids that no other fold has or will have; what is returned waits for them."""
    if not number:
        return tuple
    with driven(db) as driver:
        cursor = driver.cursor(binary=True)
        cursor.execute("SELECT ARRAY(SELECT nextval('accounts_id_seq') FROM generate_series(1, %s))", (number,))
    return lambda: cursor.fetchone()[0]
