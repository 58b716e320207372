"""What the parts of a machine share: the facts, what is in flight, what is ready either way, and the moves."""

from typing import Any

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.backward import Backward
from taskrun.engine.flow import Flow
from taskrun.engine.forward import Forward
from taskrun.engine.inflight import PROBING, InFlight
from taskrun.engine.record import FORWARD, ROLLING, RUN, Record, Transition
from taskrun.engine.states import (
    FAILURE,
    FLOW_MOVES,
    PENDING,
    RETRY_MOVES,
    REVERTED,
    RUNNING,
    SUSPENDING,
    TASK_MOVES,
    State,
)
from taskrun.errors import InvalidTransition


class Core:
    """``draining``: flows that are to run again, but in which something still goes forward."""

    def __init__(self, flow: Flow, jobs: int, seed: int) -> None:
        self.flow = flow
        self.seed = seed
        self.record = Record(flow)
        self.inflight = InFlight(self.record, jobs)
        self.forward = Forward(flow, self.record, self.inflight)
        self.backward = Backward(flow, self.record, self.inflight)
        self.draining: dict[int, None] = {}
        self.falls = 0  # how often something was brought down
        self.at = 0.0
        self.transitions: list[Transition] = []
        self.commands: list[c.Command] = []

    # ------------------------------------------------------------------ moves

    def move_task(
        self, node: int, state: State, attempt: int | None = None, data: e.Data | None = None
    ) -> None:
        old = self.record.state[node]
        if (old, state) not in TASK_MOVES:
            raise InvalidTransition(f"task {self.flow.names[node]}: {old} -> {state}")
        if attempt is None:
            attempt = self.record.attempt[node]
        self._emit(Transition("task", node, self.flow.names[node], old, state, self.at, attempt, data))

    def move_retry(self, node: int, state: State, data: e.Data | None = None) -> None:
        old = self.record.state[node]
        if (old, state) not in RETRY_MOVES:
            raise InvalidTransition(f"retry {self.flow.names[node]}: {old} -> {state}")
        attempt = self.record.attempt[node] + (state == RUNNING)
        self._emit(Transition("retry", node, self.flow.names[node], old, state, self.at, attempt, data))

    def move_flow(self, state: State, data: e.Data | None = None) -> None:
        old = self.record.run
        if (old, state) not in FLOW_MOVES:
            raise InvalidTransition(f"flow {self.flow.name}: {old} -> {state}")
        self._emit(Transition("flow", RUN, self.flow.name, old, state, self.at, 1, data))

    def note(self, kind: str, node: int, attempt: int, data: e.Data | None = None) -> None:
        """Record something about a node whose state stays as it is."""
        state = self.record.state[node]
        self._emit(Transition(kind, node, self.flow.names[node], state, state, self.at, attempt, data))

    def _emit(self, transition: Transition) -> None:
        self.record.apply(transition)
        self.transitions.append(transition)

    # ------------------------------------------------------------------ questions

    def is_stopped(self, node: int) -> bool:
        return bool(self.record.scopes) and self.record.is_stopped(self.flow.section[node])

    def goes_forward(self, node: int) -> bool:
        """Is this node neither in a failed run nor in a flow that is to run again?"""
        return self.record.phase == FORWARD and not self.is_stopped(node)

    def is_draining(self, node: int) -> bool:
        sections = self.flow.sections
        return any(sections[s].begin <= node <= sections[s].end for s in self.draining)

    def is_rolling(self, node: int) -> bool:
        """Is an undo of the run, or of a flow around this node, under way?"""
        if self.record.phase == FORWARD:
            return self.is_stopped(node) and not self.is_draining(node)
        return self.record.phase == ROLLING

    # ------------------------------------------------------------------ what several parts do

    def start_over(self, node: int) -> None:
        """Nothing of it is left: as if it had never been started."""
        lost = {"lost": True} if self.record.state[node] == REVERTED else None
        self.move_task(node, PENDING, data=lost)
        self.forward.push(node)

    def start_probe(self, node: int) -> None:
        self.inflight.busy[node] = PROBING
        self.commands.append(c.StartProbe(node, self.record.attempt[node], self.record.asked[node]))

    def wait(self, node: int, due: float) -> None:
        self.inflight.wait(node, due)
        self.commands.append(c.StartTimer(node, due))

    def clear(self, node: int) -> None:
        """Nothing of this node holds back an undo any more."""
        if self.is_rolling(node):
            self.backward.clear(node)

    def bring_down(self, scope: int, failure: e.Data | None) -> None:
        """A failure, recorded already, stops the run or the flow that is to run again."""
        self.falls += 1
        if scope == RUN:
            if self.record.run == RUNNING:
                self.fail_run(failure)
            return
        scopes = self.record.scopes
        if scope not in scopes:
            return  # a flow around it is coming down already
        self.draining = {each: None for each in self.draining if each in scopes}
        self.draining[scope] = None
        _, _, lo, hi, _ = self.flow.sections[scope]
        self.inflight.drop_waits_within(lo, hi)
        self.backward.forget(lo, hi)

    def suspend(self, reason: str = "") -> None:
        """Start nothing more; what runs may end."""
        self.move_flow(SUSPENDING, {"reason": reason} if reason else None)
        self.inflight.drop_waits()

    def fail_run(self, failure: e.Data | None, **more: Any) -> None:
        if failure is not None:
            more["failure"] = failure
        self.move_flow(FAILURE, more or None)
        self.draining.clear()
        self.inflight.drop_waits()
        self.backward.forget(0, len(self.flow))
