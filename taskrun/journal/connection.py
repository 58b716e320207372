"""One SQLite connection: opened with what it promises checked, patient with other writers, errors in our words."""

# Every command comes through here, and importing pathlib takes 10 ms.
# ruff: noqa: PTH110, PTH116

import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from taskrun.errors import JournalCorruptError, JournalError, JournalTooNewError, TaskrunError, UsageError
from taskrun.journal import migrations
from taskrun.journal.home import check_private

T = TypeVar("T")
Durability = Literal["full", "process"]

PATIENCE = 60.0
"""Seconds to wait for other processes that write."""

SLICE = 0.2
"""Seconds SQLite waits by itself: between two slices Python sees signals."""

CHECKPOINT_PAGES = 2000
WAL_LIMIT = 32 << 20
_SYNCHRONOUS = {"full": 2, "process": 1}
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


class Connection:
    """The only place that talks to sqlite3. After an I/O error it is closed for good: nothing is retried on
    a descriptor whose fsync has failed, because the kernel may have dropped the very pages.
    """

    def __init__(self, path: str, *, readonly: bool = False, durability: Durability = "full") -> None:
        self.path = path
        self._file: tuple[int, int] | None = None
        self._closed: str | None = None
        if readonly:
            self._db = self._guarded(self._open_to_read)
        else:
            _create_private(path)
            self._db = self._guarded(lambda: self._open_to_write(durability))
        if os.path.exists(path):
            self._file = _identity(path)

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._guarded(lambda: self._db.execute(sql, parameters).fetchall())

    def snapshot(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run several reads on one state of the database, whatever others commit meanwhile."""
        return self._guarded(lambda: self._transaction("BEGIN", work))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction that has the write lock from its start.

        A transaction that began as a reader would be refused at once, whatever the timeout, when another
        process committed in between.
        """
        if self._file != _identity(self.path):
            self._give_up(f"{self.path} was deleted or replaced while in use")
        return self._guarded(lambda: self._transaction("BEGIN IMMEDIATE", work))

    def close(self) -> None:
        if self._closed is None:
            self._closed = "it is closed"
            self._db.close()

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._db
        self._patiently(begin)
        try:
            result = work(db)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return result

    def _patiently(self, statement: str) -> None:
        """Execute, trying again for as long as another process is in the way."""
        deadline = 0.0
        while True:
            try:
                self._db.execute(statement)
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                deadline = deadline or now + PATIENCE
                if _primary(error) not in _BUSY or now > deadline:
                    raise
                time.sleep(0.001 + os.urandom(1)[0] / 16000)
            else:
                return

    def _guarded(self, work: Callable[[], T]) -> T:
        if self._closed is not None:
            raise JournalError(f"the journal {self.path} cannot be used: {self._closed}")
        try:
            return work()
        except sqlite3.Error as error:
            if _primary(error) == sqlite3.SQLITE_IOERR:
                self._abandon("the disk reported an error")
            raise explained(error, self.path) from error

    def _give_up(self, reason: str) -> None:
        self._abandon(reason)
        raise JournalError(reason, hint="what was recorded until then went with it; nothing more is started")

    def _abandon(self, reason: str) -> None:
        if self._closed is None and hasattr(self, "_db"):
            self._db.close()
        self._closed = reason

    def _open_to_write(self, durability: Durability) -> sqlite3.Connection:
        self._db = db = sqlite3.connect(self.path, timeout=SLICE, isolation_level=None)
        try:
            version = migrations.version_of(db, self.path)
        except JournalTooNewError:
            # The last writer to leave moves the WAL into the database; as long as a reader is there, none does.
            reader = _connect_to_read(self.path, "mode=ro")
            reader.execute("SELECT 1 FROM sqlite_master").fetchall()
            db.close()
            reader.close()
            raise
        for setting in _settings(durability):
            self._patiently(f"PRAGMA {setting}")
        if version != migrations.VERSION:
            self._transaction("BEGIN IMMEDIATE", lambda db: migrations.bring_up(db, self.path))
        self._assert_promises(durability)
        return db

    def _assert_promises(self, durability: Durability) -> None:
        """A pragma that is refused says nothing: read back what durability rests on."""
        mode = self._db.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = self._db.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or synchronous != _SYNCHRONOUS[durability]:
            self._db.close()
            raise JournalError(
                f"SQLite cannot keep {self.path} safe here (journal mode {mode}, synchronous {synchronous})",
                hint="set TASKRUN_HOME to a directory on a local disk",
            )

    def _open_to_read(self) -> sqlite3.Connection:
        if not os.path.exists(self.path):
            self._db = db = sqlite3.connect(":memory:", isolation_level=None)
            migrations.bring_up(db, self.path)
            return db
        _check_file(self.path)
        self._db = db = _connect_to_read(self.path, "mode=ro")
        try:
            version = migrations.version_of(db, self.path)
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_CANTOPEN or _size(f"{self.path}-wal"):
                raise
            # A directory that cannot be written to has no room for the shared memory; nobody can write either.
            db.close()
            self._db = db = _connect_to_read(self.path, "immutable=1")
            version = migrations.version_of(db, self.path)
        if version != migrations.VERSION:
            db.close()
            Connection(self.path).close()
            self._db = db = _connect_to_read(self.path, "mode=ro")
        db.execute("PRAGMA cell_size_check = ON")
        return db


def explained(error: sqlite3.Error, path: str) -> TaskrunError:
    """The error in words that say what happened to which file and what to do."""
    kind = _primary(error)
    if kind in _REASONS:
        reason, hint = _REASONS[kind]
        return JournalError(f"the journal {path} cannot be used: {reason} ({error})", hint=hint)
    if isinstance(error, sqlite3.IntegrityError):
        return JournalError(f"the journal {path} already has this: {error}")
    return JournalCorruptError(
        f"the journal {path} is damaged: {error}",
        hint=f"move it away (runs start afresh) or save what can be: sqlite3 {path} .recover",
    )


_REASONS = {
    sqlite3.SQLITE_FULL: (
        "there is no space left",
        "free some space, then `taskrun resume`; what was recorded before is intact",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk reported an error",
        "look at the disk or its space; `taskrun resume` goes on from what is found recorded",
    ),
    sqlite3.SQLITE_READONLY: (
        "it is read-only",
        "make it writable, or set TASKRUN_HOME to another directory",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        "make it accessible, or set TASKRUN_HOME to another directory",
    ),
    sqlite3.SQLITE_PERM: (
        "access is not permitted",
        "make it accessible, or set TASKRUN_HOME to another directory",
    ),
    sqlite3.SQLITE_NOMEM: ("there is not enough memory", "free some memory, then `taskrun resume`"),
    sqlite3.SQLITE_TOOBIG: ("a value is larger than a journal can hold", "write large results to a file"),
    sqlite3.SQLITE_BUSY: (
        f"another process kept it locked for {PATIENCE:.0f} s",
        "look for a stopped taskrun or an open sqlite3 shell",
    ),
}
_REASONS |= dict.fromkeys(_BUSY, _REASONS[sqlite3.SQLITE_BUSY])


def _settings(durability: Durability) -> list[str]:
    settings = [
        "journal_mode = WAL",
        f"synchronous = {_SYNCHRONOUS[durability]}",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {WAL_LIMIT}",
        "cell_size_check = ON",
    ]
    if sys.platform == "darwin" and durability == "full":
        settings.append("fullfsync = ON")
    return settings


def _connect_to_read(path: str, how: str) -> sqlite3.Connection:
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{escaped}?{how}", uri=True, timeout=SLICE, isolation_level=None)


def _create_private(path: str) -> None:
    """SQLite would create the file for everybody to read. Its WAL and shared memory inherit this mode.

    An existing file is only looked at: closing a second descriptor of it would drop SQLite's locks.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        _check_file(path)
    except OSError as error:
        raise UsageError(
            f"the journal {path} cannot be created: {error.strerror}",
            hint="set TASKRUN_HOME to a directory you can write to",
        ) from error


def _check_file(path: str) -> None:
    status = os.stat(path, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            f"the journal {path} is not a regular file", hint="set TASKRUN_HOME to another directory"
        )
    check_private(path, status)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; errors of the Python module itself have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
