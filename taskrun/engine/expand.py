"""Fan-out: a task with `for_each` becomes a flow of its items once its list is known.

A flow is immutable, so knowing a list means another flow: the definition is expanded and compiled again, and the
machine restored in it from the same transitions, which speak of tasks by name. Until its list is known a fan-out is an
empty flow whose beginning asks for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Lists = Mapping[str, Sequence[Any]]


def has_fan_out(definition: Mapping[str, Any]) -> bool:
    return any("for_each" in task for task in definition["tasks"])


def expand(definition: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """The definition with every fan-out as a flow: of one task for each item in ``lists``, or still empty."""
    flows = [{**flow, "children": []} for flow in definition["flows"]]
    tasks: list[dict[str, Any]] = []
    for index, flow in enumerate(definition["flows"]):
        for kind, which in flow["children"]:
            if kind == "flow":
                flows[index]["children"].append([kind, which])
                continue
            task = definition["tasks"][which]
            if "for_each" in task:
                flows[index]["children"].append(["flow", len(flows)])
                flows.append(_fan_out(task, index, len(flows), tasks, lists.get(task["name"])))
            else:
                flows[index]["children"].append(["task", len(tasks)])
                tasks.append(task)
    return {**definition, "flows": flows, "tasks": tasks}


def _fan_out(
    task: dict[str, Any], parent: int, index: int, tasks: list[dict[str, Any]], items: Sequence[Any] | None
) -> dict[str, Any]:
    flow: dict[str, Any] = {"name": task["name"], "parent": parent, "pattern": "unordered", "children": []}
    if "max_parallel" in task:
        flow["limit"] = task["max_parallel"]
    if items is None:
        return {**flow, "expands": True, "for_each": task["for_each"]}
    flow["items"] = len(items)
    own = {key: value for key, value in task.items() if key not in ("for_each", "max_parallel")}
    for number, item in enumerate(items):
        flow["children"].append(["task", len(tasks)])
        tasks.append({**own, "name": f"{task['name']}[{number}]", "flow": index, "item": item})
    return flow
