"""Rows of PostgreSQL for ``sql_images``: every value as the server writes it, and read back by the type of its column."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from taskrun.actions.sql_images import Column, Table, plain, quoted
from taskrun.errors import ActionError

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(array_position(i.indkey::int2[], a.attnum), -1)
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""

_CASCADES = """
SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
WHERE confrelid = to_regclass(:name) AND contype = 'f' AND confdeltype IN ('c', 'n', 'd')
"""


class Rows:
    lock = " FOR UPDATE"
    overriding = "OVERRIDING SYSTEM VALUE "

    def __init__(self, database: sa.Connection) -> None:
        if database.dialect.name != "postgresql":
            raise ActionError(
                "InvalidField",
                "insert, update and delete are for SQLite and PostgreSQL: use a query, and another as revert",
            )
        self._database = database

    def table(self, name: str) -> Table:
        named = ".".join(quoted(part) for part in name.split("."))
        found = self._database.execute(sa.text(_COLUMNS), {"name": named}).fetchall()
        if not found:
            raise ActionError("SQLError", f"there is no table {name}")
        columns = [(_column(row[0], row[1]), row[2]) for row in found]
        key = tuple(column for column, place in sorted(columns, key=lambda each: each[1]) if place >= 0)
        if not key:
            raise ActionError(
                "SQLError", f"{name} has no primary key, so its rows could not be found again to undo it"
            )
        return Table(named, tuple(column for column, _ in columns), key)

    def cascades(self, name: str) -> list[str]:
        named = ".".join(quoted(part) for part in name.split("."))
        return [row[0] for row in self._database.execute(sa.text(_CASCADES), {"name": named})]

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Sequence[Any]]:
        answer = self._database.execute(sa.text(sql), dict(params))
        return [list(row) for row in answer] if answer.returns_rows else []

    def value(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        return None if value is None else str(plain(value))


def _column(name: str, type_: str) -> Column:
    # A character(n) as text would lose its blanks, and none of them counts.
    return Column(name, f"CAST({quoted(name)} AS text)", f"CAST({{}} AS {type_})")
