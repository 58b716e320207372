"""The shape of a workflow as plain data, to be drawn: flows in flows, tasks, what comes before what, and the way back.

flows     name, parent, pattern, children (["task", i] or ["flow", j]), edges between positions in children
tasks     name, flow, action, undo; of a run also state and, if it was undone, the number of its turn
rollback  of a run: the names of the tasks undone, in their order
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from taskrun.engine.expand import expand, has_fan_out
from taskrun.engine.view import EntryLike, View

Plain = dict[str, Any]

UNDO = {
    "auto": "by itself",
    "restore": "from images",
    "action": "by its revert",
    "none": "nothing to undo",
    "impossible": "impossible",
    "unstated": "none is declared",
}


def diagram(definition: Mapping[str, Any]) -> Plain:
    return {
        "v": 1,
        "name": definition["name"],
        "run": None,
        "state": None,
        "flows": [_flow(flow) for flow in definition["flows"]],
        "tasks": [_task(task, definition["flows"]) for task in definition["tasks"]],
        "rollback": [],
    }


def diagram_of_run(
    definition: Mapping[str, Any], run_id: str, entries: Iterable[EntryLike], state: str
) -> Plain:
    """The same with the states of a run, its fan-outs with their items. ``state`` is the run's, as it is to be said."""
    every = list(entries)
    lists = {n.name: n.data["items"] for n in every if n.kind == "custom" and n.data and "items" in n.data}
    if has_fan_out(definition):
        definition = expand(definition, lists)
    view = View(definition)
    for entry in every:
        view.apply(entry)
    found = {**diagram(definition), "run": run_id, "state": state, "rollback": view.undone}
    turns = {name: number for number, name in enumerate(view.undone, 1)}
    for task in found["tasks"]:
        task["state"] = view.index[task["name"]].state
        if task["name"] in turns:
            task["undone"] = turns[task["name"]]
    return found


def _flow(flow: Mapping[str, Any]) -> Plain:
    found = {key: flow[key] for key in ("name", "parent", "children")}
    found["pattern"] = flow["pattern"]
    found["edges"] = _edges(flow)
    found |= {key: flow[key] for key in ("if", "for_each") if key in flow}
    if "retry" in flow:
        items = flow["retry"].get("for_each")
        found["rounds"] = (
            len(items) if isinstance(items, list) else None if items else flow["retry"]["attempts"]
        )
    return found


def _edges(flow: Mapping[str, Any]) -> list[list[int]]:
    if flow["pattern"] == "linear":
        return [[before, after] for before, after in pairwise(range(len(flow["children"])))]
    return [list(edge) for edge in flow.get("edges", ())] if flow["pattern"] == "graph" else []


def _task(task: Mapping[str, Any], flows: list[Mapping[str, Any]]) -> Plain:
    revert = task["revert"]
    found: Plain = {"name": task["name"], "flow": flows[task["flow"]]["name"], "action": task["kind"]}
    found["undo"] = UNDO["auto" if revert.get("itself") else revert["form"]]
    found |= {key: task[key] for key in ("if", "for_each", "pivot") if key in task}
    return found
