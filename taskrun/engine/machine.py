"""The deciding core of one run.

    receive(event)
      -> a handler (one for each kind of event) moves what the event speaks of
      -> rules of the run, applied until none of them moves anything:
           a drained flow begins its undo, an undone flow runs again, a failed run rolls back,
           free places are given to undos first and then to the first ready node in file order,
           what is finished ends.

A result that comes late or twice finds its attempt over and is ignored; see ``_is_current``.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.backward import HOLD, PASS, UNDO, Backward
from taskrun.engine.flow import (
    BEGIN,
    END,
    ROOT,
    TASK,
    UNDO_IMPOSSIBLE,
    UNDO_NOTHING,
    Flow,
)
from taskrun.engine.policy import UNDO_RETRY, wait_before
from taskrun.engine.record import FAILED, FORWARD, ROLLING, RUN, STOPPED, Record, Transition
from taskrun.engine.states import (
    FAILURE,
    FLOW_ENDED,
    FLOW_MOVES,
    IGNORE,
    PENDING,
    RESUMING,
    RETRY_MOVES,
    RETRYING,
    REVERT_FAILURE,
    REVERTED,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    SUSPENDING,
    TASK_MOVES,
    UNKNOWN,
    State,
)
from taskrun.errors import InvalidTransition

# What holds one of the `jobs` places.
DOING, UNDOING, PROBING, DECIDING, LISTING, WAITING = "do", "undo", "probe", "if", "items", "wait"

_APPLIED = frozenset({SUCCESS, FAILURE, RETRYING, UNKNOWN, REVERT_FAILURE})
_IRREVERSIBLE = {"type": "Irreversible", "message": "this task cannot be undone"}


class Step(NamedTuple):
    """What to make durable, then what to do."""

    transitions: list[Transition]
    commands: list[c.Command]


class Machine:
    """One run of a flow. ``jobs`` attempts at most are under way; ``seed`` spreads retries that ask for jitter."""

    def __init__(self, flow: Flow, *, jobs: int = 1, seed: int = 0) -> None:
        self.flow = flow
        self.record = Record(flow)
        self.jobs = jobs
        self._seed = seed
        # With one place a task between two attempts keeps it: the order of a serial run never depends on time.
        self._waits_hold_places = jobs == 1
        self._at = 0.0
        self._transitions: list[Transition] = []
        self._commands: list[c.Command] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            e.RunRequested: self._on_run,
            e.ConditionDecided: self._on_condition,
            e.ItemsEvaluated: self._on_items,
            e.AttemptSucceeded: self._on_success,
            e.AttemptFailed: self._on_failure,
            e.AttemptLost: self._on_lost,
            e.ProbeAnswered: self._on_probe,
            e.RevertSucceeded: self._on_reverted,
            e.RevertFailed: self._on_revert_failure,
            e.RevertLost: self._on_revert_lost,
            e.TimerFired: self._on_timer,
            e.SuspendRequested: self._on_suspend,
            e.CancelRequested: self._on_cancel,
            e.ResumeRequested: self._on_resume,
            e.RevertRequested: self._on_revert,
            e.Resolved: self._on_resolved,
        }
        # In this order, until none moves anything: see the module's docstring.
        self._rules: tuple[Callable[[], bool], ...] = (
            self._undo_drained_scopes,
            self._roll_back,
            self._rerun_undone_scopes,
            self._dispatch,
            self._finish,
        )
        self._forget_derived()

    def _forget_derived(self) -> None:
        self._missing = [len(before) for before in self.flow.predecessors]
        self._ready: list[int] = []
        self._busy: dict[int, str] = {}
        self._waiting: dict[int, float] = {}
        self._draining: dict[int, None] = dict(self.record.scopes)
        self._backward = Backward(self.flow, self.record, self._classify)
        self._complete = False

    # ------------------------------------------------------------------ the doors

    def receive(self, event: e.Event) -> Step:
        """Take in one event; the answer is to be journaled first and carried out after."""
        self._at = event.at
        self._transitions, self._commands = [], []
        self._handlers[type(event)](event)
        self._apply_rules()
        return Step(self._transitions, self._commands)

    def apply(self, transition: Transition) -> None:
        """The only way state changes."""
        self.record.apply(transition)

    @classmethod
    def restore(cls, flow: Flow, journal: Iterable[Transition], *, jobs: int = 1, seed: int = 0) -> Self:
        """The machine as it was after these transitions, with nothing decided again."""
        machine = cls(flow, jobs=jobs, seed=seed)
        for transition in journal:
            machine.apply(transition)
        machine._rebuild()
        return machine

    def pending(self) -> tuple[c.Command, ...]:
        """What is in flight: what a restart must settle, in node order."""
        found: list[c.Command] = []
        for node in sorted(self._busy):
            what = self._busy[node]
            if what == DOING:
                found.append(c.StartAttempt(node, self.record.attempt[node]))
            elif what == UNDOING:
                found.append(c.StartRevert(node, self.record.undos[node]))
            elif what == PROBING:
                found.append(c.StartProbe(node, self.record.attempt[node]))
            elif what == DECIDING:
                found.append(c.EvaluateCondition(node))
            elif what == LISTING:
                found.append(c.EvaluateItems(node))
        found += [c.StartTimer(node, self._waiting[node]) for node in sorted(self._waiting)]
        return tuple(found)

    @property
    def over(self) -> bool:
        """Nothing will happen any more unless somebody asks for it."""
        run = self.record.run
        return run in FLOW_ENDED or (run == FAILURE and self.record.phase == ROLLING)

    # ------------------------------------------------------------------ moves

    def _move_task(
        self, node: int, state: State, attempt: int | None = None, data: e.Data | None = None
    ) -> None:
        old = self.record.state[node]
        if (old, state) not in TASK_MOVES:
            raise InvalidTransition(f"task {self.flow.names[node]}: {old} -> {state}")
        if attempt is None:
            attempt = self.record.attempt[node]
        self._emit(Transition("task", node, self.flow.names[node], old, state, self._at, attempt, data))

    def _move_retry(self, node: int, state: State, data: e.Data | None = None) -> None:
        old = self.record.state[node]
        if (old, state) not in RETRY_MOVES:
            raise InvalidTransition(f"retry {self.flow.names[node]}: {old} -> {state}")
        attempt = self.record.attempt[node] + (state == RUNNING)
        self._emit(Transition("retry", node, self.flow.names[node], old, state, self._at, attempt, data))

    def _move_flow(self, state: State, data: e.Data | None = None) -> None:
        old = self.record.run
        if (old, state) not in FLOW_MOVES:
            raise InvalidTransition(f"flow {self.flow.name}: {old} -> {state}")
        self._emit(Transition("flow", RUN, self.flow.name, old, state, self._at, 1, data))

    def _emit(self, transition: Transition) -> None:
        self.record.apply(transition)
        self._transitions.append(transition)

    # ------------------------------------------------------------------ going forward

    def _on_run(self, _event: e.RunRequested) -> None:
        if self.record.run == PENDING:
            self._move_flow(RUNNING)
            self._arrive_at(ROOT)

    def _arrive_at(self, first: int) -> None:
        """Everything before ``first`` is done; go on from there."""
        if self._passes(first):
            self._done(first)

    def _done(self, node: int) -> None:
        """``node`` is done for what comes after it: count down, and collect what becomes ready."""
        successors, missing = self.flow.successors, self._missing
        stack = [node]
        while stack:
            for after in successors[stack.pop()]:
                missing[after] -= 1
                if not missing[after] and self._passes(after):
                    stack.append(after)

    def _passes(self, node: int) -> bool:
        """Is this node, just reached, done at once? If it is to be started it goes onto the ready list."""
        kind = self.flow.kinds[node]
        if kind == TASK:
            return self._task_passes(node)
        if kind == END:
            if self.flow.section[node] == ROOT:
                self._complete = True
            return True
        if self.flow.controller(node) is not None:
            if self.record.state[node] == PENDING:
                heapq.heappush(self._ready, node)
            return self.record.state[node] in (SUCCESS, IGNORE)
        if self.flow.conditional[node] and not self._was_entered(node):
            heapq.heappush(self._ready, node)
            return False
        return True

    def _task_passes(self, node: int) -> bool:
        state = self.record.state[node]
        if state == PENDING:
            heapq.heappush(self._ready, node)
            return False
        return state in (IGNORE, SUCCESS) or (state == FAILURE and bool(self.flow.tolerated[node]))

    def _was_entered(self, begin: int) -> bool:
        """Was the condition of this flow decided before? Then some task of it has moved."""
        end = self.flow.sections[self.flow.section[begin]].end
        states, kinds = self.record.state, self.flow.kinds
        return any(kinds[n] == TASK and states[n] != PENDING for n in range(begin, end))

    def _dispatch(self) -> bool:
        """Give free places to undos first, then to the first ready node in file order."""
        run, moved = self.record.run, False
        if run not in (RUNNING, REVERTING):
            return False
        while len(self._busy) < self.jobs:
            if self._backward.ready:
                self._start_undo(heapq.heappop(self._backward.ready)[1])
            elif run == RUNNING and self._ready:
                node = heapq.heappop(self._ready)
                if not self.record.scopes or not self._is_stopped(node):
                    self._start(node)
            else:
                break
            moved = True
            run = self.record.run
        return moved

    def _start(self, node: int) -> None:
        if self.flow.conditional[node] and self.record.state[node] == PENDING:
            self._busy[node] = DECIDING
            self._commands.append(c.EvaluateCondition(node))
        elif self.flow.kinds[node] == TASK:
            self._run_task(node)
        else:
            self._enter(node)

    def _run_task(self, node: int) -> None:
        attempt = self.record.attempt[node] + 1
        self._move_task(node, RUNNING, attempt)
        self._busy[node] = DOING
        self._commands.append(c.StartAttempt(node, attempt))

    def _enter(self, node: int) -> None:
        """Begin a nested flow: its controller first, if it has one."""
        controller = self.flow.controller(node)
        if controller is None:
            self._done(node)
        elif controller.dynamic and node not in self.record.counts:
            self._busy[node] = LISTING
            self._commands.append(c.EvaluateItems(node))
        else:
            self._run_controller(node)

    def _run_controller(self, node: int, data: e.Data | None = None) -> None:
        self._move_retry(node, RUNNING, data)
        self._move_retry(node, SUCCESS)
        self._done(node)

    def _on_condition(self, event: e.ConditionDecided) -> None:
        node = event.node
        if self._busy.get(node) != DECIDING:
            return
        del self._busy[node]
        if self.record.run != RUNNING or self._is_stopped(node):
            return
        if event.failure is not None:
            self._fail_undecided(node, event.failure)
        elif not event.holds:
            self._ignore(node)
        elif self.flow.kinds[node] == TASK:
            self._run_task(node)
        else:
            self._enter(node)

    def _fail_undecided(self, node: int, failure: e.Data) -> None:
        """An `if` that cannot be evaluated fails its task; a flow has no state of its own, so it fails the run."""
        if self.flow.kinds[node] == TASK:
            self._move_task(node, RUNNING, self.record.attempt[node] + 1)
            self._fail_task(node, failure, None, started=False)
        else:
            self._fail_run(failure)

    def _on_items(self, event: e.ItemsEvaluated) -> None:
        node = event.node
        if self._busy.get(node) != LISTING:
            return
        del self._busy[node]
        if self.record.run != RUNNING or self._is_stopped(node):
            return
        if event.failure is None:
            self._run_controller(node, {**(event.data or {}), "count": event.size})
            return
        scope = self._scope_above(self.flow.sections[self.flow.section[node]].parent)
        self._move_retry(node, RUNNING)
        self._move_retry(node, FAILURE, {"failure": event.failure, "scope": scope})
        self._bring_down(scope, event.failure)

    def _ignore(self, node: int) -> None:
        """Pass a node by, and what its `skip` reaches, in file order."""
        if self.flow.kinds[node] == TASK:
            found = {node: None}
        else:
            found = dict.fromkeys(range(node, self.flow.sections[self.flow.section[node]].end))
        depth = self.flow.skips.get(node, "task")
        if depth != "task":
            found.update(self._dependents(node, within_flow=depth == "flow"))
        for each in sorted(found):
            if self.record.state[each] != PENDING:
                continue
            if self.flow.kinds[each] == TASK:
                self._move_task(each, IGNORE)
            elif self.flow.controller(each) is not None:
                self._move_retry(each, IGNORE)
        self._done(node)

    def _dependents(self, node: int, *, within_flow: bool) -> dict[int, None]:
        """All that depends on a node, near and far; for a flow's `skip: flow` the flow around it is meant."""
        flow = self.flow
        start = node
        around = flow.section[node]
        if flow.kinds[node] == BEGIN:
            start = flow.sections[around].end
            around = max(flow.sections[around].parent, ROOT)
        limit = flow.sections[around].end if within_flow else len(flow)
        found: dict[int, None] = {}
        stack = [start]
        while stack:
            for after in flow.successors[stack.pop()]:
                if after not in found and after != limit:
                    found[after] = None
                    stack.append(after)
        return found

    # ------------------------------------------------------------------ results of attempts

    def _is_current(self, node: int, what: str, attempt: int) -> bool:
        """Results may be late or doubled: only the attempt under way is heard."""
        if self._busy.get(node) != what:
            return False
        numbers = self.record.undos if what == UNDOING else self.record.attempt
        return numbers[node] == attempt

    def _on_success(self, event: e.AttemptSucceeded) -> None:
        node = event.node
        if not self._is_current(node, DOING, event.attempt):
            return
        del self._busy[node]
        data = {**(event.data or {}), "already": True} if event.already else event.data
        self._move_task(node, SUCCESS, event.attempt, data)
        self._done(node)

    def _on_failure(self, event: e.AttemptFailed) -> None:
        node = event.node
        if not self._is_current(node, DOING, event.attempt):
            return
        del self._busy[node]
        retry = self.flow.retries.get(node)
        tries = event.attempt - self.record.base[node]
        may_retry = retry is not None and tries < retry.attempts and event.retryable
        if retry is None or not may_retry or not self._goes_on(node):
            self._fail_task(node, event.failure, event.data, started=event.started)
            return
        due = self._at + wait_before(retry, tries, self._seed + node)
        self._move_task(node, FAILURE, event.attempt, _failure_data(event.failure, event.data))
        self._move_task(node, RETRYING, event.attempt, {"due": due})
        if due <= self._at:
            heapq.heappush(self._ready, node)
        else:
            self._wait(node, due)

    def _goes_on(self, node: int) -> bool:
        return self.record.run in (RUNNING, SUSPENDING) and (
            not self.record.scopes or not self._is_stopped(node)
        )

    def _wait(self, node: int, due: float) -> None:
        self._waiting[node] = due
        if self._waits_hold_places and self.flow.kinds[node] == TASK:
            self._busy[node] = WAITING
        self._commands.append(c.StartTimer(node, due))

    def _on_timer(self, event: e.TimerFired) -> None:
        node = event.node
        if self._waiting.get(node) != event.due:
            return
        self._stop_waiting(node)
        if self.flow.kinds[node] == BEGIN:
            if self.record.run == RUNNING:
                self._run_controller(node)
        elif self.record.state[node] == REVERTING:
            self._backward.push(node)
        else:
            heapq.heappush(self._ready, node)

    def _stop_waiting(self, node: int) -> None:
        del self._waiting[node]
        if self._busy.get(node) == WAITING:
            del self._busy[node]

    def _fail_task(self, node: int, failure: e.Data, data: e.Data | None, *, started: bool = True) -> None:
        """The last attempt failed: decide what it brings down, and record that with the failure."""
        details = _failure_data(failure, data)
        if not started:
            details["started"] = False
        if self.flow.tolerated[node]:
            self._move_task(node, FAILURE, data=details)
            self._done(node)
            return
        if self.record.phase == FORWARD:
            details["scope"] = scope = self._scope_above(self.flow.section[node])
            self._move_task(node, FAILURE, data=details)
            self._bring_down(scope, None)
        else:
            self._move_task(node, FAILURE, data=details)

    def _scope_above(self, section: int) -> int:
        """The nearest flow around whose controller has attempts left; -1: none, the run is rolled back."""
        while section >= 0:
            _, parent, begin, _, controller = self.flow.sections[section]
            if controller is not None:
                attempts = self.record.counts.get(begin, controller.retry.attempts)
                if self.record.attempt[begin] < attempts:
                    return section
                if controller.revert_all:
                    return RUN
            section = parent
        return RUN

    def _bring_down(self, scope: int, failure: e.Data | None) -> None:
        if scope == RUN:
            if self.record.run == RUNNING:
                self._fail_run(failure)
            return
        scopes = self.record.scopes
        if scope not in scopes:
            return  # a flow around it is coming down already
        self._draining = {each: None for each in self._draining if each in scopes}
        self._draining[scope] = None
        _, _, lo, hi, _ = self.flow.sections[scope]
        self._drop_waits(lo, hi)

    def _drop_waits(self, lo: int, hi: int) -> None:
        for node in [n for n in self._waiting if lo <= n <= hi]:
            self._stop_waiting(node)
        self._backward.forget(lo, hi)

    def _is_stopped(self, node: int) -> bool:
        return self._is_within_stopped(self.flow.section[node])

    def _is_within_stopped(self, section: int) -> bool:
        scopes, sections = self.record.scopes, self.flow.sections
        while section >= 0:
            if section in scopes:
                return True
            section = sections[section].parent
        return False

    def _fail_run(self, failure: e.Data | None) -> None:
        self._move_flow(FAILURE, {"failure": failure} if failure else None)
        self._draining.clear()
        self._drop_waits(0, len(self.flow))

    # ------------------------------------------------------------------ unknown outcomes

    def _on_lost(self, event: e.AttemptLost) -> None:
        node = event.node
        if not self._is_current(node, DOING, event.attempt):
            return
        self._move_task(node, UNKNOWN, event.attempt, {"failure": event.failure} if event.failure else None)
        if self.flow.probed[node]:
            self._busy[node] = PROBING
            self._commands.append(c.StartProbe(node, event.attempt))
        else:
            del self._busy[node]
            self._settle_unknown(node)

    def _on_probe(self, event: e.ProbeAnswered) -> None:
        node = event.node
        if not self._is_current(node, PROBING, event.attempt):
            return
        del self._busy[node]
        if event.done is None:
            self._settle_unknown(node)
        elif event.done:
            self._move_task(node, SUCCESS, event.attempt, event.data)
            self._done(node)
        else:
            self._start_over(node)

    def _start_over(self, node: int) -> None:
        """It did not happen (any more): as if it had never been started."""
        self._move_task(node, PENDING)
        heapq.heappush(self._ready, node)

    def _settle_unknown(self, node: int) -> None:
        """No probe decided. While the run goes on `on_lost` does; in a rollback the undo will."""
        policy = self.flow.on_lost[node]
        if self.record.run != RUNNING or self._is_stopped(node):
            return
        if policy == "rerun":
            self._run_task(node)
        elif policy == "revert":
            self._start_undo(node)
        else:
            self._move_flow(SUSPENDING, {"reason": f"the outcome of {self.flow.names[node]} is unknown"})

    def _on_resolved(self, event: e.Resolved) -> None:
        """A person decides; the run goes on at the next resume or revert."""
        node, state = event.node, self.record.state[event.node]
        verdicts = {
            (UNKNOWN, "done"): SUCCESS,
            (UNKNOWN, "not-done"): PENDING,
            (UNKNOWN, "undone"): REVERTED,
            (REVERT_FAILURE, "undone"): REVERTED,
        }
        verdict = verdicts.get((state, event.verdict))
        if verdict is None:
            raise InvalidTransition(f"task {self.flow.names[node]} is {state}: cannot be {event.verdict}")
        self._move_task(node, verdict, data=event.data)

    # ------------------------------------------------------------------ undoing

    def _classify(self, node: int) -> int:
        """For a rollback: pass a node, undo it, or hold what is behind it."""
        record, state = self.record, self.record.state[node]
        if self.flow.kinds[node] != TASK:
            applied = self.flow.controller(node) is not None and state in (SUCCESS, RETRYING)
            return UNDO if applied and record.order[node] > record.floor else PASS
        if state in (REVERTING, RUNNING):
            return HOLD
        if node in record.stuck:  # nothing will ever need what an irreversible task depended on
            return PASS if self.flow.undo[node] == UNDO_IMPOSSIBLE else HOLD
        if state not in _APPLIED or record.inert[node] or record.order[node] <= record.floor:
            return PASS
        if state == UNKNOWN and self.flow.on_lost[node] == "ask":
            return HOLD
        return UNDO

    def _undo_drained_scopes(self) -> bool:
        moved = False
        if self.record.run != RUNNING:
            return False
        for scope in list(self._draining):
            _, _, lo, hi, _ = self.flow.sections[scope]
            if not any(lo <= node <= hi for node in self._busy):
                del self._draining[scope]
                self._backward.begin(scope)
                moved = True
        return moved

    def _start_undo(self, node: int) -> None:
        undo = self.flow.undo[node]
        if self.flow.kinds[node] == BEGIN:
            self._move_retry(node, REVERTING)
            self._move_retry(node, REVERTED)
            self._backward.clear(node)
        elif undo == UNDO_NOTHING:
            self._move_task(node, REVERTING)
            self._undone(node, None)
        elif undo == UNDO_IMPOSSIBLE:
            self._move_task(node, REVERTING)
            self._revert_failed(node, 1, _IRREVERSIBLE)
        else:
            if self.record.state[node] != REVERTING:
                self._move_task(node, REVERTING, self.record.undos[node] + 1)
            self._busy[node] = UNDOING
            self._commands.append(c.StartRevert(node, self.record.undos[node]))

    def _undone(self, node: int, data: e.Data | None) -> None:
        again = self.record.phase == FORWARD and not self._is_stopped(node)
        self._move_task(node, REVERTED, self.record.undos[node], data)
        if again:  # undone because its outcome was unknown: now it runs again
            self._start_over(node)
        elif self.record.phase != FAILED and not self._is_draining(node):
            self._backward.clear(node)

    def _is_draining(self, node: int) -> bool:
        return any(self.flow.sections[s].begin <= node <= self.flow.sections[s].end for s in self._draining)

    def _on_reverted(self, event: e.RevertSucceeded) -> None:
        node = event.node
        if self._is_current(node, UNDOING, event.attempt):
            del self._busy[node]
            self._undone(node, event.data)

    def _on_revert_failure(self, event: e.RevertFailed) -> None:
        node = event.node
        if not self._is_current(node, UNDOING, event.attempt):
            return
        del self._busy[node]
        retry = self.flow.undo_retries.get(node, UNDO_RETRY)
        tries = event.attempt - self.record.undo_base[node]
        if event.final or tries >= retry.attempts or self.record.run not in (RUNNING, REVERTING):
            self._revert_failed(node, event.attempt, event.failure)
            return
        due = self._at + wait_before(retry, tries, self._seed + node)
        self._try_undo_again(node, event.failure, due)
        self._wait(node, due)

    def _on_revert_lost(self, event: e.RevertLost) -> None:
        node = event.node
        if self._is_current(node, UNDOING, event.attempt):
            failure = {"type": "Lost", "message": "a crash took the outcome of this undo"}
            self._try_undo_again(node, failure, self._at)
            self._commands.append(c.StartRevert(node, self.record.undos[node]))

    def _try_undo_again(self, node: int, failure: e.Data, due: float) -> None:
        name, attempt = self.flow.names[node], self.record.undos[node] + 1
        data = {"failure": failure, "due": due}
        self._emit(Transition("warning", node, name, REVERTING, REVERTING, self._at, attempt, data))

    def _revert_failed(self, node: int, attempt: int, failure: e.Data) -> None:
        self._move_task(node, REVERT_FAILURE, attempt, {"failure": failure})
        if self.record.phase == FORWARD:
            if self.record.run == RUNNING:
                self._fail_run(
                    {"type": "RevertFailure", "message": f"{self.flow.names[node]} was not undone"}
                )
        elif self.record.phase == ROLLING and self.flow.undo[node] == UNDO_IMPOSSIBLE:
            # No later undo will ever need what this one depended on: go on behind it.
            self._backward.clear(node)

    def _rerun_undone_scopes(self) -> bool:
        """Flows that are undone down to their controller run again."""
        reached, self._backward.reached = self._backward.reached, []
        for section in reached:
            if section in self.record.scopes and section not in self._draining and self.record.run == RUNNING:
                self._rerun(section)
        return bool(reached)

    def _rerun(self, section: int) -> None:
        _, _, begin, end, controller = self.flow.sections[section]
        if controller is None:
            raise InvalidTransition(f"flow {self.flow.names[begin]} has no controller")
        due = self._at + wait_before(controller.retry, self.record.attempt[begin], self._seed + begin)
        self._move_retry(begin, RETRYING, {"due": due})
        states, kinds, predecessors = self.record.state, self.flow.kinds, self.flow.predecessors
        self._ready = [node for node in self._ready if not begin < node < end]
        heapq.heapify(self._ready)
        for node in range(begin + 1, end + 1):
            self._missing[node] = len(predecessors[node])
            if states[node] == PENDING:
                continue
            if kinds[node] == TASK:
                self._move_task(node, PENDING)
            else:
                self._move_retry(node, PENDING)
        if due <= self._at:
            self._run_controller(begin)
        else:
            self._wait(begin, due)

    # ------------------------------------------------------------------ the run as a whole

    def _apply_rules(self) -> None:
        moved = True
        while moved:
            moved = False
            for rule in self._rules:
                moved |= rule()

    def _roll_back(self) -> bool:
        """A failed run that has drained is undone, or left for a person where the file says so."""
        record = self.record
        if record.run == RUNNING and record.doomed:
            self._fail_run(None)
            return True
        if record.run != FAILURE or record.phase != FAILED or self._busy:
            return False
        if self.flow.on_failure != "revert" or self._is_behind_pivot():
            self._move_flow(SUSPENDED)
        else:
            self._move_flow(REVERTING)
            self._backward.begin(ROOT)
        return True

    def _is_behind_pivot(self) -> bool:
        return any(self.record.state[node] == SUCCESS for node in self.flow.pivots)

    def _finish(self) -> bool:
        run = self.record.run
        if self._busy or run not in (RUNNING, REVERTING, SUSPENDING):
            return False
        if run == SUSPENDING:
            self._waiting.clear()
            self._move_flow(SUSPENDED)
        elif run == RUNNING:
            if not self._complete or self._waiting:
                return False
            self._move_flow(SUCCESS)
        elif self._waiting or self._backward.ready:
            return False
        elif self._has_residue():
            self._move_flow(FAILURE)
        elif self.record.floor:
            self._move_flow(SUSPENDED)
        else:
            self._move_flow(REVERTED)
        return True

    def _has_residue(self) -> bool:
        """Is anything still applied that the rollback was to undo?"""
        record = self.record
        return any(
            record.state[node] in _APPLIED
            and record.order[node] > record.floor
            and (not record.inert[node] or record.state[node] == REVERT_FAILURE)
            for node in self.flow.tasks
        )

    def _on_suspend(self, event: e.SuspendRequested) -> None:
        if self.record.run in (RUNNING, REVERTING):
            self._move_flow(SUSPENDING, {"reason": event.reason} if event.reason else None)

    def _on_cancel(self, event: e.CancelRequested) -> None:
        if self.record.run not in (RUNNING, SUSPENDING) or self.record.phase != FORWARD:
            return
        self._fail_run(event.failure)
        self._commands += [
            c.StopAttempt(node, self.record.attempt[node])
            for node in sorted(self._busy)
            if self._busy[node] == DOING
        ]

    # ------------------------------------------------------------------ coming back

    def _on_resume(self, _event: e.ResumeRequested) -> None:
        """Go on where the run stands: forward, or with its rollback."""
        if self.record.run in (PENDING, SUCCESS, REVERTED):
            return
        phase = self.record.phase
        self._move_flow(RESUMING)
        if phase == ROLLING:
            self._move_flow(REVERTING)
        elif phase == FAILED:
            self._move_flow(FAILURE)
        else:
            self._move_flow(RUNNING)
        if phase == STOPPED:
            self._try_again()
        self._rebuild()
        self._commands += [c.StartTimer(node, due) for node, due in sorted(self._waiting.items())]
        for node in self.flow.tasks:
            if self.record.state[node] == UNKNOWN and node not in self._busy:
                self._settle_unknown(node)

    def _try_again(self) -> None:
        """What failed gets another try, what was undone back to a savepoint is done anew: somebody said so."""
        for node, state in enumerate(self.record.state):
            is_task = self.flow.kinds[node] == TASK
            if state == FAILURE and is_task and not self.flow.tolerated[node]:
                self._move_task(node, RETRYING, data={"due": self._at})
            elif state in (REVERTED, FAILURE) and is_task and not self.flow.tolerated[node]:
                self._move_task(node, PENDING)
            elif state in (REVERTED, FAILURE) and not is_task:
                self._move_retry(node, PENDING)

    def _on_revert(self, event: e.RevertRequested) -> None:
        run = self.record.run
        if run in (PENDING, REVERTED):
            return
        floor = 0 if event.floor is None else self.record.order[event.floor]
        if self.record.phase != ROLLING and run not in (SUCCESS, SUSPENDED):
            # Its process died on the way: settle what was in flight first.
            self._move_flow(RESUMING)
            self._move_flow(FAILURE, {"failure": {"type": "Reverted", "message": "a revert was asked for"}})
            self._rebuild()
            return
        if run not in (SUCCESS, SUSPENDED):
            self._move_flow(RESUMING)
        self._move_flow(REVERTING, {"floor": floor})
        self._rebuild()

    def _rebuild(self) -> None:
        """Derive ready lists and counters from the facts: O(size), once after a restore."""
        self._forget_derived()
        for node in range(len(self.flow)):
            self._recall(node)
        if self.record.run != PENDING:
            self._arrive_at(ROOT)
        if self.record.phase == ROLLING and self.record.run in (REVERTING, SUSPENDING):
            self._backward.begin(ROOT)

    def _recall(self, node: int) -> None:
        """What this node has in flight, by its state alone."""
        state, is_task = self.record.state[node], self.flow.kinds[node] == TASK
        if state == RUNNING and is_task:
            self._busy[node] = DOING
        elif state == REVERTING and is_task:
            self._busy[node] = UNDOING
        elif state == UNKNOWN and self.flow.probed[node]:
            self._busy[node] = PROBING
        elif state == RETRYING and self.record.phase == FORWARD and not self._is_stopped(node):
            self._waiting[node] = self.record.due.get(node, 0.0)
            if self._waits_hold_places and is_task:
                self._busy[node] = WAITING


def _failure_data(failure: e.Data, data: e.Data | None) -> dict[str, Any]:
    return {**(data or {}), "failure": dict(failure)}
