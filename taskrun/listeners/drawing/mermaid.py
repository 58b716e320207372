"""A diagram for Mermaid: nested flows as subgraphs, states as colours, the rollback as dotted arrows."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from taskrun.listeners.drawing.colours import FILLS, WAY_BACK, fill
from taskrun.listeners.drawing.returning import goes_back

Plain = Mapping[str, Any]


def mermaid(diagram: Plain) -> str:
    return "\n".join(_lines(diagram)) + "\n"


def _lines(diagram: Plain) -> Iterator[str]:
    yield "flowchart TD"
    yield from _flow(diagram, 0, 1)
    arrows = 0
    for flow in diagram["flows"]:
        for a, b in flow["edges"]:
            yield f"  {_id(flow['children'][a])} --> {_id(flow['children'][b])}"
            arrows += 1
            if goes_back(diagram, flow["children"][a]):
                yield f"  {_id(flow['children'][b])} -.-> {_id(flow['children'][a])}"
                yield f"  linkStyle {arrows} stroke:{WAY_BACK}"
                arrows += 1
    numbers = {task["name"]: i for i, task in enumerate(diagram["tasks"])}
    for before, after in pairwise(diagram["rollback"]):
        yield f"  t{numbers[before]} -. undo .-> t{numbers[after]}"
        yield f"  linkStyle {arrows} stroke:{WAY_BACK}"
        arrows += 1
    yield from _states(diagram)


def _flow(diagram: Plain, index: int, depth: int) -> Iterator[str]:
    """Flows nest a few deep at most, so this may recurse."""
    flow, lead = diagram["flows"][index], "  " * depth
    about = "" if flow["pattern"] == "linear" else f" ({flow['pattern']})"
    yield f'{lead}subgraph f{index}["{_text(flow["name"] + about)}"]'
    for kind, which in flow["children"]:
        if kind == "flow":
            yield from _flow(diagram, which, depth + 1)
        else:
            yield f"{lead}  t{which}{_box(diagram['tasks'][which])}"
    yield f"{lead}end"


def _box(task: Plain) -> str:
    lines = [task["name"], task["action"]]
    lines.append(task.get("state") or f"undo: {task['undo']}")
    if task.get("pivot"):
        lines.append("point of no return")
    if "undone" in task:
        lines.append(f"undone: {task['undone']}")
    text = "<br/>".join(map(_text, lines))
    if task["action"] == "savepoint":
        return f'(["{_text(task["name"])}<br/>savepoint"])'
    return f'{{{{"{text}"}}}}' if task.get("pivot") else f'["{text}"]'


def _states(diagram: Plain) -> Iterator[str]:
    used: dict[str, list[str]] = {}
    for index, task in enumerate(diagram["tasks"]):
        state = task.get("state")
        if fill(state) is not None:
            used.setdefault(state, []).append(f"t{index}")
    for state, ids in used.items():
        yield f"  classDef {state} fill:{FILLS[state]},stroke:#555,color:#111"
        yield f"  class {','.join(ids)} {state}"


def _id(child: list[Any]) -> str:
    kind, which = child
    return f"{'t' if kind == 'task' else 'f'}{which}"


def _text(text: str) -> str:
    """Nothing in it means anything to Mermaid or to HTML."""
    return "".join(c if c.isalnum() or c in " _.-:/" else f"#{ord(c)};" for c in text)
