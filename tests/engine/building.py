"""Compiled definitions written as they read: `flow("f", task("a"), flow("g", task("b"), retry={...}))`."""

from typing import Any

Spec = dict[str, Any]


def task(name: str, *needs: str, undo: str | Spec = "action", **keys: Any) -> Spec:
    """``undo`` is the form of its revert, or all of it; ``needs`` count in a graph."""
    revert = {"form": undo} if isinstance(undo, str) else {"form": "action", **undo}
    return {"name": name, "needs": needs, "revert": revert, "kind": "run", "fields": {}, **keys}


def savepoint(name: str) -> Spec:
    return task(name, undo="none", savepoint=True) | {"kind": "savepoint"}


def flow(
    name: str, *children: Spec, pattern: str = "linear", needs: tuple[str, ...] = (), **keys: Any
) -> Spec:
    return {"name": name, "needs": needs, "pattern": pattern, "children": children, **keys}


def definition(root: Spec) -> Spec:
    top = {key: root[key] for key in ("on_failure",) if key in root}
    result: Spec = {"name": root["name"], "flows": [], "tasks": [], **top}
    _add(result, root, -1)
    return result


def _add(result: Spec, spec: Spec, parent: int) -> int:
    index = len(result["flows"])
    built: Spec = {"name": spec["name"], "parent": parent, "pattern": spec["pattern"], "children": []}
    built |= {key: spec[key] for key in ("retry", "if", "skip", "for_each", "expands") if key in spec}
    result["flows"].append(built)
    for child in spec["children"]:
        if "children" in child:
            built["children"].append(["flow", _add(result, child, index)])
        else:
            built["children"].append(["task", len(result["tasks"])])
            result["tasks"].append({**child, "flow": index})
    names = [child["name"] for child in spec["children"]]
    if spec["pattern"] == "graph":
        built["edges"] = [
            [names.index(need), i] for i, child in enumerate(spec["children"]) for need in child["needs"]
        ]
    return index
