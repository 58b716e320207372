"""Ends statements that run too long, or that are no longer wanted: from other threads, by the database's own means."""

from collections.abc import Callable
from threading import Lock, Timer
from types import TracebackType
from typing import Self

from taskrun.actions.base import Context
from taskrun.errors import ActionError


class Interrupter:
    """Within it ``interrupt`` is called when the time is up or the driver gives the attempt up."""

    def __init__(self, context: Context, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._aborts = context.aborts
        self._limit = context.timeout
        self._timer = None if context.timeout is None else Timer(max(context.timeout, 0.001), self._expire)
        self._expired = self._aborted = False
        self._lock = Lock()
        self._over = False  # the connection may be closed already

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        if self._aborts is not None:
            self._aborts.append(self._abort)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._aborts is not None:
            self._aborts.remove(self._abort)

    def _expire(self) -> None:
        self._expired = True
        self._end()

    def _abort(self) -> None:
        self._aborted = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            if not self._over:
                self._interrupt()

    def check(self) -> None:
        """Between two statements, and when one has failed: was it us?"""
        if self._aborted:
            raise ActionError("Cancelled", "stopped; the transaction was rolled back")
        if self._expired:
            raise ActionError("Timeout", f"no end after {self._limit:g} s; the transaction was rolled back")
