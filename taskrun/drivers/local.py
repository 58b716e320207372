"""The driver for one machine: real processes under a supervisor, the SQLite journal, one loop, one commit a tick.

    run()
      _flush()    journal what was decided, tell the listeners, carry the commands out; again while that
                  itself decides something (an `echo` is done at once)
      _wait()     one epoll for ended attempts, threads, signals; timers and listeners say how long

What is decided is committed before any of it is told or done. Nothing here decides: see ``taskrun.engine``.
"""

import heapq
import os
import select
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from taskrun.actions.base import UnexpectedResultError, matches
from taskrun.actions.outputs import parse as parse_outputs
from taskrun.actions.process_result import signal_message
from taskrun.drivers.attempt import (
    CHECK,
    DO,
    IMAGE,
    PROBE,
    REVERT,
    VERIFY,
    VERIFY_REVERT,
    Attempt,
    Held,
    Preparer,
    Then,
)
from taskrun.drivers.carriers import Threads
from taskrun.drivers.clock import Clock
from taskrun.drivers.hiding import Hide, hide_nothing
from taskrun.drivers.recall import to_entry, transitions
from taskrun.drivers.relief import Relief
from taskrun.drivers.values import ITEMS, Values
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.expand import expand
from taskrun.engine.flow import TASK, compile_flow
from taskrun.engine.machine import Machine, Step
from taskrun.engine.record import Transition
from taskrun.engine.states import REVERTED, RUNNING, SUCCESS
from taskrun.errors import ActionError, ExpressionError, HeldError, TaskrunError
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Ended, Spawn
from taskrun.executors.recovery import Alive, Lost, NotStarted
from taskrun.journal.base import Entry, Journal
from taskrun.listeners.base import Listeners
from taskrun.spec.expressions import check_condition, parse, render

GRACE = 10.0
ASIDE_TIMEOUT = 60.0
MESSAGE_LIMIT = 64 * 1024
LOCK_EVERY = 0.2
_CANCELLED = {"type": "Cancelled", "message": "stopped because the run was cancelled"}


TakeLock = Callable[[str, str], Held]  # of a name and of who wants it; raises HeldError


class Wakes(Protocol):
    """Something the loop listens to beside attempts."""

    def fileno(self) -> int: ...


