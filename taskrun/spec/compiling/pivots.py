"""Where a point of no return can be: once on every way through the workflow, and where nothing comes back."""

from itertools import pairwise
from typing import Any

from taskrun.spec.compiling.entries import Layout
from taskrun.spec.compiling.unit import Unit


def check_pivots(layout: Layout, unit: Unit) -> None:
    pivots = [index for index, task in enumerate(layout.tasks) if task.get("pivot")]
    if not pivots:
        return
    for index in pivots:
        _check_place(layout, unit, layout.tasks[index])
    _check_ways(layout, unit, pivots)


def _check_place(layout: Layout, unit: Unit, task: dict[str, Any]) -> None:
    if "for_each" in task:
        _report(unit, task, "a pivot cannot have `for_each`: it happens once")
    if task.get("allow_failure"):
        _report(
            unit, task, "a pivot cannot have `allow_failure`: whether it happened decides everything after it"
        )
    flow = task["flow"]
    while flow >= 0:
        spec = layout.flows[flow]
        if "retry" in spec or "for_each" in spec:
            key = "retry" if "retry" in spec else "for_each"
            _report(
                unit, task, f"a pivot cannot be inside flow `{spec['name']}`, which has a `{key}`", _WHY[key]
            )
            return
        flow = spec["parent"]


_WHY = {
    "retry": "a flow that is run again is undone first, and a pivot cannot be",
    "for_each": "a pivot happens once",
}


def _check_ways(layout: Layout, unit: Unit, pivots: list[int]) -> None:
    """Report each pivot that another one comes before. Flows are looked at from the innermost outwards."""
    holding: dict[int, dict[int, int]] = {}  # flow -> position -> a pivot there
    position_of = {
        (kind, which): position
        for flow in layout.flows
        for position, (kind, which) in enumerate(flow["children"])
        if kind == "flow" or layout.tasks[which].get("pivot")
    }
    for index in pivots:
        element, flow = ("task", index), layout.tasks[index]["flow"]
        while flow >= 0:
            holding.setdefault(flow, {}).setdefault(position_of[element], index)
            element, flow = ("flow", flow), layout.flows[flow]["parent"]
    for flow, at in holding.items():
        spec = layout.flows[flow]
        if len(at) < 2 or spec["pattern"] == "unordered":
            continue
        for earlier, later in _linear(at) if spec["pattern"] == "linear" else _graph(spec, at):
            name = layout.tasks[earlier]["name"]
            message = f"there is a pivot before this one: `{name}`"
            _report(
                unit, layout.tasks[later], message, "a way through the workflow has one point of no return"
            )


def _linear(at: dict[int, int]) -> list[tuple[int, int]]:
    ordered = [at[position] for position in sorted(at)]
    return list(pairwise(ordered))


def _graph(spec: dict[str, Any], at: dict[int, int]) -> list[tuple[int, int]]:
    """Pairs of pivots of which the second can only come after the first."""
    following: list[list[int]] = [[] for _ in spec["children"]]
    incoming = [0] * len(following)
    for before, after in spec["edges"]:
        following[before].append(after)
        incoming[after] += 1
    seen: list[int | None] = [None] * len(following)
    ready = [node for node, count in enumerate(incoming) if not count]
    found: list[tuple[int, int]] = []
    while ready:
        node = ready.pop()
        passed = seen[node]
        if node in at:
            if passed is not None:
                found.append((passed, at[node]))
            passed = at[node]
        for after in following[node]:
            if seen[after] is None:
                seen[after] = passed
            incoming[after] -= 1
            if not incoming[after]:
                ready.append(after)
    return found


def _report(unit: Unit, task: dict[str, Any], message: str, help_: str | None = None) -> None:
    mark = unit.marks.get(task["name"])
    if mark is not None:  # else it is the news of the file it came from
        unit.problems.error("TR713", message, mark, len(task["name"]), help_)
