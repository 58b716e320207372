"""The driver for one machine: real processes under a supervisor, the SQLite journal, one loop, one commit a tick.

    run()
      _flush()    journal what was decided, carry the commands out, tell the listeners; again while that
                  itself decides something (an `echo` is done at once)
      Loop.wait() one epoll for ended attempts, threads, signals; timers and listeners say how long

    command -> Launcher -> Carriers or Processes -> Judge -> the attempt's next part, or an event for the machine

What is decided is committed before any of it is told or done. Nothing here decides: see ``taskrun.engine``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taskrun.actions.steady import CLOCK
from taskrun.drivers.attempt import CHECK, DO, IMAGE, PROBE, REVERT, VERIFY, Attempt, Preparer, Then
from taskrun.drivers.carriers import Carriers
from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import CANCELLED
from taskrun.drivers.hiding import hide_nothing, hiding
from taskrun.drivers.judge import Judge
from taskrun.drivers.launcher import Launcher, TakeLock
from taskrun.drivers.limits import Limits
from taskrun.drivers.loop import Loop
from taskrun.drivers.processes import Processes
from taskrun.drivers.questions import evaluate_condition, evaluate_items
from taskrun.drivers.recall import transitions
from taskrun.drivers.recorder import Recorder
from taskrun.drivers.relief import Relief
from taskrun.drivers.values import ITEMS, Values
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.expand import expand
from taskrun.engine.flow import TASK, compile_flow
from taskrun.engine.machine import Machine
from taskrun.engine.states import REVERTED, SUCCESS
from taskrun.errors import ActionError, ExpressionError
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Ended
from taskrun.journal.base import Entry, Journal
from taskrun.listeners.base import Listeners

if TYPE_CHECKING:
    from taskrun.drivers.masking import Masker


class LocalDriver:
    """Drives one run to its end. What has to be watched or done at a time beside it goes into its ``loop``."""

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
        masker: "Masker | None" = None,
    ) -> None:
        self.machine = machine
        self.clock = clock = clock or Clock()
        self.loop = loop = Loop(clock)
        self.interrupted = 0  # the signal that ended the run early
        self.unverified = False  # the end of a rollback is not the run's end: it is still to be looked at
        self.residue = 0  # what was found then
        self._concluding = False
        self._values = values
        self._preparer = preparer
        self._journal = journal
        self._listeners = listeners
        self._run_id = run_id
        self._definition = definition
        self._seed = seed
        self._commands: list[c.Command] = []
        self._attempts: dict[str, Attempt] = {}
        self._aside = self._aside_count = 0
        self._to_expand = False
        self._masker = masker
        hide = hide_nothing if masker is None else hiding(masker.value)
        self._limits = limits = Limits(values, clock)
        self._recorder = Recorder(
            journal, listeners, values, limits, clock, run_id=run_id, epoch=epoch, seq=seq, hide=hide
        )
        judge = Judge(values, preparer, limits, clock, self.receive, self._go_on, self._warn)
        self._launcher = Launcher(
            values, preparer, limits, clock, loop, judge, run_id=run_id, lock=lock, hide=hide
        )
        self._carriers = Carriers(self._attempts, judge, loop, clock)
        self._processes = Processes(
            self._attempts,
            supervisor,
            relief,
            preparer.base_env,
            judge,
            limits,
            loop,
            clock,
            begin_again=self._go_on,
            warn=self._warn,
            record=self.record,
            run_name=machine.flow.name,
            masker=masker,
        )
        self._judge = judge
        self._launcher.carriers = {
            "inline": self._carriers.inline,
            "timer": self._carriers.timer,
            "thread": self._carriers.thread,
            "person": self._carriers.person,
            "process": self._processes.begin,
        }
        self._perform: dict[type, Callable[[Any], None]] = {
            c.StartAttempt: self._start_attempt,
            c.StartRevert: self._start_revert,
            c.StartProbe: self._start_probe,
            c.StopAttempt: self._stop_attempt,
            c.StartTimer: self._start_timer,
            c.EvaluateCondition: self._evaluate_condition,
            c.EvaluateItems: self._evaluate_items,
        }

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Until the run is over. Errors of the journal go up: what is not recorded must not happen."""
        while True:
            self._flush()
            if self.machine.over and not self._aside:
                return
            now = self.clock.now()
            self.loop.wait(self._listeners.tick(now), now)

    def receive(self, event: e.Event) -> None:
        """Let the machine decide; the step is recorded and carried out at the next flush."""
        step = self.machine.receive(event)
        self._recorder.take(step.transitions)
        self._commands += step.commands

    def record(self, kind: str, name: str, data: dict[str, Any]) -> None:
        """Journal something that is no transition: a log line, a warning, progress."""
        self._recorder.record(kind, name, data)

    def after_commit(self, call: Callable[[Sequence[Entry]], None]) -> None:
        """``call`` hears of entries once they are durable (notifications)."""
        self._recorder.after_commit(call)

    def carry(self, name: str, part: str, spec: Mapping[str, Any], scope: dict[str, Any], then: Then) -> None:
        """Carry out an action that is no task's; ``then(result, failure)`` hears how it ended. The run waits for it."""
        self._aside += 1
        self._aside_count += 1
        attempt = Attempt(-1, name, self._aside_count, part)

        def over(result: Mapping[str, Any] | None, failure: Mapping[str, Any] | None) -> None:
            self._aside -= 1
            then(result, failure)

        def begin() -> None:
            self._launcher.begin(attempt, lambda: self._preparer.prepare_aside(attempt, spec, scope))

        attempt.then, attempt.again = over, begin
        begin()

    def halt(self, stop_process: Callable[[], None]) -> None:
        """Stand still, and all that runs with it, until ``stop_process`` comes back; no limit runs out meanwhile."""
        self._processes.pause()
        CLOCK.halt()
        try:
            stop_process()
        finally:
            seconds = CLOCK.go_on()
            self.loop.put_off(seconds)
            self._limits.put_off(seconds)
            self._processes.resume()

    def close_run(self, name: str, data: dict[str, Any], residue: int) -> None:
        """The rollback has been looked at: with this entry the run gets its exit code."""
        self.unverified, self.residue, self._concluding = False, residue, True
        self.record("log", name, data)

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
    def running(self) -> list[str]:
        """The tasks that have a process under way."""
        return list(dict.fromkeys(attempt.name for attempt in self._processes.running))

    def finish_what_runs(self) -> None:
        """Wait for the processes under way, when nothing can be recorded any more."""
        self._carriers.fall_silent()
        self._processes.see_out()

    def close(self) -> None:
        self.loop.close()
        self._carriers.close()
        self._processes.close()
        if self._masker is not None and not self._attempts:
            self._mask_leftovers(self._masker)

    def _mask_leftovers(self, masker: "Masker") -> None:
        """What was written by attempts whose supervisor was killed."""
        from taskrun.executors.written import mask_folder  # noqa: PLC0415 - only with secrets

        mask_folder(self._preparer.out_dir, masker.matcher)

    def _flush(self) -> None:
        while self._recorder.waiting or self._commands:
            self._commit()
            try:
                self._carry_out()
                self._processes.flush()
            finally:
                self._recorder.tell()
        self._processes.flush()

    def _carry_out(self) -> None:
        """What has been decided, now that it is durable."""
        commands, self._commands = self._commands, []
        for command in commands:
            self.perform(command)
        if self._to_expand and not self._commands:
            self._commit()
            self._expand()

    def _commit(self) -> None:
        recorder = self._recorder
        if not recorder.waiting:
            return
        unverified = self.unverified and self.machine.record.run == REVERTED
        is_end = self._concluding or (recorder.run_state is not None and self.machine.over and not unverified)
        if is_end:
            self._concluding = False
        recorder.commit(self.exit_code if is_end else None, is_end=is_end)

    def _warn(self, name: str, message: str) -> None:
        self.record("warning", name, {"message": message})

    def _go_on(self, attempt: Attempt) -> None:
        self._launcher.launch(attempt)

    # ------------------------------------------------------------------ commands

    def perform(self, command: c.Command) -> None:
        """Carry out one command that is durable already."""
        self._perform[type(command)](command)

    def take_over(self, attempt: Attempt, ended: Ended) -> None:
        """Judge an attempt that another process of taskrun had started."""
        # Whatever can be made of it here: it has to be undone.
        attempt.started = ended.status != "not-started"
        try:
            self._preparer.prepare(attempt, self._launcher.scope(attempt))
        except (ActionError, ExpressionError) as error:
            self._judge.failed(attempt, error)
            return
        attempt.started = True
        self._processes.ended(attempt, ended)

    def repeat(self, node: int, number: int) -> None:
        """Go on with an attempt that another process of taskrun had begun, and that acts once."""
        attempt = Attempt(node, self.machine.flow.names[node], number, DO)
        if self._preparer.has_begun(attempt):
            # Its check, asked again, would find the deed done, and not by us.
            attempt.part = self._preparer.part_after_check(node)
        else:
            attempt.part = self._preparer.first_part(node)
        self._launcher.launch_locked(attempt)

    def _start_attempt(self, command: c.StartAttempt) -> None:
        node = command.node
        part = self._preparer.first_part(node)
        self._launcher.launch_locked(Attempt(node, self.machine.flow.names[node], command.attempt, part))

    def _start_revert(self, command: c.StartRevert) -> None:
        name = self.machine.flow.names[command.node]
        self._launcher.launch_locked(Attempt(command.node, name, command.attempt, REVERT))

    def _start_probe(self, command: c.StartProbe) -> None:
        name = self.machine.flow.names[command.node]
        attempt = Attempt(command.node, name, command.attempt, PROBE)
        attempt.asked = command.asked
        self._launcher.launch(attempt)

    def _stop_attempt(self, command: c.StopAttempt) -> None:
        for attempt in list(self._attempts.values()):
            if attempt.node == command.node and attempt.part in (CHECK, IMAGE, DO, VERIFY):
                attempt.stopping = dict(CANCELLED)
                carrier = self._processes if attempt.action.MODE == "process" else self._carriers
                carrier.stop(attempt)
        waiting = self._launcher.waiting.get(command.node)
        if waiting is not None:
            waiting.stopping = dict(CANCELLED)

    def _start_timer(self, command: c.StartTimer) -> None:
        node, due = command
        flow = self.machine.flow
        key = (flow.kinds[node], flow.names[node])
        self.loop.at(due, lambda: self._timer_fired(key, due))

    def _timer_fired(self, key: tuple[int, str], due: float) -> None:
        """By name: a fan-out may have given the node another number meanwhile."""
        kind, name = key
        node = self._values.nodes[name] if kind == TASK else self._values.begins[name]
        self.receive(e.TimerFired(self.clock.now(), node, due))

    def _evaluate_condition(self, command: c.EvaluateCondition) -> None:
        evaluate_condition(command, self._values, self.clock, self.receive)

    def _evaluate_items(self, command: c.EvaluateItems) -> None:
        evaluate_items(command, self._values, self.clock, self.receive, self._fan_out)

    # ------------------------------------------------------------------ fan-outs

    def _fan_out(self, node: int, items: list[Any]) -> None:
        entry = self._recorder.record(ITEMS, self.machine.flow.names[node], {"items": items})
        self._values.take(entry)
        self._to_expand = True

    def _expand(self) -> None:
        """A fan-out's list is durable: go on in the flow that has its items. Attempts keep their names."""
        self._to_expand = False
        old = self.machine
        definition = expand(self._definition, self._values.spread)
        flow = compile_flow(definition)
        history = transitions(flow, self._journal.entries(self._run_id))
        now = self.clock.now()
        self.machine = Machine.restore(flow, history, jobs=old.jobs, seed=self._seed, at=now)
        self._values.adopt(definition, flow, self.machine.record)
        waiting = self._launcher.waiting
        for attempt in (*self._attempts.values(), *waiting.values()):
            if attempt.then is None:
                attempt.node = self._values.nodes[attempt.name]
        self._launcher.waiting = {each.node: each for each in waiting.values()}
        self._limits.renumber(old.flow.names.__getitem__, self._values.nodes)
        # Nothing has happened; but the machine looks at what it can do now.
        self.receive(e.TimerFired(self.clock.now(), 0, -1.0))
