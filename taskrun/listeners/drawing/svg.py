"""A diagram as a picture: boxes in layers, states as colours, the rollback as dashed arrows. Nothing but SVG is needed."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from taskrun.listeners.drawing.colours import WAY_BACK, fill
from taskrun.listeners.drawing.layout import HEAD, LINE, MARGIN, Box, Layout, shortened, title_of
from taskrun.listeners.drawing.returning import goes_back

Plain = Mapping[str, Any]

_INK, _FAINT, _PIVOT = "#222222", "#666666", "#c0392b"
_STYLE = (
    f"text{{font:12px ui-sans-serif,system-ui,sans-serif;fill:{_INK}}}.n{{font-weight:600}}.f{{fill:{_FAINT}}}"
    f".b{{fill:{WAY_BACK}}}.e{{fill:none;stroke:#888;stroke-width:1.3}}"
    f".w{{fill:none;stroke:{WAY_BACK};stroke-width:1.3;stroke-dasharray:5 4}}"
)


def svg(diagram: Plain) -> str:
    lines = [_lines_of(task) for task in diagram["tasks"]]
    return "\n".join(_Picture(diagram, lines).elements()) + "\n"


class _Picture:
    def __init__(self, diagram: Plain, lines: Sequence[Sequence[str]]) -> None:
        self._diagram = diagram
        self._lines = lines
        self._layout = Layout(diagram, lines)

    def elements(self) -> Iterator[str]:
        layout, diagram = self._layout, self._diagram
        size = f'width="{layout.width:.0f}" height="{layout.height:.0f}" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}"'
        yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        about = f", run {diagram['run']}: {diagram['state']}" if diagram["run"] else ""
        yield f"<title>{_text(diagram['name'] + about)}</title>"
        yield f"<style>{_STYLE}</style><defs>{_arrow('a', '#888')}{_arrow('u', WAY_BACK)}</defs>"
        yield '<rect width="100%" height="100%" fill="#ffffff"/>'
        for index in range(len(diagram["flows"])):
            yield from self._flow(index)
        for flow in diagram["flows"]:
            for before, after in flow["edges"]:
                yield from self._edge(flow["children"][before], flow["children"][after])
        for index in range(len(diagram["tasks"])):
            yield from self._task(index)
        yield from self._rollback()
        yield "</svg>"

    def _flow(self, index: int) -> Iterator[str]:
        box, flow = self._layout.flows[index], self._diagram["flows"][index]
        yield _rect(box, "#fafafa" if index else "#ffffff", "#bbbbbb", radius=8)
        yield f'<text x="{box.x + MARGIN:.1f}" y="{box.y + HEAD - 6:.1f}" class="n">{_text(title_of(flow))}</text>'

    def _task(self, index: int) -> Iterator[str]:
        task, box = self._diagram["tasks"][index], self._layout.tasks[index]
        is_savepoint, is_pivot = task["action"] == "savepoint", bool(task.get("pivot"))
        colour = fill(task.get("state")) or ("#e8f0fb" if is_savepoint else "#ffffff")
        yield f'<g id="task-{index}">'
        stroke = _PIVOT if is_pivot else "#777777"
        yield _rect(
            box, colour, stroke, radius=box.height / 2 if is_savepoint else 5, width=2 if is_pivot else 1
        )
        for number, line in enumerate(self._lines[index]):
            style = "n" if number == 0 else "b" if line.startswith("undone") else "f"
            y = box.y + MARGIN / 2 + LINE * number + 12
            yield f'<text x="{box.middle:.1f}" y="{y:.1f}" text-anchor="middle" class="{style}">{_text(line)}</text>'
        if is_pivot:
            y = box.bottom + 5
            yield f'<path d="M{box.x - 12:.1f} {y:.1f}H{box.x + box.width + 12:.1f}" stroke="{_PIVOT}" stroke-width="2.5"/>'
        yield "</g>"

    def _edge(self, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
        start, end = self._box(before), self._box(after)
        yield _line("e", start.middle, start.bottom, end.middle, end.y)
        if goes_back(self._diagram, before):
            yield _line("w", end.middle + 14, end.y, start.middle + 14, start.bottom)

    def _rollback(self) -> Iterator[str]:
        """From the right side of each task that was undone to that of the next."""
        numbers = {task["name"]: index for index, task in enumerate(self._diagram["tasks"])}
        boxes = [self._layout.tasks[numbers[name]] for name in self._diagram["rollback"]]
        for one, other in pairwise(boxes):
            x, y = one.x + one.width, one.y + one.height / 2
            to, down = other.x + other.width, other.y + other.height / 2
            bow = max(x, to) + 24
            path = f"M{x:.1f} {y:.1f}C{bow:.1f} {y:.1f} {bow:.1f} {down:.1f} {to:.1f} {down:.1f}"
            yield f'<path class="w" d="{path}" marker-end="url(#u)"/>'

    def _box(self, child: Sequence[Any]) -> Box:
        kind, which = child
        return self._layout.tasks[which] if kind == "task" else self._layout.flows[which]


def _lines_of(task: Plain) -> list[str]:
    if task["action"] == "savepoint":
        return [shortened(task["name"]), "savepoint"]
    lines = [shortened(task["name"]), task["action"]]
    lines += [shortened(f"{key} {task[key]}") for key in ("if", "for_each") if key in task]
    lines.append(task.get("state") or f"undo: {task['undo']}")
    lines += ["point of no return"] if task.get("pivot") else []
    lines += [f"undone: {task['undone']}"] if "undone" in task else []
    return lines


def _line(kind: str, x: float, y: float, to: float, down: float) -> str:
    half = (y + down) / 2
    path = f"M{x:.1f} {y:.1f}C{x:.1f} {half:.1f} {to:.1f} {half:.1f} {to:.1f} {down:.1f}"
    return f'<path class="{kind}" d="{path}" marker-end="url(#{"a" if kind == "e" else "u"})"/>'


def _rect(box: Box, colour: str, stroke: str, *, radius: float, width: float = 1) -> str:
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect {place} rx="{radius:.1f}" fill="{colour}" stroke="{stroke}" stroke-width="{width:g}"/>'


def _arrow(name: str, colour: str) -> str:
    shape = f'<path d="M0 0L8 4L0 8z" fill="{colour}"/>'
    return f'<marker id="{name}" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">{shape}</marker>'


def _text(text: str) -> str:
    """No markup, and nothing that XML cannot hold."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
