"""Which rows of a run a screen shows when there are more than fit.

What runs and what went wrong comes first, then the newest results and the next in line; the rest is counted. Picked rows keep the
order of the file, and each is shown below the nested flow it belongs to. The cost depends on the screen, not on the run.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from taskrun.engine.view import IN_FLIGHT, Group, Row, View

_WRONG = ("REVERT_FAILURE", "UNKNOWN", "FAILURE")
_Words = tuple[tuple[str, tuple[str, ...]], ...]
# Going forward and rolling back: what lies above the rows of interest, what lies below, and the words for it.
_FORWARD: tuple[_Words, _Words] = (
    (("finished", ("SUCCESS", "IGNORE", "REVERTED")),),
    (("pending", ("PENDING",)),),
)
_ROLLING: tuple[_Words, _Words] = (
    (("still to undo", ("SUCCESS",)),),
    (("undone", ("REVERTED",)), ("not started", ("PENDING", "IGNORE"))),
)
_ENDED: tuple[_Words, _Words] = ((("still applied", ("SUCCESS",)),), _ROLLING[1])
_IN_FLIGHT_WORDS: _Words = (("more running", IN_FLIGHT), ("more failed", _WRONG))


class Line(NamedTuple):
    """One line of the body: a task or a controller, the heading of a nested flow, or a count of rows that are not shown."""

    row: Row | None = None
    heading: str = ""
    depth: int = 0
    hidden: str = ""


def body(view: View, space: int) -> list[Line]:
    """At most `space` lines."""
    grouped = _Grouped(view)
    if len(view.index) + len(view.groups) <= 2 * space + 2:  # cheap first: may it all fit?
        lines = list(grouped.lines(view.rows))
        if len(lines) <= space:
            return lines
    return _clipped(view, grouped, max(1, space))


class _Grouped:
    """Puts rows below the headings of their nested flows."""

    def __init__(self, view: View) -> None:
        self._groups = view.groups
        self._flows = {group.name: group for group in view.groups} if len(view.groups) > 1 else {}
        self._templates = view.index

    def lines(self, rows: Iterable[Row]) -> Iterator[Line]:
        shown: set[str] = {self._groups[0].name}
        for row in rows:
            if row.kind == "retry" and row.flow in shown:
                continue  # the root's controller is in the header, others are their flow's heading
            yield from self._headings(row, shown)
            if row.kind == "task":
                yield Line(row, depth=row.depth)

    def _headings(self, row: Row, shown: set[str]) -> list[Line]:
        missing: list[Line] = []
        group: Group | None = self._flows.get(row.flow)
        while group is not None and group.name not in shown:
            shown.add(group.name)
            missing.append(Line(group.controller, heading=group.name, depth=group.depth - 1))
            group = self._groups[group.parent] if group.parent >= 0 else None
        return missing[::-1]


def _clipped(view: View, grouped: _Grouped, space: int) -> list[Line]:
    above, below = _ENDED if view.rolling and view.ended else _ROLLING if view.rolling else _FORWARD
    wanted = list(islice(_by_interest(view, space), space))
    while True:
        picked = {row.name for row in wanted}
        lines = list(grouped.lines(sorted(wanted, key=lambda row: (row.order, row.item))))
        first = _counted(view, picked, above)
        last = _counted(view, picked, _IN_FLIGHT_WORDS + below)
        if len(lines) + len(first) + len(last) <= space or not wanted:
            return [*first, *lines, *last][:space]
        wanted.pop()


def _by_interest(view: View, space: int) -> Iterator[Row]:
    """Rows in the order in which they deserve a line."""
    running = _rows(view, IN_FLIGHT)
    wrong = _rows(view, _WRONG)
    at_least = max(1, space // 4)  # what went wrong is seen even when a great many run
    first = list(islice(wrong, at_least))
    yield from islice(running, max(1, space - len(first) - 2))
    yield from first
    yield from wrong
    yield from running
    newest = ("REVERTED",) if view.rolling else ("SUCCESS", "IGNORE")
    following = ("SUCCESS",) if view.rolling else ("PENDING",)
    over = _rows(view, newest, newest_first=True)
    yield from islice(over, max(1, space // 4))
    yield from _rows(view, following, newest_first=view.rolling)
    yield from over  # the frame keeps its height to the end


def _rows(view: View, states: Sequence[str], *, newest_first: bool = False) -> Iterator[Row]:
    for state in states:
        rows = view.by_state.get(state, {})
        yield from reversed(rows.values()) if newest_first else rows.values()


def _counted(view: View, picked: set[str], words: _Words) -> list[Line]:
    """`37 finished`: one line for all that is not picked of these states."""
    shown = [view.index[name].state for name in picked]
    parts = []
    for word, states in words:
        hidden = sum(len(view.by_state.get(state, ())) - shown.count(state) for state in states)
        if hidden:
            parts.append(f"{hidden:,} {word}")
    return [Line(hidden=", ".join(parts))] if parts else []
