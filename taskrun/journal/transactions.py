"""Transactions beside other processes: trying again while they are in the way, and all or nothing."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from taskrun.journal.core import sqlite3
from taskrun.journal.faults import BUSY, primary

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

PATIENCE = 60.0
"""Seconds to wait for other processes that write."""

SLICE = 0.2
"""Seconds SQLite waits by itself: between two slices Python sees signals."""


def reading(db: sqlite3.Connection, work: Work[T]) -> T:
    """Run several reads on one state of the database, whatever others commit meanwhile."""
    return patiently(lambda: _whole(db, "BEGIN", work))


def writing(db: sqlite3.Connection, work: Work[T]) -> T:
    """Run ``work`` in a transaction that has the write lock from its start.

    One that began as a reader would be refused at once, whatever the timeout, when another process committed
    in between.
    """
    return _whole(db, "BEGIN IMMEDIATE", work)


def at_once(db: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> int:
    """Run one statement that writes, which is a transaction of its own; how many rows it has written."""
    return patiently(lambda: db.execute(sql, parameters).rowcount)


def patiently(act: Callable[[], T]) -> T:
    """Do it, again and again for as long as another process is in the way."""
    deadline = 0.0
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            now = time.monotonic()
            deadline = deadline or now + PATIENCE
            if primary(error) not in BUSY or now > deadline:
                raise
        time.sleep(0.001 + os.urandom(1)[0] / 16000)


def _whole(db: sqlite3.Connection, begin: str, work: Work[T]) -> T:
    """All of ``work`` or nothing, also when a signal handler raises in the middle."""
    try:
        try:
            db.execute(begin)
        except sqlite3.OperationalError:
            patiently(lambda: db.execute(begin))
        result = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result
