"""What is said beside a task's state: why it failed, when it is tried again, how far it is, what it printed last."""

from math import ceil

from taskrun.engine.view import NO_UNDO, Row
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import FAINT, Style
from taskrun.listeners.words import clock, why


def trouble(row: Row, now: float, style: Style) -> str:
    """What a person should not miss; safe to print."""
    ascii_only = not style.unicode
    if row.due is not None and row.state in ("RETRYING", "REVERTING"):
        reason = why(row.revert_failure if row.undoing else row.failure, ascii_only=ascii_only)
        return "  ".join(filter(None, [f"again in {clock(max(0, ceil(row.due - now)))}", reason]))
    if row.state in ("RUNNING", "REVERTING"):
        custom = one_line(row.custom or "", ascii_only=ascii_only)
        return "  ".join(filter(None, [_progress(row, style), custom]))
    if row.given_up is not None:
        return f"given up: {one_line(row.given_up, ascii_only=ascii_only)}"
    if row.state == "REVERT_FAILURE":
        return why(row.revert_failure, ascii_only=ascii_only)
    if row.state == "UNKNOWN":
        return why(row.failure, ascii_only=ascii_only) or "nobody knows how it ended"
    return why(row.failure, ascii_only=ascii_only) if row.state == "FAILURE" else ""


def remark(row: Row, tail: bytes = b"") -> str | bytes:
    """What is good to know; not yet safe to print. `tail` is the last line of its output."""
    if row.state in ("RUNNING", "REVERTING"):
        return row.message or ("" if row.due else tail)
    if row.state == "REVERTED":
        if row.failure or row.revert not in NO_UNDO:
            return why(row.failure)
        return "nothing to undo" if row.revert == "none" else "no undo declared"
    if row.state == "SUCCESS" and row.already:
        return "was done already"
    if row.action == "savepoint":
        return "savepoint"
    return row.message or ""


def meter(full: float, cells: int, style: Style, sgr: str = "") -> str:
    """A bar of `cells` cells, `full` (0 to 1) of it in colour `sgr`."""
    filled = round(full * cells)
    on, off = ("━", "─") if style.unicode else ("=", "-")
    return style.paint(sgr, on * filled) + style.paint(FAINT if sgr else "", off * (cells - filled))


def _progress(row: Row, style: Style) -> str:
    return "" if row.progress is None else f"{meter(row.progress, 10, style)} {round(row.progress * 100):3d}%"
