"""What is rehearsed: the cases of a workflow, and the definition as each of them wants it.

A failure is injected as the task's `verify`: it fails after the action has worked, so that there is something to undo.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WORKS, FAIL, KILL, KILL_UNDO = "works", "fail", "kill", "kill-undo"
REVERT, RESUME = "revert", "resume"
MESSAGE = "the rehearsal lets this task fail"
# Kinds of actions whose effects a scratch copy does not hold.
OUTSIDE = frozenset({"http"})


class Case(NamedTuple):
    """``then``: what is done after a kill."""

    kind: str
    task: str = ""
    then: str = ""

    @property
    def title(self) -> str:
        return {
            WORKS: "works, then reverted",
            FAIL: f"fail at {self.task}",
            KILL: f"kill during {self.task}, {self.then}",
            KILL_UNDO: f"kill during the undo of {self.task}, {self.then}",
        }[self.kind]


class Result(NamedTuple):
    """``differences`` from the world before; ``skipped``: why the case could not be played; ``stays``: what the file
    itself calls impossible to undo.
    """

    case: Case
    seconds: float
    differences: Sequence[str] = ()
    problem: str = ""
    skipped: str = ""
    stays: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        return not self.differences and not self.problem


def cases(definition: Mapping[str, Any], *, kill: bool) -> list[Case]:
    names = [task["name"] for task in definition["tasks"] if task["kind"] != "savepoint"]
    undone = {t["name"] for t in definition["tasks"] if t["revert"]["form"] in ("action", "auto", "restore")}
    found = [Case(WORKS), *(Case(FAIL, name) for name in names)]
    if kill:
        found += [Case(KILL, name, then) for name in names for then in (REVERT, RESUME)]
        found += [Case(KILL_UNDO, name, RESUME) for name in names if name in undone]
    return found


def outside(definition: Mapping[str, Any]) -> list[str]:
    """Tasks that reach beyond the scratch copy, as far as that can be told from their kind."""
    return [
        task["name"]
        for task in definition["tasks"]
        if task["kind"] in OUTSIDE or task["revert"].get("kind") in OUTSIDE
    ]


def definition_for(case: Case, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody is notified, nobody is asked, nothing waits before another try."""
    failing = case.task if case.kind == FAIL else ""
    if case.kind == KILL_UNDO:  # the last task fails, so that everything is undone
        failing = definition["tasks"][-1]["name"]
    flows = [_at_once(flow) if "retry" in flow else flow for flow in definition["flows"]]
    tasks = [_task(task, fails=task["name"] == failing) for task in definition["tasks"]]
    kept = {key: value for key, value in definition.items() if key not in ("notify", "on_failure")}
    return {**kept, "flows": flows, "tasks": tasks}


def _at_once(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {**flow, "retry": {**flow["retry"], "delay": 0.0}}


def _task(task: Mapping[str, Any], *, fails: bool) -> dict[str, Any]:
    found = dict(task)
    if task["kind"] == "approve":
        found.update(kind="echo", fields={"message": "approved by the rehearsal"})
    if fails:
        for key in ("retry", "allow_failure", "verify"):
            found.pop(key, None)
        found["verify"] = {"kind": "fail", "fields": {"message": MESSAGE}}
    return found
