"""Statements on many rows at once, as PostgreSQL takes them fastest: arrays unnested, and binary COPY."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Dialect, LargeBinary, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

_DIALECT: Final[Dialect] = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call] # the library's
BY_INDEX: Final = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
"""For the length of a transaction: a fold's keys are few beside a table's rows, which would be read whole to join them."""


def _type(column: Column[Any]) -> str:
    return column.type.compile(dialect=_DIALECT).lower()


def _arrays(columns: Sequence[Column[Any]]) -> str:
    """In binary: as text every quote of a JSON object would be escaped, by a regular expression."""
    return ", ".join(f"%b::{_type(column)}[]" for column in columns)


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


class Unnested:
    """A statement that takes its rows as one array a column."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows, in the order of the statement's columns."""
        if rows:
            db.exec_driver_sql(self._sql, tuple(list(column) for column in zip(*rows, strict=True)))


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
        """Write rows of all columns, in their order. Raises: ``DBAPIError``, as any other statement."""
        if not rows:
            return
        driver: Any = db.connection.driver_connection
        known: Any = db.dialect.loaded_dbapi
        try:
            with driver.cursor() as cursor, cursor.copy(self._sql) as copy:
                copy.set_types(self._types)
                for row in rows:
                    copy.write_row(row)
        except known.Error as error:
            if driver.closed:
                db.invalidate(error)
            raise DBAPIError.instance(self._sql, (), error, known.Error, dialect=db.dialect) from error


class Joined:
    """Rows of a table by many keys at once: the keys are arrays, joined."""

    def __init__(self, columns: Sequence[Column[Any]], key: Sequence[Column[Any]]) -> None:
        table = key[0].table
        chosen = ", ".join(f"{table}.{_name(column)}" for column in columns)
        names = ", ".join(f"k{at}" for at in range(len(key)))
        where = " AND ".join(f"{table}.{_name(column)} = sought.k{at}" for at, column in enumerate(key))
        self._sql = f"SELECT {chosen} FROM unnest({_arrays(key)}) AS sought({names}) JOIN {table} ON {where}"

    def rows(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """The rows held, in no order."""
        if keys:
            yield from db.exec_driver_sql(self._sql, tuple(list(column) for column in zip(*keys, strict=True))).all()
