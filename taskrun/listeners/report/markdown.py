"""A report in Markdown, for a CI's summary or a ticket. What comes from elsewhere has no meaning to Markdown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taskrun.listeners.words import duration, why

Plain = Mapping[str, Any]
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$]|^[#+=-])")


def markdown(report: Plain) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Plain) -> Iterator[str]:
    yield f"# {report['state']}: {_text(report['name'])}"
    yield ""
    yield f"{_text(report['outcome'])}. Run `{report['run']}`, {duration(report['seconds'])}, started {report['started'][:19]}Z."
    yield from _needed(report)
    yield from _failures("Failed", report["failures"])
    yield from _failures("Not undone", report["not_undone"])
    for title, key in (
        ("Undone", "undone"),
        ("Still applied", "applied"),
        ("Unknown", "unknown"),
        ("Waits for an approval", "unapproved"),
        ("No undo declared", "no_undo_declared"),
        ("Residue", "residue"),
        ("Warnings", "warnings"),
    ):
        yield from _list(title, report[key])
    yield from _tasks(report["tasks"])


def _needed(report: Plain) -> Iterator[str]:
    for title, needed in (("Needs you", True), ("Next", False)):
        commands = [each for each in report["commands"] if each["needed"] is needed]
        if commands:
            yield f"\n## {title}\n"
            yield from (f"- {_code(each['command'])} {_text(each['purpose'])}" for each in commands)


def _failures(title: str, failures: Sequence[Plain]) -> Iterator[str]:
    if failures:
        yield f"\n## {title}"
    for each in failures:
        reason = each["reason"] or why(each["failure"])
        yield f"\n**{_text(each['task'])}** {_text(reason)}{' (allowed)' if each['allowed'] else ''}"
        if each["given_up"] is not None:
            yield f"\nGiven up: {_text(each['given_up'])}"
        if each["output"]:
            fence = _fence(each["output"])
            yield "\n".join(["", fence, *each["output"], fence])


def _list(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"\n## {title}\n"
        yield from (f"- {_text(name)}" for name in names)


def _tasks(tasks: Sequence[Plain]) -> Iterator[str]:
    yield "\n## Tasks\n"
    yield "| state | task | attempts | time | undo | |"
    yield "|---|---|---|---|---|---|"
    for task in tasks:
        took = duration(task["seconds"]) if task["attempts"] else ""
        undo = duration(task["undo_seconds"]) if task["undo_seconds"] else ""
        about = why(task["undo_failure"]) or why(task["failure"]) or task["message"] or ""
        cells = [task["state"], _text(task["name"]), str(task["attempts"]), took, undo, _text(about)]
        yield f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks}{' ' if longest else ''}{text}{' ' if longest else ''}{ticks}"


def _fence(lines: Sequence[str]) -> str:
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    return "`" * max(3, longest + 1)