class LocalDriver:
    """Drives one run to its end. ``wakes`` are further descriptors to watch, each with what to call then."""

    def __init__(
        self,
        machine: Machine,
        values: Values,
        preparer: Preparer,
        journal: Journal,
        listeners: Listeners,
        supervisor: Supervisor | None,
        *,
        relief: Relief,
        run_id: str,
        epoch: int,
        seq: int = 0,
        clock: Clock | None = None,
        lock: TakeLock,
        definition: Mapping[str, Any],
        seed: int = 0,
        hide: Hide = hide_nothing,
    ) -> None:
        self.machine = machine
        self.clock = clock or Clock()
        self._values = values
        self._preparer = preparer
        self._journal = journal
        self._listeners = listeners
        self._supervisor = supervisor
        self._relief = relief
        self._run_id = run_id
        self._epoch = epoch
        self._seq = seq
        self._hide = hide
        self._entries: list[Entry] = []
        self._commands: list[c.Command] = []
        self._attempts: dict[str, Attempt] = {}
        self._definition = definition
        self._seed = seed
        self._to_expand = False
        self._waiting_for_lock: dict[int, Attempt] = {}
        self._lock = lock
        self._aside = 0
        self._aside_count = 0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_count = 0
        self._threads: Threads | None = None
        self.interrupted = 0  # the signal that ended the run early
        self.unverified = False  # the end of a rollback is not the run's end: it is still to be looked at
        self.residue = 0  # what was found then
        self._concluding = False
        self._first_started: dict[int, float] = {}
        self._watchers: list[Callable[[Sequence[Entry]], None]] = []
        self._wakes: dict[int, Callable[[], None]] = {}
        self._perform: dict[type, Callable[[Any], None]] = {
            c.StartAttempt: self._start_attempt,
            c.StartRevert: self._start_revert,
            c.StartProbe: self._start_probe,
            c.StopAttempt: self._stop_attempt,
            c.StartTimer: self._start_timer,
            c.EvaluateCondition: self._evaluate_condition,
            c.EvaluateItems: self._evaluate_items,
        }
        self._begin_by_mode: dict[str, Callable[[Attempt], None]] = {
            "inline": self._begin_inline,
            "timer": self._begin_timer,
            "thread": self._begin_thread,
            "person": self._begin_person,
            "process": self._begin_process,
        }
        self._epoll = select.epoll()
        if supervisor is not None:
            self._employ(supervisor)

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Until the run is over. Errors of the journal go up: what is not recorded must not happen."""
        while True:
            self._flush()
            if self.machine.over and not self._aside:
                return
            self._wait()

    def receive(self, event: e.Event) -> None:
        """Let the machine decide; the step is recorded and carried out at the next flush."""
        self._take(self.machine.receive(event))

    def watch(self, wakes: Wakes, call: Callable[[], None]) -> None:
        self._watch(wakes.fileno(), call)

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        """Call again and again until the run is over."""

        def again() -> None:
            call()
            self.at(self.clock.now() + seconds, again)

        self.at(self.clock.now() + seconds, again)

    def at(self, due: float, call: Callable[[], None]) -> None:
        self._timer_count += 1
        heapq.heappush(self._timers, (due, self._timer_count, call))

    def after_commit(self, call: Callable[[Sequence[Entry]], None]) -> None:
        """``call`` hears of entries once they are durable (notifications)."""
        self._watchers.append(call)

    def carry(self, name: str, part: str, spec: Mapping[str, Any], scope: dict[str, Any], then: Then) -> None:
        """Carry out an action that is no task's; ``then(result, failure)`` hears how it ended. The run waits for it."""
        self._aside += 1
        self._aside_count += 1
        attempt = Attempt(-1, name, self._aside_count, part)
        attempt.then = then

        def begin() -> None:
            self._begin(attempt, lambda: self._preparer.prepare_aside(attempt, spec, scope))

        attempt.again = begin
        begin()

    def record(self, kind: str, name: str, data: dict[str, Any]) -> None:
        """Journal something that is no transition: a log line, a warning, progress."""
        self._seq += 1
        self._entries.append(Entry(self._seq, self.clock.now(), kind, name, None, None, 0, self._hide(data)))

    def close_run(self, name: str, data: dict[str, Any], residue: int) -> None:
        """The rollback has been looked at: with this entry the run gets its exit code."""
        self.unverified, self.residue, self._concluding = False, residue, True
        self.record("log", name, data)

    def _watch(self, fd: int, call: Callable[[], None]) -> None:
        self._wakes[fd] = call
        self._epoll.register(fd, select.EPOLLIN)

    def _employ(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        supervisor.set_environment(self._preparer.base_env)
        self._watch(supervisor.fileno(), self._collect_ended)

    def _take(self, step: Step) -> None:
        for transition in step.transitions:
            self._seq += 1
            entry = self._entry(transition)
            self._entries.append(entry)
            if entry.data is not None and self._hide is not hide_nothing:
                self._warn_of_masks(transition, entry.data)
        self._commands += step.commands

    def _warn_of_masks(self, transition: Transition, kept: Mapping[str, Any]) -> None:
        """What uses a masked output gets the mask: better said than found out."""
        given = (transition.data or {}).get("outputs", {})
        masked = [key for key, value in kept.get("outputs", {}).items() if given.get(key, value) != value]
        if masked:
            self._seq += 1
            about = f"a secret is in its output {', '.join(masked)}: only the mask is kept and used"
            data = {"message": about}
            self._entries.append(
                Entry(self._seq, transition.at, "warning", transition.name, None, None, 0, data)
            )

    def _entry(self, transition: Transition) -> Entry:
        entry = to_entry(transition, self._seq)
        if transition.kind == "task":
            if transition.state == RUNNING:
                self._first_started.setdefault(transition.node, transition.at)
                if "inputs" in self._values.spec(transition.node):
                    entry = self._with_inputs(entry, transition.node)
            elif transition.state == "PENDING":
                self._first_started.pop(transition.node, None)
        if entry.data is not None:
            entry = entry._replace(data=self._hide(entry.data))
        self._values.take(entry)
        return entry

    def _with_inputs(self, entry: Entry, node: int) -> Entry:
        """Evaluated once, when the task starts, and durable before anything is done with them."""
        if entry.name in self._values.inputs_of:
            return entry
        try:
            inputs = render(self._values.spec(node)["inputs"], self._values.scope(node))
        except ExpressionError:
            return entry  # preparing the attempt meets the same error, and there it becomes its failure
        return entry._replace(data={**(entry.data or {}), "inputs": inputs})

    def _flush(self) -> None:
        while self._entries or self._commands:
            self._commit()
            commands, self._commands = self._commands, []
            for command in commands:
                self.perform(command)
            if self._to_expand and not self._commands:
                self._commit()
                self._expand()
        if self._supervisor is not None:
            self._supervisor.flush()

    def _commit(self) -> None:
        entries, self._entries = self._entries, []
        if not entries:
            return
        state = exit_code = ended = None
        for entry in entries:
            if entry.kind == "flow":
                state = entry.state
        if self._concluding or (state is not None and self.machine.over and not self._is_to_be_verified):
            ended, exit_code = entries[-1].time, self.exit_code
            self._concluding = False
        self._journal.append(
            self._run_id, entries, epoch=self._epoch, state=state, exit_code=exit_code, ended=ended
        )
        self._listeners.entries(entries)
        for call in self._watchers:
            call(entries)

    def _wait(self) -> None:
        now = self.clock.now()
        wish = self._listeners.tick(now)
        timeout = -1.0 if wish is None else max(wish, 0.0)
        if self._timers:
            until = max(self._timers[0][0] - now, 0.0)
            timeout = until if timeout < 0 else min(timeout, until)
        for fd, _ in self._epoll.poll(timeout):
            self._wakes[fd]()
        now = self.clock.now()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    @property
    def exit_code(self) -> int:
        """What the command ends with, once the machine is over."""
        run = self.machine.record.run
        if run == SUCCESS:
            return 0
        if run == REVERTED and not self.residue:
            return 128 + self.interrupted if self.interrupted else 1
        return 3

    @property
    def _is_to_be_verified(self) -> bool:
        return self.unverified and self.machine.record.run == REVERTED

    def finish_what_runs(self) -> None:
        """Wait for the processes under way, when nothing can be recorded any more: their supervisor writes down how
        they end, for whoever takes the run over. Nothing else is done.
        """
        supervisor = self._supervisor
        while supervisor is not None and any(a.action.MODE == "process" for a in self._attempts.values()):
            for fd, _ in self._epoll.poll():
                if fd == supervisor.fileno():
                    for ended in supervisor.receive():
                        self._attempts.pop(ended.key, None)
                    if supervisor.lost:
                        return
                elif self._threads is not None and fd == self._threads.fileno():
                    self._threads.receive()
                else:
                    self._wakes[fd]()

    @property
    def running(self) -> list[str]:
        """The tasks that have a process under way."""
        return list(dict.fromkeys(a.name for a in self._attempts.values() if a.action.MODE == "process"))

    def close(self) -> None:
        self._epoll.close()
        if self._threads is not None:
            self._threads.close()
        if self._supervisor is not None:
            self._supervisor.close(wait=False)

    # ------------------------------------------------------------------ commands

    def perform(self, command: c.Command) -> None:
        """Carry out one command that is durable already."""
        self._perform[type(command)](command)

    def take_over(self, attempt: Attempt, ended: Ended) -> None:
        """Judge an attempt that another process of taskrun had started."""
        attempt.started = (
            ended.status != "not-started"
        )  # whatever can be made of it here: it has to be undone
        try:
            self._preparer.prepare(attempt, self._scope(attempt))
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        attempt.started = True
        self.process_ended(attempt, ended)

    def _start_attempt(self, command: c.StartAttempt) -> None:
        node = command.node
        part = self._preparer.first_part(node)
        self._launch_locked(Attempt(node, self.machine.flow.names[node], command.attempt, part))

    def repeat(self, node: int, number: int) -> None:
        """Go on with an attempt that another process of taskrun had begun, and that acts once."""
        attempt = Attempt(node, self.machine.flow.names[node], number, DO)
        if self._preparer.has_begun(
            attempt
        ):  # its check, asked again, would find the deed done, and not by us
            attempt.part = self._preparer.part_after_check(node)
        else:
            attempt.part = self._preparer.first_part(node)
        self._launch_locked(attempt)

    def _start_revert(self, command: c.StartRevert) -> None:
        name = self.machine.flow.names[command.node]
        self._launch_locked(Attempt(command.node, name, command.attempt, REVERT))

    def _launch_locked(self, attempt: Attempt) -> None:
        """Wait for the lock that the task names, if it does; the machine counts it as running meanwhile."""
        template = self._values.spec(attempt.node).get("lock")
        if template is None:
            self._launch(attempt)
            return
        if attempt.stopping is not None:
            self._part_failed(attempt, ActionError("Cancelled", attempt.stopping["message"]))
            return
        self._attempts.pop(attempt.key, None)
        try:
            name = str(render(template, self._scope(attempt)))
            attempt.lock = self._lock(name, f"{self._run_id} {attempt.name}")
        except ExpressionError as error:
            self._part_failed(attempt, error)
        except HeldError:
            self._waiting_for_lock[attempt.node] = attempt
            self.at(self.clock.now() + LOCK_EVERY, lambda: self._launch_locked(attempt))
        else:
            self._waiting_for_lock.pop(attempt.node, None)
            self._launch(attempt)

    def _start_probe(self, command: c.StartProbe) -> None:
        name = self.machine.flow.names[command.node]
        attempt = Attempt(command.node, name, command.attempt, PROBE)
        attempt.asked = command.asked
        self._launch(attempt)

    def _stop_attempt(self, command: c.StopAttempt) -> None:
        for attempt in list(self._attempts.values()):
            if attempt.node == command.node and attempt.part in (CHECK, IMAGE, DO, VERIFY):
                self._stop(attempt)
        waiting = self._waiting_for_lock.get(command.node)
        if waiting is not None:
            waiting.stopping = dict(_CANCELLED)

    def _stop(self, attempt: Attempt) -> None:
        attempt.stopping = dict(_CANCELLED)
        if attempt.action.MODE == "process" and self._supervisor is not None:
            self._supervisor.stop(attempt.key)
        elif attempt.action.MODE == "timer":
            self._attempts.pop(attempt.key, None)
            self._part_failed(attempt, ActionError("Cancelled", attempt.stopping["message"]))
        else:
            for abort in attempt.context.aborts or ():
                abort()

    def _start_timer(self, command: c.StartTimer) -> None:
        node, due = command
        flow = self.machine.flow
        key = (flow.kinds[node], flow.names[node])
        self.at(due, lambda: self._timer_fired(key, due))

    def _timer_fired(self, key: tuple[int, str], due: float) -> None:
        """By name: a fan-out may have given the node another number meanwhile."""
        kind, name = key
        node = self._values.nodes[name] if kind == TASK else self._values.begins[name]
        self.receive(e.TimerFired(self.clock.now(), node, due))

    def _evaluate_condition(self, command: c.EvaluateCondition) -> None:
        now, (node, asked) = self.clock.now(), command
        try:
            holds = check_condition(self._values.condition(node))
        except ExpressionError as error:
            self.receive(e.ConditionDecided(now, node, False, _failure_of(error), asked))
        else:
            self.receive(e.ConditionDecided(now, node, holds, None, asked))

    def _evaluate_items(self, command: c.EvaluateItems) -> None:
        now, (node, asked) = self.clock.now(), command
        fans_out = self.machine.flow.expands[node]
        try:
            items = self._values.list_of(node)
            if not isinstance(items, list) or not (items or fans_out):
                what = "an empty list" if isinstance(items, list) else f"a {type(items).__name__}"
                raise ExpressionError(f"for_each must give a list with something in it, it gave {what}")
        except ExpressionError as error:
            self.receive(e.ItemsEvaluated(now, node, 0, None, _failure_of(error), asked))
        else:
            if fans_out:
                self.record(ITEMS, self.machine.flow.names[node], {"items": items})
                self._values.take(self._entries[-1])
                self._to_expand = True
            else:
                self.receive(e.ItemsEvaluated(now, node, len(items), {"values": items}, None, asked))

    def _expand(self) -> None:
        """A fan-out's list is durable: go on in the flow that has its items. Attempts keep their names."""
        self._to_expand = False
        old = self.machine
        definition = expand(self._definition, self._values.items)
        flow = compile_flow(definition)
        history = transitions(flow, self._journal.entries(self._run_id))
        self.machine = Machine.restore(flow, history, jobs=old.jobs, seed=self._seed)
        self._values.adopt(definition, flow, self.machine.record)
        for attempt in (*self._attempts.values(), *self._waiting_for_lock.values()):
            if attempt.then is None:
                attempt.node = self._values.nodes[attempt.name]
        self._waiting_for_lock = {each.node: each for each in self._waiting_for_lock.values()}
        self._first_started = {
            self._values.nodes[old.flow.names[node]]: at for node, at in self._first_started.items()
        }
        # Nothing has happened; but the machine looks at what it can do now.
        self.receive(e.TimerFired(self.clock.now(), 0, -1.0))

    # ------------------------------------------------------------------ parts of attempts

    def _launch(self, attempt: Attempt) -> None:
        """Begin the part that ``attempt.part`` names."""
        self._begin(attempt, lambda: self._preparer.prepare(attempt, self._scope(attempt)))

    def _begin(self, attempt: Attempt, prepare: Callable[[], None]) -> None:
        try:
            prepare()
            context = attempt.context
            if attempt.action.MODE != "process":
                # A thousand `echo`s shall not make a thousand files: what they say goes into the journal.
                log = self._log_of(attempt)
                attempt.context = context._replace(log=log, aborts=[], timeout=self._time_left(attempt))
            begin = self._begin_by_mode[attempt.action.MODE]
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        except OSError as error:
            self._part_failed(attempt, _of_system(error))
            return
        begin(attempt)

    def _log_of(self, attempt: Attempt) -> Callable[[str], None]:
        has_file = attempt.action.MODE == "thread" and attempt.call is None
        log = _FileLog(attempt.out) if has_file else attempt.lines.append
        hide = self._hide
        return log if hide is hide_nothing else lambda line: log(hide({"message": line})["message"])

    def _scope(self, attempt: Attempt) -> dict[str, Any]:
        if attempt.part == REVERT:
            return self._values.reverting_scope(attempt.node)
        if attempt.result is not None:
            return self._values.scope(attempt.node, result=attempt.result)
        return self._values.scope(attempt.node)

    def _time_left(self, attempt: Attempt) -> float | None:
        """Of the part's own limit, and of the deadline of all attempts together."""
        limit = attempt.context.timeout
        if attempt.then is not None:
            return ASIDE_TIMEOUT if limit is None else limit
        deadline = self._values.spec(attempt.node).get("deadline")
        if deadline is None or attempt.part == REVERT:
            return limit
        left = self._first_started.get(attempt.node, self.clock.now()) + deadline - self.clock.now()
        return max(float(left if limit is None else min(limit, left)), 0.001)

    def _begin_inline(self, attempt: Attempt) -> None:
        attempt.started = True
        try:
            result = attempt.action.do(attempt.fields, attempt.context)  # type: ignore[union-attr]
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
        else:
            self._part_succeeded(attempt, result.values)

    def _begin_timer(self, attempt: Attempt) -> None:
        try:
            seconds = attempt.action.duration(attempt.fields)  # type: ignore[union-attr]
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        limit = attempt.context.timeout
        attempt.started = True
        self._attempts[attempt.key] = attempt
        wait = seconds if limit is None else min(seconds, limit)
        self.at(self.clock.now() + wait, lambda: self._timer_over(attempt, limit, seconds))

    def _timer_over(self, attempt: Attempt, limit: float | None, seconds: float) -> None:
        if self._attempts.pop(attempt.key, None) is not attempt:
            return
        if limit is not None and limit < seconds:
            self._part_failed(attempt, _timeout(limit))
        else:
            self._begin_inline(attempt)

    def _begin_person(self, attempt: Attempt) -> None:
        """Only somebody knows: the machine suspends the run, as for any outcome that has to be asked for."""
        assert attempt.action.MODE == "person"
        failure = {"type": "Approval", "message": attempt.action.question(attempt.fields)}
        self._conclude(attempt, e.AttemptLost(self.clock.now(), attempt.node, attempt.number, failure))

    def _begin_thread(self, attempt: Attempt) -> None:
        if self._threads is None:
            self._threads = Threads()
            self._watch(self._threads.fileno(), self._collect_threads)
        self._attempts[attempt.key] = attempt
        self._threads.start(attempt, attempt.carry_out)

    def _collect_threads(self) -> None:
        assert self._threads is not None
        for attempt, result, error in self._threads.receive():
            self._attempts.pop(attempt.key, None)
            if error is None:
                self._part_succeeded(attempt, result.values)
            elif isinstance(error, ActionError | ExpressionError):
                self._part_failed(attempt, error)
            elif isinstance(error, OSError):
                self._part_failed(attempt, _of_system(error))
            else:
                raise error

    def _begin_process(self, attempt: Attempt) -> None:
        assert self._supervisor is not None
        try:
            spec = attempt.action.command(attempt.fields, attempt.context)  # type: ignore[union-attr]
            stdin = None if spec.stdin is None else _write_stdin(f"{attempt.out[:-4]}.in", spec.stdin)
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        except OSError as error:
            self._part_failed(attempt, _of_system(error))
            return
        attempt.started = True
        self._attempts[attempt.key] = attempt
        self._supervisor.spawn(
            Spawn(
                attempt.key,
                spec.argv,
                self._env_delta(spec.env),
                spec.cwd,
                stdin,
                attempt.out,
                attempt.err,
                self._time_left(attempt),
                GRACE,
                inherit=True,
            )
        )

    def _env_delta(self, env: Mapping[str, str]) -> dict[str, str | None]:
        """The supervisor has the common part already; a thousand tasks need not send it a thousand times."""
        common = self._preparer.base_env
        delta: dict[str, str | None] = {k: v for k, v in env.items() if common.get(k) is not v}
        if len(env) < len(common) + len(delta):
            delta.update(dict.fromkeys(name for name in common if name not in env))
        return delta

    def _collect_ended(self) -> None:
        assert self._supervisor is not None
        for ended in self._supervisor.receive():
            self._relief.worked()
            attempt = self._attempts.pop(ended.key, None)
            if attempt is not None:
                self.process_ended(attempt, ended)
        if self._supervisor.lost:
            self._relieve(self._supervisor)

    def _relieve(self, dead: Supervisor) -> None:
        """Somebody has killed the supervisor: settle what it had under way, and go on with another one."""
        self._epoll.unregister(dead.fileno())
        del self._wakes[dead.fileno()]
        dead.close(wait=False)
        attempts = [each for each in self._attempts.values() if each.action.MODE == "process"]
        found, supervisor = self._relief.take_over([each.key for each in attempts])
        self._employ(supervisor)
        self.record(
            "warning", self.machine.flow.name, {"message": "the supervisor was killed; another goes on"}
        )
        for attempt in attempts:
            self._attempts.pop(attempt.key, None)
            self._settle(attempt, found[attempt.key])

    def _settle(self, attempt: Attempt, outcome: Ended | Alive | Lost | NotStarted) -> None:
        """What became of a part whose supervisor is dead. Whatever it had begun was ended with it."""
        if isinstance(outcome, Ended):
            self.process_ended(attempt, outcome)
        elif attempt.again is not None and (isinstance(outcome, NotStarted) or attempt.part == VERIFY_REVERT):
            attempt.again()
        elif attempt.stopping is not None or attempt.then is not None:
            failure = attempt.stopping or _lost(outcome)
            attempt.started = isinstance(outcome, Lost)
            self._part_failed(attempt, ActionError(failure["type"], failure["message"]))
        elif isinstance(outcome, NotStarted) or attempt.part in (CHECK, VERIFY, PROBE):
            self._launch(attempt)  # a question may be asked again
        elif attempt.part == REVERT:
            self._conclude(attempt, e.RevertLost(self.clock.now(), attempt.node, attempt.number))
        else:
            now, failure = self.clock.now(), _lost(outcome)
            self._conclude(attempt, e.AttemptLost(now, attempt.node, attempt.number, failure))

    def process_ended(self, attempt: Attempt, ended: Ended) -> None:
        """Judge a process that is over: by the action if it exited, by how it was ended otherwise."""
        if ended.message and ended.status != "not-started":
            self.record("warning", attempt.name, {"message": ended.message})
        if attempt.stopping is not None:
            self._part_failed(attempt, ActionError("Cancelled", attempt.stopping["message"]))
        elif ended.timed_out:
            self._part_failed(attempt, _timeout(self._time_left_whole(attempt)))
        elif ended.status == "not-started":
            attempt.started = False
            self._part_failed(attempt, ActionError("NotStarted", ended.message))
        elif ended.status == "signaled":
            self._part_failed(attempt, ActionError("Signal", signal_message(ended.code), signal=ended.code))
        else:
            try:
                result = attempt.action.finish(  # type: ignore[union-attr]
                    attempt.fields, attempt.context, ended.code, attempt.out, attempt.err
                )
            except (ActionError, ExpressionError) as error:
                self._part_failed(attempt, error)
            except OSError as error:  # what it has written cannot be read
                self._part_failed(attempt, _of_system(error))
            else:
                self._part_succeeded(attempt, result.values)

    def _time_left_whole(self, attempt: Attempt) -> float | None:
        limit: float | None = attempt.context.timeout
        if attempt.then is not None:
            return ASIDE_TIMEOUT if limit is None else limit
        return self._values.spec(attempt.node).get("deadline") if limit is None else limit

    # ------------------------------------------------------------------ what became of a part

    def _conclude(self, attempt: Attempt, event: e.Event) -> None:
        """The attempt is over: nobody has to wait for its lock any more."""
        if attempt.lock is not None:
            attempt.lock.release()
            attempt.lock = None
        self.receive(event)

    def _part_succeeded(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        part, now = attempt.part, self.clock.now()
        if attempt.then is not None:
            self._aside -= 1
            attempt.then(result, None)
        elif part == CHECK:
            self._checked(attempt, result)
        elif part == IMAGE:
            self._imaged(attempt)
        elif part == DO:
            self._done(attempt, result)
        elif part == VERIFY:
            self._conclude(attempt, e.AttemptSucceeded(now, attempt.node, attempt.number, _carried(attempt)))
        elif part == REVERT:
            self._conclude(attempt, e.RevertSucceeded(now, attempt.node, attempt.number, _carried(attempt)))
        else:
            self._probed(attempt, result)

    def _checked(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        """Done already, unless the check says by its `done_if` that it is not."""
        check = self._values.spec(attempt.node)["check"]
        try:
            scope = self._values.scope(attempt.node, result=result)
            done = check_condition(parse(check["done_if"]).evaluate(scope)) if "done_if" in check else True
        except ExpressionError as error:
            attempt.started = False
            self._part_failed(attempt, error)
            return
        if done:
            self._succeed(attempt, result, already=True)
        else:
            attempt.part, attempt.started = self._preparer.part_after_check(attempt.node), False
            self._launch(attempt)

    def _imaged(self, attempt: Attempt) -> None:
        """What the task may change is kept: now it may begin."""
        if attempt.stopping is not None:
            self._part_failed(attempt, ActionError("Cancelled", attempt.stopping["message"]))
            return
        attempt.part = DO
        self._launch(attempt)

    def _done(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        if "verify" not in self._values.spec(attempt.node):
            self._succeed(attempt, result)
            return
        try:
            attempt.outputs = self._evaluate_outputs(attempt, result)
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        attempt.result = result
        attempt.part = VERIFY
        self._launch(attempt)

    def _succeed(self, attempt: Attempt, result: Mapping[str, Any], *, already: bool = False) -> None:
        try:
            attempt.outputs = self._evaluate_outputs(attempt, result)
        except (ActionError, ExpressionError) as error:
            self._part_failed(attempt, error)
            return
        self._conclude(
            attempt,
            e.AttemptSucceeded(self.clock.now(), attempt.node, attempt.number, _carried(attempt), already),
        )

    def _evaluate_outputs(self, attempt: Attempt, result: Mapping[str, Any]) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        if attempt.action.MODE == "process":
            path = attempt.context.env["TASKRUN_OUTPUT"]
            if os.path.exists(path):
                outputs = parse_outputs(path)
        declared = self._values.spec(attempt.node).get("outputs")
        if declared:
            scope = self._values.scope(attempt.node, result=result)
            for name, source in declared.items():
                outputs[name] = parse(source).evaluate(scope)
        return outputs

    def _part_failed(self, attempt: Attempt, error: ActionError | ExpressionError) -> None:
        failure = _failure_of(error)
        part, now, node, number = attempt.part, self.clock.now(), attempt.node, attempt.number
        if attempt.then is not None:
            self._aside -= 1
            attempt.then(None, failure)
        elif part == CHECK and attempt.started and attempt.stopping is None:
            attempt.part, attempt.started = self._preparer.part_after_check(attempt.node), False
            self._launch(attempt)
        elif part in (CHECK, IMAGE, DO, VERIFY):
            if part == VERIFY:
                failure = {**failure, "type": "VerifyFailed", "message": f"verify: {failure['message']}"}
            self._attempt_failed(attempt, error, failure)
        elif part == REVERT:
            final = failure["type"] == "Drift"  # trying again would find the same
            self._conclude(attempt, e.RevertFailed(now, node, number, failure, final))
        else:
            self._probe_failed(attempt, failure)

    def _attempt_failed(
        self, attempt: Attempt, error: ActionError | ExpressionError, failure: dict[str, Any]
    ) -> None:
        now, node, number = self.clock.now(), attempt.node, attempt.number
        task = self._values.spec(node)
        if failure.get("outcome") == "unknown" and ("probe" in task or "on_lost" in task):
            self._conclude(attempt, e.AttemptLost(now, node, number, failure))
            return
        words = task.get("retry", {}).get("on", ())
        retryable = attempt.stopping is None and matches(failure, words)
        deadline = task.get("deadline")
        if deadline is not None and now >= self._first_started.get(node, now) + deadline:
            retryable = False
        if isinstance(error, UnexpectedResultError):
            attempt.outputs = self._outputs_of_failure(attempt, error.result.values)
        started = attempt.started or attempt.part == VERIFY
        self._conclude(
            attempt, e.AttemptFailed(now, node, number, failure, _carried(attempt), started, retryable)
        )

    def _outputs_of_failure(self, attempt: Attempt, result: Mapping[str, Any]) -> dict[str, Any]:
        """What can be had of a failed attempt's outputs: its undo may need them. The rest is null."""
        scope = self._values.scope(attempt.node, result=result)
        outputs: dict[str, Any] = {}
        for name, source in self._values.spec(attempt.node).get("outputs", {}).items():
            try:
                outputs[name] = parse(source).evaluate(scope)
            except (ExpressionError, ActionError):
                outputs[name] = None
        return outputs

    def _probed(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        probe = self._values.spec(attempt.node)["probe"]
        scope = self._values.scope(attempt.node, result=result)
        now = self.clock.now()
        try:
            done = check_condition(parse(probe["done_if"]).evaluate(scope)) if "done_if" in probe else True
            data = None
            if done and "outputs" in probe:
                data = {"outputs": {n: parse(s).evaluate(scope) for n, s in probe["outputs"].items()}}
        except ExpressionError as error:
            self._probe_failed(attempt, _failure_of(error))
            return
        self._conclude(attempt, e.ProbeAnswered(now, attempt.node, attempt.number, done, data, attempt.asked))

    def _probe_failed(self, attempt: Attempt, failure: Mapping[str, Any]) -> None:
        """A program that says no by its exit code has answered; anything else could not tell."""
        says_no = failure["type"] == "ExitCode" and failure.get("exit_code") == 1
        done = False if says_no and "done_if" not in self._values.spec(attempt.node)["probe"] else None
        if done is None:
            self.record(
                "warning", attempt.name, {"message": f"the probe could not tell: {failure['message']}"}
            )
        self._conclude(
            attempt,
            e.ProbeAnswered(self.clock.now(), attempt.node, attempt.number, done, None, attempt.asked),
        )


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


def _write_stdin(path: str, data: bytes) -> str:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    return path


def _failure_of(error: TaskrunError) -> dict[str, Any]:
    if isinstance(error, ActionError):
        return error.as_failure()
    return {"type": "ExpressionError", "message": error.message}


def _of_system(error: OSError) -> ActionError:
    """A full disk, a file that is gone: the attempt's failure, and no bug."""
    where = f"{error.filename}: " if error.filename else ""
    return ActionError(type(error).__name__, f"{where}{error.strerror or error}")


def _lost(outcome: Alive | Lost | NotStarted) -> dict[str, Any]:
    message = (
        outcome.message if isinstance(outcome, Lost) else "its supervisor was killed before it was started"
    )
    return {"type": "Lost", "message": message}


def _timeout(limit: float | None) -> ActionError:
    return ActionError("Timeout", f"no end after {limit:g} s" if limit is not None else "out of time")


def _carried(attempt: Attempt) -> dict[str, Any] | None:
    """What the journal keeps of an attempt beside its state."""
    data: dict[str, Any] = {}
    if attempt.outputs:
        data["outputs"] = attempt.outputs
    if attempt.lines:
        data["message"] = "\n".join(attempt.lines)[:MESSAGE_LIMIT]
    return data or None
