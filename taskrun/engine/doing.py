"""Going forward: conditions, lists of values, attempts and their results."""

from typing import Any

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.core import Core
from taskrun.engine.flow import ROOT, TASK
from taskrun.engine.inflight import DECIDING, DOING, LISTING
from taskrun.engine.policy import wait_before
from taskrun.engine.record import FORWARD, RUN
from taskrun.engine.scopes import attempts_of, scope_above
from taskrun.engine.states import FAILURE, IGNORE, PENDING, RETRYING, RUNNING, SUCCESS

_NOTHING_TO_TRY = {"type": "NothingToTry", "message": "`for_each` gave no values"}


class Doing:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._flow = core.flow
        self._record = core.record

    # ------------------------------------------------------------------ starting

    def start(self, node: int) -> None:
        """It is this node's turn, and there is a place for it."""
        if self._is_undecided(node):
            asked = self._core.inflight.ask(node, DECIDING)
            self._core.commands.append(c.EvaluateCondition(node, asked))
        elif self._flow.kinds[node] == TASK:
            self.run_task(node)
        else:
            self._enter(node)

    def _is_undecided(self, node: int) -> bool:
        return (
            bool(self._flow.conditional[node])
            and self._record.state[node] == PENDING
            and node not in self._record.decided
        )

    def run_task(self, node: int) -> None:
        attempt = self._record.attempt[node] + 1
        self._core.move_task(node, RUNNING, attempt)
        self._core.inflight.busy[node] = DOING
        self._core.commands.append(c.StartAttempt(node, attempt))

    def _enter(self, node: int) -> None:
        """Begin a nested flow: its controller first, if it has one."""
        controller = self._flow.controller(node)
        if self._flow.expands[node] or node in self._record.stale:
            asked = self._core.inflight.ask(node, LISTING)
            self._core.commands.append(c.EvaluateItems(node, asked))
        elif controller is None:
            self._core.forward.done(node)
        elif controller.dynamic and node not in self._record.counts:
            asked = self._core.inflight.ask(node, LISTING)
            self._core.commands.append(c.EvaluateItems(node, asked))
        elif attempts_of(self._record, node) < 1:
            self._fail_controller(node, _NOTHING_TO_TRY)
        else:
            self.run_controller(node)

    def run_controller(self, node: int, data: e.Data | None = None) -> None:
        self._core.move_retry(node, RUNNING, data)
        self._core.move_retry(node, SUCCESS)
        self._core.forward.done(node)

    def _fail_controller(self, node: int, failure: e.Data) -> None:
        scope = self._scope_around(node)
        self._core.move_retry(node, RUNNING)
        self._core.move_retry(node, FAILURE, {"failure": failure, "scope": self._levels_up(node, scope)})
        self._core.bring_down(scope, failure)

    def _scope_around(self, begin: int) -> int:
        """What fails with a nested flow that could not even begin."""
        return scope_above(self._record, self._flow.sections[self._flow.section[begin]].parent)

    def _levels_up(self, node: int, scope: int) -> int:
        """How a scope is recorded: a fan-out may give its flow another index, but takes none from around it."""
        up, section = 0, self._flow.section[node]
        while scope not in (section, RUN):
            up, section = up + 1, self._flow.sections[section].parent
        return RUN if scope == RUN else up

    # ------------------------------------------------------------------ questions and their answers

    def on_condition(self, event: e.ConditionDecided) -> None:
        node = event.node
        if not self._is_wanted(node, DECIDING, event.asked):
            return
        is_task = self._flow.kinds[node] == TASK
        if event.failure is not None:
            self._fail_undecided(node, event.failure)
        elif is_task and event.holds:
            self.run_task(node)
        elif is_task:
            self._ignore(node)
        else:
            self._core.note("log", node, 0, {"condition": event.holds})
            if event.holds:
                self._enter(node)
            else:
                self._ignore(node)

    def on_items(self, event: e.ItemsEvaluated) -> None:
        node = event.node
        if not self._is_wanted(node, LISTING, event.asked):
            return
        if self._flow.expands[node]:
            # The items themselves come with another flow, in which this one is restored: see ``engine.expand``.
            self._fail_undecided(node, event.failure or _NOTHING_TO_TRY)
            return
        if node in self._record.stale:
            self._take_list_anew(node, event)
            return
        failure = event.failure if event.size or event.failure else _NOTHING_TO_TRY
        if failure is None:
            self.run_controller(node, {**(event.data or {}), "count": event.size})
        else:
            self._fail_controller(node, failure)

    def _take_list_anew(self, node: int, event: e.ItemsEvaluated) -> None:
        """The items are there, as many as there ever were: those that are too many this time are passed by."""
        if event.failure is not None:
            self._fail_undecided(node, event.failure)
            return
        self._core.note("log", node, 0, {"listed": event.size})
        for first, last in self._items(node)[event.size :]:
            for each in range(first, last + 1):
                self._pass_by(each)
        self._core.forward.done(node)

    def _items(self, begin: int) -> list[tuple[int, int]]:
        """The first and the last node of each item of a fan-out."""
        flow, found, node = self._flow, [], begin + 1
        while node < flow.sections[flow.section[begin]].end:
            last = node if flow.kinds[node] == TASK else flow.sections[flow.section[node]].end
            found.append((node, last))
            node = last + 1
        return found

    def _is_wanted(self, node: int, what: str, asked: int | None) -> bool:
        """Takes the answer's place back. An answer that comes while all stops is dropped, to be asked for again."""
        if not self._core.inflight.is_answer(node, what, asked):
            return False
        del self._core.inflight.busy[node]
        return self._record.run == RUNNING and self._core.goes_forward(node)

    def _fail_undecided(self, node: int, failure: e.Data) -> None:
        """An `if` that cannot be evaluated fails its task, or, having no state of its own, the flow around."""
        if self._flow.kinds[node] == TASK:
            self._core.move_task(node, RUNNING, self._record.attempt[node] + 1)
            self._fail_task(node, failure, None, started=False)
        else:
            scope = self._scope_around(node)
            self._core.note("warning", node, 0, {"failure": failure, "scope": self._levels_up(node, scope)})
            self._core.bring_down(scope, failure)

    def _ignore(self, node: int) -> None:
        """Pass a node by, and then what its `skip` reaches, in file order."""
        flow, around = self._flow, self._flow.section[node]
        start, inside = node, range(node, node + 1)
        if flow.kinds[node] != TASK:
            start = flow.sections[around].end
            inside = range(node, start)
            around = max(flow.sections[around].parent, ROOT)
        depth = flow.skips.get(node, "task")
        reached: list[int] = []
        if depth != "task":
            limit = flow.sections[around].end if depth == "flow" else len(flow)
            reached = self._core.forward.dependents(start, limit)
        for each in (*inside, *reached):
            self._pass_by(each)
        self._core.forward.done(node)

    def _pass_by(self, node: int) -> None:
        if self._record.state[node] != PENDING:
            return
        if self._flow.kinds[node] == TASK:
            self._core.move_task(node, IGNORE)
        elif self._flow.controller(node) is not None:
            self._core.move_retry(node, IGNORE)
        elif node in self._record.stale:
            self._core.note("log", node, 0, {"listed": 0})
        elif (self._flow.conditional[node] or self._flow.expands[node]) and node not in self._record.decided:
            self._core.note("log", node, 0, {"condition": False})

    # ------------------------------------------------------------------ results of attempts

    def on_success(self, event: e.AttemptSucceeded) -> None:
        node = event.node
        if not self._core.inflight.is_current(node, DOING, event.attempt):
            return
        del self._core.inflight.busy[node]
        data = {**(event.data or {}), "already": True} if event.already else event.data
        self._core.move_task(node, SUCCESS, event.attempt, data)
        self._core.forward.done(node)

    def on_failure(self, event: e.AttemptFailed) -> None:
        node = event.node
        if not self._core.inflight.is_current(node, DOING, event.attempt):
            return
        del self._core.inflight.busy[node]
        if self._may_retry(node, event):
            self._retry(node, event)
        else:
            self._fail_task(node, event.failure, event.data, started=event.started)

    def _may_retry(self, node: int, event: e.AttemptFailed) -> bool:
        retry = self._flow.retries.get(node)
        tries = event.attempt - self._record.base[node]
        return (
            retry is not None and tries < retry.attempts and event.retryable and self._core.goes_forward(node)
        )

    def _retry(self, node: int, event: e.AttemptFailed) -> None:
        core, tries = self._core, event.attempt - self._record.base[node]
        due = core.at + wait_before(self._flow.retries[node], tries, core.seed + node)
        details = _failure_details(event.failure, event.data, started=event.started)
        core.move_task(node, FAILURE, event.attempt, details)
        core.move_task(node, RETRYING, event.attempt, {"due": due})
        if self._record.run != RUNNING:
            return  # it comes back with the run
        if due <= core.at:
            self.run_task(node)
        else:
            core.wait(node, due)

    def _fail_task(self, node: int, failure: e.Data, data: e.Data | None, *, started: bool) -> None:
        """The last attempt failed: decide what it brings down, and record that with the failure."""
        details = _failure_details(failure, data, started=started)
        if self._flow.tolerated[node]:
            self._core.move_task(node, FAILURE, data=details)
            self._core.forward.done(node)
        elif self._record.phase == FORWARD:
            scope = scope_above(self._record, self._flow.section[node])
            details["scope"] = self._levels_up(node, scope)
            self._core.move_task(node, FAILURE, data=details)
            self._core.bring_down(scope, None)
        else:
            self._core.move_task(node, FAILURE, data=details)


def _failure_details(failure: e.Data, data: e.Data | None, *, started: bool) -> dict[str, Any]:
    details = {**(data or {}), "failure": dict(failure)}
    if not started:
        details["started"] = False
    return details
