"""The action ``sql`` on a SQLite file: the transaction is ours alone, from BEGIN IMMEDIATE to COMMIT."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

from taskrun.actions.base import Context, Result
from taskrun.actions.sql_clock import Interrupter
from taskrun.actions.sql_images import Form, carry_out, take_back
from taskrun.actions.sql_rows import Tally, found_done, image_in, kept, nothing_to_undo
from taskrun.actions.sql_sqlite_rows import Rows
from taskrun.actions.sql_statements import LOCK_WAIT, Work, shown, sqlite_statements
from taskrun.errors import ActionError

_TABLE = "CREATE TABLE IF NOT EXISTS taskrun_applied (key TEXT PRIMARY KEY, at TEXT NOT NULL, result TEXT) WITHOUT ROWID"
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_UNREACHABLE = frozenset(
    (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM)
)


def run(path: str, work: Work, context: Context) -> Result:
    statements = list(sqlite_statements(work.text))
    if context.undoes and not os.path.exists(path):
        context.log(f"nothing to undo: there is no {path}")
        return nothing_to_undo()
    wait = LOCK_WAIT if work.lock_wait is None else work.lock_wait
    try:
        with (
            closing(_connect(path, wait, create=work.keep)) as database,
            Interrupter(context, database.interrupt) as clock,
        ):
            return _Transaction(database, clock, context).run(work, statements)
    except sqlite3.Error as error:
        raise _failure(error, path, wait) from error
    except OverflowError as error:
        raise ActionError("InvalidField", "a number is larger than SQLite's, which have 64 bits") from error


def _connect(path: str, wait: float, *, create: bool) -> sqlite3.Connection:
    """``isolation_level=None``: the module begins no transaction, and so commits none behind our back."""
    mode = "rwc" if create else "rw"
    uri = f"file:{quote(path)}?mode={mode}"
    return sqlite3.connect(uri, wait, isolation_level=None, check_same_thread=False, uri=True)


class _Transaction:
    def __init__(self, database: sqlite3.Connection, clock: Interrupter, context: Context) -> None:
        self._database = database
        self._clock = clock
        self._context = context

    def run(self, work: Work, statements: list[str]) -> Result:
        """Everything or nothing. Closing a connection rolls back what was not committed."""
        self._execute("BEGIN IMMEDIATE" if work.keep else "BEGIN")
        if work.keep:
            found = self._found()
            if found is not None:
                return found
        tally, image = Tally(), None
        for statement in statements:
            self._clock.check()
            self._step(statement, work, tally)
        if work.form is not None:
            image = self._change(work.form, tally)
        elif work.undo:
            self._take_back(work.undo, tally)
        values = tally.result()
        if self._context.undoes:
            self._forget()
        elif work.keep:
            self._execute(
                f"INSERT INTO main.taskrun_applied VALUES (?, {_NOW}, ?)",  # noqa: S608 - a constant of ours
                (self._context.idempotency_key, kept(values, image)),
            )
        self._clock.check()
        self._execute("COMMIT")
        return Result(values)

    def _found(self) -> Result | None:
        """Whether it was done before, or is the undo of what was never done."""
        self._execute(_TABLE)
        done = self._row(self._context.idempotency_key)
        if done is not None:
            self._context.log("already done: this database has it in taskrun_applied")
            return found_done(done[0])
        if self._context.undoes and self._row(self._context.undoes) is None:
            self._context.log("nothing to undo: the task was never committed in this database")
            return nothing_to_undo()
        return None

    def _change(self, form: Form, tally: Tally) -> dict[str, Any]:
        self._context.log(f"{form.do} {form.table}")
        with self._told(form.do):
            changed = carry_out(Rows(self._database), form)
        tally.gave(changed.keys)
        return changed.image

    def _take_back(self, policy: str, tally: Tally) -> None:
        row = self._row(self._context.undoes)
        image = image_in(row[0] if row else None)
        if image is not None:
            with self._told("the undo"):
                tally.changed(take_back(Rows(self._database), image, policy, self._context.log))

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._clock.check()
            if _code(error) in _UNREACHABLE:
                raise
            raise ActionError("SQLError", f"{error}: in {what}", **_named(error)) from error

    def _forget(self) -> None:
        """What was done is undone: nothing is left that says otherwise, and no table of ours with nothing in it."""
        self._execute("DELETE FROM main.taskrun_applied WHERE key = ?", (self._context.undoes,))
        if not self._execute("SELECT count(*) FROM main.taskrun_applied").fetchone()[0]:
            self._execute("DROP TABLE main.taskrun_applied")

    def _row(self, key: str) -> tuple[str | None] | None:
        found: tuple[str | None] | None = self._execute(
            "SELECT result FROM main.taskrun_applied WHERE key = ?", (key,)
        ).fetchone()
        return found

    def _step(self, statement: str, work: Work, tally: Tally) -> None:
        self._context.log(shown(statement))
        try:
            cursor = self._database.execute(statement, work.params or ())
            if cursor.description is None:
                tally.changed(cursor.rowcount)
            else:
                tally.take([column[0] for column in cursor.description], cursor)
        except (sqlite3.Error, sqlite3.Warning) as error:
            self._clock.check()
            if _code(error) in _UNREACHABLE:
                raise
            raise ActionError("SQLError", f"{error}: in {shown(statement)}", **_named(error)) from error

    def _execute(self, sql: str, params: tuple[str, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(sql, params)
        except sqlite3.Error:
            self._clock.check()
            raise


def _code(error: Exception) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _named(error: Exception) -> dict[str, str]:
    name = getattr(error, "sqlite_errorname", None)
    return {"code": name} if name else {}


def _failure(error: sqlite3.Error, path: str, wait: float) -> ActionError:
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ActionError("Timeout", f"{error}: {path} was in use for {wait:g} s", **_named(error))
    type_ = "ConnectionError" if code in _UNREACHABLE else "SQLError"
    return ActionError(type_, f"{error}: {path}", **_named(error))
