"""The facts of one run: a fold of its transitions that decides nothing.

Everything here can be told from the journal alone; what can be derived from it (ready lists, counters) lives elsewhere.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from taskrun.engine.flow import Flow
from taskrun.engine.states import (
    FAILURE,
    PENDING,
    RESUMING,
    RETRYING,
    REVERT_FAILURE,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    State,
)

# Where a run stands, beyond the word of its state: SUSPENDED may come from going forward or from rolling back.
FORWARD, FAILED, STOPPED, ROLLING = "forward", "failed", "stopped", "rolling"

RUN = -1  # in place of a node: the run itself; as a failure's scope: the whole run is rolled back


class Transition(NamedTuple):
    """One recorded decision. ``kind`` is ``flow``, ``task``, ``retry``, or ``warning`` (a state that stays as it is).

    ``data`` may hold ``outputs``, ``failure``, ``due`` (when a wait ends), ``scope`` (what a failure brings down: the
    index of the flow to be run again, or -1 for the run), ``started`` (False: the action never began), ``already``
    (done before us), ``count`` (values of a controller), ``floor`` (node of a savepoint).
    """

    kind: str
    node: int
    name: str
    old: State | None
    state: State
    at: float
    attempt: int
    data: Mapping[str, Any] | None = None


class Record:
    """Lists have one item per node of the flow; ``order`` is 0 for what has not started."""

    __slots__ = (
        "_started",
        "attempt",
        "base",
        "counts",
        "doomed",
        "due",
        "floor",
        "flow",
        "inert",
        "order",
        "phase",
        "rounds",
        "run",
        "scopes",
        "state",
        "stuck",
        "undo_base",
        "undos",
    )

    def __init__(self, flow: Flow) -> None:
        size = len(flow)
        self.flow = flow
        self.run: State = PENDING
        self.phase = FORWARD
        self.floor = 0  # only what started after this is undone
        self.doomed = False  # a task failed for good while the run was being suspended
        self.state: list[State] = [PENDING] * size
        self.attempt = [0] * size  # attempts ever made; never reset, so that a late result cannot be mistaken
        self.base = [0] * size  # attempts made in earlier rounds of an enclosing controller
        self.undos = [0] * size  # the same two for reverts
        self.undo_base = [0] * size
        self.order = [0] * size
        self.inert = bytearray(size)  # nothing of ours to undo
        self.stuck: dict[int, None] = {}  # their undo failed; not tried again until somebody asks
        self.rounds: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self.due: dict[int, float] = {}
        self.scopes: dict[int, None] = {}  # flows whose controller will run them again once they are undone
        self._started = 0

    def apply(self, transition: Transition) -> None:
        """Take in one transition, from the machine or from the journal."""
        kind = transition.kind
        if kind == "task":
            self._apply_task(transition)
        elif kind == "retry":
            self._apply_retry(transition)
        elif kind == "flow":
            self._apply_flow(transition)
        else:
            self.undos[transition.node] = transition.attempt

    def _apply_task(self, transition: Transition) -> None:
        node, state, data = transition.node, transition.state, transition.data
        self.state[node] = state
        if state == RUNNING:
            self.attempt[node] = transition.attempt
            self._mark_started(node)
        elif state == REVERTING:
            if transition.old == REVERT_FAILURE:
                self.undo_base[node] = transition.attempt - 1
            self.undos[node] = transition.attempt
        elif state == PENDING:
            self._reset(node)
        elif state == REVERT_FAILURE:
            self.stuck[node] = None
        elif data is not None:
            if state == FAILURE:
                self._apply_failure(node, data)
            elif state == SUCCESS and data.get("already"):
                self.inert[node] = 1
            elif state == RETRYING:
                self.due[node] = data["due"]

    def _apply_failure(self, node: int, data: Mapping[str, Any]) -> None:
        if data.get("started") is False:
            self.inert[node] = 1
        scope = data.get("scope")
        if scope == RUN:
            self.doomed = True
        elif scope is not None:
            self._stop(scope)

    def _stop(self, scope: int) -> None:
        """Of nested flows that are to run again only the outermost counts: it takes the others with it."""
        sections = self.flow.sections
        around = scope
        while around >= 0:
            if around in self.scopes:
                return
            around = sections[around].parent
        _, _, lo, hi, _ = sections[scope]
        for inner in [s for s in self.scopes if lo < sections[s].begin < hi]:
            del self.scopes[inner]
        self.scopes[scope] = None

    def _apply_retry(self, transition: Transition) -> None:
        node, state, data = transition.node, transition.state, transition.data
        self.state[node] = state
        if state == RUNNING:
            self.attempt[node] = transition.attempt
            self._mark_started(node)
            if data and "count" in data:
                self.counts[node] = data["count"]
        elif state == RETRYING:
            self.scopes.pop(self.flow.section[node], None)
            if data:
                self.due[node] = data["due"]
        elif state == PENDING:
            self.attempt[node] = self.order[node] = 0
            self.counts.pop(node, None)
        elif state == FAILURE and data:
            self._apply_failure(node, data)

    def _apply_flow(self, transition: Transition) -> None:
        old, state = transition.old, transition.state
        self.run = state
        if state == RUNNING:
            self.phase = FORWARD
        elif state == RESUMING:
            self.stuck.clear()
        elif state == REVERTING:
            self.phase = ROLLING
            self.scopes.clear()
            if old in (SUCCESS, SUSPENDED):
                self.stuck.clear()
            self.floor = (transition.data or {}).get("floor", self.floor)
        elif state == FAILURE and self.phase != ROLLING:
            self.phase = FAILED
            self.doomed = False
            self.scopes.clear()
        elif state == SUSPENDED and old in (FAILURE, REVERTING):
            self.phase, self.floor = STOPPED, 0

    def _mark_started(self, node: int) -> None:
        if not self.order[node]:
            self._started += 1
            self.order[node] = self._started

    def _reset(self, node: int) -> None:
        self.base[node] = self.attempt[node]
        self.undo_base[node] = self.undos[node]
        self.order[node] = 0
        self.inert[node] = 0
        self.rounds[node] = self.rounds.get(node, 0) + 1
