"""SQLite's errors in our words: what happened to which file, and what to do."""

from taskrun.errors import JournalCorruptError, JournalError
from taskrun.journal.core import sqlite3

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""Another process is in the way: worth another try."""

_ELSEWHERE = "set TASKRUN_HOME to another directory"
_REASONS = {
    sqlite3.SQLITE_FULL: (
        "there is no space left",
        "free some space, then `taskrun resume`; what was recorded before is intact",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk reported an error",
        "look at the disk and its space; `taskrun resume` goes on from what is found recorded",
    ),
    sqlite3.SQLITE_READONLY: ("it is read-only", f"make it writable, or {_ELSEWHERE}"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", f"make it accessible, or {_ELSEWHERE}"),
    sqlite3.SQLITE_PERM: ("access is not permitted", f"make it accessible, or {_ELSEWHERE}"),
    sqlite3.SQLITE_NOMEM: ("there is not enough memory", "free some memory, then `taskrun resume`"),
    sqlite3.SQLITE_TOOBIG: ("a value is larger than a journal can hold", "write large results to a file"),
} | dict.fromkeys(
    BUSY,
    ("another process keeps it locked", "look for a stopped taskrun or a sqlite3 shell in a transaction"),
)


FAULTS = (sqlite3.Error, OSError, UnicodeError)
"""What SQLite and the file system raise, and text that is not (or not any more) Unicode."""


def primary(error: BaseException) -> int:
    """SQLite's primary result code; errors of the Python module itself have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_broken_disk(error: BaseException) -> bool:
    return primary(error) == sqlite3.SQLITE_IOERR


def is_full_disk(error: BaseException) -> bool:
    return primary(error) == sqlite3.SQLITE_FULL


def explained(error: Exception, path: str) -> JournalError:
    """One of FAULTS as the error to show."""
    reason, hint = _REASONS.get(primary(error), ("", ""))
    if reason:
        return JournalError(f"the journal {path} cannot be used: {reason} ({error})", hint=hint)
    if isinstance(error, sqlite3.IntegrityError):
        return JournalError(f"the journal {path} has this already: {error}")
    if isinstance(error, sqlite3.ProgrammingError | OSError | UnicodeEncodeError):
        return JournalError(f"the journal {path} cannot be used: {error}")
    return JournalCorruptError(
        f"the journal {path} is damaged: {error}",
        hint=f"move it away (runs start afresh), or save what can be saved: sqlite3 {path} .recover",
    )
