"""One frame of the live table: a view drawn into lines that fit the screen. Draws, and neither waits nor writes."""

from math import ceil
from typing import NamedTuple

from taskrun.engine.view import Row, View
from taskrun.listeners.base import OutputOf
from taskrun.listeners.cells import fit, pad
from taskrun.listeners.picks import Line, body
from taskrun.listeners.remarks import meter, remark, trouble
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import BOLD, COLOURS, FAINT, Style
from taskrun.listeners.tail import Hide, Tail, as_it_is
from taskrun.listeners.words import attempt_of, clock, counted, duration, why

_TIME = 6  # `59m59s`
_TINY, _NARROW = 34, 60  # columns below which there are no times, no details
_ROOMY = 16  # lines from which on the parts stand apart
_REMEMBERED = 1000
_COUNTED = (
    "SUCCESS",
    "RUNNING",
    "RETRYING",
    "REVERTING",
    "FAILURE",
    "REVERT_FAILURE",
    "UNKNOWN",
    "REVERTED",
    "IGNORE",
)
_QUIET_CONTROLLER = ("PENDING", "RUNNING", "SUCCESS")  # its SUCCESS only means that its flow may start


class Layout(NamedTuple):
    """Widths in cells. `detail` is 0 where there is no room for it."""

    total: int
    gap: int
    state: int
    name: int
    attempt: int
    time: int
    detail: int


class Cells(NamedTuple):
    """One line, left to right. `state` comes painted and padded; of the detail the `lead` is not faint."""

    state: str
    name: str
    attempt: str = ""
    took: str = ""
    lead: str = ""
    detail: str = ""
    name_sgr: str = ""


