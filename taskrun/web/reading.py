"""The journal, read in threads of its own: a long history holds up no other answer."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from taskrun.errors import JournalError
from taskrun.journal.sqlite import SqliteJournal

T = TypeVar("T")
READERS = 4


class Reading:
    """``await reading(lambda journal: ...)``. A connection belongs to one thread, so each has its own."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._own = threading.local()
        self._watched: SqliteJournal | None = None

    async def __call__(self, work: Callable[[SqliteJournal], T]) -> T:
        def done() -> T:
            if not hasattr(self._own, "journal"):
                self._own.journal = SqliteJournal.open(self._home, readonly=True)
            journal: SqliteJournal = self._own.journal
            try:
                return work(journal)
            except BaseException:
                del self._own.journal  # what went wrong with it may go on being wrong
                journal.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._threads, done)

    def counter(self) -> int:
        """Another number after every commit; asks shared memory, not the disk. Only from the loop's thread."""
        if self._watched is None:
            self._watched = SqliteJournal.open(self._home, readonly=True)
        try:
            return self._watched.change_counter()
        except JournalError:
            self._watched.close()
            self._watched = (
                None  # the file was replaced, perhaps: the next one asks the one that is there then
            )
            raise

    def close(self) -> None:
        if self._watched is not None:
            self._watched.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
