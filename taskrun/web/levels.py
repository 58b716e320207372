"""The graph of a run in columns: a task's column is the length of the longest way to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.engine.view import EntryLike
from taskrun.spec.diagram import diagram_of_run
from taskrun.web.doors import Plain

MOST_EDGES = 800  # more are no picture any more


def graph(definition: Mapping[str, Any], run_id: str, entries: Sequence[EntryLike], state: str) -> Plain:
    """``levels``: names of tasks in file order, column by column; ``edges``: pairs of names, None when too many."""
    found = diagram_of_run(definition, run_id, entries, state)
    layout = _Layout(found["flows"], found["tasks"])
    layout.flow(0, 0)
    columns: list[list[str]] = [[] for _ in range(max(layout.level, default=-1) + 1)]
    for task, level in zip(found["tasks"], layout.level, strict=True):
        columns[level].append(task["name"])
    names = [task["name"] for task in found["tasks"]]
    edges = layout.edges
    return {
        "levels": columns,
        "edges": [[names[a], names[b]] for a, b in edges] if len(edges) <= MOST_EDGES else None,
    }


class _Layout:
    """Flows nest a few deep at most, so this may recurse."""

    def __init__(self, flows: Sequence[Plain], tasks: Sequence[Plain]) -> None:
        self._flows = flows
        self.level = [0] * len(tasks)
        self.edges: list[tuple[int, int]] = []

    def flow(self, index: int, start: int) -> tuple[int, list[int], list[int]]:
        """Places what is in a flow; the first level after it, its first tasks and its last ones."""
        flow = self._flows[index]
        before: dict[int, list[int]] = {}
        for a, b in flow["edges"]:
            before.setdefault(b, []).append(a)
        ends: list[int] = [start] * len(flow["children"])
        firsts: list[list[int]] = [[] for _ in flow["children"]]
        lasts: list[list[int]] = [[] for _ in flow["children"]]
        for position in _in_order(len(flow["children"]), before):
            kind, which = flow["children"][position]
            earlier = before.get(position, [])
            at = max((ends[a] for a in earlier), default=start)
            if kind == "task":
                self.level[which] = at
                ends[position], firsts[position], lasts[position] = at + 1, [which], [which]
            else:
                ends[position], firsts[position], lasts[position] = self.flow(which, at)
            self._connect([lasts[a] for a in earlier], firsts[position])
        leads = {a for some in before.values() for a in some}
        first = [task for p, some in enumerate(firsts) if p not in before for task in some]
        last = [task for p, some in enumerate(lasts) if p not in leads for task in some]
        return max(ends, default=start), first, last

    def _connect(self, earlier: list[list[int]], later: list[int]) -> None:
        for some in earlier:
            for one in some:
                if len(self.edges) > MOST_EDGES:
                    return
                self.edges += [(one, other) for other in later]


def _in_order(count: int, before: Mapping[int, Sequence[int]]) -> list[int]:
    """Positions so that each comes after those before it; a compiled flow has no cycle."""
    missing = {position: len(before.get(position, ())) for position in range(count)}
    after: dict[int, list[int]] = {}
    for position, earlier in before.items():
        for one in earlier:
            after.setdefault(one, []).append(position)
    ready = [position for position in range(count) if not missing[position]]
    for position in ready:  # grows while it is gone through
        for other in after.get(position, ()):
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return ready
