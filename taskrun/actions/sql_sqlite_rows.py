"""Rows of SQLite for ``sql_images``: values are what they are, and a table without a primary key has its rowid."""

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.actions.sql_images import Column, Table, plain, quoted
from taskrun.errors import ActionError

_BYTES = "bytes"
_GENERATED = (2, 3)


class Rows:
    lock = overriding = ""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def table(self, name: str) -> Table:
        schema, _, bare = name.rpartition(".")
        where = f"{quoted(schema)}." if schema else ""
        found = self._database.execute(f"PRAGMA {where}table_xinfo({quoted(bare)})").fetchall()
        if not found:
            raise ActionError("SQLError", f"there is no table {name}")
        columns = [(row[1], row[5]) for row in found if row[6] not in _GENERATED]
        key = tuple(_column(name) for name, place in sorted(columns, key=lambda each: each[1]) if place)
        every = tuple(_column(name) for name, _ in columns)
        if not key:
            key = (_column("rowid"),)
            every = (*key, *every)
        return Table(where + quoted(bare), every, key)

    def cascades(self, name: str) -> list[str]:  # noqa: ARG002 - foreign keys are off unless a script turns them on
        return []

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Sequence[Any]]:
        return [[_kept(value) for value in row] for row in self._database.execute(sql, params).fetchall()]

    def value(self, value: Any) -> Any:
        if isinstance(value, dict) and list(value) == [_BYTES]:
            return b64decode(value[_BYTES])
        return plain(value)


def _column(name: str) -> Column:
    return Column(name, quoted(name), "{}")


def _kept(value: Any) -> Any:
    """As JSON can keep it."""
    return {_BYTES: b64encode(value).decode()} if isinstance(value, bytes) else value
