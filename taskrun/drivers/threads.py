"""How the parts of attempts that are no processes are carried: in threads of their own, with results in a queue."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Threads:
    """``fileno`` becomes readable when a thread has finished; ``receive`` gives (ticket, result, error)."""

    def __init__(self) -> None:
        self._done: deque[tuple[Any, Any, BaseException | None]] = deque()
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def fileno(self) -> int:
        return self._read

    def start(self, ticket: Any, call: Callable[[], Any]) -> None:
        import threading  # noqa: PLC0415 - few runs need any

        threading.Thread(target=self._carry, args=(ticket, call), daemon=True).start()

    def _carry(self, ticket: Any, call: Callable[[], Any]) -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # handed over whole: the driver's thread decides what it means
            error = raised
        self._done.append((ticket, result, error))
        try:
            os.write(self._write, b".")
        except OSError:
            return  # full: the driver is awake already; closed: nobody waits any more

    def receive(self) -> list[tuple[Any, Any, BaseException | None]]:
        with suppress(BlockingIOError):
            os.read(self._read, 4096)
        found = []
        while self._done:
            found.append(self._done.popleft())
        return found

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)
