"""Starts attempts, in the order that makes a crash at any point tell what happened.

``starting`` is in the log before there is a process, ``began`` right after. What finds no room (too many
processes, no memory, no descriptor) waits and is tried again: that is not the attempt's failure.
"""

import os
import time
from typing import cast

from taskrun.executors import linux
from taskrun.executors.attempts_log import began_line, mark_of, starting_line
from taskrun.executors.ending import Endings
from taskrun.executors.family import Attempt, Families
from taskrun.executors.launch import BusyError, CannotStartError, launch
from taskrun.executors.outlets import Outlets
from taskrun.executors.protocol import Ended, Spawn, wall_clock
from taskrun.executors.reports import Reports
from taskrun.executors.spares import Spares
from taskrun.executors.warm import Nursery

RETRY_FIRST, RETRY_MOST = 0.01, 1.0
RETRY_FOR = 60.0
"""Seconds without any attempt running until want of room is believed to last."""


class Starting:
    """Takes attempts in; hands them to ``families`` and ``endings`` once they run."""

    def __init__(
        self,
        families: Families,
        endings: Endings,
        reports: Reports,
        outlets: Outlets,
        nursery: Nursery,
        spares: Spares,
    ) -> None:
        self.environment = dict(os.environ)
        self.retry_at: float | None = None  # monotonic; None while nothing is to be tried again
        self._families = families
        self._endings = endings
        self._reports = reports
        self._outlets = outlets
        self._waiting: dict[str, tuple[Spawn, float]] = {}  # with the time it was first tried
        self._retry_delay = RETRY_FIRST
        self._ignored = nursery.ignored
        self._nursery = nursery
        self._spares = spares

    def start(self, spawn: Spawn) -> None:
        """Start an attempt, or have it wait. Asked for twice, it still runs once."""
        key = spawn.key
        if key in self._families.attempts or key in self._waiting:
            return
        environment = self._environment_of(spawn)
        mark = mark_of(environment)
        if not self._reports.write(starting_line(key, mark, linux.ticks())):
            self._not_started(key, 0, "the log of attempts cannot be written; is the disk full?")
        elif self._endings.is_paused or not self._launch(spawn, environment, mark):
            self._waiting[key] = (spawn, time.monotonic())

    def retry(self, now: float) -> None:
        """Try again what waits, if it is time to."""
        if self.retry_at is None or now < self.retry_at:
            return
        self.retry_at = None
        if self._endings.is_paused:
            return
        for key, (spawn, since) in list(self._waiting.items()):
            environment = self._environment_of(spawn)
            if self._launch(spawn, environment, mark_of(environment)):
                self._retry_delay = RETRY_FIRST
            elif now - since > RETRY_FOR and not self._families.attempts:
                self._not_started(key, 0, f"the system had no room for another process for {RETRY_FOR:.0f} s")
            else:
                return
            del self._waiting[key]

    def hurry(self) -> None:
        """There may be room now: try at the next opportunity."""
        if self._waiting:
            self.retry_at = 0.0

    def cancel(self, key: str) -> None:
        """Give up an attempt that waits, if it does."""
        if self._waiting.pop(key, None) is not None:
            self._not_started(key, 0, "stopped before there was room to start it", stopped=True)

    def cancel_all(self) -> None:
        for key in list(self._waiting):
            self.cancel(key)

    def _launch(self, spawn: Spawn, environment: dict[str, str], mark: str) -> bool:
        """Start it, or report that this cannot be done; False if there is no room for it now."""
        before = linux.ticks()
        files = [path for path in (spawn.out, spawn.err) if path is not None and spawn.masked is None]
        for path in files:
            self._spares.become(path)
        try:
            pid = launch(
                spawn,
                environment,
                self._ignored,
                None if spawn.masked is None else self._outlets,
                self._nursery if spawn.warm else None,
            )
        except CannotStartError as error:
            self._outlets.abandon(spawn.key)
            self._not_started(spawn.key, error.code, str(error))
            return True
        except BusyError:
            self._outlets.abandon(spawn.key)
            self.retry_at = time.monotonic() + self._retry_delay
            self._retry_delay = min(2 * self._retry_delay, RETRY_MOST)
            return False
        if spawn.masked is not None:
            self._outlets.keep_clean(spawn.key, spawn.masked)
        # To read the start time itself would cost as much as all the rest of this.
        born = self._nursery.born
        first, last = (before, linux.ticks()) if born is None else (born, born)
        self._reports.write(began_line(spawn.key, pid, first, last))
        if spawn.warm:
            self._nursery.let_go()
        deadline = None if spawn.timeout is None else time.monotonic() + spawn.timeout
        attempt = Attempt(spawn.key, mark, pid, deadline, spawn.grace, files)
        self._families.add(attempt)
        self._endings.watch(attempt)
        return True

    def _environment_of(self, spawn: Spawn) -> dict[str, str]:
        base = self.environment if spawn.inherit else {}
        merged: dict[str, str | None] = {**base, **spawn.env}
        if None in spawn.env.values():
            return {name: value for name, value in merged.items() if value is not None}
        return cast("dict[str, str]", merged)

    def _not_started(self, key: str, code: int, message: str, *, stopped: bool = False) -> None:
        self._reports.tell(Ended(key, "not-started", code, False, stopped, message, wall_clock()))
