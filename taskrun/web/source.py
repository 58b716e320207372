"""The workflow file that the run goes by, and which of its lines belong to tasks in trouble."""

import os
from collections.abc import Mapping
from typing import Any

from taskrun.engine.view import View
from taskrun.journal.base import RunRow
from taskrun.web.doors import Plain
from taskrun.web.safe import Safe

LARGEST = 4 << 20


def source(directory: str, row: RunRow, definition: Mapping[str, Any], view: View, safe: Safe) -> Plain:
    """``marks``: from, to, task and state, by line; of tasks whose lines are in this file."""
    text = _text(f"{directory}/workflow-{row.sha256[:16]}.yaml", safe)
    if text is None:
        text = _text(f"{directory}/workflow.yaml", safe)
    lines = text.split("\n") if text is not None else []
    troubled = dict.fromkeys(view.failed + view.tolerated, "FAILURE")
    troubled |= dict.fromkeys(view.unknown, "UNKNOWN") | dict.fromkeys(view.revert_failed, "REVERT_FAILURE")
    marks = []
    for task in definition["tasks"]:
        states = [state for name, state in troubled.items() if task["name"] in (name, _plain(name))]
        line = task.get("line")
        if states and isinstance(line, int) and 0 < line <= len(lines) and "dir" not in task:
            marks.append({"from": line, "to": _end(lines, line), "task": task["name"], "state": states[0]})
    return {"lines": lines, "marks": marks, "missing": text is None}


def _plain(name: str) -> str:
    """The name in the file of an item's task."""
    return name.rpartition("].")[2].partition("[")[0]


def _text(path: str, safe: Safe) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        return safe.text(file.read(LARGEST)).removesuffix("\n")


def _end(lines: list[str], first: int) -> int:
    """The last line of the block that begins in line ``first``: all that is indented deeper, or empty."""
    head = lines[first - 1]
    indent = len(head) - len(head.lstrip(" "))
    last = first
    for number in range(first + 1, len(lines) + 1):
        line = lines[number - 1]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip(" ")) <= indent:
            break
        last = number
    return last
