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
"""A control character as JSON writes it. A literal backslash before a letter matches too, which costs only time."""
PREFER_INDEX: Final = text(
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
)
"""Set for one transaction: a fold's keys are few beside a table's rows, so reading the whole table to join them is slow."""


def _type(column: Column[Any]) -> str:
    return column.type.compile(dialect=_DIALECT).lower()


def _arrays(columns: Sequence[Column[Any]]) -> str:
    kinds = ["%b" if isinstance(column.type, LargeBinary) else "%s" for column in columns]
    return ", ".join(f"{kind}::{_type(column)}[]" for kind, column in zip(kinds, columns, strict=True))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[str | list[Any]]:
    return [as_array(column) for column in zip(*rows, strict=True)]


def as_array(column: Sequence[Any]) -> str | list[Any]:
    """A column as PostgreSQL reads an array: JSON with other brackets.

    Bytes, and columns with a control character in them, are left to the driver, which takes four times as long.
    """
    if isinstance(column[0], bytes):
        return list(column)
    body = _JSON.encode(column)[1:-1]
    return list(column) if _ESCAPED.search(body) else f"{{{body.decode()}}}"


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


@contextmanager
def driver_connection(db: Connection) -> Iterator[Any]:
    """The driver's own connection. Raises: ``DBAPIError`` for the driver's errors, as SQLAlchemy does."""
    driver: Any = db.connection.driver_connection
    dbapi: Any = db.dialect.loaded_dbapi
    try:
        yield driver
    except dbapi.Error as error:
        if driver.closed:
            db.invalidate(error)
        raise DBAPIError.instance(None, None, error, dbapi.Error, dialect=db.dialect) from error


@contextmanager
def pipelined(db: Connection) -> Iterator[None]:
    """Statements are sent without waiting for results, until one is fetched: the server works while we compute."""
    with driver_connection(db) as driver, driver.pipeline():
        yield


class ArrayWrite:
    """A statement that takes its rows as one array a column."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows, in the order of the statement's columns."""
        if rows:
            with driver_connection(db) as driver:
                driver.execute(self._sql, _columns(rows))


def upserting(table: Table) -> ArrayWrite:
    """A statement that writes rows of all columns, in place of those with the same key."""
    columns, keys = list(table.c), list(table.primary_key)
    names = [_name(column) for column in columns if column not in keys]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    return ArrayWrite(
        f"INSERT INTO {table.name} ({', '.join(map(_name, columns))}) SELECT * FROM unnest({_arrays(columns)}) "
        f"ON CONFLICT ({', '.join(map(_name, keys))}) DO UPDATE SET {changes}"
    )


def updating(key: Column[Any], value: Column[Any]) -> ArrayWrite:
    """A statement that takes pairs: a key, and the new value of one column of its row."""
    table = key.table
    return ArrayWrite(
        f"UPDATE {table} SET {_name(value)} = fresh.value "
        f"FROM unnest({_arrays([key, value])}) AS fresh(row, value) WHERE {table}.{_name(key)} = fresh.row"
    )


def _copy_type(column: Column[Any]) -> str:
    if isinstance(column.type, BigInteger):
        return "int8"
    return "bytea" if isinstance(column.type, LargeBinary) else "text"


class CopyIn:
    """New rows of a table, by binary COPY."""

    def __init__(self, table: Table) -> None:
        self._sql = f"COPY {table.name} ({', '.join(map(_name, table.c))}) FROM STDIN (FORMAT BINARY)"
        self._types = [_copy_type(column) for column in table.c]

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of all columns, in their order."""
        with self.running(db, rows):
            pass

    @contextmanager
    def running(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[None]:
        """Send the rows; the server writes them while the body of the ``with`` runs."""
        if not rows:
            yield
            return
        with driver_connection(db) as driver, driver.cursor() as cursor, cursor.copy(self._sql) as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)
            yield


class ArraySelect:
    """Rows of a table by many keys at once: the keys are sent as arrays and joined."""

    def __init__(self, columns: Sequence[Column[Any]], key: Sequence[Column[Any]]) -> None:
        table = key[0].table
        result = ", ".join(f"{table}.{_name(column)}" for column in columns)
        names = ", ".join(f"k{at}" for at in range(len(key)))
        where = " AND ".join(f"{table}.{_name(column)} = sought.k{at}" for at, column in enumerate(key))
        self._sql = f"SELECT {result} FROM unnest({_arrays(key)}) AS sought({names}) JOIN {table} ON {where}"

    def ask(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Callable[[], Iterable[Any]]:
        """Start the query; call the result to fetch the rows, in any order."""
        if not keys:
            return tuple
        with driver_connection(db) as driver:
            cursor = driver.cursor(binary=True)
            cursor.execute(self._sql, _columns(keys))
        rows: Callable[[], Iterable[Any]] = cursor.fetchall
        return rows


def free_ids(db: Connection, number: int) -> Callable[[], Iterable[int]]:
    """Start reserving ids that no other fold gets; call the result to fetch them."""
    if not number:
        return tuple
    with driver_connection(db) as driver:
        cursor = driver.cursor(binary=True)
        cursor.execute("SELECT ARRAY(SELECT nextval('accounts_id_seq') FROM generate_series(1, %s))", (number,))
    return lambda: cursor.fetchone()[0]