class Frame:
    """Keeps what it rendered: a row that did not change costs a look-up."""

    def __init__(
        self, view: View, run_id: str, style: Style, output_of: OutputOf, hide: Hide = as_it_is
    ) -> None:
        self._view = view
        self._hide = hide
        self._run_id = run_id
        self._style = style
        self._output_of = output_of
        self._rendered: dict[int, tuple[object, str]] = {}
        self._tails: dict[str, Tail] = {}
        # Columns only ever grow, so that nothing jumps about while somebody reads.
        self._state_width = 9
        self._name_width = max(
            [8, len(view.name), *(2 * row.depth + len(row.name) for row in view.rows[:500])]
        )
        self._attempt_width = 3 if any(row.limit != 1 for row in view.rows[:500]) else 0

    def lines(self, now: float, columns: int, height: int) -> list[str]:
        """At most `height` lines, each shorter than `columns`."""
        width = max(20, columns) - 1  # a full line would leave the cursor in limbo
        roomy = height >= _ROOMY
        shown_bar = height >= 6 and self._view.state != "SUCCESS"
        spare = 2 + shown_bar + 2 * roomy + bool(self._view.warnings)
        lines = body(self._view, height - spare)
        layout = self._layout(width, lines)
        blank = [""] if roomy else []
        return [
            self._header(layout, now),
            *([self._bar(layout)] if shown_bar else []),
            *blank,
            *[self._line(line, layout, now) for line in lines],
            *blank,
            *self._warning(layout),
            self._footer(layout),
        ]

    def _layout(self, width: int, lines: list[Line]) -> Layout:
        rows = [line.row for line in lines if line.row is not None]
        states = [self._view.state, *(row.state for row in rows)]
        self._state_width = max(self._state_width, *map(len, states))
        self._name_width = max([self._name_width, *(2 * line.depth + len(_name(line)) for line in lines)])
        attempts = [attempt_of(row) for row in (*rows, *self._root_controller())]
        self._attempt_width = max([self._attempt_width, *map(len, attempts)])
        gap = 1 if width < _NARROW else 2
        state = self._state_width + 2 + gap
        attempt, took = (self._attempt_width, _TIME) if width >= _TINY else (0, 0)
        room = width - state - (attempt + 1 if attempt else 0) - (took + gap if took else 0)
        name = min(self._name_width, max(16, room - gap - 28) if width >= _NARROW else room)
        detail = room - name - gap
        if detail < 12:
            name, detail = min(self._name_width, room), 0
        return Layout(width, gap, state, max(1, name), attempt, took, detail)

    def _root_controller(self) -> list[Row]:
        controller = self._view.groups[0].controller
        return [controller] if controller else []

    # The parts of a frame.

    def _header(self, layout: Layout, now: float) -> str:
        view = self._view
        attempt = "".join(map(attempt_of, self._root_controller()))
        elapsed = view.seconds(now)
        took = duration(elapsed) if view.ended else clock(elapsed)
        detail = f"run {self._run_id}"
        reason = why(view.failure, ascii_only=not self._style.unicode)
        if reason:
            detail += "  " + reason
        state = self._style.state(view.state, layout.state)
        return self._drawn(layout, Cells(state, view.name, attempt, took, detail=detail, name_sgr=BOLD))

    def _bar(self, layout: Layout) -> str:
        """Going forward it fills up; rolling back it empties again. After that it says what is looked at."""
        view, counts = self._view, self._view.counts
        if view.looking is not None:
            text = one_line(view.looking, ascii_only=not self._style.unicode)
            return " " * layout.state + fit(text, layout.total - layout.state, self._style)[0]
        if view.rolling:
            done, total = view.reverted, max(1, view.to_revert)
            under_way = done + counts.get("REVERTING", 0)
            label, full, sgr = f"undoing {under_way:,} of {total:,}", 1 - done / total, COLOURS["REVERTING"]
            if view.ended:
                label = f"undone {done:,} of {total:,}"
        else:
            done = counts.get("SUCCESS", 0) + counts.get("IGNORE", 0) + len(view.tolerated)
            total = max(1, sum(counts.values()))
            label, full, sgr = f"{done:,} of {total:,}", done / total, COLOURS["SUCCESS"]
        cells = min(30, layout.total - layout.state - len(label) - 2)
        if cells < 8:
            return self._style.paint(FAINT, label)
        return " " * layout.state + meter(full, cells, self._style, sgr) + "  " + label

    def _warning(self, layout: Layout) -> list[str]:
        warnings = self._view.warnings
        if not warnings:
            return []
        name, message = warnings[-1]
        text = f"{counted(len(warnings), 'warning')}: {name}: {message}"
        text = one_line(text, ascii_only=not self._style.unicode)
        return [self._style.paint("33", fit(text, layout.total, self._style)[0])]

    def _footer(self, layout: Layout) -> str:
        counts = self._view.counts
        parts: list[str] = []
        used = 0
        for state in (*_COUNTED, "PENDING"):
            number = counts.get(state)
            if not number:
                continue
            text = f"{number:,} {state.lower().replace('_', ' ')}"
            used += len(text) + 3 * bool(parts)
            if used > layout.total:
                break
            parts.append(self._style.paint(COLOURS[state], text))
        return self._style.dot.join(parts)

    # A line of the body.

    def _line(self, line: Line, layout: Layout, now: float) -> str:
        row = line.row
        if row is None:
            if line.hidden:
                text = f"{self._style.ellipsis} {line.hidden}"
                return self._style.paint(FAINT, fit(text, layout.total, self._style)[0])
            return self._drawn(layout, Cells(" " * layout.state, "  " * line.depth + line.heading))
        active = row.ended is None and row.started is not None
        tail = self._last_output(row) if active and layout.detail and row.kind == "task" else b""
        second = int(now - (row.started or 0)) if active else ceil(row.due - now) if row.due else 0
        key = (row.changed, second, tail, layout)
        known = self._rendered.get(id(row))
        if known and known[0] == key:
            return known[1]
        if len(self._rendered) > _REMEMBERED:
            self._rendered.clear()
        cells = self._heading(line, row, layout, now) if line.heading else self._task(row, layout, now, tail)
        text = self._drawn(layout, cells)
        self._rendered[id(row)] = (key, text)
        return text

    def _heading(self, line: Line, controller: Row, layout: Layout, now: float) -> Cells:
        """A nested flow with a retry controller: which attempt this is, and its state where that says something."""
        quiet = controller.state in _QUIET_CONTROLLER
        state = " " * layout.state if quiet else self._style.state(controller.state, layout.state)
        lead = trouble(controller, now, self._style)
        return Cells(state, "  " * line.depth + line.heading, attempt_of(controller), lead=lead)

    def _task(self, row: Row, layout: Layout, now: float, tail: bytes) -> Cells:
        ascii_only = not self._style.unicode
        name = "  " * min(row.depth, layout.name // 4) + row.name
        if row.items and row.state == "PENDING":  # it stands for its items
            return Cells(" " * layout.state, name)
        seconds = row.seconds(now)
        took = "" if seconds is None else clock(seconds) if row.ended is None else duration(seconds)
        lead = trouble(row, now, self._style)
        detail = one_line(remark(row, tail), ascii_only=ascii_only)
        name_sgr = FAINT if COLOURS.get(row.state) == FAINT else ""
        state = self._style.state(row.state, layout.state)
        return Cells(state, name, attempt_of(row), took, lead, detail, name_sgr)

    def _drawn(self, layout: Layout, cells: Cells) -> str:
        style = self._style
        name = pad(one_line(cells.name, ascii_only=not style.unicode), layout.name, style)
        text = cells.state + style.paint(cells.name_sgr, name)
        if layout.attempt:
            text += " " + style.paint(FAINT, cells.attempt.rjust(layout.attempt))
        if layout.time:
            text += " " * layout.gap + style.paint(FAINT, cells.took.rjust(layout.time))
        if layout.detail and (cells.lead or cells.detail):
            lead, taken = fit(cells.lead, layout.detail, style)
            space = 2 if lead and cells.detail else 0
            detail = fit(cells.detail, layout.detail - taken - space, style)[0]
            text += " " * layout.gap + lead + (" " * space + style.paint(FAINT, detail) if detail else "")
        return text if style.colour else text.rstrip()

    def _last_output(self, row: Row) -> bytes:
        path = self._output_of(row, row.undoing)
        if path is None:
            return b""
        tail = self._tails.get(path)
        if tail is None:
            if len(self._tails) > _REMEMBERED:
                self._tails.clear()
            tail = self._tails[path] = Tail(path, self._hide)
        return tail.last_line()


def _name(line: Line) -> str:
    return line.heading or (line.row.name if line.row else "")
