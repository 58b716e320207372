"""The compiled, immutable graph of a workflow.

Nodes are numbered in file order, depth first: a flow's beginning, what is inside it, its end. So the inside of a flow
is a range of numbers, and the smaller number of two ready nodes is the one that stands first in the file. A nested
flow costs two nodes and no edge per pair of tasks.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from taskrun.engine.policy import Retry

TASK, BEGIN, END = 0, 1, 2

# How a task is undone, as far as deciding needs to know it.
UNDO_RUNS, UNDO_NOTHING, UNDO_IMPOSSIBLE = 0, 1, 2

ROOT = 0


class Controller(NamedTuple):
    """The ``retry`` of a flow. ``dynamic``: the number of attempts is known when its list has been evaluated."""

    retry: Retry
    dynamic: bool = False
    revert_all: bool = False


class Section(NamedTuple):
    """One flow, nested or the root: nodes ``begin`` to ``end``."""

    name: str
    parent: int
    begin: int
    end: int
    controller: Controller | None


class Flow:
    """Shapes: every list has one item per node, except ``sections`` (per flow) and ``tasks`` (node of each task)."""

    __slots__ = (
        "conditional",
        "expands",
        "kinds",
        "limits",
        "name",
        "names",
        "on_failure",
        "on_lost",
        "pivots",
        "predecessors",
        "probed",
        "relists",
        "retries",
        "section",
        "sections",
        "skips",
        "successors",
        "task_of",
        "tasks",
        "tolerated",
        "undo",
        "undo_retries",
    )

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.on_failure = "revert"
        self.kinds = bytearray(size)
        self.names: list[str] = [""] * size
        self.section: list[int] = [0] * size
        self.task_of: list[int] = [-1] * size
        self.successors: list[Sequence[int]] = [()] * size
        self.predecessors: list[Sequence[int]] = [()] * size
        self.conditional = bytearray(size)
        self.expands = bytearray(size)  # beginnings of fan-outs whose items are not known yet
        self.relists = bytearray(
            size
        )  # beginnings of fan-outs whose list may be another one in the next round
        self.limits: dict[int, int] = {}  # section -> how many of its tasks may run at a time
        self.tolerated = bytearray(size)
        self.undo = bytearray(size)
        self.probed = bytearray(size)
        self.skips: dict[int, str] = {}
        self.retries: dict[int, Retry] = {}
        self.undo_retries: dict[int, Retry] = {}
        self.on_lost: dict[int, str] = {}
        self.pivots: list[int] = []
        self.sections: list[Section] = []
        self.tasks: list[int] = []

    def __len__(self) -> int:
        return len(self.kinds)

    def relisted(self, lo: int, hi: int) -> list[int]:
        """Of these nodes the beginnings of fan-outs whose list may change."""
        return [n for n in range(lo, hi) if self.relists[n]] if self.relists.find(1, lo, hi) >= 0 else []

    def controller(self, node: int) -> Controller | None:
        """The controller that starts with this node, if it is the beginning of a flow that has one."""
        return self.sections[self.section[node]].controller if self.kinds[node] == BEGIN else None


def compile_flow(definition: Mapping[str, Any]) -> Flow:
    """Number the nodes of a definition and connect them. Linear in tasks plus edges; no recursion."""
    flows, tasks = definition["flows"], definition["tasks"]
    flow = Flow(flows[ROOT]["name"], len(tasks) + 2 * len(flows))
    flow.on_failure = definition.get("on_failure", "revert")
    begins, ends = _number(flow, flows, tasks)
    flow.sections = [
        Section(f["name"], f["parent"], begins[i], ends[i], _controller(f.get("retry")))
        for i, f in enumerate(flows)
    ]
    for node, task in zip(flow.tasks, tasks, strict=True):
        _describe_task(flow, node, task)
    for index, spec in enumerate(flows):
        if spec.get("expands"):
            flow.expands[begins[index]] = 1
        if spec.get("relists"):
            flow.relists[begins[index]] = 1
        if "limit" in spec:
            flow.limits[index] = spec["limit"]
        if "if" in spec:
            flow.conditional[begins[index]] = 1
            flow.skips[begins[index]] = spec.get("skip", "task")
    _connect(flow, flows, begins, ends)
    return flow


def _number(
    flow: Flow, flows: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]
) -> tuple[list[int], list[int]]:
    begins, ends = [0] * len(flows), [0] * len(flows)
    flow.tasks = [0] * len(tasks)
    node = 0
    stack: list[tuple[int, int]] = [(ROOT, -1)]
    while stack:
        index, child = stack.pop()
        spec = flows[index]
        if child < 0:
            begins[index] = node
            _place(flow, node, BEGIN, spec["name"], index)
            node, child = node + 1, 0
        children = spec["children"]
        while child < len(children):
            kind, which = children[child]
            child += 1
            if kind == "flow":
                stack += [(index, child), (which, -1)]
                break
            flow.tasks[which] = node
            _place(flow, node, TASK, tasks[which]["name"], index)
            flow.task_of[node] = which
            node += 1
        else:
            ends[index] = node
            _place(flow, node, END, spec["name"], index)
            node += 1
    return begins, ends


def _place(flow: Flow, node: int, kind: int, name: str, section: int) -> None:
    flow.kinds[node] = kind
    flow.names[node] = name
    flow.section[node] = section


def _describe_task(flow: Flow, node: int, task: Mapping[str, Any]) -> None:
    if "if" in task:
        flow.conditional[node] = 1
        flow.skips[node] = task.get("skip", "task")
    if "retry" in task:
        flow.retries[node] = Retry.from_spec(task["retry"])
    if task.get("allow_failure"):
        flow.tolerated[node] = 1
    if task.get("pivot"):
        flow.pivots.append(node)
    if "probe" in task:
        flow.probed[node] = 1
    revert = task["revert"]
    form = revert["form"]
    if form == "impossible":
        flow.undo[node] = UNDO_IMPOSSIBLE
    elif form in ("none", "unstated"):
        flow.undo[node] = UNDO_NOTHING
    elif "retry" in revert:
        flow.undo_retries[node] = Retry.from_spec(revert["retry"])
    default = {"none": "rerun", "unstated": "ask", "impossible": "ask"}.get(form, "revert")
    # What only a person can give suspends like an outcome only a person knows; but it has no effect to look at.
    flow.on_lost[node] = "approve" if task["kind"] == "approve" else task.get("on_lost", default)


def _controller(spec: Mapping[str, Any] | None) -> Controller | None:
    if spec is None:
        return None
    items = spec.get("for_each")
    retry = Retry.from_spec(spec)
    if isinstance(items, list):
        retry = retry._replace(attempts=len(items))
    return Controller(
        retry, dynamic=isinstance(items, str), revert_all=spec.get("exhausted", "revert") == "revert_all"
    )


def _connect(
    flow: Flow, flows: Sequence[Mapping[str, Any]], begins: Sequence[int], ends: Sequence[int]
) -> None:
    successors: list[list[int]] = [[] for _ in range(len(flow))]
    predecessors: list[list[int]] = [[] for _ in range(len(flow))]

    def edge(before: int, after: int) -> None:
        successors[before].append(after)
        predecessors[after].append(before)

    for index, spec in enumerate(flows):
        ways = [
            (begins[which], ends[which]) if kind == "flow" else (flow.tasks[which], flow.tasks[which])
            for kind, which in spec["children"]
        ]
        for before, after in _edges(spec, ways, begins[index], ends[index]):
            edge(before, after)
    flow.successors = [tuple(s) for s in successors]
    flow.predecessors = [tuple(p) for p in predecessors]


def _edges(
    spec: Mapping[str, Any], ways: Sequence[tuple[int, int]], begin: int, end: int
) -> list[tuple[int, int]]:
    """Edges inside one flow; ``ways`` are each child's (way in, way out)."""
    if not ways:
        return [(begin, end)]
    if spec["pattern"] == "linear":
        path = [(begin, begin), *ways, (end, end)]
        return [(a[1], b[0]) for a, b in itertools.pairwise(path)]
    given = spec.get("edges", ()) if spec["pattern"] == "graph" else ()
    has_before, has_after = bytearray(len(ways)), bytearray(len(ways))
    edges = []
    for before, after in given:
        edges.append((ways[before][1], ways[after][0]))
        has_after[before] = has_before[after] = 1
    edges += [(begin, way[0]) for i, way in enumerate(ways) if not has_before[i]]
    edges += [(way[1], end) for i, way in enumerate(ways) if not has_after[i]]
    return edges
