"""What the supervisor reports: lines to the log, which nobody may miss, and messages to taskrun while it is there.

Neither ever waits. What the disk has no room for, or taskrun does not read, is kept in order until it can go.
"""

import os
import select
from collections.abc import Callable

from taskrun.executors.attempts_log import ended_line
from taskrun.executors.protocol import Ended, Message, pack


class Reports:
    """The two ways out of the supervisor. ``connection`` is registered in ``epoll`` by its owner."""

    def __init__(self, log: int, connection: int, epoll: select.epoll) -> None:
        self.unwritten = b""
        self.hide: Callable[[str], str] | None = (
            None  # what is told may name processes, with all their arguments
        )
        self._log = log
        self._connection: int | None = connection
        self._epoll = epoll
        self._ended: list[Message] = []
        self._unsent: list[bytes] = []
        self._is_stuck = False

    def write(self, line: bytes) -> bool:
        """Append a line to the log; False if not all of it is there yet."""
        data = self.unwritten + line
        try:
            written = os.write(self._log, data)
        except OSError:
            written = 0
        self.unwritten = data[written:]
        return not self.unwritten

    def tell(self, ended: Ended) -> None:
        """An attempt is over: to taskrun and into the log with the next ``flush``."""
        if self.hide is not None and ended.message:
            ended = ended._replace(message=self.hide(ended.message))
        self.unwritten += ended_line(ended)
        self._ended.append(tuple(ended))

    def flush(self) -> None:
        """Send and write what has come together. taskrun waits for it, the log's reader does not: it goes first."""
        if self._ended or self._unsent:
            self._send()
        if self.unwritten:
            self.write(b"")

    def _send(self) -> None:
        if self._connection is None:
            self._ended.clear()
            return
        if self._ended:
            self._unsent += pack(self._ended)
            self._ended.clear()
        try:
            while self._unsent:
                os.write(self._connection, self._unsent[0])
                del self._unsent[0]
        except BlockingIOError:
            self._epoll.modify(self._connection, select.EPOLLIN | select.EPOLLOUT)
            self._is_stuck = True
        except (BrokenPipeError, ConnectionResetError):
            self._unsent.clear()  # its end is about to be read
        else:
            if self._is_stuck:
                self._epoll.modify(self._connection, select.EPOLLIN)
                self._is_stuck = False

    def forget_taskrun(self) -> None:
        """It is gone: from now on the log is all that counts."""
        self._connection = None
        self._unsent.clear()
