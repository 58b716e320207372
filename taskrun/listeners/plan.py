"""A plan as text: what would be done and how each of it is undone, then the rollback, then what to know before."""

from collections.abc import Iterator, Mapping, Sequence
from json import dumps
from typing import Any

from taskrun.listeners.cells import fit, wrap
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import BOLD, COLOURS, FAINT, Style
from taskrun.listeners.words import counted, size

Plain = Mapping[str, Any]

_LINES = 8  # of one command on a terminal; a pipe gets all of it
_UNDO = {
    "itself": "by itself",
    "nothing": "nothing to undo",
    "undeclared": "none is declared",
}
_ENDS = {
    "SUCCESS": "the run goes on and ends with SUCCESS, exit code 0: this failure is allowed",
    "FAILURE": "the run ends with FAILURE, exit code 3: not fully rolled back",
    "SUSPENDED": "the run is SUSPENDED, exit code 3: nothing is undone before somebody decides",
}


def plan_text(plan: Plain, style: Style, *, columns: int | None) -> str:
    """``columns`` is the terminal's width, None where there is no terminal."""
    return "\n".join(_Page(style, columns).lines(plan)) + "\n"


class _Page:
    def __init__(self, style: Style, columns: int | None) -> None:
        self._style = style
        self._columns = columns

    def lines(self, plan: Plain) -> Iterator[str]:
        yield from self._head(plan)
        for task in plan["tasks"]:
            yield ""
            yield from self._task(task)
        if plan["ignored"] or plan["controllers"]:
            yield ""
        for task in plan["ignored"]:
            yield self._cut(f"  not run: {self._text(task['name'])}{self._because(task)}")
        for flow in plan["controllers"]:
            most = f", {counted(flow['rounds'], 'round')} at most" if flow["rounds"] else ""
            yield self._cut(
                f"  {self._text(flow['flow'])}: undone and run again when a task in it fails{most}"
            )
        if plan["rollback"]:
            yield from self._rollback(plan["rollback"])
        if plan["warnings"]:
            yield ""
        for warning in plan["warnings"]:
            yield from self._warning(warning)

    def _head(self, plan: Plain) -> Iterator[str]:
        rollback, name = plan["rollback"], self._text(plan["name"])
        if plan["tasks"]:
            yield f"{self._bold(name)}: {counted(len(plan['tasks']), 'task')}, in the order of --jobs 1"
        elif rollback and rollback["undone"]:
            yield f"{self._bold(name)}: what a revert would undo"
        else:
            yield f"{self._bold(name)}: nothing would be done"
        given = {**plan["inputs"], **{f"${name}": value for name, value in plan["env"].items()}}
        width = max(map(len, given), default=0)
        for key, value in given.items():
            yield self._cut(f"  {key.ljust(width)}  {self._text(_shown(value))}")

    def _because(self, task: Plain) -> str:
        return f", if {self._text(task['if'])} is false" if task.get("if") else ", with what it follows"

    # One task.

    def _task(self, task: Plain) -> Iterator[str]:
        remarks = ["point of no return"] if task["pivot"] else []
        remarks += ["savepoint"] if task["action"] == "savepoint" else []
        remarks += [f"{task['attempts']} attempts at most"] if "attempts" in task else []
        about = self._paint(COLOURS["RETRYING"] if task["pivot"] else FAINT, ", ".join(remarks))
        yield f"{task['number']:>3}  {self._bold(self._text(task['name']))}  {about}".rstrip()
        if "each_of" in task:
            yield self._cut(f"     for each of {self._text(task['each_of'])}, known only in the run")
        if task.get("if"):
            word = "if it turns out that" if task.get("assumed") else "as"
            yield self._cut(f"     {word} {self._text(task['if'])}")
        if "check" in task:
            yield self._cut(f"     unless {self._text(task['check'])}")
        for key, value in task.get("env", {}).items():
            yield self._cut(f"     {self._text(f'${key}')} = {self._text(_shown(value))}")
        if task["action"] != "savepoint":
            yield from self._labelled("do", task["action"], task["command"])
            yield from self._undo(task["undo"])

    def _undo(self, undo: Plain) -> Iterator[str]:
        kind = undo["class"]
        if kind == "revert":
            yield from self._labelled("undo", undo["action"], undo["command"])
        elif kind == "restore":
            yield from self._labelled("undo", "restore", undo["command"])
            if undo.get("limit") is not None:
                about = f"from images of at most {size(undo['limit'])}, taken before the task begins"
                yield self._cut(f"           {self._paint(FAINT, about)}")
        else:
            loud = kind in ("impossible", "undeclared")
            text = self._paint(COLOURS["RETRYING"] if loud else FAINT, self._text(how_undone(undo)))
            yield self._cut(f"     {self._paint(FAINT, 'undo')}  {text}")

    def _labelled(self, label: str, action: str, command: str) -> Iterator[str]:
        """The label and the action, then the lines of the command beside them."""
        head = f"     {label:<4}  {action}  "
        every = command.split("\n")
        most = len(every) if self._columns is None or len(every) <= _LINES else _LINES - 1
        for position, line in enumerate(every[:most]):
            shown = self._text(line.expandtabs(4))
            if position:
                yield self._cut(" " * len(head) + shown).rstrip()
            else:
                yield self._paint(FAINT, head) + self._cut(shown, len(head))
        if most < len(every):
            yield self._paint(
                FAINT, f"{' ' * len(head)}{self._style.ellipsis} {len(every) - most} more lines"
            )

    # The way back.

    def _rollback(self, rollback: Plain) -> Iterator[str]:
        yield ""
        undone, left = rollback["undone"], rollback["left"]
        if "fail_at" in rollback:
            first = self._bold(f"If {self._text(rollback['fail_at'])} fails")
            what = ", this is undone, in this order:" if undone else ", nothing is undone."
            yield first + what
        elif undone:
            yield "Undone, in this order:"
        for task in undone:
            yield f"{task['number']:>3}  {self._bold(self._text(task['name']))}"
            yield from self._undo(task["undo"])
        if left:
            yield ""
            yield "What stays:"
        for task in left:
            if why := self._why_left(task):
                yield self._cut(f"     {self._text(task['name'])}  {self._text(why)}")
        plain = [self._text(task["name"]) for task in left if not self._why_left(task)]
        if plain:
            yield from (f"     {line}" for line in wrap(", ".join(plain), (self._columns or 200) - 6))
        for name in rollback["unknown"]:
            yield self._cut(f"     {self._text(name)}  its outcome is unknown: look, then taskrun resolve")
        yield ""
        checks = rollback["checks"] if rollback["state"] == "REVERTED" else 0
        proviso = f", if the {counted(checks, 'check')} after it find nothing left" if checks else ""
        yield from self._wrapped(f"Then {self._end(rollback)}{proviso}.")

    def _why_left(self, task: Plain) -> str:
        """Empty where it is simply not undone."""
        if task["given_up"]:
            return f"its undo was given up: {task['given_up']}"
        return how_undone(task["undo"]) if task["undo"]["class"] == "impossible" else ""

    def _end(self, rollback: Plain) -> str:
        state = rollback["state"]
        code = rollback["exit_code"]
        nameless = [t["name"] for t in rollback["undone"] if t["undo"]["class"] == "undeclared"]
        if state == "REVERTED" and nameless:
            whose = nameless[0] if len(nameless) == 1 else f"{len(nameless)} tasks"
            return (
                f"the run is REVERTED, exit code {code}, but for what {whose} may leave: no undo is declared"
            )
        if state == "REVERTED":
            return f"the run is REVERTED, exit code {code}: the world is as before"
        return _ENDS.get(state, f"the run is {state}")

    def _warning(self, warning: Plain) -> Iterator[str]:
        about = f"{warning['task']}: " if warning["task"] else ""
        text = f"warning: {about}{warning['message']}"
        lines = wrap(self._text(text), (self._columns or 200) - 1)
        yield self._paint(COLOURS["RETRYING"], lines[0])
        yield from (f"  {line}" for line in lines[1:])
        if warning.get("help"):
            yield self._paint(FAINT, f"  {warning['help']}")

    # Words into lines.

    def _wrapped(self, text: str) -> Sequence[str]:
        return wrap(text, self._columns - 1) if self._columns else [text]

    def _cut(self, line: str, taken: int = 0) -> str:
        """As long as the screen is wide; a painted line is short and left as it is."""
        if self._columns is None or "\x1b" in line:
            return line
        return fit(line, self._columns - 1 - taken, self._style)[0]

    def _text(self, text: str) -> str:
        """Safe to print, with the blanks it begins with."""
        return text[: len(text) - len(text.lstrip(" "))] + one_line(
            text.lstrip(" "), ascii_only=not self._style.unicode
        )

    def _bold(self, text: str) -> str:
        return self._paint(BOLD, text)

    def _paint(self, sgr: str, text: str) -> str:
        return self._style.paint(sgr, text)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


def how_undone(undo: Plain) -> str:
    kind = str(undo["class"])
    if kind == "impossible":
        return f"impossible: {undo['reason']}"
    if kind == "after-pivot":
        return f"none: it comes after {undo['pivot']}, the point of no return"
    return _UNDO.get(kind, kind)
