"""What attempts print, on its way through the supervisor into their files, with secrets masked.

    process --pipe--> supervisor: masks what it can tell by now --> file

Only attempts that ask for it print through a pipe; all others have their files as stdout and stderr themselves. Memory stays
flat, and a process that prints faster than it can be masked waits. What cannot be written (the disk is full) breaks the pipe,
so that the process hears of it as it would without one. A process that outlives its attempt keeps its pipe, and with it the
supervisor, which by then has let the run go.
"""

import fcntl
import os
import select
import struct
import termios
from collections.abc import Sequence

from taskrun.executors.masking import Matcher, Stream
from taskrun.executors.written import mask_file

CHUNK = 128 * 1024
_F_SETPIPE_SZ = 1031
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC


class Outlet:
    """One pipe and the file behind it."""

    __slots__ = ("file", "key", "pipe", "stream")

    def __init__(self, key: str, pipe: int, file: int) -> None:
        self.key = key
        self.pipe = pipe
        self.file = file
        self.stream = Stream()


class Outlets:
    """All pipes of a supervisor. ``epoll`` is its own; it hands events on to ``read``."""

    def __init__(self, epoll: select.epoll) -> None:
        self.matcher = Matcher()
        self._epoll = epoll
        self._open: dict[int, Outlet] = {}  # by pipe
        self._by_key: dict[str, list[Outlet]] = {}
        self._files: dict[str, Sequence[str]] = {}
        self._troubles: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def open(self, key: str, path: str) -> int:
        """A pipe into a file; its writing end, which the caller closes. OSError has the path if it is the file's."""
        file = os.open(path, _FILE_FLAGS, 0o600)
        try:
            pipe, end = os.pipe2(os.O_CLOEXEC)
        except OSError:
            os.close(file)
            raise
        os.set_blocking(pipe, False)
        _widen(pipe)
        outlet = Outlet(key, pipe, file)
        self._open[pipe] = outlet
        self._by_key.setdefault(key, []).append(outlet)
        self._epoll.register(pipe, select.EPOLLIN)
        return end

    def keep_clean(self, key: str, files: Sequence[str]) -> None:
        """Files that the attempt may write itself, to be masked when it is over."""
        self._files[key] = files

    def abandon(self, key: str) -> None:
        """The attempt did not start."""
        self._files.pop(key, None)
        for outlet in self._by_key.pop(key, ()):
            self._close(outlet)

    def read(self, pipe: int) -> None:
        """There is something in a pipe, or its last writer is gone."""
        outlet = self._open.get(pipe)
        if outlet is not None and self._take(outlet, CHUNK) == 0:
            self._finish(outlet)
            self._close(outlet)

    def settle(self, key: str) -> str:
        """An attempt is over: what it has printed is in its files when this returns. What went wrong with that, if anything."""
        for outlet in self._by_key.get(key, ()):
            if self._is_open(outlet):
                waiting = _waiting(outlet.pipe)  # a process that stays may go on printing for ever
                while waiting > 0 and (taken := self._take(outlet, min(waiting, CHUNK))):
                    waiting -= taken
                self._finish(outlet)
        for path in self._files.pop(key, ()):
            trouble = mask_file(path, self.matcher)
            if trouble:
                self._troubles[key] = trouble
        self._by_key.pop(key, None)
        return self._troubles.pop(key, "")

    def _take(self, outlet: Outlet, most: int) -> int | None:
        """Move some bytes; how many, 0 at the end of it, None if there are none now or nothing can be done with them."""
        try:
            data = os.read(outlet.pipe, most)
        except BlockingIOError:
            return None
        if not data:
            return 0
        return len(data) if self._write(outlet, outlet.stream.feed(data, self.matcher)) else None

    def _finish(self, outlet: Outlet) -> None:
        if self._is_open(outlet):
            self._write(outlet, outlet.stream.rest(self.matcher))

    def _write(self, outlet: Outlet, data: bytes) -> bool:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(outlet.file, view) :]
        except OSError as error:
            if outlet.key in self._by_key:
                self._troubles[outlet.key] = f"not all of its output was kept: {error.strerror}"
            self._close(outlet)
            return False
        return True

    def _is_open(self, outlet: Outlet) -> bool:
        return self._open.get(outlet.pipe) is outlet

    def _close(self, outlet: Outlet) -> None:
        if self._is_open(outlet):
            del self._open[outlet.pipe]
            self._epoll.unregister(outlet.pipe)
            os.close(outlet.pipe)
            os.close(outlet.file)


def _widen(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, CHUNK)
    except OSError:
        return  # a user may have only so much of it; it is a matter of speed


def _waiting(pipe: int) -> int:
    """How many bytes are in a pipe."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4)
    return int(struct.unpack("i", answer)[0])
