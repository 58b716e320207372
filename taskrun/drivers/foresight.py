"""The driver that only looks ahead: the machine, one attempt at a time, with every attempt going as it is assumed to.

Nothing is done and no clock is asked. Conditions and lists are evaluated as far as they are known before the run; a
condition that is not is assumed to hold, and a list that is not to have one item. A flow with a controller runs once:
what a last round leaves is what counts.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskrun.drivers.recall import lists_of, to_entry, transitions
from taskrun.drivers.values import ITEMS, Scope, Values
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.expand import expand, has_fan_out
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine, Step
from taskrun.errors import ExpressionError
from taskrun.journal.base import Entry
from taskrun.spec.expressions import Expression, parse
from taskrun.spec.preview import Known, UnknownError, condition, exact

_FAILURE = {"type": "Assumed", "message": "the plan wants to know what happens then"}
_BEFORE_THE_RUN = {"name", "user"}  # of `run`
MASK = "***"


class Foresight:
    """``entries`` are what a journal would hold; ``assumed``: by task, the condition that is taken to hold.

    What was under way in a run that was left may have done anything; ``goes_well`` says to hope for the best.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        shared: Mapping[str, Any],
        *,
        fails: Callable[[str], bool] = lambda _name: False,
        history: Sequence[Entry] = (),
        goes_well: bool = False,
    ) -> None:
        self._definition = definition if history else one_round(definition)
        self._fails = fails
        self._has_run = bool(history)
        self._may_have_failed = self._has_run and not goes_well
        self._now = history[-1].time if history else 0.0
        self._commands: deque[c.Command] = deque()
        self.entries: list[Entry] = list(history)
        self.assumed: dict[str, str] = {}
        self.guessed: dict[
            str, str
        ] = {}  # fan-outs and controllers, and the list that only the run will tell
        self.problems: dict[str, str] = {}  # expressions that cannot be evaluated, and why
        lists = lists_of(history)
        expanded = expand(self._definition, lists) if has_fan_out(self._definition) else self._definition
        flow = compile_flow(expanded)
        self.machine = Machine.restore(flow, transitions(flow, history), jobs=1)
        self.values = Values(expanded, flow, self.machine.record, shared)
        for entry in history:
            self.values.take(entry)

    def look(self, event: e.Event) -> list[Entry]:
        """What would be recorded from here until the run is over; RefusedError if it would be refused."""
        before = len(self.entries)
        pending = self.machine.pending()
        self._take(self.machine.receive(event))
        self._commands.extendleft(reversed(pending))
        while self._commands:
            self._carry_out(self._commands.popleft())
        return self.entries[before:]

    # ------------------------------------------------------------------ what is assumed of commands

    def _take(self, step: Step) -> None:
        for transition in step.transitions:
            self._keep(to_entry(transition, len(self.entries) + 1))
        self._commands += step.commands

    def _keep(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.values.take(entry)

    def _carry_out(self, command: c.Command) -> None:
        now, node = self._now, command.node
        match command:
            case c.StartAttempt():
                event = self._attempt(command)
            case c.StartRevert():
                event = e.RevertSucceeded(now, node, command.attempt)
            case c.StartProbe():
                event = e.ProbeAnswered(now, node, command.attempt, None, None, command.asked)
            case c.StartTimer():
                self._now = max(now, command.due)
                event = e.TimerFired(self._now, node, command.due)
            case c.EvaluateCondition():
                event = self._condition(command)
            case c.EvaluateItems() if self.machine.flow.relists[node]:
                items = self.values.items.get(self.machine.flow.names[node], ())
                event = e.ItemsEvaluated(now, node, len(items), None, None, command.asked)
            case c.EvaluateItems() if self.machine.flow.expands[node]:
                self._fan_out(node)
                return
            case c.EvaluateItems():
                event = self._round(command)
            case _:
                return  # an attempt is stopped: it ends as all do
        self._take(self.machine.receive(event))

    def _attempt(self, command: c.StartAttempt) -> e.Event:
        now, node, name = self._now, command.node, self.machine.flow.names[command.node]
        self.values.inputs_of.setdefault(name, self._inputs(node))
        if self._may_have_failed or self._fails(name):
            return e.AttemptFailed(now, node, command.attempt, _FAILURE, retryable=False)
        return e.AttemptSucceeded(now, node, command.attempt)

    def _inputs(self, node: int) -> dict[str, Any]:
        """Those inputs of a task that are known."""
        known, found = self.known(node), {}
        for name, value in self.values.spec(node).get("inputs", {}).items():
            try:
                found[name] = exact(value, _strictly(known))
            except UnknownError:
                continue
        return found

    def _condition(self, command: c.EvaluateCondition) -> e.Event:
        node = command.node
        source = self.values.about(node)["if"]
        holds = condition(source, self.known(node))
        if holds is None:
            self.assumed[self.machine.flow.names[node]] = source
        return e.ConditionDecided(self._now, node, holds is not False, None, command.asked)

    def _list(self, node: int) -> list[Any]:
        """The items, or one that stands for all of them."""
        flow = self.values.definition["flows"][self.machine.flow.section[node]]
        source = flow["for_each"] if self.machine.flow.expands[node] else flow["retry"]["for_each"]
        known = _strictly(self.known(node))
        try:
            found = known(parse(source)) if isinstance(source, str) else exact(source, known)
        except UnknownError:
            found = None
        if isinstance(found, list):
            return found
        self.guessed[self.machine.flow.names[node]] = source if isinstance(source, str) else str(source)
        return [None]

    def _fan_out(self, node: int) -> None:
        """As the driver for real does it: go on in the flow that has the items."""
        name, items = self.machine.flow.names[node], self._list(node)
        self._keep(Entry(len(self.entries) + 1, self._now, ITEMS, name, None, None, 0, {"items": items}))
        definition = expand(self._definition, self.values.spread)
        flow = compile_flow(definition)
        self.machine = Machine.restore(flow, transitions(flow, self.entries), jobs=1)
        self.values.adopt(definition, flow, self.machine.record)
        self._commands = deque(self.machine.pending())
        self._take(self.machine.receive(e.TimerFired(self._now, 0, -1.0)))

    def _round(self, command: c.EvaluateItems) -> e.Event:
        node, items = command.node, self._list(command.node)
        return e.ItemsEvaluated(self._now, node, len(items[:1]), {"values": items[:1]}, None, command.asked)

    # ------------------------------------------------------------------ what is known

    def known(self, node: int, *, undoing: bool = False) -> Known:
        """The values of expressions of a task or flow, as far as they are known now."""
        scope = self.values.reverting_scope(node) if undoing else self.values.scope(node)

        def value(expression: Expression) -> Any:
            if len(expression.names) == 1 and expression.source == ".".join(next(iter(expression.names))):
                path = next(iter(expression.names))
                if path[0] == "secrets":
                    return MASK
            if not all(self._is_known(path, node, scope) for path in expression.names):
                raise UnknownError
            try:
                return expression.evaluate(scope)
            except ExpressionError as error:
                self.problems.setdefault(expression.source, error.message)
                raise UnknownError from error

        return value

    def _is_known(self, path: tuple[str, ...], node: int, scope: Scope) -> bool:
        root, rest = path[0], path[1:]
        if root in ("secrets", "result", "event"):
            return False
        if root == "self":
            return self._is_known_of_itself(rest, scope)
        if root in ("tasks", "failure"):
            return self._has_run
        if root == "run":
            return self._has_run or (bool(rest) and rest[0] in _BEFORE_THE_RUN)
        if root in ("inputs", "env"):
            return True
        return self.guess_around(node) is None

    def _is_known_of_itself(self, rest: tuple[str, ...], scope: Scope) -> bool:
        if self._has_run or rest == ("name",):
            return True
        return len(rest) > 1 and rest[0] == "inputs" and rest[1] in scope["self"]["inputs"]

    def guess_around(self, node: int) -> str | None:
        """The fan-out or controller around it whose values only the run will tell."""
        sections, section = self.machine.flow.sections, self.machine.flow.section[node]
        while section >= 0:
            if sections[section].name in self.guessed:
                return sections[section].name
            section = sections[section].parent
        return None


def one_round(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with every controller's flow run only once."""
    flows = [_once(flow) if "retry" in flow else flow for flow in definition["flows"]]
    return {**definition, "flows": flows}


def _once(flow: Mapping[str, Any]) -> dict[str, Any]:
    retry = flow["retry"]
    items = retry.get("for_each")
    once = {"for_each": items[:1]} if isinstance(items, list) else {"attempts": 1}
    return {**flow, "retry": {**retry, **once}}


def _strictly(known: Known) -> Known:
    """For values that are computed with: a mask is none."""

    def value(expression: Expression) -> Any:
        if any(path[0] == "secrets" for path in expression.names):
            raise UnknownError
        return known(expression)

    return value
