"""Where things stand in the tree of flows, and the edges between siblings."""

from taskrun.spec.compiling.entries import Layout
from taskrun.spec.compiling.scopes import Element


class Positions:
    """Where each element stands among the children of its flow, and how deep."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.of_task = [0] * len(layout.tasks)
        self.of_flow = [0] * len(layout.flows)
        self.depth = [0] * len(layout.flows)
        for flow in layout.flows:
            for position, (kind, index) in enumerate(flow["children"]):
                (self.of_task if kind == "task" else self.of_flow)[index] = position
        for index, flow in enumerate(layout.flows):
            if index:
                self.depth[index] = self.depth[flow["parent"]] + 1

    def place(self, element: Element) -> tuple[int, int]:
        """The flow an element stands in, and its position there."""
        kind, index = element
        if kind == "task":
            return self.layout.tasks[index]["flow"], self.of_task[index]
        return self.layout.flows[index]["parent"], self.of_flow[index]

    def lift(self, one: Element, other: Element) -> tuple[int, int, int]:
        """The innermost flow around both, and the positions of the children that hold or are them."""
        flows = self.layout.flows
        (a, at_a), (b, at_b) = self.place(one), self.place(other)
        while a != b:
            if self.depth[a] >= self.depth[b]:
                a, at_a = flows[a]["parent"], self.of_flow[a]
            else:
                b, at_b = flows[b]["parent"], self.of_flow[b]
        return a, at_a, at_b


class Edges:
    """Edges between children, by flow: ``before * size + after`` packed into sets, as there may be many."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.found: dict[int, set[tuple[int, int]]] = {}

    def add(self, flow: int, before: int, after: int) -> None:
        self.found.setdefault(flow, set()).add((before, after))

    def settle(self) -> None:
        """Write them into the flows, in one order for one file."""
        for flow, edges in self.found.items():
            self.layout.flows[flow]["edges"] = [list(edge) for edge in sorted(edges)]
        for spec in self.layout.flows:
            if spec["pattern"] == "graph":
                spec.setdefault("edges", [])
