"""Wall-clock seconds that never jump within a process: a clock set back must not move a timeout."""

import time


class Clock:
    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix time as of the start of this process, carried on by the monotonic clock."""
        return time.monotonic() + self._offset
