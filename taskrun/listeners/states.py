"""The states of one run's tasks at one moment (`taskrun states`), and all its transitions (`--history`)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from taskrun.engine.view import Row, View
from taskrun.listeners.base import Entry
from taskrun.listeners.lines import transition_line
from taskrun.listeners.page import MEDIUM, WIDE, Cell, Column, Page
from taskrun.listeners.remarks import remark, trouble
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import BOLD, COLOURS, FAINT, Style
from taskrun.listeners.words import attempt_of, clock, duration

_COLUMNS = (
    Column("STATE"),
    Column("TASK", may_fold=True),
    Column("TRY"),
    Column("TIME", least=MEDIUM),
    Column("", may_fold=True, least=WIDE),
)


def states_text(
    view: View, run_id: str, now: float, style: Style, *, columns: int | None, state: str | None = None
) -> str:
    """All tasks of a run. `columns` is the terminal's width, None where there is no terminal; `state` is said in place of the flow's
    (INTERRUPTED when nobody runs it any more).
    """
    page = Page(style, columns)
    flow = state or view.state
    took = duration(view.seconds(now)) if view.ended else clock(view.seconds(now))
    name = one_line(view.name, ascii_only=not style.unicode)
    parts = [
        style.paint(COLOURS.get(flow, ""), page.word(flow)),
        style.paint(BOLD, name),
        f"run {run_id}",
        took if view.started else "",
    ]
    rows = [_cells(row, now, page) for row in view.rows]
    text = "  ".join(filter(None, parts)) + "\n\n" + page.draw(_COLUMNS, rows)
    found = [one_line(each.message, ascii_only=not style.unicode) for each in view.residue]
    return text + "".join(["\n", *(f"residue: {message}\n" for message in found)] if found else [])


def _cells(row: Row, now: float, page: Page) -> list[Cell]:
    ascii_only = not page.style.unicode
    seconds = row.seconds(now)
    took = "" if seconds is None else clock(seconds) if row.ended is None else duration(seconds)
    said = [trouble(row, now, page.style), one_line(remark(row), ascii_only=ascii_only)]
    name = ("retry " if row.kind == "retry" else "") + one_line(row.name, ascii_only=ascii_only)
    sgr = COLOURS.get(row.state, "")
    is_its_items = bool(row.items) and row.state == "PENDING"
    return [
        Cell("" if is_its_items else page.word(row.state), sgr),
        Cell("  " * row.depth + name, sgr if sgr == FAINT else ""),
        Cell(attempt_of(row), FAINT),
        Cell(took, FAINT),
        Cell("  ".join(filter(None, said))),
    ]


def states_dict(
    view: View,
    run_id: str,
    exit_code: int | None,
    timestamp: Callable[[float], str],
    *,
    state: str | None = None,
) -> dict[str, Any]:
    """The same for programs, with outputs and failures whole."""

    def when(seconds: float | None) -> str | None:
        return None if seconds is None else timestamp(seconds)

    return {
        "v": 1,
        "run": run_id,
        "name": view.name,
        "state": view.state,
        "interrupted": state == "INTERRUPTED",
        "exit_code": exit_code,
        "started": when(view.started),
        "ended": when(view.ended),
        "failure": view.failure,
        "tasks": [_row_dict(row, when) for row in view.rows],
        "reverted": view.undone,
        "applied": view.applied,
        "unknown": view.unknown,
        "revert_failed": view.revert_failed,
        "residue": [found.message for found in view.residue],
        "warnings": [warned._asdict() for warned in view.warnings],
    }


def _row_dict(row: Row, when: Callable[[float | None], str | None]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "flow": row.flow,
        "state": row.state,
        "attempt": row.attempt,
        "started": when(row.started),
        "ended": when(row.ended),
        "outputs": dict(row.outputs or {}),
        "failure": row.failure,
        "revert_failure": row.revert_failure,
        "given_up": row.given_up,
    }


def history_lines(view: View, entries: Iterable[Entry], *, ascii_only: bool = False) -> Iterator[str]:
    """Every transition with its date. `view` is a new one of the same run: it is folded along."""
    for entry in entries:
        view.apply(entry)
        line = transition_line(entry, view, dated=True, ascii_only=ascii_only)
        if line is not None:
            yield line
