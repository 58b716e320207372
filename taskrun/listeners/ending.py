"""The last words of a run: what failed and why, what was undone, what is still there, and the command to type next."""

from collections.abc import Iterable

from taskrun.engine.view import NO_UNDO, Row, View
from taskrun.listeners.advice import advice
from taskrun.listeners.base import OutputOf
from taskrun.listeners.cells import fit, width_of, wrap
from taskrun.listeners.sanitize import clean, one_line
from taskrun.listeners.screen import BOLD, COLOURS, FAINT, Style
from taskrun.listeners.tail import Hide, as_it_is, last_lines
from taskrun.listeners.verdict import in_doubt, still_applied, unapproved, undeclared, verdict, was_left
from taskrun.listeners.words import counted, duration, why

OUTPUT_LINES = 15
_SHOWN_IN_FULL = 3  # failures with their output; of the others the names
_NAMES = 20
_LABEL = 13
_WARN = ("irreversible", "still applied", "unknown", "no undo", "warning", "given up", "residue")


def ending(
    view: View,
    run_id: str,
    style: Style,
    output_of: OutputOf,
    *,
    columns: int = 100,
    hide: Hide = as_it_is,
) -> str:
    """The whole block, ending with a line end. A success is one line, unless there is something to add."""
    block = _Block(view, run_id, style, output_of, max(40, columns) - 1, hide)
    return "\n".join(block.lines()) + "\n"


