"""The real command on a pseudo-terminal of its own, seen through an emulator; and how tests wait."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, Self

import pyte

from tests.command import Taskrun

PATIENCE = 30.0  # seconds, for a machine under load


def until(found: Callable[[], Any], what: str = "") -> Any:
    """The first true value of ``found()``."""
    end = time.monotonic() + PATIENCE
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(what or "it never came true")
        time.sleep(0.02)


class Terminal:
    """``taskrun ...`` with its three streams on a terminal; ``raw`` is every byte that arrived there."""

    def __init__(
        self, taskrun: Taskrun, *args: object, columns: int = 80, height: int = 24, **env: str
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, height, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._code: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(taskrun.folder)
            size = struct.pack("HHHH", height, columns, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            argv = self.command(args)
            os.execvpe(argv[0], argv, {**taskrun.env, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env})

    def command(self, args: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "taskrun", *map(str, args)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGTERM)  # a run then ends its tasks too
            try:
                self.end()
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)

    def read(self, wait: float = 0.0) -> bool:
        """Take in what has arrived; False when nobody will write any more."""
        while select.select([self.fd], [], [], wait)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
            self.stream.feed(data)
            wait = 0.0
        return True

    @property
    def text(self) -> str:
        """All that was ever on the screen, as far as it was not drawn over."""
        width = range(self.screen.columns)
        above = ["".join(line[x].data for x in width) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self.screen.display]).rstrip()

    def wait_for(self, *words: str) -> None:
        """Until the screen holds all the words."""

        def there() -> bool:
            open_ = self.read(0.05)
            missing = [word for word in words if word not in self.text]
            if missing and not open_:
                raise AssertionError(f"{missing} never came:\n{self.text}")
            return not missing

        until(there, f"{words} not in:\n{self.text}")

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def hang_up(self) -> None:
        """As when the window is closed."""
        os.close(self.fd)
        self.fd = -1

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self) -> int:
        """The exit code, once the command is over."""

        def over() -> bool:
            if self.fd >= 0:
                self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            return bool(pid)

        until(over, f"the command goes on:\n{self.text}")
        if self.fd >= 0:
            self.read(0.1)
        assert self._code is not None
        return self._code


class Shell(Terminal):
    """An interactive shell on the terminal, with job control; ``taskrun`` is a command in it."""

    def command(self, args: tuple[object, ...]) -> list[str]:
        assert not args
        return ["bash", "--norc", "--noprofile", "-i"]

    def __exit__(self, *_: object) -> None:
        """A shell that is hung up takes its jobs with it."""
        self.hang_up()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._code = 0
