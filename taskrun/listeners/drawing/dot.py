"""A diagram for Graphviz: nested flows as clusters, states as colours, the rollback as dashed arrows."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from taskrun.listeners.drawing.colours import WAY_BACK, fill
from taskrun.listeners.drawing.returning import goes_back

Plain = Mapping[str, Any]


def dot(diagram: Plain) -> str:
    return "\n".join(_lines(diagram)) + "\n"


def _lines(diagram: Plain) -> Iterator[str]:
    yield f"digraph {_text(diagram['name'])} {{"
    yield '  graph [compound=true, fontname="sans-serif", rankdir=TB];'
    yield '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    yield from _flow(diagram, 0, 1)
    for flow in diagram["flows"]:
        for a, b in flow["edges"]:
            yield from _edge(diagram, flow["children"][a], flow["children"][b])
    numbers = {task["name"]: i for i, task in enumerate(diagram["tasks"])}
    for before, after in pairwise(diagram["rollback"]):
        how = f'style=dashed, color="{WAY_BACK}", fontcolor="{WAY_BACK}", label="undo", constraint=false'
        yield f"  t{numbers[before]} -> t{numbers[after]} [{how}];"
    yield "}"


def _flow(diagram: Plain, index: int, depth: int) -> Iterator[str]:
    """Flows nest a few deep at most, so this may recurse."""
    flow, lead = diagram["flows"][index], "  " * depth
    about = "" if flow["pattern"] == "linear" else f" ({flow['pattern']})"
    yield f"{lead}subgraph cluster_{index} {{"
    yield f"{lead}  label={_text(flow['name'] + about)};"
    if not flow["children"]:
        yield f"{lead}  e{index} [shape=point, style=invis];"
    for kind, which in flow["children"]:
        if kind == "flow":
            yield from _flow(diagram, which, depth + 1)
        else:
            yield f"{lead}  t{which} [{_box(diagram['tasks'][which])}];"
    yield f"{lead}}}"


def _box(task: Plain) -> str:
    is_savepoint = task["action"] == "savepoint"
    lines = [task["name"], task["action"]]
    lines += [] if is_savepoint else [task.get("state") or f"undo: {task['undo']}"]
    lines += ["point of no return"] if task.get("pivot") else []
    lines += [f"undone: {task['undone']}"] if "undone" in task else []
    shape = {"savepoint": "shape=ellipse"}.get(task["action"], "shape=octagon" if task.get("pivot") else "")
    colour = fill(task.get("state"))
    found = [f"label={_text(chr(10).join(lines))}", shape, f'fillcolor="{colour}"' if colour else ""]
    return ", ".join(filter(None, found))


def _edge(diagram: Plain, before: list[Any], after: list[Any]) -> Iterator[str]:
    """Between flows the arrow ends at their borders."""
    tail, head = _end(diagram, before, -1), _end(diagram, after, 0)
    borders = [f"ltail=cluster_{before[1]}"] if before[0] == "flow" else []
    borders += [f"lhead=cluster_{after[1]}"] if after[0] == "flow" else []
    yield f"  {tail} -> {head}" + (f" [{', '.join(borders)}]" if borders else "") + ";"
    if goes_back(diagram, before):
        back = [f"ltail=cluster_{after[1]}"] if after[0] == "flow" else []
        back += [f"lhead=cluster_{before[1]}"] if before[0] == "flow" else []
        how = [*back, "style=dashed", f'color="{WAY_BACK}"', "constraint=false"]
        yield f"  {head} -> {tail} [{', '.join(how)}];"


def _end(diagram: Plain, child: list[Any], position: int) -> str:
    """The node of a task, or the first or last one inside a flow."""
    kind, which = child
    while kind == "flow":
        children = diagram["flows"][which]["children"]
        if not children:
            return f"e{which}"
        kind, which = children[position]
    return f"t{which}"


def _text(text: str) -> str:
    shown = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{shown}"'
