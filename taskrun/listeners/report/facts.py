"""What a report tells, as plain data that is safe to show: the outcome, the tasks, what failed, what is left, what to type.

Everything that tasks or people wrote has gone through the sanitiser, and through the masker of the workflow's secrets.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from taskrun.engine.view import NO_UNDO, EntryLike, Row, View
from taskrun.listeners.advice import advice
from taskrun.listeners.attempts import Attempt, Attempts
from taskrun.listeners.base import OutputOf, RunLike
from taskrun.listeners.sanitize import clean
from taskrun.listeners.tail import Hide, last_lines
from taskrun.listeners.verdict import in_doubt, still_applied, unapproved, undeclared, verdict, was_left

Plain = dict[str, Any]
OUTPUT_LINES = 40


class Reported(RunLike, Protocol):
    """What a report needs of a run's row."""

    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def version(self) -> str: ...


class Timeline:
    """The attempts at doing and undoing in order of their beginnings, and what the run as a whole did."""

    def __init__(self, created: float) -> None:
        self.attempts: list[Attempt] = []
        self.phases: list[tuple[str, float]] = []
        self._created = created
        self._open = Attempts()
        self._at: dict[str, int] = {}
        self.last = created
        self._grouped: dict[str, list[Attempt]] | None = None

    def take(self, entry: EntryLike) -> None:
        self.last = max(self.last, entry.time)
        if entry.kind == "flow" and entry.state:
            self.phases.append((entry.state, entry.time))
        ended, begun = self._open.take(entry)
        if ended is not None:
            self.attempts[self._at[ended.task]] = ended
        if begun is not None:
            self._at[begun.task] = len(self.attempts)
            self.attempts.append(begun)

    def of_task(self, task: str) -> tuple[float | None, float, float]:
        """When it first began, how long its attempts at doing and at undoing took together."""
        own = self._by_task().get(task, [])
        took = {False: 0.0, True: 0.0}
        for each in own:
            took[each.undoing] += 0.0 if each.ended is None else each.ended - each.started
        return own[0].started if own else None, took[False], took[True]

    def _by_task(self) -> dict[str, list[Attempt]]:
        if self._grouped is None:
            self._grouped = {}
            for each in self.attempts:
                self._grouped.setdefault(each.task, []).append(each)
        return self._grouped

    def as_facts(self, skip: Callable[[Attempt], bool]) -> tuple[list[Plain], list[Plain]]:
        attempts = [
            {
                "task": each.task,
                "undoing": each.undoing,
                "number": each.number,
                "start": self._since_start(each.started),
                "seconds": None
                if each.ended is None
                else round(self._since_start(each.ended) - self._since_start(each.started), 6),
                "state": each.state,
                "failure": each.failure,
            }
            for each in self.attempts
            if not skip(each)
        ]
        phases = [{"state": state, "start": self._since_start(time)} for state, time in self.phases]
        return attempts, phases

    def _since_start(self, time: float) -> float:
        return round(max(0.0, time - self._created), 6)


def facts(
    definition: Mapping[str, Any],
    run: Reported,
    entries: Iterable[EntryLike],
    *,
    state: str,
    output_of: OutputOf,
    hide: Hide,
    mask: Callable[[Any], Any],
    timestamp: Callable[[float], str],
) -> Plain:
    """``state`` is the run's as it is to be said; ``hide`` masks bytes, ``mask`` values."""
    view, timeline = View(definition), Timeline(run.created)
    for entry in entries:
        view.apply(entry)
        timeline.take(entry)
    tasks = [_task(row, timeline, timestamp) for row in view.rows if row.kind == "task"]
    attempts, phases = timeline.as_facts(
        lambda each: each.undoing and view.index[each.task].revert in NO_UNDO
    )
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
        "seconds": view.seconds(run.ended or view.ended or timeline.last),
        "outcome": _outcome(view, state),
        "failure": view.failure,
        "inputs": dict(run.inputs),
        "counts": view.counts,
        "tasks": tasks,
        "attempts": attempts,
        "phases": phases,
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


def _task(row: Row, timeline: Timeline, timestamp: Callable[[float], str]) -> Plain:
    started, doing, undoing = timeline.of_task(row.name)
    return {
        "name": row.name,
        "flow": row.flow,
        "depth": row.depth,
        "action": row.action,
        "state": row.state,
        "attempts": row.tries,
        "started": None if started is None else timestamp(started),
        "seconds": round(doing, 6),
        "undo_seconds": round(undoing, 6),
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
