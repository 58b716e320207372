"""Ctrl-C and friends, as numbers to be read in the loop: nothing is ever decided inside a signal handler."""

import os
import signal
from types import FrameType
from typing import Any, Self

WORDS: dict[int, str] = {
    signal.SIGINT: "Ctrl-C (SIGINT)",
    signal.SIGTERM: "told to end (SIGTERM)",
    signal.SIGHUP: "the terminal went away (SIGHUP)",
}
HALT = signal.SIGTSTP  # Ctrl-Z
WATCHED = (*WORDS, HALT)


class Signals:
    """While entered, the watched signals are collected; ``fileno`` is readable when one has come."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Self:
        for number in WATCHED:
            if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` wants it to stay ignored
                self._before[number] = signal.signal(number, _noted)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self._read)
        os.close(self._write)

    def stop_process(self) -> None:
        """Do what Ctrl-Z does; comes back when somebody lets the process go on (`fg`, `bg`).

        In a process group that no shell looks after the kernel does nothing: nobody would let it go on.
        """
        signal.signal(HALT, signal.SIG_DFL)
        try:
            signal.raise_signal(HALT)
        finally:
            signal.signal(HALT, _noted)

    def fileno(self) -> int:
        return self._read

    def receive(self) -> list[int]:
        try:
            return [n for n in os.read(self._read, 64) if n in WATCHED]
        except BlockingIOError:
            return []


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The number went into the pipe; a handler has to exist for that to happen."""
