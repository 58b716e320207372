"""A report as JUnit's XML: a test case for each task, and one for the world after a rollback."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from taskrun.listeners.words import why

Plain = Mapping[str, Any]


def junit(report: Plain) -> str:
    output = {each["task"]: each["output"] for each in report["failures"] + report["not_undone"]}
    cases = [_case(report, task, output.get(task["name"], [])) for task in report["tasks"]]
    if report["state"] not in ("SUCCESS", "RUNNING"):
        cases.append(_rollback(report))
    kinds = [kind for kind, _ in cases]
    counts = " ".join(f'{key}="{kinds.count(kind)}"' for key, kind in _COUNTED)
    name, seconds = quoteattr(_clean(report["name"])), f"{report['seconds']:.3f}"
    head = f'<testsuite name={name} tests="{len(cases)}" {counts} time="{seconds}" timestamp="{report["started"]}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for _, case in cases:
        lines += case
    return "\n".join([*lines, "</testsuite>", ""])


_COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def _case(report: Plain, task: Plain, output: list[str]) -> tuple[str, list[str]]:
    kind, message = _judged(task)
    name, classname = quoteattr(_clean(task["name"])), quoteattr(_clean(report["name"]))
    head = f'  <testcase classname={classname} name={name} time="{task["seconds"]:.3f}">'
    return kind, [head, *_inside(kind, message, output), "  </testcase>"]


def _judged(task: Plain) -> tuple[str, str]:
    if task["undo_failure"]:
        return "error", f"not undone: {why(task['undo_failure'])}"
    if task["state"] == "UNKNOWN":
        return "error", f"outcome unknown {why(task['failure'])}".rstrip()
    if task["failure"] and task["state"] != "SUCCESS":
        return "failure", why(task["failure"])
    if task["state"] in ("PENDING", "IGNORE"):
        return "skipped", "not started" if task["state"] == "PENDING" else "its condition did not hold"
    return "", ""


def _inside(kind: str, message: str, output: list[str]) -> Iterator[str]:
    if kind:
        yield f"    <{kind} message={quoteattr(_clean(message))}/>"
    if output:
        text = _clean("\n".join(output))
        yield f"    <system-out>{escape(text)}</system-out>"


def _rollback(report: Plain) -> tuple[str, list[str]]:
    """Passes only where the world is as before."""
    kind = "" if report["exit_code"] in (1, 130, 143) else "failure"
    head = f'  <testcase classname={quoteattr(_clean(report["name"]))} name="the world is as before">'
    return kind, [head, *_inside(kind, report["outcome"], list(report["residue"])), "  </testcase>"]


def _clean(text: str) -> str:
    """XML holds no control characters but tab and line ends, and no halves of characters."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() and not "\ud800" <= c <= "\udfff") else "\ufffd" for c in text
    )
