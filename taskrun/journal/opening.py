"""Opening the database file: private, of a version we know, and as durable as promised, or not at all."""

import os
import stat
import sys

from taskrun.errors import JournalError, JournalTooNewError, UsageError
from taskrun.journal import migrations
from taskrun.journal.base import Durability
from taskrun.journal.core import sqlite3
from taskrun.journal.faults import primary
from taskrun.journal.home import check_private
from taskrun.journal.transactions import SLICE, patiently, reading, writing

CHECKPOINT_PAGES = {"full": 128, "process": 512}
"""How long the WAL gets before it is moved into the database and written anew from its start. Overwriting
is what makes an fsync cheap (in a file that grows it costs half as much again): with ``full`` it is kept short."""

SMALLEST = 512
"""Bytes of the smallest database. SQLite would take a smaller file for an empty one and write over it."""

WAL_LIMIT = 4 << 20
_SYNCHRONOUS = {"full": 2, "process": 1}
_HINT = "set TASKRUN_HOME to a directory of your own on a local disk"


def to_write(path: str, durability: Durability) -> sqlite3.Connection:
    """A connection that writes. The file is created, or brought up to date, where needed."""
    _create_private(path)
    db = sqlite3.connect(path, timeout=SLICE, isolation_level=None)
    try:
        version = _known_version(db, path)
        patiently(lambda: _set_up(db, durability))
        if version != migrations.VERSION:
            writing(db, lambda db: migrations.bring_up(db, path))
        _assert_promises(db, path, durability)
    except BaseException:
        db.close()
        raise
    return db


def to_read(path: str) -> sqlite3.Connection:
    """A connection that cannot write. Without a file it is to an empty journal in memory."""
    if not os.path.lexists(path):
        db = sqlite3.connect(":memory:", isolation_level=None)
        migrations.bring_up(db, path)
        return db
    _check_file(path)
    db = _reader(path, "mode=ro")
    try:
        version = _version_of(db, path)
    except sqlite3.OperationalError as error:
        db.close()
        db = _reader_after(error, path)
        version = _version_of(db, path)
    if version != migrations.VERSION:
        db.close()
        to_write(path, "full").close()
        db = _reader(path, "mode=ro")
    db.execute("PRAGMA cell_size_check = ON")
    return db


def _reader_after(error: sqlite3.OperationalError, path: str) -> sqlite3.Connection:
    """A reader that gets by where the first one met ``error``, which is raised again if there is none."""
    if primary(error) == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK):
        # Its first writer was killed while making it: only a writer may take back what that one had begun.
        to_write(path, "full").close()
        return _reader(path, "mode=ro")
    if primary(error) == sqlite3.SQLITE_CANTOPEN and not _size(f"{path}-wal"):
        # Where nothing can be created there is no room for the shared memory of a WAL, nor for a writer.
        return _reader(path, "immutable=1")
    raise error


def _version_of(db: sqlite3.Connection, path: str) -> int:
    """On one state of the file: whoever makes it meanwhile writes more than one thing that is looked at."""
    return reading(db, lambda db: migrations.version_of(db, path))


def _known_version(db: sqlite3.Connection, path: str) -> int:
    try:
        return _version_of(db, path)
    except JournalTooNewError:
        # The last connection to leave moves the WAL into the database, unless it can only read.
        reader = _reader(path, "mode=ro")
        reader.execute("SELECT 1 FROM sqlite_master").fetchall()
        db.close()
        reader.close()
        raise


def _set_up(db: sqlite3.Connection, durability: Durability) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES[durability]}")
    db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    db.execute("PRAGMA cell_size_check = ON")
    if sys.platform == "darwin" and durability == "full":
        db.execute("PRAGMA fullfsync = ON")


def _assert_promises(db: sqlite3.Connection, path: str, durability: Durability) -> None:
    """A pragma that is refused says nothing: read back what durability rests on."""
    mode = db.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = db.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != _SYNCHRONOUS[durability]:
        raise JournalError(
            f"SQLite cannot keep {path} safe here (journal mode {mode}, synchronous {synchronous})",
            hint=f"make sure there is space left, or {_HINT}",
        )


def _reader(path: str, how: str) -> sqlite3.Connection:
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
        if not os.access(path, os.W_OK) or not os.access(os.path.dirname(path), os.W_OK):
            raise UsageError(
                f"the journal {path} is read-only", hint=f"make it writable, or {_HINT}"
            ) from None
    except OSError as error:
        raise UsageError(f"the journal {path} cannot be created: {error.strerror}", hint=_HINT) from error


def _check_file(path: str) -> None:
    status = os.stat(path, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"the journal {path} is not a regular file", hint=_HINT)
    if 0 < status.st_size < SMALLEST:
        raise migrations.foreign(path)
    check_private(path, status)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
