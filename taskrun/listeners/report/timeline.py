"""The time line of a report's page: a bar for each attempt at doing, a hatched one for each at undoing."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from taskrun.listeners.words import duration, why

Plain = Mapping[str, Any]
MOST = 500  # tasks; more bars than that nobody reads
STYLE = """
.times { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; align-items: center; font-size: .88rem; }
.times .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 16rem; }
.lane { position: relative; height: 1.05rem; background: var(--area); border-radius: 3px; }
.bar { position: absolute; top: 2px; bottom: 2px; min-width: 2px; border-radius: 2px; background: currentColor; }
.bar.undo { background: repeating-linear-gradient(45deg, currentColor 0 3px, transparent 3px 6px); outline: 1px solid currentColor; }
"""


def timeline(report: Plain) -> Iterator[str]:
    """Left out where there is nothing to compare. The table of tasks says the same in numbers."""
    by_task: dict[str, list[Plain]] = {}
    for attempt in report["attempts"]:
        by_task.setdefault(attempt["task"], []).append(attempt)
    if len(report["attempts"]) < 2 or len(by_task) > MOST or not report["seconds"]:
        return
    yield f"<h2>Time line <span class='soft'>({escape(duration(report['seconds']))})</span></h2>"
    yield '<div class="times" aria-hidden="true">'
    for task, attempts in by_task.items():
        bars = "".join(_bar(attempt, report["seconds"]) for attempt in attempts)
        yield f'<span class="name">{escape(task)}</span><div class="lane">{bars}</div>'
    yield "</div>"


def _bar(attempt: Plain, total: float) -> str:
    start = min(attempt["start"], total)
    took = total - start if attempt["seconds"] is None else min(attempt["seconds"], total - start)
    state = attempt["state"] or "RUNNING"
    what = "undo" if attempt["undoing"] else "attempt"
    about = f"{what} {attempt['number']}: {state}, {duration(took)} {why(attempt['failure'])}".rstrip()
    place = f"left:{100 * start / total:.2f}%;width:{100 * took / total:.2f}%"
    return f'<span class="bar {what} {escape(state)}" style="{place}" title="{escape(about)}"></span>'
