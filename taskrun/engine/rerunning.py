"""Flows with a controller that failed: drain, undo down to the controller, run again."""

from taskrun.engine.core import Core
from taskrun.engine.doing import Doing
from taskrun.engine.flow import TASK
from taskrun.engine.policy import wait_before
from taskrun.engine.scopes import is_past_pivot
from taskrun.engine.states import PENDING, RETRYING, RUNNING
from taskrun.errors import InvalidTransition

_PAST_PIVOT = {"type": "PastPivot", "message": "what is behind its point of no return cannot run again"}


class Rerunning:
    """Two rules of the machine: each says whether it moved anything."""

    def __init__(self, core: Core, doing: Doing) -> None:
        self._core = core
        self._doing = doing
        self._record = core.record

    def undo_drained(self) -> bool:
        """In a flow where nothing goes forward any more the undo begins."""
        core, moved = self._core, False
        if not core.draining or self._record.run != RUNNING:
            return False
        for scope in list(core.draining):
            _, _, lo, hi, _ = core.flow.sections[scope]
            if not core.inflight.is_drained(lo, hi, but=self._record.undo_probes):
                continue
            moved = True
            if is_past_pivot(self._record, lo, hi):
                core.fail_run(_PAST_PIVOT)
                break
            if (unknown := core.backward.first_unknown(lo, hi)) is not None:
                core.suspend(f"the outcome of {core.flow.names[unknown]} is unknown")
                break
            del core.draining[scope]
            core.backward.begin(scope)
        return moved

    def rerun_undone(self) -> bool:
        """A flow that is undone down to its controller runs again."""
        core = self._core
        if not core.backward.reached or self._record.run != RUNNING:
            return False
        reached, core.backward.reached = core.backward.reached, []
        for section in reached:
            if section in self._record.scopes and section not in core.draining:
                self._rerun(section)
        return True

    def _rerun(self, section: int) -> None:
        core, record = self._core, self._record
        _, _, begin, end, controller = core.flow.sections[section]
        if controller is None:
            raise InvalidTransition(f"flow {core.flow.names[begin]} has no controller")
        due = core.at + wait_before(controller.retry, record.attempt[begin], core.seed + begin)
        core.move_retry(begin, RETRYING, {"due": due})
        for node in range(begin + 1, end):
            if record.state[node] == PENDING:
                continue
            if core.flow.kinds[node] == TASK:
                core.move_task(node, PENDING)
            else:
                core.move_retry(node, PENDING)
        core.forward.recount(begin, end)
        if due <= core.at:
            self._doing.run_controller(begin)
        else:
            core.wait(begin, due)
