"""Parts of attempts that are processes: started and watched by the run's supervisor, and by another if that one is killed."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from taskrun.actions.process_result import signal_message
from taskrun.drivers.attempt import CHECK, PROBE, REVERT, VERIFY, VERIFY_REVERT, Attempt
from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import cancelled, lost, of_system, timeout
from taskrun.drivers.judge import Judge, Warn
from taskrun.drivers.launcher import Begin
from taskrun.drivers.limits import Limits
from taskrun.drivers.loop import Loop
from taskrun.drivers.relief import Relief
from taskrun.drivers.statuses import LOOK_EVERY, Record, Statuses
from taskrun.engine import events as e
from taskrun.errors import ActionError, ExpressionError
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Ended, Spawn

if TYPE_CHECKING:
    from taskrun.executors.recovery import Alive, Lost, NotStarted

if TYPE_CHECKING:
    from taskrun.drivers.masking import Masker

GRACE = 10.0
IN_ARGUMENTS = "a secret is among the arguments of its program: everybody on the machine can see them"


class Processes:
    """``begin_again`` begins a part that the dead supervisor had not begun; ``warn(name, message)`` journals."""

    def __init__(
        self,
        under_way: dict[str, Attempt],
        supervisor: Supervisor | None,
        relief: Relief,
        environment: Mapping[str, str],
        judge: Judge,
        limits: Limits,
        loop: Loop,
        clock: Clock,
        *,
        begin_again: Begin,
        warn: Warn,
        record: Record,
        run_name: str,
        masker: "Masker | None" = None,
    ) -> None:
        self._under_way = under_way
        self._supervisor: Supervisor | None = None
        self._relief = relief
        self._environment = environment
        self._common_names, self._common_values = list(environment), list(environment.values())
        self._judge = judge
        self._limits = limits
        self._loop = loop
        self._clock = clock
        self._begin_again = begin_again
        self._warn = warn
        self._run_name = run_name
        self._masker = masker
        self._statuses = Statuses(record)
        self._masked_forms = 0  # so many of the masker's the supervisor knows
        if supervisor is not None:
            self._employ(supervisor)
            loop.every(LOOK_EVERY, lambda: self._statuses.look(self.running))

    def begin(self, attempt: Attempt) -> None:
        assert self._supervisor is not None
        try:
            spec = attempt.action.command(attempt.fields, attempt.context)  # type: ignore[union-attr]
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
            return
        except OSError as error:
            self._judge.failed(attempt, of_system(error))
            return
        masked = None if self._masker is None else self._masked(self._masker, attempt, spec.argv)
        attempt.started = True
        self._under_way[attempt.key] = attempt
        self._supervisor.spawn(
            Spawn(
                attempt.key,
                spec.argv,
                self._env_delta(spec.env),
                spec.cwd,
                spec.stdin,
                attempt.out,
                attempt.err,
                self._limits.left(attempt),
                GRACE,
                inherit=True,
                warm=spec.warm,
                masked=masked,
            )
        )

    def _masked(self, masker: "Masker", attempt: Attempt, argv: list[str]) -> list[str]:
        """What the attempt may write beside its output. The supervisor learns what to look for before it starts it."""
        assert self._supervisor is not None
        if len(masker.forms) != self._masked_forms:
            self._supervisor.mask(masker.forms)
            self._masked_forms = len(masker.forms)
        if any(masker.text(word) != word for word in argv):
            self._warn(attempt.name, IN_ARGUMENTS)
        env = attempt.context.env
        return [env["TASKRUN_OUTPUT"], env["TASKRUN_STATUS"], f"{env['TASKRUN_OUTPUT']}.value"]

    def flush(self) -> None:
        if self._supervisor is not None:
            self._supervisor.flush()

    def pause(self) -> None:
        """Halt what runs, and its limits."""
        if self._supervisor is not None:
            self._supervisor.pause()

    def resume(self) -> None:
        if self._supervisor is not None:
            self._supervisor.resume()

    def stop(self, attempt: Attempt) -> None:
        if self._supervisor is not None:
            self._supervisor.stop(attempt.key)

    def ended(self, attempt: Attempt, ended: Ended) -> None:
        """Judge a process that is over: by the action if it exited, by how it was ended otherwise."""
        judge = self._judge
        if ended.message and ended.status != "not-started":
            self._warn(attempt.name, ended.message)
        if attempt.stopping is not None:
            judge.failed(attempt, cancelled(attempt.stopping))
        elif ended.timed_out:
            judge.failed(attempt, timeout(self._limits.whole(attempt)))
        elif ended.status == "not-started":
            attempt.started = False
            judge.failed(attempt, ActionError("NotStarted", ended.message))
        elif ended.status == "signaled":
            judge.failed(attempt, ActionError("Signal", signal_message(ended.code), signal=ended.code))
        else:
            self._exited(attempt, ended.code, silent=ended.silent)

    def _exited(self, attempt: Attempt, code: int, *, silent: bool) -> None:
        out, err = attempt.out, attempt.err
        if silent:  # its files may be another's by now
            out, err = os.devnull, None if err is None else os.devnull
        try:
            result = attempt.action.finish(  # type: ignore[union-attr]
                attempt.fields, attempt.context, code, out, err
            )
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
        except OSError as error:  # what it has written cannot be read
            self._judge.failed(attempt, of_system(error))
        else:
            self._judge.succeeded(attempt, result.values)

    @property
    def running(self) -> list[Attempt]:
        return [attempt for attempt in self._under_way.values() if attempt.action.MODE == "process"]

    def see_out(self) -> None:
        """Wait for the processes under way, when nothing can be recorded any more: their supervisor writes down how
        they end, for whoever takes the run over. Nothing else is done.
        """
        supervisor = self._supervisor
        if supervisor is None:
            return

        def collect() -> None:
            for ended in supervisor.receive():
                self._under_way.pop(ended.key, None)

        self._loop.forget(supervisor)
        self._loop.watch(supervisor, collect)
        while self.running and not supervisor.lost:
            self._loop.poll()

    def close(self) -> None:
        if self._supervisor is not None:
            self._supervisor.close(wait=False)

    # ------------------------------------------------------------------ the supervisor

    def _employ(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._masked_forms = 0
        supervisor.set_environment(self._environment)
        self._loop.watch(supervisor, self._collect)

    def _collect(self) -> None:
        assert self._supervisor is not None
        for ended in self._supervisor.receive():
            self._relief.worked()
            attempt = self._under_way.pop(ended.key, None)
            if attempt is not None:
                self._statuses.ended(attempt)
                self.ended(attempt, ended)
        if self._supervisor.lost:
            self._relieve(self._supervisor)

    def _relieve(self, dead: Supervisor) -> None:
        """Somebody has killed the supervisor: settle what it had under way, and go on with another one."""
        self._loop.forget(dead)
        dead.close(wait=False)
        attempts = self.running
        found, supervisor = self._relief.take_over([each.key for each in attempts])
        self._employ(supervisor)
        self._warn(self._run_name, "the supervisor was killed; another goes on")
        for attempt in attempts:
            self._under_way.pop(attempt.key, None)
            self._settle(attempt, found[attempt.key])

    def _settle(self, attempt: Attempt, outcome: "Ended | Alive | Lost | NotStarted") -> None:
        """What became of a part whose supervisor is dead. Whatever it had begun was ended with it."""
        from taskrun.executors.recovery import Lost, NotStarted  # noqa: PLC0415 - seldom needed

        judge = self._judge
        if isinstance(outcome, Ended):
            self.ended(attempt, outcome)
        elif attempt.again is not None and (isinstance(outcome, NotStarted) or attempt.part == VERIFY_REVERT):
            attempt.again()
        elif attempt.stopping is not None or attempt.then is not None:
            failure = attempt.stopping or lost(outcome)
            attempt.started = isinstance(outcome, Lost)
            judge.failed(attempt, ActionError(failure["type"], failure["message"]))
        elif isinstance(outcome, NotStarted) or attempt.part in (CHECK, VERIFY, PROBE):
            self._begin_again(attempt)  # a question may be asked again
        elif attempt.part == REVERT:
            judge.conclude(attempt, e.RevertLost(self._clock.now(), attempt.node, attempt.number))
        else:
            now, failure = self._clock.now(), lost(outcome)
            judge.conclude(attempt, e.AttemptLost(now, attempt.node, attempt.number, failure))

    def _env_delta(self, env: Mapping[str, str]) -> dict[str, str | None]:
        """The supervisor has the common part already; a thousand tasks need not send it a thousand times."""
        common = self._environment
        names, values, count = list(env), list(env.values()), len(common)
        if names[:count] == self._common_names and values[:count] == self._common_values:
            return dict(zip(names[count:], values[count:], strict=True))  # the usual one: only more than that
        delta: dict[str, str | None] = {k: v for k, v in env.items() if common.get(k) is not v}
        if len(env) < len(common) + len(delta):
            delta.update(dict.fromkeys(name for name in common if name not in env))
        return delta
