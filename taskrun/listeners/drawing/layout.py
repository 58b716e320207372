"""Where the boxes of a diagram stand: layer by layer, nested flows as boxes around theirs.

In a linear flow each entry has a layer of its own, in a graph one that comes after all it needs, and in an unordered flow
what waits for nothing stands side by side, a few in a row. Numbers are pixels, from the upper left corner.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Plain = Mapping[str, Any]

LINE = 16
CHARACTER = 7.2
MARGIN = 14
GAP = 34
SIDE = 26
HEAD = 24
SMALLEST = 110
IN_A_ROW = 4


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


class Layout:
    """``tasks`` and ``flows``: a box for each of the diagram's; ``lines`` is what is written in a task's."""

    def __init__(self, diagram: Plain, lines: Sequence[Sequence[str]]) -> None:
        self.tasks: dict[int, Box] = {}
        self.flows: dict[int, Box] = {}
        self._flows = diagram["flows"]
        self._lines = lines
        self._sizes: dict[tuple[str, int], tuple[float, float]] = {}
        for index in range(len(self._flows) - 1, -1, -1):  # those inside come after the flow around them
            self._sizes["flow", index] = self._measured(index)
        self._place(0, MARGIN, MARGIN)
        root = self.flows[0]
        self.width, self.height = root.x + root.width + MARGIN, root.bottom + MARGIN

    def _size(self, kind: str, which: int) -> tuple[float, float]:
        if kind == "flow":
            return self._sizes[kind, which]
        lines = self._lines[which]
        return max(SMALLEST, max(map(width_of, lines)) + 2 * MARGIN), LINE * len(lines) + MARGIN

    def _measured(self, index: int) -> tuple[float, float]:
        rows = [[self._size(*child) for _, child in row] for row in self._rows(index)]
        widths = [sum(width for width, _ in row) + SIDE * (len(row) - 1) for row in rows]
        heights = [max(height for _, height in row) for row in rows]
        title = width_of(title_of(self._flows[index]))
        width = max([SMALLEST, title, *widths]) + 2 * SIDE
        return width, HEAD + sum(heights) + GAP * max(len(rows) - 1, 0) + 2 * MARGIN

    def _place(self, index: int, x: float, y: float) -> None:
        """Flows nest a few deep at most, so this may recurse."""
        width, height = self._sizes["flow", index]
        self.flows[index] = Box(x, y, width, height)
        top = y + HEAD + MARGIN
        for row in self._rows(index):
            sizes = [self._size(*child) for _, child in row]
            left = x + (width - sum(w for w, _ in sizes) - SIDE * (len(row) - 1)) / 2
            tallest = max(h for _, h in sizes)
            for (_, (kind, which)), (w, h) in zip(row, sizes, strict=True):
                if kind == "flow":
                    self._place(which, left, top)
                else:
                    self.tasks[which] = Box(left, top + (tallest - h) / 2, w, h)
                left += w + SIDE
            top += tallest + GAP

    def _rows(self, index: int) -> list[list[tuple[int, tuple[str, int]]]]:
        """The children of a flow with their positions, by layers."""
        flow = self._flows[index]
        children = [(position, (kind, which)) for position, (kind, which) in enumerate(flow["children"])]
        if flow["pattern"] == "unordered":
            return [children[start : start + IN_A_ROW] for start in range(0, len(children), IN_A_ROW)]
        layers = _layers(len(children), flow["edges"])
        return [
            [child for child in children if layers[child[0]] == layer]
            for layer in range(max(layers, default=-1) + 1)
        ]


def _layers(count: int, edges: Sequence[Sequence[int]]) -> list[int]:
    """For each position the length of the longest way to it. A graph has no cycles, so it ends."""
    layers = [0] * count
    for _ in range(count):
        changed = False
        for before, after in edges:
            if layers[after] <= layers[before]:
                layers[after] = layers[before] + 1
                changed = True
        if not changed:
            break
    return layers


def title_of(flow: Plain) -> str:
    about = [] if flow["pattern"] == "linear" else [flow["pattern"]]
    about += [f"{key} {flow[key]}" for key in ("if", "for_each") if key in flow]
    return shortened(flow["name"] + (f" ({', '.join(about)})" if about else ""))


def shortened(text: str, limit: int = 44) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def width_of(text: str) -> float:
    """As a sans-serif letter of the usual size is wide, roughly."""
    return sum(CHARACTER * (2 if unicodedata.east_asian_width(c) in "WF" else 1) for c in text)
