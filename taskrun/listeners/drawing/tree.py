"""A diagram as a tree for the terminal: nesting, order, states in colour, and each task's turn in the rollback."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import BOLD, COLOURS, FAINT, Style
from taskrun.listeners.words import counted

Plain = Mapping[str, Any]


def tree(diagram: Plain, style: Style) -> str:
    return "\n".join(_Tree(diagram, style).lines()) + "\n"


class _Tree:
    def __init__(self, diagram: Plain, style: Style) -> None:
        self._diagram = diagram
        self._style = style
        self._branch, self._last, self._bar = (
            ("├─ ", "└─ ", "│  ") if style.unicode else ("|- ", "`- ", "|  ")
        )

    def lines(self) -> Iterator[str]:
        """Depth first, with a stack of our own: nesting has no limit here."""
        root = self._diagram["flows"][0]
        run = self._diagram["run"]
        about = [self._state(self._diagram["state"]), f"run {run}"] if run else []
        yield "  ".join([self._style.paint(BOLD, self._text(root["name"])), *about, *self._about_flow(root)])
        stack = self._children(0, "")
        while stack:
            kind, which, lead, is_last, after = stack.pop()
            head = lead + (self._last if is_last else self._branch)
            if kind == "task":
                yield head + self._task(self._diagram["tasks"][which], after)
                continue
            flow = self._diagram["flows"][which]
            name = self._style.paint(BOLD, self._text(flow["name"]))
            yield head + "  ".join([name, *self._about_flow(flow), *after])
            stack += self._children(which, lead + ("   " if is_last else self._bar))

    def _children(self, index: int, lead: str) -> list[tuple[str, int, str, bool, list[str]]]:
        """In reverse, for the stack."""
        flow = self._diagram["flows"][index]
        children = flow["children"]
        names = [self._name(kind, which) for kind, which in children]
        before: dict[int, list[str]] = {}
        if flow["pattern"] == "graph":
            for a, b in flow["edges"]:
                before.setdefault(b, []).append(names[a])
        found = [
            (kind, which, lead, position == len(children) - 1, self._after(before.get(position)))
            for position, (kind, which) in enumerate(children)
        ]
        return found[::-1]

    def _after(self, names: list[str] | None) -> list[str]:
        return [self._style.paint(FAINT, f"after {', '.join(names)}")] if names else []

    def _name(self, kind: str, which: int) -> str:
        return self._text(self._diagram[f"{kind}s"][which]["name"])

    def _about_flow(self, flow: Plain) -> list[str]:
        words = [] if flow["pattern"] == "linear" else [flow["pattern"]]
        if "rounds" in flow:
            words.append(counted(flow["rounds"], "round") if flow["rounds"] else "rounds")
        words += [f"{key} {self._text(str(flow[key]))}" for key in ("if", "for_each") if key in flow]
        return [self._style.paint(FAINT, f"({', '.join(words)})")] if words else []

    def _task(self, task: Plain, after: list[str]) -> str:
        state = task.get("state")
        words = [self._state(state)] if state else []
        words += [self._text(task["name"]), self._style.paint(FAINT, task["action"])]
        if task["action"] != "savepoint" and not state:
            words.append(self._style.paint(FAINT, f"undo: {task['undo']}"))
        if task.get("pivot"):
            words.append(self._style.paint(COLOURS["RETRYING"], "point of no return"))
        words += [f"{key} {self._text(str(task[key]))}" for key in ("if", "for_each") if key in task]
        if "undone" in task:
            words.append(self._style.paint(COLOURS["REVERTED"], f"undone {task['undone']} of {self._undone}"))
        return "  ".join([*words, *after])

    @property
    def _undone(self) -> int:
        return len(self._diagram["rollback"])

    def _state(self, state: str) -> str:
        return self._style.state(state)

    def _text(self, text: str) -> str:
        return one_line(text, ascii_only=not self._style.unicode)
