"""Outcomes that a crash took: a probe decides, then the task's `on_lost`, then a person."""

from taskrun.engine import events as e
from taskrun.engine.backward import HOLD
from taskrun.engine.core import Core
from taskrun.engine.doing import Doing
from taskrun.engine.inflight import DOING, PROBING
from taskrun.engine.record import AGAIN, ROLLING, SILENT
from taskrun.engine.states import (
    PENDING,
    REVERT_FAILURE,
    REVERTED,
    RUNNING,
    SUCCESS,
    UNKNOWN,
)
from taskrun.engine.undoing import Undoing
from taskrun.errors import RefusedError

SKIP = "skip"
_VERDICTS = {
    (UNKNOWN, "done"): SUCCESS,
    (UNKNOWN, "not-done"): PENDING,
    (UNKNOWN, "undone"): REVERTED,
    (REVERT_FAILURE, "undone"): REVERTED,
}


class Unknown:
    def __init__(self, core: Core, doing: Doing, undoing: Undoing) -> None:
        self._core = core
        self._doing = doing
        self._undoing = undoing
        self._flow = core.flow
        self._record = core.record

    def on_lost(self, event: e.AttemptLost) -> None:
        node = event.node
        if not self._core.inflight.is_current(node, DOING, event.attempt):
            return
        data = {"failure": event.failure} if event.failure else None
        self._core.move_task(node, UNKNOWN, event.attempt, data)
        if self._flow.probed[node]:
            self._core.start_probe(node)
        else:
            del self._core.inflight.busy[node]
            self._settle(node)

    def on_probe(self, event: e.ProbeAnswered) -> None:
        node = event.node
        inflight = self._core.inflight
        if not (
            inflight.is_current(node, PROBING, event.attempt)
            and inflight.is_answer(node, PROBING, event.asked)
        ):
            return
        del self._core.inflight.busy[node]
        if event.done is None:
            self._core.note("log", node, event.attempt, {"probe": SILENT})
            self._settle(node)
        else:
            self._core.move_task(node, SUCCESS if event.done else PENDING, data=event.data)
            self._go_on(node, held=True)

    # ------------------------------------------------------------------ no probe decided

    def start(self, node: int) -> None:
        """The run goes on, there is a place, and this outcome is still unknown: ask the probe again, or settle."""
        if self._record.probes.get(node) == AGAIN:
            self._core.note("log", node, self._record.attempt[node], {"probe": "asked"})
            self._core.start_probe(node)
        else:
            self._settle(node)

    def _settle(self, node: int) -> None:
        """While the run goes on `on_lost` decides, in a place that is free; in a rollback the undo will."""
        if self._record.run != RUNNING:
            return
        policy = self._flow.on_lost[node]
        name = self._flow.names[node]
        if policy == "ask":
            self._core.suspend(f"the outcome of {name} is unknown")
        elif self._core.is_stopped(node):
            return
        elif policy == "approve":
            self._core.suspend(f"{name} waits for somebody's word")
        else:
            (self._doing.run_task if policy == "rerun" else self._undoing.start)(node)

    def settle_all(self) -> None:
        """The run goes on: ask for what only a person can settle. The rest is in the queues already."""
        for node in self._flow.tasks:
            state = self._record.state[node]
            if self._record.run != RUNNING:
                return
            if state == UNKNOWN and node not in self._core.inflight.busy:
                self._ask_for(node)
            elif self._record.is_given_up(node):
                self._core.suspend(f"{self._flow.names[node]} cannot be undone, so it cannot be done again")

    def _ask_for(self, node: int) -> None:
        """What goes forward waits for its place; this one would hold back the undo of its flow for ever."""
        is_stopped = not self._core.goes_forward(node)
        if is_stopped and self._flow.on_lost[node] == "ask" and self._record.probes.get(node) != AGAIN:
            self._settle(node)

    # ------------------------------------------------------------------ a person decides

    def on_resolved(self, event: e.Resolved) -> None:
        """A run that is being driven goes on with it at once, any other at its next resume or revert."""
        node, state = event.node, self._record.state[event.node]
        if event.verdict == SKIP:
            self._give_up(event)
            return
        verdict = _VERDICTS.get((state, event.verdict))
        if verdict is None:
            raise RefusedError(f"task {self._flow.names[node]} is {state}: it cannot be {event.verdict}")
        if node in self._core.inflight.busy:
            raise RefusedError(
                f"the probe of {self._flow.names[node]} is being asked: it may decide by itself"
            )
        held = self._core.backward.classify(node) == HOLD
        self._core.move_task(node, verdict, data=event.data)
        self._go_on(node, held=held)

    def _give_up(self, event: e.Resolved) -> None:
        node, name = event.node, self._flow.names[event.node]
        if self._record.phase != ROLLING or node not in self._record.retriable():
            raise RefusedError(
                f"task {name} is {self._record.state[node]}: only an undo that failed in a rollback can be given up"
            )
        held = self._core.backward.classify(node) == HOLD
        data = {**(event.data or {}), "skip": True}
        self._core.note("warning", node, self._record.undos[node], data)
        if held and not self._core.goes_forward(node):
            self._undoing.reconsider(node)

    def _go_on(self, node: int, *, held: bool) -> None:
        """What depends on this task may go on, or what it depends on may be undone."""
        state = self._record.state[node]
        if not self._core.goes_forward(node):
            if held:
                self._undoing.reconsider(node)
        elif state == SUCCESS:
            self._core.forward.done(node)
        elif state == REVERTED:
            self._core.start_over(node)
        else:
            self._core.forward.push(node)
