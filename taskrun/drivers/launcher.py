"""Begins parts of attempts: each is prepared, waits for its lock, and goes to what carries its kind of action."""

import os
from collections.abc import Callable
from typing import Any

from taskrun.drivers.attempt import REVERT, Attempt, Held, Preparer
from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import cancelled, of_system
from taskrun.drivers.hiding import Hide, hide_nothing
from taskrun.drivers.judge import Judge
from taskrun.drivers.limits import Limits
from taskrun.drivers.loop import Loop
from taskrun.drivers.values import Values
from taskrun.errors import ActionError, ExpressionError, HeldError
from taskrun.spec.expressions import render

LOCK_EVERY = 0.2

TakeLock = Callable[[str, str], Held]  # of a name and of who wants it; raises HeldError
Begin = Callable[[Attempt], None]


class Launcher:
    """``carriers`` are by the mode of an action. ``waiting`` are the attempts that wait for a lock, by node."""

    def __init__(
        self,
        values: Values,
        preparer: Preparer,
        limits: Limits,
        clock: Clock,
        loop: Loop,
        judge: Judge,
        *,
        run_id: str,
        lock: TakeLock,
        hide: Hide,
    ) -> None:
        self.waiting: dict[int, Attempt] = {}
        self.carriers: dict[str, Begin] = {}
        self._values = values
        self._preparer = preparer
        self._limits = limits
        self._clock = clock
        self._loop = loop
        self._judge = judge
        self._run_id = run_id
        self._lock = lock
        self._hide = hide

    def launch_locked(self, attempt: Attempt) -> None:
        """Wait for the lock that the task names, if it does; the machine counts it as running meanwhile."""
        template = self._values.spec(attempt.node).get("lock")
        if template is None:
            self.launch(attempt)
            return
        self.waiting.pop(attempt.node, None)
        if attempt.stopping is not None:
            self._judge.failed(attempt, cancelled(attempt.stopping))
            return
        try:
            name = str(render(template, self.scope(attempt)))
            attempt.lock = self._lock(name, f"{self._run_id} {attempt.name}")
        except ExpressionError as error:
            self._judge.failed(attempt, error)
        except HeldError:
            self.waiting[attempt.node] = attempt
            self._loop.at(self._clock.now() + LOCK_EVERY, lambda: self.launch_locked(attempt))
        else:
            self.launch(attempt)

    def launch(self, attempt: Attempt) -> None:
        """Begin the part that ``attempt.part`` names."""
        self.begin(attempt, lambda: self._preparer.prepare(attempt, self.scope(attempt)))

    def begin(self, attempt: Attempt, prepare: Callable[[], None]) -> None:
        try:
            prepare()
            context, mode = attempt.context, attempt.action.MODE
            if mode != "process":
                # A thousand `echo`s shall not make a thousand files: what they say goes into the journal.
                log = self._log_of(attempt)
                attempt.context = context._replace(log=log, aborts=[], timeout=self._limits.left(attempt))
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
        except OSError as error:
            self._judge.failed(attempt, of_system(error))
        else:
            self.carriers[mode](attempt)

    def scope(self, attempt: Attempt) -> dict[str, Any]:
        if attempt.part == REVERT:
            return self._values.reverting_scope(attempt.node)
        if attempt.result is not None:
            return self._values.scope(attempt.node, result=attempt.result)
        return self._values.scope(attempt.node)

    def _log_of(self, attempt: Attempt) -> Callable[[str], None]:
        has_file = attempt.action.MODE == "thread" and attempt.call is None
        log = _FileLog(attempt.out) if has_file else attempt.lines.append
        hide = self._hide
        return log if hide is hide_nothing else lambda line: log(hide({"message": line})["message"])


class _FileLog:
    """Opens the attempt's log at its first line: most inline actions write none."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, line: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path, flags, 0o600)
        try:
            os.write(fd, line.encode("utf-8", "backslashreplace") + b"\n")
        finally:
            os.close(fd)