class _Block:
    def __init__(
        self, view: View, run_id: str, style: Style, output_of: OutputOf, width: int, hide: Hide
    ) -> None:
        self._view = view
        self._hide = hide
        self._run_id = run_id
        self._style = style
        self._output_of = output_of
        self._width = width
        self._undeclared = undeclared(view)
        self._left = still_applied(view)

    def lines(self) -> list[str]:
        """The verdict comes after the details: it is what must be on the screen when the prompt returns."""
        sections = [*self._why(), *self._standing(), *self._warnings()]
        lines = [*sections, ""] if sections else []
        lines += self._headline()
        if self._view.state != "SUCCESS":
            lines += ["  " + line for line in wrap(self._text(verdict(self._view)), self._width - 2)]
        following = self._next()
        return [*lines, "", *following] if following else lines

    def _headline(self) -> list[str]:
        view = self._view
        state = "INTERRUPTED" if was_left(view) else view.state
        end = view.ended
        if end is None:  # the last that was heard of it
            end = max((row.ended or row.started or 0.0 for row in view.index.values()), default=0.0)
        took = duration(view.seconds(end))
        counts = view.counts
        tasks = counted(sum(counts.values()), "task")
        apart = [f"{counts['IGNORE']:,} ignored"] if counts.get("IGNORE") else []
        apart += [f"{len(view.tolerated):,} allowed to fail"] if view.tolerated else []
        about = f"{tasks} ({', '.join(apart)})" if apart else tasks
        text = f"{state} {self._text(view.name)} in {took}, {about}, run {self._run_id}"
        first, *others = wrap(text, self._width)
        return [self._style.paint(f"1;{COLOURS[state]}", state) + first[len(state) :], *others]

    # What happened.

    def _why(self) -> list[str]:
        view, lines = self._view, []
        if view.failure:
            lines += self._section("reason", why(view.failure, ascii_only=not self._style.unicode))
        for controller in view.controllers.values():
            if controller.failure:
                lines += self._failure("failed", controller, undoing=False, output=False)
        failed = [view.index[name] for name in view.failed]
        for row in failed[:_SHOWN_IN_FULL]:
            lines += self._failure("failed", row, undoing=False)
        if failed[_SHOWN_IN_FULL:]:
            lines += self._section("also failed", self._names(row.name for row in failed[_SHOWN_IN_FULL:]))
        for name in view.tolerated[:_NAMES]:
            lines += self._failure("allowed", view.index[name], undoing=False, output=False)
        return lines

    def _failure(self, label: str, row: Row, *, undoing: bool, output: bool = True) -> list[str]:
        reason = why(row.revert_failure if undoing else row.failure, ascii_only=not self._style.unicode)
        lines = self._section(label, f"{self._text(row.name)}  {reason}".rstrip())
        return lines + (self._output(row, undoing) if output else [])

    def _output(self, row: Row, undoing: bool) -> list[str]:
        path = self._output_of(row, undoing)
        if path is None:
            return []
        bar = self._style.paint(FAINT, "│" if self._style.unicode else "|")
        room = self._width - _LABEL - 2
        found = last_lines(path, OUTPUT_LINES, hide=self._hide)
        return [f"{' ' * _LABEL}{bar} {self._shown(line, room)}" for line in found]

    def _shown(self, line: bytes, room: int) -> str:
        """With its colours if it fits, else cut."""
        line = line.expandtabs(4)
        plain = one_line(line, ascii_only=not self._style.unicode)
        if self._style.colour and width_of(plain) <= room:
            return clean(line, colours="keep")
        return fit(plain, room, self._style)[0]

    def _standing(self) -> list[str]:
        view = self._view
        if view.state == "SUCCESS":
            return []
        lines = []
        undone = [name for name in view.undone if view.index[name].revert not in NO_UNDO]
        if undone:
            lines += self._section("undone", self._names(undone))
        for name in view.revert_failed[:_NAMES]:
            row = view.index[name]
            if row.revert == "impossible":
                lines += self._section(
                    "irreversible", f"{self._text(name)}  {self._text(row.reason or '')}".rstrip()
                )
            else:
                lines += self._failure("not undone", row, undoing=True)
            if row.given_up is not None:
                lines += self._section("given up", f"{self._text(name)}  {self._text(row.given_up)}")
        if self._left:
            lines += self._section("still applied", self._names(self._left))
        lines += self._waiting()
        if self._undeclared:
            lines += self._section("no undo", self._names(self._undeclared))
        for _, found in view.residue[:_NAMES]:
            lines += self._section("residue", self._text(found))
        return lines

    def _waiting(self) -> list[str]:
        """For a person: to say yes, or to look what became of it."""
        view, lines = self._view, list[str]()
        for name in unapproved(view)[:_NAMES]:
            question = str((view.index[name].failure or {}).get("message") or "")
            lines += self._section("approval", f"{self._text(name)}  {self._text(question)}".rstrip())
        for name in in_doubt(view)[:_NAMES]:
            reason = why(view.index[name].failure, ascii_only=not self._style.unicode)
            lines += self._section(
                "unknown", f"{self._text(name)}  {reason or 'nobody knows how its attempt ended'}"
            )
        return lines

    def _warnings(self) -> list[str]:
        lines = []
        for name, message in self._view.warnings[-_NAMES:]:
            lines += self._section("warning", f"{self._text(name)}: {self._text(message)}")
        return lines

    # What to do.

    def _next(self) -> list[str]:
        """What a person must see to, then what else can be typed."""
        found = advice(self._view, self._run_id)
        commented = self._commented([(each.command, each.purpose) for each in found])
        lines: list[str] = []
        for label, urgent in (("needs you", True), ("next", False)):
            chosen = [line for each, line in zip(found, commented, strict=True) if each.urgent is urgent]
            lines += self._section(label, *chosen) if chosen else []
        return lines

    def _commented(self, commands: list[tuple[str, str]]) -> list[str]:
        """Comments in one column if there is room for that, else behind their commands, else none."""
        room = self._width - _LABEL - len("taskrun ")
        longest = max((len(command) for command, _ in commands), default=0)
        widest = max((len(purpose) for _, purpose in commands), default=0)
        column = longest if longest + widest + 4 <= room else 0
        lines = []
        for command, purpose in commands:
            comment = " " * (column - len(command)) + f"  # {purpose}"
            fits = len(command) + len(comment) <= room
            lines.append("taskrun " + command + (self._style.paint(FAINT, comment) if fits else ""))
        return lines

    # Words into lines.

    def _text(self, text: str) -> str:
        return one_line(text, ascii_only=not self._style.unicode)

    def _names(self, names: Iterable[str]) -> str:
        every = [self._text(name) for name in names]
        more = f" and {len(every) - _NAMES:,} more" if len(every) > _NAMES else ""
        return ", ".join(every[:_NAMES]) + more

    def _section(self, label: str, *texts: str) -> list[str]:
        """The label, and beside it each text; a single one is wrapped."""
        is_command = label in ("next", "needs you")
        lines = wrap(texts[0], self._width - _LABEL) if len(texts) == 1 and not is_command else list(texts)
        sgr = {"failed": COLOURS["FAILURE"], "not undone": COLOURS["REVERT_FAILURE"]}.get(label, FAINT)
        if is_command:
            sgr = BOLD
        if label in _WARN:
            sgr = COLOURS["RETRYING"]
        head = self._style.paint(sgr, f"  {label}") + " " * max(1, _LABEL - 2 - len(label))
        if len(label) + 3 > _LABEL:
            return [head.rstrip(), *(" " * _LABEL + line for line in lines)]
        return [head + lines[0], *(" " * _LABEL + line for line in lines[1:])]
