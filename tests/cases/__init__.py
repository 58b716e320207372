"""Flows and the transitions they must make, written once and run against the machine, the simulator and the command.

A task of a case is ``{"name", "fails": N, "undo_fails": true, ...}``: it fails its first N times, and its undo never works.
"""

import json
import pathlib
from typing import Any

CASES: list[dict[str, Any]] = json.loads(pathlib.Path(__file__).with_name("transitions.json").read_text())


def definition(workflow: dict[str, Any]) -> dict[str, Any]:
    """The compiled definition of a case, made by hand so that engine tests need nothing but the engine."""
    result: dict[str, Any] = {"name": workflow["name"], "flows": [], "tasks": []}
    _add_flow(result, workflow, -1)
    return result


def _add_flow(result: dict[str, Any], spec: dict[str, Any], parent: int) -> int:
    index = len(result["flows"])
    pattern = spec.get("pattern", "linear")
    flow: dict[str, Any] = {"name": spec["name"], "parent": parent, "pattern": pattern, "children": []}
    flow.update({key: spec[key] for key in ("retry", "if", "skip") if key in spec})
    result["flows"].append(flow)
    for child in spec["tasks"]:
        if "tasks" in child:
            flow["children"].append(["flow", _add_flow(result, child, index)])
        else:
            flow["children"].append(["task", len(result["tasks"])])
            result["tasks"].append(_task(child, index))
    if pattern == "graph":
        names = [child["name"] for child in spec["tasks"]]
        flow["edges"] = [
            [names.index(need), i] for i, child in enumerate(spec["tasks"]) for need in child.get("needs", ())
        ]
    return index


def _task(spec: dict[str, Any], flow: int) -> dict[str, Any]:
    task = {"name": spec["name"], "flow": flow, "kind": "run", "fields": {}, "revert": {"form": "action"}}
    task.update({key: spec[key] for key in spec if key not in ("name", "needs", "fails", "undo_fails")})
    if "retry" in task:
        task["retry"] = {**task["retry"], "delay": 0.001 if task["retry"].get("delay") else 0.0}
    return task


def script(workflow: dict[str, Any]) -> dict[str, Any]:
    """The same case as a workflow file of shell tasks that count themselves in the folder $COUNT."""
    result = {key: value for key, value in workflow.items() if key not in ("tasks", "fails", "undo_fails")}
    if "tasks" in workflow:
        result["tasks"] = [script(child) for child in workflow["tasks"]]
        return result
    name, fails = workflow["name"], workflow.get("fails", 0)
    result["run"] = (
        f'echo do >> "$COUNT/{name}.log"; n=$(cat "$COUNT/{name}" 2>/dev/null || echo 0); n=$((n+1)); '
        f'echo $n > "$COUNT/{name}"; [ $n -gt {fails} ]'
    )
    result["revert"] = f'echo undo >> "$COUNT/{name}.log"' + (
        "; exit 1" if workflow.get("undo_fails") else ""
    )
    return result
