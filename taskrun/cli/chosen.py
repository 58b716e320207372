"""Which tasks of a run a name on the command line means: a task, all items of one, or all that is in a nested flow."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from taskrun.engine.expand import declared_name
from taskrun.errors import NotFoundError
from taskrun.spec.spelling import nearest

Chosen = Callable[[str], bool]


def choose(name: str, definition: Mapping[str, Any], begun: Iterable[str], run_id: str) -> Chosen:
    """``begun``: the names of tasks that the run has come to, items of a ``for_each`` among them."""
    below = _below(name, definition)
    known = {task["name"] for task in definition["tasks"]}

    def chosen(task: str) -> bool:
        return (
            name in (task, declared_name(task))
            or task.startswith((f"{name}[", f"{name}."))
            or declared_name(task) in below
        )

    if name in known or below or any(map(chosen, begun)):
        return chosen
    near = nearest(name, [*known, *(flow["name"] for flow in definition["flows"][1:])])
    raise NotFoundError(
        f"run {run_id} has no task {name!r}" + (f"; did you mean {near!r}?" if near else ""),
        hint=f"taskrun states {run_id} lists them",
    )


def _below(name: str, definition: Mapping[str, Any]) -> set[str]:
    """The tasks inside of a nested flow, and of the flows in that."""
    flows = definition["flows"]
    inside = {index for index, flow in enumerate(flows) if index and flow["name"] == name}
    for index, flow in enumerate(flows):
        if flow["parent"] in inside:
            inside.add(index)
    return {task["name"] for task in definition["tasks"] if task["flow"] in inside}
