"""What carries the parts of attempts that need no process: at once, at a time, in a thread, or by a person."""

from taskrun.drivers.attempt import Attempt
from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import cancelled, of_system, timeout
from taskrun.drivers.judge import Judge
from taskrun.drivers.loop import Loop
from taskrun.drivers.threads import Threads
from taskrun.engine import events as e
from taskrun.errors import ActionError, ExpressionError


class Carriers:
    """``under_way`` are all attempts that can be stopped, those with a process included, by key."""

    def __init__(self, under_way: dict[str, Attempt], judge: Judge, loop: Loop, clock: Clock) -> None:
        self._under_way = under_way
        self._judge = judge
        self._loop = loop
        self._clock = clock
        self._threads: Threads | None = None

    def inline(self, attempt: Attempt) -> None:
        attempt.started = True
        try:
            result = attempt.action.do(attempt.fields, attempt.context)  # type: ignore[union-attr]
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
        else:
            self._judge.succeeded(attempt, result.values)

    def timer(self, attempt: Attempt) -> None:
        try:
            seconds = attempt.action.duration(attempt.fields)  # type: ignore[union-attr]
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
            return
        limit = attempt.context.timeout
        attempt.started = True
        self._under_way[attempt.key] = attempt
        wait = seconds if limit is None else min(seconds, limit)
        self._loop.at(self._clock.now() + wait, lambda: self._timer_over(attempt, limit, seconds))

    def _timer_over(self, attempt: Attempt, limit: float | None, seconds: float) -> None:
        if self._under_way.get(attempt.key) is not attempt:
            return
        del self._under_way[attempt.key]
        if limit is not None and limit < seconds:
            self._judge.failed(attempt, timeout(limit))
        else:
            self.inline(attempt)

    def person(self, attempt: Attempt) -> None:
        """Only somebody knows: the machine suspends the run, as for any outcome that has to be asked for."""
        assert attempt.action.MODE == "person"
        failure = {"type": "Approval", "message": attempt.action.question(attempt.fields)}
        self._judge.conclude(attempt, e.AttemptLost(self._clock.now(), attempt.node, attempt.number, failure))

    def thread(self, attempt: Attempt) -> None:
        if self._threads is None:
            self._threads = Threads()
            self._loop.watch(self._threads, self._collect)
        self._under_way[attempt.key] = attempt
        self._threads.start(attempt, attempt.carry_out)

    def _collect(self) -> None:
        assert self._threads is not None
        for attempt, result, error in self._threads.receive():
            self._under_way.pop(attempt.key, None)
            if error is None:
                self._judge.succeeded(attempt, result.values)
            elif isinstance(error, ActionError | ExpressionError):
                self._judge.failed(attempt, error)
            elif isinstance(error, OSError):
                self._judge.failed(attempt, of_system(error))
            else:
                raise error

    def stop(self, attempt: Attempt) -> None:
        """End one that is carried here, and is marked as being stopped."""
        if attempt.action.MODE == "timer":
            self._under_way.pop(attempt.key, None)
            assert attempt.stopping is not None
            self._judge.failed(attempt, cancelled(attempt.stopping))
        else:
            for abort in attempt.context.aborts or ():
                abort()

    def fall_silent(self) -> None:
        """What threads still bring is not looked at any more."""
        if self._threads is not None:
            self._loop.forget(self._threads)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.close()
