"""One line per transition, without control codes: for pipes, CI logs and terminals that cannot move their cursor."""

from collections.abc import Sequence
from functools import lru_cache
from time import localtime, strftime

from taskrun.engine.view import IN_FLIGHT, NO_UNDO, View
from taskrun.listeners.base import Entry
from taskrun.listeners.outlet import Outlet
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.words import clock, why

STILL_RUNNING_EVERY = 10.0
_NAMED = 5
_RETRY_WRITE = 0.05
_CLOCK, _DATED = "%H:%M:%S", "%Y-%m-%d %H:%M:%S"


def transition_line(entry: Entry, view: View, *, dated: bool = False, ascii_only: bool = False) -> str | None:
    """`12:30:01 fetch_amazon RUNNING -> FAILURE  ConnectionError: ...`; None for an entry with nothing to read."""
    data = entry.data or {}
    name = one_line(entry.name, ascii_only=ascii_only)
    clock_time = _moment(entry.time) if dated else _second(int(entry.time))
    message = one_line(str(data.get("message") or ""), ascii_only=ascii_only)
    if entry.kind == "warning" and entry.state == "REVERTING":
        reason = why(data.get("failure"), ascii_only=ascii_only)
        message = f"undo failed, will be tried again  {reason}" if reason else "undo is tried again"
    if entry.kind == "custom" and data.get("state"):
        return f"{clock_time} {name} is {one_line(str(data['state']), ascii_only=ascii_only)}"
    if entry.kind not in ("task", "flow", "retry"):
        return f"{clock_time} {entry.kind} {name}  {message}".rstrip() if message else None
    who = name if entry.kind == "task" else f"{entry.kind} {name}"
    change = f"{entry.old_state} -> {entry.state}" if entry.old_state else f"{entry.state}"
    details = [_attempt(entry, view), why(data.get("failure"), ascii_only=ascii_only) or message]
    return "  ".join([f"{clock_time} {who} {change}", *filter(None, details)])


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return strftime(_CLOCK, localtime(seconds))


def _moment(seconds: float) -> str:
    """To the millisecond: a history is read to see what came between what."""
    thousandths = int(seconds * 1000) % 1000
    return f"{strftime(_DATED, localtime(seconds))}.{thousandths:03d}"


def _attempt(entry: Entry, view: View) -> str:
    """From the second attempt on. Not from `Row.nth`: the view may be entries ahead of this one."""
    row = view.row(entry.kind, entry.name)
    if row is None or entry.state not in ("RUNNING", "REVERTING"):
        return ""
    undoing = entry.state == "REVERTING"
    if undoing and (entry.kind == "retry" or row.revert in NO_UNDO):
        return ""
    nth = entry.attempt - (row.revert_base if undoing else row.base)
    limit = row.revert_limit if undoing else row.limit
    if nth < 2:
        return ""
    return f"(attempt {nth}/{limit})" if limit and limit > 1 else f"(attempt {nth})"


class Lines:
    """Writes to file descriptor `fd`; every 10 s also what is still running, so that a log never looks dead."""

    def __init__(self, fd: int, view: View, *, ascii_only: bool = False) -> None:
        self._outlet = Outlet(fd)
        self._view = view
        self._ascii_only = ascii_only
        self._still: float | None = None

    def entries(self, entries: Sequence[Entry]) -> None:
        if not self._outlet.open:
            return
        lines = [transition_line(entry, self._view, ascii_only=self._ascii_only) for entry in entries]
        text = "\n".join(line for line in lines if line)
        if text:
            self._write(text + "\n")

    def tick(self, now: float) -> float | None:
        if not self._outlet.open:
            return None
        self._outlet.pump()
        if not any(self._view.by_state.get(state) for state in IN_FLIGHT):
            self._still = None
            return _RETRY_WRITE if self._outlet.behind else None
        if (
            self._still is None or now < self._still - STILL_RUNNING_EVERY
        ):  # started, or the clock was set back
            self._still = now + STILL_RUNNING_EVERY
        elif now >= self._still:
            self._still = now + STILL_RUNNING_EVERY
            self._write(self._still_running(now) + "\n")
        return _RETRY_WRITE if self._outlet.behind else self._still - now

    def _still_running(self, now: float) -> str:
        rows = [row for state in IN_FLIGHT for row in self._view.by_state.get(state, {}).values()]
        named = [
            f"{one_line(row.name, ascii_only=self._ascii_only)} ({clock(row.seconds(now) or 0.0)})"
            for row in rows[:_NAMED]
        ]
        more = [f"{len(rows) - _NAMED} more"] if len(rows) > _NAMED else []
        word = "reverting" if self._view.state == "REVERTING" else "running"
        return f"{strftime(_CLOCK, localtime(now))} still {word}: {', '.join(named + more)}"

    def say(self, text: str) -> None:
        self._write(one_line(text, ascii_only=self._ascii_only) + "\n")

    def _write(self, text: str) -> None:
        self._outlet.write(text)

    def close(self) -> None:
        self._outlet.leave()
