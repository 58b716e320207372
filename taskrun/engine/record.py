"""The facts of one run: a fold of its transitions that decides nothing.

Everything here can be told from the journal alone; what can be derived from it (ready lists, counters) lives elsewhere.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from taskrun.engine.flow import UNDO_IMPOSSIBLE, Flow
from taskrun.engine.states import (
    APPLIED,
    FAILURE,
    IGNORE,
    PENDING,
    RESUMING,
    RETRYING,
    REVERT_FAILURE,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    UNKNOWN,
    State,
)

# Where a run stands, beyond the word of its state: SUSPENDED may come from going forward or from rolling back.
FORWARD, FAILED, STOPPED, ROLLING = "forward", "failed", "stopped", "rolling"

# Who ordered a failing run to roll back: then neither `on_failure` nor (when forced) a pivot has a say.
CANCELLED, ORDERED, FORCED = "cancel", "revert", "force"

# What came of asking a probe: it could not tell; it could not tell, and is to be asked again.
SILENT, AGAIN = "silent", "again"

RUN = -1  # in place of a node: the run itself; as a failure's scope: the whole run is rolled back


class Transition(NamedTuple):
    """One recorded decision. ``kind`` is ``flow``, ``task`` or ``retry``; or, for a state that stays as it is,
    ``warning`` (somebody should see it) or ``log`` (kept for whoever takes the run over).

    ``data`` may hold ``outputs``, ``failure``, ``due`` (when a wait ends; None: it is over), ``scope`` (what a failure brings down: how
    many flows up the one to be run again is, or -1 for the run), ``started`` (False: the action never began), ``already``
    (done before us), ``count`` (values of a controller), ``floor`` (start number of a savepoint), ``order`` (who
    wants the rollback), ``failed_only`` (of the rollback: only failed undos are tried), ``skip`` (its undo is given up),
    ``lost`` (a crash took the outcome), ``anew`` (its tries are counted from here), ``probe``
    (``silent`` or ``asked``), ``condition`` (what the ``if`` of a flow gave; None: to be asked again),
    ``listed`` (how many items the list of a fan-out has in this round; None: to be asked for again).
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
        "asked",
        "at",
        "attempt",
        "back_to",
        "base",
        "counts",
        "decided",
        "doomed",
        "due",
        "floor",
        "flow",
        "given_up",
        "inert",
        "moves",
        "only",
        "order",
        "ordered",
        "passed",
        "phase",
        "probes",
        "rounds",
        "run",
        "scopes",
        "stale",
        "state",
        "stuck",
        "undo_base",
        "undo_probes",
        "undos",
        "waits",
    )

    def __init__(self, flow: Flow) -> None:
        size = len(flow)
        self.flow = flow
        self.moves = 0  # transitions taken in
        self.at = 0.0  # when the last of them was made
        self.run: State = PENDING
        self.phase = FORWARD
        self.ordered = ""
        self.floor = 0  # only what started after this is undone
        self.back_to = 0  # the floor of a rollback that ended at a savepoint
        self.doomed = False  # the run has to fail, but was being suspended
        self.state: list[State] = [PENDING] * size
        self.attempt = [0] * size  # attempts ever made; never reset, so that a late result cannot be mistaken
        self.base = [0] * size  # attempts made in earlier rounds of an enclosing controller
        self.undos = [0] * size  # the same two for reverts
        self.undo_base = [0] * size
        self.order = [0] * size
        self.inert = bytearray(b"\1") * size  # nothing of ours to undo: no attempt of this round got anywhere
        self.stuck: dict[int, None] = {}  # their undo failed; not tried again until somebody asks
        self.given_up: dict[int, None] = {}  # their undo failed, and somebody said to leave it at that
        self.only: dict[int, None] | None = None  # what the rollback is to undo; None: all there is
        self.probes: dict[int, str] = {}
        self.undo_probes: dict[int, None] = {}  # asked by an undo that had begun, which they do not hold up
        self.asked: dict[int, int] = {}  # when a probe was asked last, in transitions
        self.decided: dict[int, bool] = {}  # what the `if` of a nested flow gave
        self.passed: dict[int, int] = {}  # how much had started when this was ignored or decided
        self.rounds: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self.due: dict[int, float] = {}  # when the wait between two attempts, or two undos, ends
        self.waits: dict[int, float] = {}  # how long each of them was to be
        self.scopes: dict[int, None] = {}  # flows whose controller will run them again once they are undone
        self.stale: dict[int, None] = {}  # fan-outs whose list is that of an earlier round
        self._started = 0

    def apply(self, transition: Transition) -> None:
        """Take in one transition, from the machine or from the journal."""
        self.moves += 1
        self.at = transition.at
        kind = transition.kind
        if kind == "task":
            self._apply_task(transition)
        elif kind == "retry":
            self._apply_retry(transition)
        elif kind == "flow":
            self._apply_flow(transition)
        else:
            self._apply_fact(transition)

    # ------------------------------------------------------------------ questions

    def is_stopped(self, section: int) -> bool:
        """Is this flow, or one around it, to be run again?"""
        scopes, sections = self.scopes, self.flow.sections
        while section >= 0:
            if section in scopes:
                return True
            section = sections[section].parent
        return False

    def is_applied(self, node: int) -> bool:
        """Might something of this task, which is not under way, be left in the world?"""
        return self.state[node] in APPLIED and not self.inert[node]

    def is_given_up(self, node: int) -> bool:
        """Will no later undo ever need what this task depended on? Then it holds back nothing."""
        if self.state[node] != REVERT_FAILURE:
            return False
        return node in self.given_up or self.flow.undo[node] == UNDO_IMPOSSIBLE

    def retriable(self) -> list[int]:
        """Undos that failed and may be tried again."""
        states = self.state
        return [n for n in self.flow.tasks if states[n] == REVERT_FAILURE and not self.is_given_up(n)]

    def residue(self) -> list[int]:
        """What the rollback was to undo and has not undone."""
        order, floor = self.order, self.floor
        return [node for node in self.flow.tasks if order[node] > floor and self.is_applied(node)]

    # ------------------------------------------------------------------ tasks

    def _apply_task(self, transition: Transition) -> None:
        node, state, data = transition.node, transition.state, transition.data
        self.state[node] = state
        self.given_up.pop(node, None)
        self.undo_probes.pop(node, None)
        if state == RUNNING:
            self.attempt[node] = transition.attempt
            self.due.pop(node, None)
            self._mark_started(node)
        elif state == SUCCESS:
            if not (data and data.get("already")):
                self.inert[node] = 0
        elif state == FAILURE:
            self._apply_failure(node, data or {})
        elif state == UNKNOWN:
            self.inert[node] = 0
            self._ask(node)
        elif state == RETRYING and data:
            self._wait(node, data["due"])
            if data.get("anew"):
                self.base[node] = transition.attempt
        elif state == PENDING:
            self._reset(transition)
        elif state == IGNORE:
            self.passed[node] = self._started
        else:
            self._apply_undo(transition)

    def _apply_failure(self, node: int, data: Mapping[str, Any]) -> None:
        if data.get("started") is not False:
            self.inert[node] = 0
        self._bring_down(node, data.get("scope"))

    def _bring_down(self, node: int, up: int | None) -> None:
        if up == RUN:
            self.doomed = True
        elif up is not None:
            section = self.flow.section[node]
            for _ in range(up):
                section = self.flow.sections[section].parent
            self._stop(section)

    def _stop(self, scope: int) -> None:
        """Of nested flows that are to run again only the outermost counts: it takes the others with it."""
        if self.is_stopped(scope):
            return
        sections = self.flow.sections
        _, _, lo, hi, _ = sections[scope]
        for inner in [s for s in self.scopes if lo < sections[s].begin < hi]:
            del self.scopes[inner]
        self.scopes[scope] = None

    def _apply_undo(self, transition: Transition) -> None:
        node, state = transition.node, transition.state
        self.due.pop(node, None)
        self.stuck.pop(node, None)
        if state == REVERTING:
            self.undos[node] = transition.attempt
            if transition.old == REVERT_FAILURE:
                self.undo_base[node] = transition.attempt - 1
        elif state == REVERT_FAILURE:
            self.stuck[node] = None
            # Going forward something is undone to be done again; if that fails, the run does.
            self.doomed = self.doomed or self.phase == FORWARD

    def _reset(self, transition: Transition) -> None:
        """As if it had never started. Only tries that a crash took still count: else it could take any number."""
        node = transition.node
        if not (transition.old == UNKNOWN or (transition.data and transition.data.get("lost"))):
            self.base[node] = self.attempt[node]
        if transition.old != UNKNOWN:
            self.rounds[node] = self.rounds.get(node, 0) + 1
        self.undo_base[node] = self.undos[node]
        self.order[node] = 0
        self.inert[node] = 1
        self.passed.pop(node, None)
        self.due.pop(node, None)

    # ------------------------------------------------------------------ controllers

    def _apply_retry(self, transition: Transition) -> None:
        node, state, data = transition.node, transition.state, transition.data
        self.state[node] = state
        if state == RUNNING:
            self.attempt[node] = transition.attempt
            self.due.pop(node, None)
            self._mark_started(node)
            if data and "count" in data:
                self.counts[node] = data["count"]
        elif state == RETRYING:
            self._apply_rerun(node)
            if data:
                self._wait(node, data["due"])
        elif state == PENDING:
            self.attempt[node] = self.order[node] = 0
            self.counts.pop(node, None)
            self._forget_condition(node)
        elif state == REVERTING:
            self.due.pop(node, None)
        elif state == IGNORE:
            self.passed[node] = self._started
        elif state == FAILURE and data:
            self._bring_down(node, data.get("scope"))

    def _apply_rerun(self, begin: int) -> None:
        section = self.flow.section[begin]
        self.scopes.pop(section, None)
        end = self.flow.sections[section].end
        for inner in _within(self.decided, begin + 1, end):
            self._forget_condition(inner)
        for inner in self.flow.relisted(begin + 1, end):
            self.stale[inner] = None

    # ------------------------------------------------------------------ the run

    def _apply_flow(self, transition: Transition) -> None:
        old, state, data = transition.old, transition.state, transition.data or {}
        self.run = state
        if state == RUNNING:
            self.phase, self.back_to, self.only = FORWARD, 0, None
        elif state == RESUMING:
            self._shorten_waits()
            if old == SUSPENDED or (old == FAILURE and self.phase == ROLLING):
                self._try_again_what_stuck()
        elif state == REVERTING:
            self.phase = ROLLING
            self.doomed = False
            self.scopes.clear()
            if "floor" in data:  # a person ordered it, and how far
                self._try_again_what_stuck()
                self.floor = data["floor"]
                self.only = dict.fromkeys(self.retriable()) if data.get("failed_only") else None
        elif state == FAILURE and self.phase != ROLLING:
            self.phase = FAILED
            self.doomed = False
            self.scopes.clear()
            if "order" in data:
                self._try_again_what_stuck()
                self.ordered = data["order"]
            self.floor = data.get("floor", self.floor)
        elif state == FAILURE:
            self.only = None  # that rollback is over
        elif state == SUSPENDED and old in (FAILURE, REVERTING):
            self.phase, self.ordered = STOPPED, ""
            self.back_to, self.floor = (self.floor if old == REVERTING else 0), 0

    def _wait(self, node: int, due: float) -> None:
        self.due[node] = due
        self.waits[node] = due - self.at

    def _shorten_waits(self) -> None:
        """A newcomer has another clock: where that is behind, nothing waits longer than it was to wait."""
        for node, due in self.due.items():
            self.due[node] = min(due, self.at + self.waits[node])

    def _try_again_what_stuck(self) -> None:
        """A person asks for it: failed undos may be tried again, and silent probes asked again. A crash does not."""
        self.stuck.clear()
        for node in self.probes:
            self.probes[node] = AGAIN

    # ------------------------------------------------------------------ states that stay as they are

    def _apply_fact(self, transition: Transition) -> None:
        node, state, data = transition.node, transition.state, transition.data or {}
        if data.get("skip"):
            self.given_up[node] = None
        elif state == REVERTING:
            self.undos[node] = transition.attempt
            self.undo_base[node] += bool(data.get("lost"))
            if data.get("due") is None:
                self.due.pop(node, None)
            else:
                self._wait(node, data["due"])
        elif state == UNKNOWN:
            if data.get("probe") == SILENT:
                self.probes[node] = SILENT
                self.undo_probes.pop(node, None)
            else:
                self._ask(node)
                if self.phase != FORWARD or self.is_stopped(self.flow.section[node]):
                    self.undo_probes[node] = None
        elif "scope" in data:
            self._bring_down(node, data["scope"])
        elif "listed" in data:
            self._apply_list(node, data["listed"])
        elif data.get("condition") is None:
            self._forget_condition(node)
        else:
            self.decided[node] = data["condition"]
            self.passed[node] = self._started

    def _apply_list(self, node: int, size: int | None) -> None:
        if size is None:
            self.stale[node] = None
        else:
            self.stale.pop(node, None)

    def _ask(self, node: int) -> None:
        self.asked[node] = self.moves
        self.probes.pop(node, None)

    def _forget_condition(self, node: int) -> None:
        self.decided.pop(node, None)
        self.passed.pop(node, None)

    def _mark_started(self, node: int) -> None:
        if not self.order[node]:
            self._started += 1
            self.order[node] = self._started


def _within(found: Mapping[int, Any], lo: int, hi: int) -> list[int]:
    """The keys from ``lo`` to below ``hi``, by the shorter of two ways: many small flows may run again."""
    if hi - lo < len(found):
        return [node for node in range(lo, hi) if node in found]
    return [node for node in found if lo <= node < hi]
