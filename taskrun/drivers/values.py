"""The names expressions may use, for one run: what was given, what tasks put out, what a task is asking about."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.engine.flow import Flow
from taskrun.engine.record import Record
from taskrun.engine.states import IGNORE
from taskrun.journal.base import Entry
from taskrun.spec.expressions import parse, render

Scope = dict[str, Any]


class TaskNames(dict[str, Any]):
    """``tasks`` of expressions: each looked up when asked for, so that a scope costs nothing to make."""

    def __init__(self, values: "Values") -> None:
        super().__init__()
        self._values = values

    def __missing__(self, name: str) -> Any:
        return self._values.task(name)

    def __contains__(self, name: object) -> bool:
        return name in self._values.nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._values.nodes)

    def __len__(self) -> int:
        return len(self._values.nodes)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - this is get


class Values:
    """``outputs`` and ``inputs_of`` are by node; ``lists`` holds the values of controllers with a `for_each`."""

    def __init__(
        self, definition: Mapping[str, Any], flow: Flow, record: Record, shared: Mapping[str, Any]
    ) -> None:
        self.definition = definition
        self.flow = flow
        self.record = record
        self.nodes = {flow.names[node]: node for node in flow.tasks}
        self.begins = {section.name: section.begin for section in flow.sections}
        self.outputs: dict[int, Mapping[str, Any]] = {}
        self.inputs_of: dict[int, Mapping[str, Any]] = {}
        self.failure_of: dict[int, Mapping[str, Any]] = {}
        self.lists: dict[int, list[Any]] = {}
        self.first_failure: dict[str, Any] | None = None
        self._shared = {**shared, "tasks": TaskNames(self)}
        self._has_controllers = any(section.controller for section in flow.sections)

    def take(self, entry: Entry) -> None:
        """Keep what a journal entry carries: the same way while running and when coming back."""
        data = entry.data
        if entry.kind == "task":
            node = self.nodes[entry.name]
            if entry.state == "PENDING":
                for kept in (self.outputs, self.inputs_of, self.failure_of):
                    kept.pop(node, None)
            elif data:
                self._take_data(node, entry.name, data)
        elif entry.kind == "retry" and data and "values" in data:
            self.lists[self.begins[entry.name]] = data["values"]

    def _take_data(self, node: int, name: str, data: Mapping[str, Any]) -> None:
        if "inputs" in data:
            self.inputs_of[node] = data["inputs"]
        if "outputs" in data:
            self.outputs[node] = data["outputs"]
        if "failure" in data:
            self.failure_of[node] = data["failure"]
            if self.first_failure is None:
                self.first_failure = {"task": name, **data["failure"]}

    def spec(self, node: int) -> Mapping[str, Any]:
        """The task's part of the definition."""
        found: Mapping[str, Any] = self.definition["tasks"][self.flow.task_of[node]]
        return found

    def task(self, name: str) -> dict[str, Any]:
        """``tasks.NAME`` of expressions. The outputs of an ignored task are null."""
        node = self.nodes[name]
        state = self.record.state[node]
        outputs: Mapping[str, Any] = self.outputs.get(node, {})
        if state == IGNORE:
            outputs = dict.fromkeys(self.spec(node).get("outputs", ()))
        return {"outputs": outputs, "state": str(state)}

    def scope(self, node: int, **extra: Any) -> Scope:
        """The names for one task or flow; ``extra`` are those of the moment (result, event)."""
        scope: Scope = dict(self._shared)
        own = self.definition["tasks"][self.flow.task_of[node]] if self.flow.task_of[node] >= 0 else {}
        scope["self"] = {
            "name": self.flow.names[node],
            "inputs": self.inputs_of.get(node, {}),
            "outputs": self.outputs.get(node, {}),
            "state": str(self.record.state[node]),
            "attempt": self.record.attempt[node],
        }
        if "bound" in own:
            scope["inputs"] = self.inputs_of.get(node, {})
        if self._has_controllers:
            self._add_retries(node, scope)
        scope.update(extra)
        return scope

    def reverting_scope(self, node: int, **extra: Any) -> Scope:
        failure = self.failure_of.get(node)
        found = {"task": self.flow.names[node], **failure} if failure else self.first_failure
        return self.scope(node, failure=found or {"task": None, "type": None, "message": None}, **extra)

    def run_scope(self, **extra: Any) -> Scope:
        return {**self._shared, **extra}

    def _add_retries(self, node: int, scope: Scope) -> None:
        retries: dict[str, Any] = {}
        section = self.flow.section[node]
        while section >= 0:
            found = self.flow.sections[section]
            if found.controller is not None:
                retries[found.name] = about = self._retry(section)
                scope.setdefault("retry", about)
            section = found.parent
        scope["retries"] = retries

    def _retry(self, section: int) -> dict[str, Any]:
        begin = self.flow.sections[section].begin
        attempt = self.record.attempt[begin]
        spec = self.definition["flows"][section].get("retry", {})
        items = spec.get("for_each")
        if not isinstance(items, list):
            items = self.lists.get(begin, [])
        value = items[attempt - 1] if 0 < attempt <= len(items) else None
        if isinstance(value, str) and isinstance(spec.get("for_each"), list):
            value = render(value, self._shared)
        return {"attempt": attempt, "value": value}

    def condition(self, node: int) -> Any:
        """The value of the `if` of a task or flow."""
        task = self.flow.task_of[node]
        spec = (
            self.definition["tasks"][task] if task >= 0 else self.definition["flows"][self.flow.section[node]]
        )
        return parse(spec["if"]).evaluate(self.scope(node))

    def items(self, node: int) -> Any:
        """The values of the `for_each` of a controller."""
        spec = self.definition["flows"][self.flow.section[node]]["retry"]
        return parse(spec["for_each"]).evaluate(self.scope(node))
