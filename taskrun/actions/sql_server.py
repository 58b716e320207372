"""The action ``sql`` on a database server, through SQLAlchemy: one transaction, from its first statement to COMMIT."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from taskrun.actions.base import Context, Result
from taskrun.actions.sql_clock import Interrupter
from taskrun.actions.sql_images import carry_out, take_back
from taskrun.actions.sql_rows import Tally, found_done, image_in, kept, nothing_to_undo
from taskrun.actions.sql_server_rows import Rows
from taskrun.actions.sql_statements import Work, server_statements, shown
from taskrun.errors import ActionError

CONNECT_WAIT = 10  # seconds
_SPELLINGS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


def run(url: str, work: Work, context: Context) -> Result:
    statements = list(server_statements(work.text))
    engine = _engine(url)
    where = engine.url.render_as_string(hide_password=True)
    try:
        return _Attempt(engine, work, context, where).run(statements)
    finally:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise ActionError("InvalidField", "database: this is no database URL") from error
    parsed = parsed.set(drivername=_SPELLINGS.get(parsed.drivername, parsed.drivername))
    options: dict[str, Any] = {}
    if parsed.get_backend_name() == "postgresql" and "connect_timeout" not in parsed.query:
        options["connect_args"] = {"connect_timeout": CONNECT_WAIT}
    try:
        return sa.create_engine(parsed, poolclass=sa.NullPool, **options)
    except exc.NoSuchModuleError as error:
        raise ActionError("InvalidField", f"database: there is no {parsed.drivername}") from error


class _Attempt:
    def __init__(self, engine: sa.Engine, work: Work, context: Context, where: str) -> None:
        self._engine = engine
        self._work = work
        self._context = context
        self._where = where
        self._schema: str | None = None
        self._committing = False
        self._clock: Interrupter

    def run(self, statements: Sequence[str]) -> Result:
        try:
            with (
                self._engine.connect() as database,
                Interrupter(self._context, lambda: _interrupt(database)) as self._clock,
            ):
                return self._transaction(database, statements)
        except exc.DBAPIError as error:
            return self._failed(error)

    def _transaction(self, database: sa.Connection, statements: Sequence[str]) -> Result:
        self._guard(lambda: self._begin(database))
        if self._work.keep:
            table = self._marks(database)
            found = self._found(database, table)
            if found is not None:
                database.rollback()
                return found
        tally, image = Tally(), None
        for statement in statements:
            self._clock.check()
            self._step(database, statement, tally)
        if self._work.form is not None or self._work.undo:
            image = self._on_rows(database, table, tally)
        values = tally.result()
        if self._work.keep:
            mine = table.c.key == self._context.idempotency_key
            write: sa.Executable = table.update().where(mine).values(result=kept(values, image))
            if self._context.undoes:  # undone: nothing is left that says it was done
                write = table.delete().where(
                    table.c.key.in_([self._context.undoes, self._context.idempotency_key])
                )
            self._guard(lambda: database.execute(write))
        self._clock.check()
        self._committing = True
        self._guard(database.commit)
        return Result(values)

    def _on_rows(self, database: sa.Connection, table: sa.Table, tally: Tally) -> dict[str, Any] | None:
        """Change rows in one of the forms, or put back what one has changed."""
        form, rows = self._work.form, Rows(database)
        try:
            if form is not None:
                self._context.log(f"{form.do} {form.table}")
                changed = carry_out(rows, form)
                tally.gave(changed.keys)
                return changed.image
            row = self._row(database, table, self._context.undoes)
            image = image_in(row[0] if row else None)
            if image is not None:
                tally.changed(take_back(rows, image, self._work.undo, self._context.log))
        except exc.DBAPIError as error:
            self._clock.check()
            if error.connection_invalidated or _is_timeout(error):
                raise
            what = f"{form.do} {form.table}" if form else "the undo"
            raise ActionError("SQLError", f"{_words(error)}: in {what}", **_code(error)) from error
        return None

    def _guard(self, call: Callable[[], object]) -> None:
        """A statement of ours that we ourselves interrupted did not fail: the attempt is over."""
        try:
            call()
        except exc.DBAPIError:
            self._clock.check()
            raise

    def _begin(self, database: sa.Connection) -> None:
        if database.dialect.name != "postgresql":
            return
        # A script may change the search path; the marks stay where they are.
        self._schema = database.scalar(sa.text("SELECT current_schema()"))
        if self._work.lock_wait is not None:
            milliseconds = max(int(self._work.lock_wait * 1000), 1)
            database.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")

    def _marks(self, database: sa.Connection) -> sa.Table:
        """The table, made if it is not there: in a transaction of its own, for others may be making it now."""
        table = sa.Table(
            "taskrun_applied",
            sa.MetaData(schema=self._schema),
            sa.Column("key", sa.String(500), primary_key=True),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
            sa.Column("result", sa.Text),
        )
        if not sa.inspect(database).has_table(table.name, self._schema):
            with self._engine.connect() as aside:
                try:
                    table.create(aside, checkfirst=True)
                    aside.commit()
                except (exc.IntegrityError, exc.ProgrammingError, exc.OperationalError):
                    aside.rollback()
                    if not sa.inspect(aside).has_table(table.name, self._schema):
                        raise
        return table

    def _found(self, database: sa.Connection, table: sa.Table) -> Result | None:
        """Whether it was done before, or is the undo of what was never done.

        The row goes in before anything is done: where a connection that was lost still holds the same key, this waits
        until the server has ended that transaction.
        """
        context = self._context
        if context.undoes and self._row(database, table, context.undoes) is None:
            context.log("nothing to undo: the task was never committed in this database")
            return nothing_to_undo()
        try:
            with database.begin_nested():
                self._guard(lambda: database.execute(table.insert().values(key=context.idempotency_key)))
        except exc.IntegrityError:
            done = self._row(database, table, context.idempotency_key)
            if done is None:
                raise
            context.log("already done: this database has it in taskrun_applied")
            return found_done(done[0])
        return None

    @staticmethod
    def _row(database: sa.Connection, table: sa.Table, key: str) -> sa.Row[Any] | None:
        return database.execute(sa.select(table.c.result).where(table.c.key == key)).first()

    def _step(self, database: sa.Connection, statement: str, tally: Tally) -> None:
        self._context.log(shown(statement))
        try:
            answer = self._execute(database, statement)
            if answer.returns_rows:
                tally.take(list(answer.keys()), answer)
            else:
                tally.changed(answer.rowcount)
        except exc.DBAPIError as error:
            self._clock.check()
            if error.connection_invalidated or _is_timeout(error):
                raise
            raise ActionError(
                "SQLError", f"{_words(error)}: in {shown(statement)}", **_code(error)
            ) from error
        except exc.SQLAlchemyError as error:  # a placeholder without a value, for one
            raise ActionError("SQLError", f"{_words(error)}: in {shown(statement)}") from error

    def _execute(self, database: sa.Connection, statement: str) -> sa.CursorResult[Any]:
        params = self._work.params
        if params is None:  # not one character of it is taken for a placeholder
            plain = database.execution_options(no_parameters=True)
            return plain.exec_driver_sql(statement)
        if not isinstance(params, dict):
            raise ActionError("InvalidField", "params must be a map here; the query names them as :name")
        return database.execute(sa.text(statement), params)

    def _failed(self, error: exc.DBAPIError) -> Result:
        if self._committing and self._work.keep:
            return self._after_lost_commit(error)
        if _is_timeout(error):
            raise ActionError("Timeout", f"{self._where}: {_words(error)}", **_code(error)) from error
        lost = error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError)
        type_ = "ConnectionError" if lost else "SQLError"
        raise ActionError(type_, f"{self._where}: {_words(error)}", **_code(error)) from error

    def _after_lost_commit(self, error: exc.DBAPIError) -> Result:
        """The connection broke under COMMIT, or the commit was refused: the row says which."""
        try:
            with self._engine.connect() as database:
                self._begin(database)
                done = self._row(database, self._marks(database), self._context.idempotency_key)
        except exc.SQLAlchemyError as again:
            raise ActionError(
                "ConnectionError",
                f"{self._where}: {_words(error)}; whether it was committed cannot be asked: {_words(again)}",
                outcome="unknown",
            ) from error
        if done is None:
            raise ActionError("SQLError", f"not committed: {_words(error)}", **_code(error)) from error
        self._context.log("the connection broke at the commit, which was done")
        return Result({**found_done(done[0]).values, "already": False})


def _interrupt(database: sa.Connection) -> None:
    """Tell the server to give up the present statement, where the driver can."""
    raw: Any = database.connection.driver_connection
    cancel = getattr(raw, "cancel", None)
    if cancel is not None:
        cancel()


def _is_timeout(error: exc.DBAPIError) -> bool:
    """55P03: a lock was not to be had in time (of PostgreSQL)."""
    return _code(error).get("code") == "55P03"


def _code(error: exc.DBAPIError) -> dict[str, str]:
    """The SQLSTATE, of drivers that tell it."""
    code = getattr(error.orig, "sqlstate", None)
    return {"code": code} if code else {}


def _words(error: exc.SQLAlchemyError) -> str:
    """What the database said, in one line, without what SQLAlchemy adds (statement and parameters)."""
    said = str(error.orig) if isinstance(error, exc.DBAPIError) else str(error).split("\n[SQL", 1)[0]
    return " ".join(said.split())
