"""What a report tells, as plain data that is safe to show: the outcome, the tasks, what failed, what is left, what to type.

Everything that tasks or people wrote has gone through the sanitiser, and through the masker of the workflow's secrets.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from taskrun.engine.view import NO_UNDO, EntryLike, Row, View
from taskrun.listeners.advice import advice
from taskrun.listeners.base import OutputOf
from taskrun.listeners.sanitize import clean
from taskrun.listeners.tail import Hide, last_lines
from taskrun.listeners.verdict import in_doubt, still_applied, unapproved, undeclared, verdict, was_left

Plain = dict[str, Any]
OUTPUT_LINES = 40
_DONE = ("SUCCESS", "FAILURE", "UNKNOWN")
_UNDONE = ("REVERTED", "REVERT_FAILURE")


class RunLike(Protocol):
    """What a report needs of a run's row."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def created(self) -> float: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def version(self) -> str: ...


class Times:
    """How long a task's attempts at doing, and at undoing, took together."""

    def __init__(self) -> None:
        self.started: float | None = None
        self.doing = 0.0
        self.undoing = 0.0
        self._since: float | None = None

    def take(self, entry: EntryLike) -> None:
        if entry.state in ("RUNNING", "REVERTING"):
            self._since = entry.time
            if self.started is None:
                self.started = entry.time
        elif self._since is not None and entry.state in (*_DONE, *_UNDONE):
            took = max(0.0, entry.time - self._since)
            if entry.state in _DONE:
                self.doing += took
            else:
                self.undoing += took
            self._since = None


def facts(
    definition: Mapping[str, Any],
    run: RunLike,
    entries: Iterable[EntryLike],
    *,
    state: str,
    output_of: OutputOf,
    hide: Hide,
    mask: Callable[[Any], Any],
    timestamp: Callable[[float], str],
) -> Plain:
    """``state`` is the run's as it is to be said; ``hide`` masks bytes, ``mask`` values."""
    view, times = View(definition), dict[str, Times]()
    for entry in entries:
        view.apply(entry)
        if entry.kind == "task":
            times.setdefault(entry.name, Times()).take(entry)
    tasks = [_task(row, times.get(row.name, Times()), timestamp) for row in view.rows if row.kind == "task"]
    failed = [view.index[name] for name in view.failed + view.tolerated]
    found = {
        "v": 1,
        "run": run.id,
        "name": view.name,
        "file": run.file,
        "version": run.version,
        "state": state,
        "exit_code": run.exit_code,
        "started": timestamp(run.created),
        "ended": None if run.ended is None else timestamp(run.ended),
        "seconds": view.seconds(run.ended or view.ended or run.created),
        "outcome": _outcome(view, state),
        "failure": view.failure,
        "inputs": dict(run.inputs),
        "counts": view.counts,
        "tasks": tasks,
        "failures": [_failure(row, output_of, hide, undoing=False) for row in failed],
        "undone": [name for name in view.undone if view.index[name].revert not in NO_UNDO],
        "applied": still_applied(view) if state != "SUCCESS" else [],
        "unknown": in_doubt(view),
        "unapproved": unapproved(view),
        "not_undone": [
            _failure(view.index[name], output_of, hide, undoing=True) for name in view.revert_failed
        ],
        "no_undo_declared": undeclared(view),
        "residue": [each.message for each in view.residue],
        "warnings": [f"{each.name}: {each.message}" for each in view.warnings],
        "commands": [
            {"command": f"taskrun {each.command}", "purpose": each.purpose, "needed": each.urgent}
            for each in advice(view, run.id)
        ],
    }
    safe: Plain = _safe(mask(found))
    return safe


def _outcome(view: View, state: str) -> str:
    if state == "SUCCESS":
        return "everything is done"
    if was_left(view) and state != "INTERRUPTED":
        return "it is still under way"
    return verdict(view)


def _task(row: Row, times: Times, timestamp: Callable[[float], str]) -> Plain:
    return {
        "name": row.name,
        "flow": row.flow,
        "depth": row.depth,
        "action": row.action,
        "state": row.state,
        "attempts": row.tries,
        "started": None if times.started is None else timestamp(times.started),
        "seconds": round(times.doing, 6),
        "undo_seconds": round(times.undoing, 6),
        "undo": row.revert,
        "message": row.message,
        "failure": row.failure,
        "undo_failure": row.revert_failure,
        "given_up": row.given_up,
        "outputs": dict(row.outputs or {}),
    }


def _failure(row: Row, output_of: OutputOf, hide: Hide, *, undoing: bool) -> Plain:
    path = output_of(row, undoing)
    lines = last_lines(path, OUTPUT_LINES, hide=hide) if path else []
    return {
        "task": row.name,
        "reason": row.reason if undoing and row.revert == "impossible" else None,
        "failure": row.revert_failure if undoing else row.failure,
        "given_up": row.given_up,
        "allowed": row.allowed and not undoing,
        "output": [clean(line.expandtabs(4), colours="drop") for line in lines],
    }


def _safe(value: Any) -> Any:
    """No control character in any text."""
    if isinstance(value, str):
        return clean(value, colours="drop")
    if isinstance(value, Mapping):
        return {_safe(key): _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list | tuple) else value
