"""A report as a trace for chrome://tracing and Perfetto: a lane for each task that ran at the same time as others.

The format is the JSON of Chrome's trace events: complete events (``X``) in microseconds, lanes as threads of one process.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.listeners.words import why

Plain = Mapping[str, Any]
_PROCESS, _RUN_LANE = 1, 0
_COLOURS = {
    "SUCCESS": "good",
    "FAILURE": "terrible",
    "REVERT_FAILURE": "terrible",
    "REVERTED": "grey",
    "UNKNOWN": "bad",
}


def trace(report: Plain) -> str:
    events = [*_names(report), *_phases(report), *_attempts(report), *_load(report)]
    about = {key: report[key] for key in ("run", "name", "file", "version", "state", "exit_code", "started")}
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}, indent=1) + "\n"


def lanes(report: Plain) -> list[int]:
    """The lane of each attempt: the lowest that was free when it began. Counted from 1."""
    busy_until: list[float] = []
    found = []
    for attempt in report["attempts"]:
        start = attempt["start"]
        free = next((i for i, until in enumerate(busy_until) if until <= start), len(busy_until))
        if free == len(busy_until):
            busy_until.append(0.0)
        busy_until[free] = round(start + _took(report, attempt), 6)
        found.append(free + 1)
    return found


def _names(report: Plain) -> Iterator[dict[str, Any]]:
    yield _meta("process_name", _RUN_LANE, f"taskrun {report['name']} {report['run']}")
    yield _meta("thread_name", _RUN_LANE, "run")
    for lane in range(1, max(lanes(report), default=0) + 1):
        yield _meta("thread_name", lane, f"slot {lane}")


def _meta(name: str, lane: int, value: str) -> dict[str, Any]:
    return {"ph": "M", "pid": _PROCESS, "tid": lane, "name": name, "args": {"name": value}}


def _phases(report: Plain) -> Iterator[dict[str, Any]]:
    """What the run as a whole did: RUNNING, REVERTING, ..."""
    phases = report["phases"]
    for phase, after in zip(phases, [*phases[1:], None], strict=True):
        end = report["seconds"] if after is None else after["start"]
        if end > phase["start"]:
            yield _span("run", phase["state"], _RUN_LANE, phase["start"], end - phase["start"], {})


def _attempts(report: Plain) -> Iterator[dict[str, Any]]:
    """Retries and undos are named so; what became of each is in its arguments and its colour."""
    for attempt, lane in zip(report["attempts"], lanes(report), strict=True):
        undo = "undo of " if attempt["undoing"] else ""
        nth = f" #{attempt['number']}" if attempt["number"] > 1 else ""
        state = attempt["state"] or "still running"
        args = {"attempt": attempt["number"], "state": state}
        if attempt["failure"]:
            args["failure"] = why(attempt["failure"])
        name, category = f"{undo}{attempt['task']}{nth}", "revert" if undo else "task"
        event = _span(category, name, lane, attempt["start"], _took(report, attempt), args)
        if state in _COLOURS:
            event["cname"] = _COLOURS[state]
        yield event


def _load(report: Plain) -> Iterator[dict[str, Any]]:
    """How many ran at each moment."""
    changes: dict[float, int] = {}
    for attempt in report["attempts"]:
        end = round(attempt["start"] + _took(report, attempt), 6)
        changes[attempt["start"]] = changes.get(attempt["start"], 0) + 1
        changes[end] = changes.get(end, 0) - 1
    running = 0
    for moment in sorted(changes):
        running += changes[moment]
        yield {
            "ph": "C",
            "pid": _PROCESS,
            "name": "attempts under way",
            "ts": _micro(moment),
            "args": {"number": running},
        }


def _span(
    category: str, name: str, lane: int, start: float, seconds: float, args: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ph": "X",
        "pid": _PROCESS,
        "tid": lane,
        "cat": category,
        "name": name,
        "ts": _micro(start),
        "dur": _micro(start + seconds) - _micro(start),
        "args": args,
    }


def _took(report: Plain, attempt: Plain) -> float:
    """Of one that goes on: up to what was last heard of the run."""
    seconds: float | None = attempt["seconds"]
    return max(0.0, report["seconds"] - attempt["start"]) if seconds is None else seconds


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
