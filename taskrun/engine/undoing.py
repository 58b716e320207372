"""Going backward: undos, their results, and further tries at them."""

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.backward import PASS, UNDO
from taskrun.engine.core import Core
from taskrun.engine.flow import TASK, UNDO_IMPOSSIBLE, UNDO_NOTHING
from taskrun.engine.inflight import UNDOING
from taskrun.engine.policy import UNDO_RETRY, wait_before
from taskrun.engine.states import REVERT_FAILURE, REVERTED, REVERTING, RUNNING, UNKNOWN

_IRREVERSIBLE = {"type": "Irreversible", "message": "this task cannot be undone"}
_LOST = {"type": "Lost", "message": "a crash took the outcome of this undo"}

_AGAIN = {"message": "its undo is tried again", "due": None}


class Undoing:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._flow = core.flow
        self._record = core.record

    def start(self, node: int) -> None:
        """It is this node's turn, and there is a place for it. It may have moved since it became ready."""
        verdict = self._core.backward.classify(node)
        if verdict == PASS:
            self._core.clear(node)
        elif verdict == UNDO:
            self._undo(node)

    def _undo(self, node: int) -> None:
        state = self._record.state[node]
        if self._flow.kinds[node] != TASK:
            self._core.move_retry(node, REVERTING)
            self._core.move_retry(node, REVERTED)
            self._core.clear(node)
        elif state == REVERTING:
            self._take_up(node)
        elif state == UNKNOWN and self._flow.on_lost[node] == "ask":
            self._core.note("log", node, self._record.attempt[node], {"probe": "asked"})
            self._core.start_probe(node)
        else:
            self._begin_undo(node)

    def _begin_undo(self, node: int) -> None:
        attempt, undo = self._record.undos[node] + 1, self._flow.undo[node]
        self._core.move_task(node, REVERTING, attempt)
        if undo == UNDO_NOTHING or self._record.inert[node]:
            self._undone(node, attempt, None)
        elif undo == UNDO_IMPOSSIBLE:
            self._revert_failed(node, attempt, _IRREVERSIBLE)
        else:
            self._run(node)

    def _run(self, node: int) -> None:
        self._core.inflight.busy[node] = UNDOING
        self._core.commands.append(c.StartRevert(node, self._record.undos[node]))

    # ------------------------------------------------------------------ results

    def on_reverted(self, event: e.RevertSucceeded) -> None:
        node = event.node
        if self._core.inflight.is_current(node, UNDOING, event.attempt):
            del self._core.inflight.busy[node]
            self._undone(node, event.attempt, event.data)

    def _undone(self, node: int, attempt: int, data: e.Data | None) -> None:
        self._core.move_task(node, REVERTED, attempt, data)
        if self._core.goes_forward(node):  # undone because its outcome was unknown: now it runs again
            self._core.start_over(node)
        else:
            self._core.clear(node)

    def on_revert_failure(self, event: e.RevertFailed) -> None:
        node = event.node
        if not self._core.inflight.is_current(node, UNDOING, event.attempt):
            return
        del self._core.inflight.busy[node]
        retry = self._flow.undo_retries.get(node, UNDO_RETRY)
        tries = event.attempt - self._record.undo_base[node]
        if event.final or tries >= retry.attempts:
            self._revert_failed(node, event.attempt, event.failure)
        else:
            due = self._core.at + wait_before(retry, tries, self._core.seed + node)
            self._try_again(node, {"failure": event.failure, "due": due})

    def on_revert_lost(self, event: e.RevertLost) -> None:
        node = event.node
        if self._core.inflight.is_current(node, UNDOING, event.attempt):
            del self._core.inflight.busy[node]
            self._try_again(node, {"failure": _LOST, "due": self._core.at, "lost": True})

    def _try_again(self, node: int, data: e.Data) -> None:
        self._core.note("warning", node, self._record.undos[node] + 1, data)
        if self._record.run in (RUNNING, REVERTING):
            self._take_up(node)
        # Otherwise it comes back with the rollback, or with the run.

    def _take_up(self, node: int) -> None:
        """Go on with an undo between two tries."""
        due = self._record.due.get(node, self._core.at)
        if due > self._core.at:
            self._core.wait(node, due)
        else:
            self._core.note("warning", node, self._record.undos[node], _AGAIN)
            self._run(node)

    def take_up_waits(self) -> None:
        """A rollback begins: what waited for another try of its undo when the run failed waits on."""
        states, due = self._record.state, self._record.due
        for node in sorted(due):
            if states[node] == REVERTING and due[node] > self._core.at:
                self._core.wait(node, due[node])

    def end_wait(self, node: int) -> None:
        """It is time for its next try."""
        if not self._core.is_draining(node):  # else the undo of the whole flow comes to it
            self._core.backward.push(node)

    def _revert_failed(self, node: int, attempt: int, failure: e.Data) -> None:
        self._core.move_task(node, REVERT_FAILURE, attempt, {"failure": failure})
        if self._record.run == RUNNING:
            message = f"{self._flow.names[node]} was not undone"
            self._core.fail_run({"type": "RevertFailure", "message": message})
        elif self._flow.undo[node] == UNDO_IMPOSSIBLE:
            self._core.clear(node)  # no later undo will ever need what this one depended on: go on behind it

    # ------------------------------------------------------------------ what moved by itself

    def reconsider(self, node: int) -> None:
        """A node that held a rollback back has moved: see whether it goes on."""
        verdict = self._core.backward.classify(node)
        if verdict == PASS:
            self._core.clear(node)
        elif verdict == UNDO and self._core.is_rolling(node):
            self._core.backward.push(node)
