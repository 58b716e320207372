"""The names expressions may use, for one run: what was given, what tasks put out, what a task is asking about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taskrun.engine.expand import known_lists
from taskrun.engine.flow import Flow
from taskrun.engine.record import Record
from taskrun.engine.states import IGNORE, REVERT_FAILURE, REVERTING
from taskrun.journal.base import Entry
from taskrun.spec.expressions import parse, render

Scope = dict[str, Any]
_NO_FAILURE = {"task": None, "type": None, "message": None}

ITEMS = "custom"  # the kind of the entry that records a fan-out's list


class TaskNames(dict[str, Any]):
    """``tasks`` of expressions: each looked up when asked for, so that a scope costs nothing to make."""

    def __init__(self, values: "Values", prefix: str = "") -> None:
        super().__init__()
        self._values = values
        self._prefix = prefix  # within an item of a fan-out, its own tasks come first

    def __missing__(self, name: str) -> Any:
        if self._prefix and self._values.knows(self._prefix + name):
            return self._values.task(self._prefix + name)
        return self._values.task(name)

    def __contains__(self, name: object) -> bool:
        return self._values.knows(name) or (
            bool(self._prefix) and self._values.knows(f"{self._prefix}{name}")
        )

    def __iter__(self) -> Iterator[str]:
        return iter((*self._values.nodes, *self._values.items))

    def __len__(self) -> int:
        return len(self._values.nodes) + len(self._values.items)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - this is get


class Values:
    """``outputs`` and ``inputs_of`` are by task name; ``lists`` holds the values of controllers with a `for_each`.

    Names and not nodes, because a fan-out gives the nodes new numbers: see ``adopt``.
    """

    definition: Mapping[str, Any]
    flow: Flow
    record: Record

    def __init__(
        self, definition: Mapping[str, Any], flow: Flow, record: Record, shared: Mapping[str, Any]
    ) -> None:
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self.inputs_of: dict[str, Mapping[str, Any]] = {}
        self.failure_of: dict[str, Mapping[str, Any]] = {}
        self.undone_from: dict[str, str] = {}  # the state in which the undo of a task found it
        self.lists: dict[str, list[Any]] = {}
        self.items: dict[str, list[Any]] = {}
        self.spread: dict[str, Sequence[Any]] = {}  # the same, as long as they ever were
        self.first_failure: dict[str, Any] | None = None
        self._shared = {**shared, "tasks": TaskNames(self)}
        self.adopt(definition, flow, record)

    def adopt(self, definition: Mapping[str, Any], flow: Flow, record: Record) -> None:
        """Go on with the expanded definition of the same run."""
        self.definition = definition
        self.flow = flow
        self.record = record
        self.nodes = {flow.names[node]: node for node in flow.tasks}
        self._gives = {flow["name"]: flow["gives"] for flow in definition["flows"] if "gives" in flow}
        self.begins = {section.name: section.begin for section in flow.sections}
        self._has_controllers = any(section.controller for section in flow.sections)

    def take(self, entry: Entry) -> None:
        """Keep what a journal entry carries: the same way while running and when coming back."""
        data, name = entry.data, entry.name
        if entry.kind == "task":
            if entry.state == "PENDING":
                for kept in (self.outputs, self.inputs_of, self.failure_of):
                    kept.pop(name, None)
            elif entry.state == REVERTING and entry.old_state not in (REVERT_FAILURE, REVERTING):
                self.undone_from[name] = str(entry.old_state)
            if data and entry.state != "PENDING":
                self._take_data(name, data)
        elif entry.kind == "retry" and data and "values" in data:
            self.lists[name] = data["values"]
        elif entry.kind == ITEMS and data and "items" in data:
            self.items[name] = data["items"]
            self.spread = known_lists(self.spread, name, data["items"])

    def _take_data(self, name: str, data: Mapping[str, Any]) -> None:
        if "inputs" in data:
            self.inputs_of[name] = data["inputs"]
        if "outputs" in data:
            self.outputs[name] = data["outputs"]
        if "failure" in data:
            self.failure_of[name] = data["failure"]
            if self.first_failure is None:
                self.first_failure = {"task": name, **data["failure"]}

    def spec(self, node: int) -> Mapping[str, Any]:
        """The task's part of the definition."""
        found: Mapping[str, Any] = self.definition["tasks"][self.flow.task_of[node]]
        return found

    def about(self, node: int) -> Mapping[str, Any]:
        """The part of the definition of a task, or of the flow that begins here."""
        if self.flow.task_of[node] >= 0:
            return self.spec(node)
        found: Mapping[str, Any] = self.definition["flows"][self.flow.section[node]]
        return found

    def knows(self, name: object) -> bool:
        return name in self.nodes or name in self.items

    def task(self, name: str) -> dict[str, Any]:
        """``tasks.NAME`` of expressions. The outputs of an ignored task are null; of a fan-out they are lists."""
        if name in self.items:
            return self._fan_out(name)
        node = self.nodes[name]
        state = self.record.state[node]
        outputs: Mapping[str, Any] = self.outputs.get(name, {})
        if state == IGNORE:
            outputs = dict.fromkeys(self.spec(node).get("outputs", ()))
        return {"outputs": outputs, "state": str(state)}

    def _fan_out(self, name: str) -> dict[str, Any]:
        found = [self.task(each) for each in self._item_names(name)]
        keys = dict.fromkeys(self._gives.get(name, ()))
        keys |= dict.fromkeys(key for each in found for key in each["outputs"])
        outputs = {key: [each["outputs"].get(key) for each in found] for key in keys}
        return {"outputs": outputs, "state": [each["state"] for each in found]}

    def _item_names(self, name: str) -> list[str]:
        names = [f"{name}[{number}]" for number in range(len(self.items[name]))]
        return [each for each in names if self.knows(each)]  # the items of a flow are flows

    def scope(self, node: int, **extra: Any) -> Scope:
        """The names for one task or flow; ``extra`` are those of the moment (result, event)."""
        scope: Scope = dict(self._shared)
        name = self.flow.names[node]
        scope["self"] = {
            "name": name,
            "inputs": self.inputs_of.get(name, {}),
            "outputs": self.outputs.get(name, {}),
            "state": str(self.record.state[node]),
            "attempt": self.record.attempt[node],
        }
        spec = self.about(node)
        if "bound" in spec:
            scope.update(spec["bound"])
            if spec["prefix"]:
                scope["tasks"] = TaskNames(self, spec["prefix"])
        if self._has_controllers:
            self._add_retries(node, scope)
        scope.update(extra)
        return scope

    def reverting_scope(self, node: int, **extra: Any) -> Scope:
        name = self.flow.names[node]
        failure = self.failure_of.get(name)
        found = {"task": name, **failure} if failure else self.first_failure
        scope = self.scope(node, failure=found or _NO_FAILURE, **extra)
        scope["self"]["state"] = self.undone_from.get(name, scope["self"]["state"])
        return scope

    def failure_scope(self) -> Scope:
        """For what looks at the whole run after its rollback."""
        return self.run_scope(failure=self.first_failure or _NO_FAILURE)

    def run_scope(self, **extra: Any) -> Scope:
        return {**self._shared, **extra}

    def _add_retries(self, node: int, scope: Scope) -> None:
        retries: dict[str, Any] = {}
        section = self.flow.section[node]
        while section >= 0:
            found = self.flow.sections[section]
            if found.controller is not None:
                about = self._retry(section)
                spec = self.definition["flows"][section]
                retries[found.name.removeprefix(spec.get("prefix", ""))] = about
                scope.setdefault("retry", about)
            section = found.parent
        scope["retries"] = retries

    def _retry(self, section: int) -> dict[str, Any]:
        begin = self.flow.sections[section].begin
        attempt = self.record.attempt[begin]
        spec = self.definition["flows"][section].get("retry", {})
        items = spec.get("for_each")
        if not isinstance(items, list):
            items = self.lists.get(self.flow.sections[section].name, [])
        value = items[attempt - 1] if 0 < attempt <= len(items) else None
        if isinstance(value, str) and isinstance(spec.get("for_each"), list):
            value = render(value, self._shared)
        return {"attempt": attempt, "value": value}

    def condition(self, node: int) -> Any:
        """The value of the `if` of a task or flow."""
        spec = self.about(node)
        return parse(spec["if"]).evaluate(self.scope(node))

    def list_of(self, node: int) -> Any:
        """The values of the `for_each` of a controller, or of a fan-out."""
        flow = self.definition["flows"][self.flow.section[node]]
        source = flow["for_each"] if "for_each" in flow else flow["retry"]["for_each"]
        scope = self.scope(node)
        return parse(source).evaluate(scope) if isinstance(source, str) else render(source, scope)
