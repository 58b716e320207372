"""The action ``sql``: a script or a query, in one transaction, done once however often it is tried.

``database`` is ``sqlite:PATH``, or a URL that SQLAlchemy understands. In the same transaction as the statements a row
with the attempt's idempotency key goes into the table ``taskrun_applied`` of that database: an attempt that is repeated
after a crash finds the row, does nothing, and gives the result that was kept there (``already: true``). The undo of a
task looks for the row too: where the doing was never committed there is nothing to undo.

The forms ``insert``, ``update`` and ``delete`` keep the rows as they were in that same row, and undo themselves: see
``sql_images``. Once it is undone the row is taken away again.

This needs a database whose transactions cover DDL: SQLite and PostgreSQL do, MySQL for one does not.

Failure types: SQLError, Drift, ConnectionError, Timeout (a lock, or the attempt's own limit), InvalidField, TooLarge, NotInstalled, Cancelled.
"""

import re
from collections.abc import Mapping
from os import makedirs
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.values import path_in, text_of
from taskrun.errors import ActionError

KIND = "sql"
MODE: Literal["thread"] = "thread"
MAIN = ""
WRITES = True
AUTO = False
EFFECT_FREE = False
IDEMPOTENT = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

_SELECT = re.compile(r"\s*select\b[^;]*;?\s*", re.IGNORECASE)


def writes(fields: Mapping[str, Any]) -> bool:
    """A single SELECT needs neither an undo nor a row that says it was done."""
    query = fields.get("query")
    return query is None or _SELECT.fullmatch(text_of(query)) is None


def tracks(done: Mapping[str, Any], undo: Mapping[str, Any]) -> bool:
    """Whether the undo can see in its database if the doing was committed: both name the same one."""
    return writes(done) and done.get("database") == undo.get("database")


def do(fields: Mapping[str, Any], context: Context) -> Result:
    from taskrun.actions.sql_statements import wanted  # noqa: PLC0415 - loads what only this action needs

    work = wanted(fields, context, keep=writes(fields))
    if work.keep and context.images:
        makedirs(context.images, 0o700, exist_ok=True)  # from here on it may have happened: see `settle`
    database = text_of(fields.get("database"))
    if database.startswith("sqlite:"):
        from taskrun.actions import sql_sqlite  # noqa: PLC0415

        return sql_sqlite.run(path_in(context.workdir, database.removeprefix("sqlite:")), work, context)
    try:
        from taskrun.actions import sql_server  # noqa: PLC0415 - loads SQLAlchemy

        return sql_server.run(database, work, context)
    except ImportError as error:
        raise ActionError(
            "NotInstalled",
            f"a database other than SQLite needs more than is installed ({error}): pip install 'taskrun[sql]'",
        ) from error
