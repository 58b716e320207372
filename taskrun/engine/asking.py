"""What people ask of a run: pause, stop, go on, go back."""

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.core import Core
from taskrun.engine.flow import ROOT, TASK
from taskrun.engine.inflight import DOING, PROBING, UNDOING
from taskrun.engine.record import CANCELLED, FAILED, FORCED, FORWARD, ORDERED, ROLLING, STOPPED
from taskrun.engine.scopes import is_past_pivot
from taskrun.engine.states import (
    FAILURE,
    IGNORE,
    PENDING,
    RESUMING,
    RETRYING,
    REVERT_FAILURE,
    REVERTED,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    SUSPENDING,
    UNKNOWN,
    State,
)
from taskrun.engine.unknown import Unknown
from taskrun.errors import RefusedError

_ASKED_FOR = {"type": "Reverted", "message": "a revert was asked for"}


class Asking:
    def __init__(self, core: Core, unknown: Unknown) -> None:
        self._core = core
        self._unknown = unknown
        self._flow = core.flow
        self._record = core.record

    # ------------------------------------------------------------------ pause and stop

    def on_suspend(self, event: e.SuspendRequested) -> None:
        run, phase = self._record.run, self._record.phase
        if run in (RUNNING, REVERTING) or (run == FAILURE and phase == FAILED):
            self._core.suspend(event.reason)

    def on_cancel(self, event: e.CancelRequested) -> None:
        if self._record.run in (RUNNING, SUSPENDING) and self._record.phase == FORWARD:
            self._core.fail_run(event.failure, order=CANCELLED)
            self._stop_attempts()

    def _stop_attempts(self) -> None:
        busy, attempt = self._core.inflight.busy, self._record.attempt
        self._core.commands += [
            c.StopAttempt(node, attempt[node]) for node in sorted(busy) if busy[node] == DOING
        ]

    # ------------------------------------------------------------------ go on

    def on_resume(self, _event: e.ResumeRequested) -> None:
        """Go on where the run stands: forward, or with its rollback."""
        if self._record.run in (PENDING, SUCCESS, REVERTED):
            return
        phase, back_to = self._record.phase, self._record.back_to
        self._core.move_flow(RESUMING)
        if phase == ROLLING:
            self._core.move_flow(REVERTING)
        elif phase == FAILED:
            self._core.move_flow(FAILURE)
        else:
            self._core.move_flow(RUNNING)
        if phase == STOPPED:
            self._do_anew(back_to)
        self._come_back()
        if phase in (FORWARD, STOPPED):
            self._unknown.settle_all()
        elif self._record.ordered == CANCELLED:
            self._stop_attempts()

    def _do_anew(self, back_to: int) -> None:
        """What failed gets another try, what was undone back to a savepoint is done again: somebody said so."""
        for node, kind in enumerate(self._flow.kinds):
            if kind == TASK:
                self._do_task_anew(node, back_to)
            else:
                self._do_flow_anew(node, back_to)
        if back_to > 0:
            self._list_anew()

    def _list_anew(self) -> None:
        """Of fan-outs that are done again from their first item on."""
        flow, states = self._flow, self._record.state
        for begin in flow.relisted(0, len(flow)):
            inside = range(begin + 1, flow.sections[flow.section[begin]].end)
            if all(states[node] == PENDING for node in inside if flow.kinds[node] == TASK):
                self._core.note("log", begin, 0, {"listed": None})

    def _do_flow_anew(self, node: int, back_to: int) -> None:
        state, behind = self._record.state[node], self._is_behind(node, back_to)
        if state in (REVERTED, FAILURE) or (state == IGNORE and behind):
            self._core.move_retry(node, PENDING)
        elif behind:
            self._core.note("log", node, 0, {"condition": None})

    def _do_task_anew(self, node: int, back_to: int) -> None:
        state, record = self._record.state[node], self._record
        untouched = state in (SUCCESS, FAILURE, IGNORE) and self._is_behind(node, back_to)
        if state == REVERTED or untouched:
            self._core.move_task(node, PENDING)
        elif state == FAILURE and not self._flow.tolerated[node]:
            if record.inert[node]:
                self._core.move_task(node, PENDING)  # it never began: its condition may have failed
            else:
                self._core.move_task(node, RETRYING, data={"due": self._core.at, "anew": True})

    def _is_behind(self, node: int, back_to: int) -> bool:
        """Did this happen after the savepoint that the run went back to, so that it has to happen again?"""
        record = self._record
        return back_to > 0 and (record.order[node] > back_to or record.passed.get(node, -1) >= back_to)

    # ------------------------------------------------------------------ go back

    def on_revert(self, event: e.RevertRequested) -> None:
        run = self._record.run
        if run in (PENDING, REVERTED):
            return
        if event.failed_only:
            self._retry_failed()
            return
        floor = self._floor(event.floor)
        if not event.force and is_past_pivot(self._record, 0, len(self._flow), floor):
            raise RefusedError(
                "the run is past its point of no return", hint="--force reverts it all the same"
            )
        if run in (SUCCESS, SUSPENDED):
            self._core.move_flow(REVERTING, {"floor": floor})
        elif self._record.phase == ROLLING:
            self._core.move_flow(RESUMING)
            self._core.move_flow(REVERTING, {"floor": floor})
        else:  # something may be in flight: it ends first
            self._core.move_flow(RESUMING)
            order = FORCED if event.force else ORDERED
            self._core.move_flow(FAILURE, {"failure": _ASKED_FOR, "order": order, "floor": floor})
        self._come_back()

    def _retry_failed(self) -> None:
        """Go on with a rollback, but only with what it could not undo; as far as it was to go before."""
        record = self._record
        if record.phase != ROLLING or not record.retriable():
            raise RefusedError("no undo of this run has failed: there is none to try again")
        if record.run != SUSPENDED:
            self._core.move_flow(RESUMING)
        self._core.move_flow(REVERTING, {"floor": record.floor, "failed_only": True})
        self._come_back()

    def _floor(self, savepoint: int | None) -> int:
        if savepoint is None:
            return 0
        if self._record.state[savepoint] != SUCCESS:
            raise RefusedError(f"{self._flow.names[savepoint]} was not reached: there is no going back to it")
        return self._record.order[savepoint]

    # ------------------------------------------------------------------ after a restart, or a change of direction

    def _come_back(self) -> None:
        self.rebuild()
        waiting = self._core.inflight.waiting
        self._core.commands += [c.StartTimer(node, waiting[node]) for node in sorted(waiting)]

    def rebuild(self) -> None:
        """Derive what is ready and what is in flight from the facts: O(size)."""
        core = self._core
        core.forward.reset()
        core.backward.reset()
        core.inflight.clear()
        core.draining = dict(self._record.scopes)
        for node in range(len(self._flow)):
            self._recall(node)
        if self._record.run != PENDING:
            core.forward.begin()
        if self._record.phase == ROLLING:
            core.backward.begin(ROOT)

    def _recall(self, node: int) -> None:
        """What this node has in flight, by its state alone."""
        busy, state = self._core.inflight.busy, self._record.state[node]
        if node in self._record.due:
            self._recall_wait(node)
        elif state == RUNNING:
            busy[node] = DOING
        elif state == REVERTING:
            busy[node] = UNDOING
        elif state == UNKNOWN and self._flow.probed[node] and node not in self._record.probes:
            busy[node] = PROBING
        elif self._record.run == RUNNING:
            self._recall_open(node, state)

    def _recall_open(self, node: int, state: State) -> None:
        """What was left open is to be settled, and waits for a place."""
        core = self._core
        if state == UNKNOWN and core.goes_forward(node):
            core.forward.push(node)
        elif state == REVERT_FAILURE and not self._record.is_given_up(node):
            core.backward.push(node)

    def _recall_wait(self, node: int) -> None:
        """Between two attempts, or two undos. Nothing waits while the run pauses or fails."""
        core, record = self._core, self._record
        undoing = record.state[node] == REVERTING
        if not (undoing or core.goes_forward(node)) or record.run not in (RUNNING, REVERTING):
            return
        if record.due[node] > core.at or self._flow.kinds[node] != TASK:
            core.inflight.wait(node, record.due[node])
        elif not undoing:
            core.forward.push(node)
        elif core.goes_forward(node):
            core.backward.push(node)
