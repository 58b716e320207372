"""Every write, truncation, sync and removal of the journal's files, in order, while real commands use it.

The journal is opened on SQLite as apsw brings it, whose file system is one of ours: it does what the real one does and
takes it down. In between stand the marks of what was acknowledged: a transaction that has returned to taskrun.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw

from taskrun.cli.main import main
from taskrun.journal import opening
from taskrun.journal.base import Entry
from taskrun.journal.sqlite import SqliteJournal

VFS = "recording"


class Wrote(NamedTuple):
    file: str
    at: int
    data: bytes


class Truncated(NamedTuple):
    file: str
    size: int


class Synced(NamedTuple):
    file: str


class Removed(NamedTuple):
    file: str
    synced: bool  # the directory with it: then it is gone for good


class Acknowledged(NamedTuple):
    """This much of a run was said to be kept: its last entry, and its state as it stands in the list of runs."""

    run: str
    seq: int
    state: str


Op = Wrote | Truncated | Synced | Removed | Acknowledged


class Recording(NamedTuple):
    """``entries`` are all that the runs have in the end; what is acknowledged at any moment are the first of them."""

    ops: list[Op]
    entries: dict[str, list[Entry]]
    codes: list[int]


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int], ops: list[Op]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._ops = ops
        self._name = os.path.basename(path) if path else ""
        super().__init__(base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._note(Wrote(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._note(Truncated(self._name, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._note(Synced(self._name))

    def _note(self, op: Op) -> None:
        if self._name.startswith("journal.db"):
            self._ops.append(op)


class _Disk(apsw.VFS):
    def __init__(self, ops: list[Op]) -> None:
        self._ops = ops
        self._base = ""
        super().__init__(VFS, self._base)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._base, name, flags, self._ops)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self._ops.append(Removed(os.path.basename(filename), syncdir))


class _Cursor:
    """As much of `sqlite3.Cursor` as the journal uses."""

    def __init__(self, cursor: apsw.Cursor, db: apsw.Connection) -> None:
        self._cursor = cursor
        self.lastrowid = db.last_insert_rowid()
        self.rowcount = db.changes()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class _Connection:
    """As much of `sqlite3.Connection` as the journal uses."""

    def __init__(self, path: str, flags: int) -> None:
        self._db = apsw.Connection(path, flags=flags, vfs=VFS)

    def execute(self, sql: str, parameters: Any = ()) -> _Cursor:
        with _as_sqlite3():
            return _Cursor(self._db.execute(sql, parameters or None), self._db)

    def executemany(self, sql: str, rows: Sequence[Any]) -> _Cursor:
        with _as_sqlite3():
            return _Cursor(self._db.executemany(sql, rows), self._db)

    def executescript(self, sql: str) -> _Cursor:
        return self.execute(sql)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def close(self) -> None:
        with contextlib.suppress(
            apsw.IOError
        ):  # a reader cannot lock for the last move of the WAL: it need not
            self._db.close()


@contextlib.contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.BusyError as error:
        raise _named(sqlite3.OperationalError(str(error)), sqlite3.SQLITE_BUSY) from error


def _named(error: sqlite3.OperationalError, code: int) -> sqlite3.OperationalError:
    error.sqlite_errorcode = code
    return error


class _Sqlite:
    """The module as `opening` knows it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, path: str, *, uri: bool = False, **_: Any) -> Any:
        if path == ":memory:" or "immutable=1" in path:
            return sqlite3.connect(path, uri=uri, isolation_level=None)
        flags = apsw.SQLITE_OPEN_READONLY if "mode=ro" in path else apsw.SQLITE_OPEN_READWRITE
        return _Connection(path, flags | (apsw.SQLITE_OPEN_URI if uri else 0))


@contextlib.contextmanager
def recording() -> Iterator[Recording]:
    found = Recording([], {}, [])
    disk = _Disk(found.ops)
    with _replaced(opening, "sqlite3", _Sqlite()), _watched(found):
        yield found
    disk.unregister()


@contextlib.contextmanager
def _watched(found: Recording) -> Iterator[None]:
    """Take down what each transaction of a run added, once it has returned."""
    create_run, append, take_over = SqliteJournal.create_run, SqliteJournal.append, SqliteJournal.take_over
    states: dict[str, str] = {}
    counts: dict[str, int] = {}

    def acknowledge(run: str, entries: Sequence[Entry], state: str | None) -> None:
        counts[run] = counts.get(run, 0) + len(entries)
        states[run] = state or states[run]
        found.ops.append(Acknowledged(run, counts[run], states[run]))

    def created(self: SqliteJournal, row: Any, definition: Any, entries: Sequence[Entry] = ()) -> None:
        create_run(self, row, definition, entries)
        acknowledge(row.id, entries, row.state)

    def appended(
        self: SqliteJournal, run_id: str, entries: Sequence[Entry], *, epoch: int, **more: Any
    ) -> None:
        append(self, run_id, entries, epoch=epoch, **more)
        acknowledge(run_id, entries, more.get("state"))

    def taken_over(self: SqliteJournal, run_id: str, **more: Any) -> int:
        epoch = take_over(self, run_id, **more)
        acknowledge(run_id, (), None)
        return epoch

    with (
        _replaced(SqliteJournal, "create_run", created),
        _replaced(SqliteJournal, "append", appended),
        _replaced(SqliteJournal, "take_over", taken_over),
    ):
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, new: Callable[..., Any] | _Sqlite) -> Iterator[None]:
    old = getattr(owner, name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """What the commands say goes nowhere: they write to the descriptor itself."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def recorded(commands: Sequence[Sequence[str]], home: str) -> Recording:
    """Run commands of taskrun in this process, with an empty home directory."""
    before = os.environ.get("TASKRUN_HOME")
    os.environ["TASKRUN_HOME"] = home
    try:
        with recording() as found, _unheard():
            found.codes.extend(main(list(command)) for command in commands)
    finally:
        os.environ.pop("TASKRUN_HOME")
        if before is not None:
            os.environ["TASKRUN_HOME"] = before
    journal = SqliteJournal.open(home, readonly=True)
    for row in journal.runs():
        found.entries[row.id] = journal.entries(row.id)
    journal.close()
    return found
