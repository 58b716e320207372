"""How a run is shown: picks the listeners for a terminal, a pipe or a program, and the ending."""

import gc
import os
from typing import TYPE_CHECKING

from taskrun import debugging
from taskrun.app.base import Displayed, Outcome
from taskrun.app.output import make_event, output_finder
from taskrun.cli.traced import is_wanted
from taskrun.cli.which_ci import which_ci
from taskrun.listeners.base import Listener
from taskrun.listeners.ending import ending
from taskrun.listeners.lines import Lines
from taskrun.listeners.ndjson import Ndjson, run_head, summary
from taskrun.listeners.outlet import show
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import Style, display_for, is_terminal, size, style_for

if TYPE_CHECKING:
    from taskrun.listeners.telemetry import Telemetry

STDOUT, STDERR = 1, 2
WITHOUT_TERMINAL = 100  # columns
GARBAGE = 10_000  # objects that may come before it is looked for


class Output:
    """``finish`` says the last words; what cannot be written is no reason for another exit code."""

    def __init__(self, mode: str, color: str, file: str = "", ci: str = "none") -> None:
        if mode == "auto" and debugging.on_stderr[0]:
            mode = "plain"  # lines between those of a table would tear it
        self._display = display_for(mode, os.environ)
        self._ci = which_ci(ci) if self._display.kind == "plain" else "none"
        self._color = color
        self._file = file
        self._ndjson: Ndjson | None = None
        self._shown: Displayed | None = None
        self._is_traced = is_wanted(file)
        self._telemetry: Telemetry | None = None

    @property
    def for_programs(self) -> bool:
        return self._display.kind == "ndjson"

    def listeners(self, shown: Displayed) -> list[Listener]:
        """Who is told, the one who draws first."""
        found = self._displays(shown)
        if self._is_traced:
            from taskrun.cli.traced import listen  # noqa: PLC0415 - seldom wanted

            self._telemetry = listen(shown, self._file)
            found.append(self._telemetry)
        return found

    def _displays(self, shown: Displayed) -> list[Listener]:
        self._shown = shown
        _loaded()
        view, run_id = shown.view, shown.run_id
        kind, fd = self._display
        if kind == "ndjson":
            self._ndjson = Ndjson(fd, run_head(run_id, view.name, self._file), make_event(run_id))
            return [self._ndjson]
        if kind == "table":
            from taskrun.listeners.table import Table  # noqa: PLC0415 - only on a terminal

            find = output_finder(shown.run_dir)
            return [Table(fd, view, run_id, self._style(fd), find, hide=shown.hide)]
        if self._ci != "none":
            from taskrun.cli.ci import sections  # noqa: PLC0415 - only in a CI

            return [sections(self._ci, shown, ascii_only=not self._style(fd).unicode)]
        return [Lines(fd, view, ascii_only=not self._style(fd).unicode)]

    def finish(self, outcome: Outcome) -> None:
        self._say(outcome)
        trouble = "" if self._telemetry is None else self._telemetry.finish()
        if trouble:
            show(f"warning: {one_line(trouble)}\n", STDERR)

    def _say(self, outcome: Outcome) -> None:
        if self._ndjson is not None:
            self._ndjson.finish(summary(outcome.view, outcome.run_id, outcome.exit_code))
            if outcome.left:
                show(f"Left; the journal is intact. taskrun resume {outcome.run_id} goes on.\n", STDERR)
            return
        in_order = self._display.kind == "table" or self._ci != "none"  # with what was shown before
        fd = self._display.fd if in_order else STDERR
        columns = size(fd)[0] if is_terminal(fd) else WITHOUT_TERMINAL
        shown = self._shown
        assert shown is not None
        find = output_finder(shown.run_dir)
        style = self._style(fd)
        text = ending(outcome.view, outcome.run_id, style, find, columns=columns, hide=shown.hide)
        if self._ci != "none":
            from taskrun.cli.ci import finish  # noqa: PLC0415 - only in a CI

            finish(self._ci, outcome, text)
        else:
            show(text, fd)
        for problem in outcome.broken:
            show(f"warning: a display failed and was switched off: {problem!r}\n", STDERR)

    def _style(self, fd: int) -> Style:
        return style_for(fd, self._color)


def _loaded() -> None:
    """What there is by now stays until the run is over: from here on garbage is looked for, and only in what is new."""
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()
