"""A stream that can neither end a run nor hold it up: what cannot be written now waits here, what cannot be written at all is dropped.

A closed pipe, a full disk or a terminal that went away (`EPIPE`, `ENOSPC`, `EIO`) closes the outlet for good, silently. A terminal
stopped by Ctrl-S or a reader that is not reading makes `write` keep the bytes; `pump` tries again.
"""

import atexit
import os
import select
import stat

_WHOLE = 4096  # a pipe that polls writable takes this much without blocking (PIPE_BUF)
_NEVER = 0.0


def show(text: str, fd: int) -> None:
    """Write it; a stream that is gone is no reason to fail."""
    outlet = Outlet(fd)
    outlet.write(text)
    outlet.close(wait=float("inf"))


class Outlet:
    """Non-blocking writes to file descriptor `fd`, in order. `limit` bytes may wait; beyond that the outlet closes."""

    def __init__(self, fd: int, *, limit: int = 64 * 1024 * 1024) -> None:
        self.open = True
        self._leaving = False
        self._limit = limit
        self._waiting = bytearray()
        self._own: int | None = None
        self._fd = fd
        self._blocks = True
        try:
            self._blocks = not stat.S_ISREG(os.fstat(fd).st_mode)
            if os.isatty(fd):
                self._reopen_terminal(fd)
        except OSError:
            self.open = False
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)

    def _reopen_terminal(self, fd: int) -> None:
        """Our own description of the terminal: `O_NONBLOCK` on the given one would reach our children and the shell as well."""
        try:
            self._own = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return  # no device file in this namespace: polling alone has to do
        self._fd = self._own

    @property
    def behind(self) -> bool:
        """Something written earlier still waits for the reader."""
        return bool(self._waiting)

    def write(self, text: str) -> None:
        if not self.open:
            return
        self._waiting += text.encode("utf-8", "backslashreplace")
        self.pump()
        if len(self._waiting) > self._limit:
            self._shut()

    def pump(self, wait: float = _NEVER) -> None:
        """Write what the stream takes; with `wait`, give it up to that many seconds without progress."""
        while self._waiting and self.open:
            try:
                if self._blocks and not self._writable(wait):
                    return
                written = os.write(self._fd, self._waiting[:_WHOLE] if self._blocks else self._waiting)
            except BlockingIOError:
                if not wait:
                    return
                continue
            except OSError:
                self._shut()
                return
            del self._waiting[:written]

    def _writable(self, wait: float) -> bool:
        return bool(self._poll.poll(None if wait == float("inf") else wait * 1000))

    def leave(self) -> None:
        """The run is over, a slow reader may not be: it gets the rest when taskrun ends, and no lock is held up for it."""
        self.pump()
        if self._waiting and not self._leaving:
            self._leaving = True
            atexit.register(self._last_words)

    def _last_words(self) -> None:
        try:
            self.close(wait=float("inf"))
        except KeyboardInterrupt:
            self._shut()  # somebody does not want to wait any longer

    def close(self, wait: float = _NEVER) -> None:
        """Write what still waits, then let go. The file descriptor that was given stays open."""
        self.pump(wait)
        self._shut()

    def _shut(self) -> None:
        self.open = False
        self._waiting.clear()
        if self._own is not None:
            os.close(self._own)
            self._own = None
