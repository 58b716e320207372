"""The deciding core of one run.

    receive(event)
      -> a handler (one for each kind of event) moves what the event speaks of
      -> rules of the run, applied until none of them moves anything:
           a drained flow begins its undo, a failed run rolls back, an undone flow runs again,
           free places are given to undos first and then to the first ready node in file order,
           what is finished ends.

A result that comes late or twice finds its attempt over and is ignored; see ``InFlight.is_current``.
What going forward, undoing, unknown outcomes and people's wishes mean is told in modules of their own; this one says
in which order they come.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.asking import Asking
from taskrun.engine.core import Core
from taskrun.engine.doing import Doing
from taskrun.engine.flow import BEGIN, ROOT, Flow
from taskrun.engine.record import FAILED, FORCED, ROLLING, Record, Transition
from taskrun.engine.rerunning import Rerunning
from taskrun.engine.scopes import is_past_pivot
from taskrun.engine.states import (
    FAILURE,
    FLOW_ENDED,
    PENDING,
    REVERTED,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    SUSPENDING,
    UNKNOWN,
)
from taskrun.engine.undoing import Undoing
from taskrun.engine.unknown import Unknown
from taskrun.errors import InvalidTransition


class Step(NamedTuple):
    """What to make durable, then what to do."""

    transitions: list[Transition]
    commands: list[c.Command]


class Machine:
    """One run of a flow. ``jobs`` attempts at most are under way; ``seed`` spreads retries that ask for jitter."""

    def __init__(self, flow: Flow, *, jobs: int = 1, seed: int = 0) -> None:
        self.flow = flow
        self.jobs = jobs
        self._core = core = Core(flow, jobs, seed)
        self._doing = doing = Doing(core)
        self._undoing = undoing = Undoing(core)
        self._rerunning = rerunning = Rerunning(core, doing)
        self._unknown = unknown = Unknown(core, doing, undoing)
        self._asking = asking = Asking(core, unknown)
        self._handlers: dict[type, Callable[[Any], None]] = {
            e.RunRequested: self._on_run,
            e.ConditionDecided: doing.on_condition,
            e.ItemsEvaluated: doing.on_items,
            e.AttemptSucceeded: doing.on_success,
            e.AttemptFailed: doing.on_failure,
            e.AttemptLost: unknown.on_lost,
            e.ProbeAnswered: unknown.on_probe,
            e.RevertSucceeded: undoing.on_reverted,
            e.RevertFailed: undoing.on_revert_failure,
            e.RevertLost: undoing.on_revert_lost,
            e.TimerFired: self._on_timer,
            e.SuspendRequested: asking.on_suspend,
            e.CancelRequested: asking.on_cancel,
            e.ResumeRequested: asking.on_resume,
            e.RevertRequested: asking.on_revert,
            e.Resolved: unknown.on_resolved,
        }
        # In this order, until none moves anything: see the module's docstring.
        self._rules: tuple[Callable[[], bool], ...] = (
            rerunning.undo_drained,
            self._roll_back,
            rerunning.rerun_undone,
            self._dispatch,
            self._finish,
        )

    # ------------------------------------------------------------------ the doors

    def receive(self, event: e.Event) -> Step:
        """Take in one event; the answer is to be journaled first and carried out after.

        Raises:
            RefusedError: a person asked for what cannot be; nothing has changed.
            InvalidTransition: a bug in here; the machine is not to be used any more.

        """
        core = self._core
        core.at = event.at
        core.transitions, core.commands = [], []
        self._handlers[type(event)](event)
        moved = True
        while moved:
            moved = False
            for rule in self._rules:
                moved |= rule()
        return Step(core.transitions, core.commands)

    def apply(self, transition: Transition) -> None:
        """The only way state changes."""
        self.record.apply(transition)

    @classmethod
    def restore(
        cls, flow: Flow, journal: Iterable[Transition], *, jobs: int = 1, seed: int = 0, at: float = 0.0
    ) -> Self:
        """The machine as it was after these transitions, with nothing decided again.

        ``at`` is the present for a machine that goes on at once: what had its time since the last transition waits no more.
        """
        machine = cls(flow, jobs=jobs, seed=seed)
        for transition in journal:
            machine.apply(transition)
        machine._core.at = max(machine.record.at, at)
        machine._asking.rebuild()
        return machine

    @property
    def record(self) -> Record:
        """The facts; only to be read."""
        return self._core.record

    def pending(self) -> tuple[c.Command, ...]:
        """What is in flight: what a restart must settle, in node order."""
        return tuple(self._core.inflight.commands())

    @property
    def over(self) -> bool:
        """Nothing will happen any more unless somebody asks for it."""
        run = self.record.run
        return run in FLOW_ENDED or (run == FAILURE and self.record.phase == ROLLING)

    # ------------------------------------------------------------------ events of the run itself

    def _on_run(self, _event: e.RunRequested) -> None:
        if self.record.run == PENDING:
            self._core.move_flow(RUNNING)
            self._core.forward.begin()

    def _on_timer(self, event: e.TimerFired) -> None:
        node, inflight = event.node, self._core.inflight
        if inflight.waiting.get(node) != event.due:
            return
        inflight.end_wait(node)
        if self.flow.kinds[node] == BEGIN:
            self._doing.run_controller(node)
        elif self.record.state[node] == REVERTING:
            self._undoing.end_wait(node)
        elif self.jobs == 1:
            self._doing.run_task(node)  # in the place it has kept
        else:
            self._core.forward.push(node)

    # ------------------------------------------------------------------ rules

    def _dispatch(self) -> bool:
        """Give free places to undos first, then to the first ready node in file order."""
        inflight, forward, backward, moved = (
            self._core.inflight,
            self._core.forward,
            self._core.backward,
            False,
        )
        falls = self._core.falls
        while len(inflight.busy) < inflight.jobs and self.record.run in (RUNNING, REVERTING):
            if backward.reached or self._core.falls != falls:
                break  # a flow that is undone, or has nothing to undo, runs again before anything else starts
            if not backward.is_empty:
                self._undoing.start(backward.pop())
            elif self.record.run == REVERTING:
                break
            else:
                node = forward.pop()
                if node is None:
                    break
                (self._unknown if self.record.state[node] == UNKNOWN else self._doing).start(node)
            moved = True
        return moved

    def _roll_back(self) -> bool:
        """A failed run that has drained is undone, or left for a person where the file says so."""
        core, record = self._core, self.record
        if record.run == RUNNING and record.doomed:
            core.fail_run(None)
            return True
        if record.run != FAILURE or record.phase != FAILED:
            return False
        if not core.inflight.is_drained(0, len(self.flow)):
            return False
        if self._is_to_stop():
            if core.inflight.busy:
                return False
            core.move_flow(SUSPENDED)
        else:
            core.move_flow(REVERTING)
            self._undoing.take_up_waits()
            core.backward.begin(ROOT)
        return True

    def _is_to_stop(self) -> bool:
        record = self.record
        if record.ordered != FORCED and is_past_pivot(record, 0, len(self.flow), record.floor):
            return True
        return self.flow.on_failure != "revert" and not record.ordered

    def _finish(self) -> bool:
        core, run = self._core, self.record.run
        if core.inflight.busy or run not in (RUNNING, REVERTING, SUSPENDING):
            return False
        if run == SUSPENDING:
            core.move_flow(SUSPENDED)
        elif core.inflight.waiting or not core.backward.is_empty:
            return False
        elif run == RUNNING:
            if not core.forward.complete or self.record.scopes:
                return self._expect_progress()  # what is to run again is not done, whatever it has reached
            core.move_flow(SUCCESS)
        elif self.record.residue():
            core.move_flow(FAILURE)
        else:
            core.move_flow(SUSPENDED if self.record.floor else REVERTED)
        return True

    def _expect_progress(self) -> bool:
        """Called when nothing is in flight: then something has to be ready, or the run would stand for ever."""
        core = self._core
        if core.forward.is_empty and not core.draining and not core.backward.reached:
            raise InvalidTransition(f"flow {self.flow.name}: nothing is left to do, and it is not complete")
        return False
