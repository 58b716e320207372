"""One connection to the database file: in use, watched, and given up for good when the disk fails."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from taskrun.errors import JournalError
from taskrun.journal import opening, reserve
from taskrun.journal.base import Durability
from taskrun.journal.core import sqlite3
from taskrun.journal.faults import FAULTS, explained, is_broken_disk, is_full_disk
from taskrun.journal.transactions import Work, at_once, patiently, reading, writing

T = TypeVar("T")


class Connection:
    """Reads and writes of ``path``, with SQLite's errors in our words.

    After an I/O error it is closed: nothing is tried again on a descriptor whose fsync has failed, because
    the kernel may have dropped the very pages. A reader may come before there is a file: it sees an empty
    journal until there is one.
    """

    def __init__(self, path: str, *, readonly: bool = False, durability: Durability = "full") -> None:
        self.path = path
        self.low_on_space = False
        self._readonly = readonly
        self._durability = durability
        self._closed: str | None = None
        self._inode = 0
        self._db: sqlite3.Connection | None = None
        try:
            self._open()
        except FAULTS as error:
            raise explained(error, path) from error

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._watched(lambda: patiently(lambda: self._current().execute(sql, parameters).fetchall()))

    def snapshot(self, work: Work[T]) -> T:
        return self._watched(lambda: reading(self._current(), work))

    def write(self, work: Work[T]) -> T:
        if self._readonly:
            raise JournalError(f"the journal {self.path} was opened to be read only")
        return self._watched(lambda: self._write(lambda db: writing(db, work)))

    def write_at_once(self, sql: str, parameters: Sequence[Any]) -> int:
        """One statement that writes, in a transaction of its own; how many rows it has written."""
        if self._readonly:
            raise JournalError(f"the journal {self.path} was opened to be read only")
        return self._watched(lambda: self._write(lambda db: at_once(db, sql, parameters)))

    def counter(self) -> int:
        """Differs from the last one when another connection has committed, or made the file there was none of."""
        version: int = self.read("PRAGMA data_version")[0][0]
        return version if self._inode else -1

    def close(self) -> None:
        self._give_up("it is closed")

    def _write(self, act: Work[T]) -> T:
        try:
            return act(self._current())
        except sqlite3.OperationalError as error:
            if not (is_full_disk(error) and reserve.spend(os.path.dirname(self.path))):
                raise
        self.low_on_space = True
        return act(self._current())

    def _open(self) -> None:
        if self._readonly:
            self._db = opening.to_read(self.path)
        else:
            self._db = opening.to_write(self.path, self._durability)
            self.low_on_space = not reserve.keep(os.path.dirname(self.path))
        self._inode = _inode(self.path)

    def _current(self) -> sqlite3.Connection:
        """The connection, if the file it is of is still the one at the path."""
        if self._closed is not None:
            raise JournalError(f"the journal {self.path} cannot be used: {self._closed}")
        if _inode(self.path) != self._inode:
            if self._inode:
                self._give_up("the file was deleted or replaced while in use")
                return self._current()
            self._open()
        assert self._db is not None, "it was not given up"
        return self._db

    def _watched(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except FAULTS as error:
            if is_broken_disk(error):
                self._give_up("the disk reported an error earlier")
            raise explained(error, self.path) from error

    def _give_up(self, reason: str) -> None:
        self._closed = self._closed or reason
        if self._db is not None:
            self._db.close()
            self._db = None


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
