"""Wall-clock seconds that never jump within a run: a clock that is set must neither end a wait nor prolong one."""

import time


class Clock:
    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix time as of the start of this process, carried on by the monotonic clock."""
        return time.monotonic() + self._offset

    def go_on_from(self, moment: float) -> None:
        """A run has come so far already, whatever the clock says now: its waits would else be as long as it was set back."""
        self._offset += max(0.0, moment - self.now())
