"""Compiles one task: its action, its undo, and everything beside them."""

from typing import Any

from taskrun.actions.kinds import TRAITS
from taskrun.spec.compiling.calls import (
    action_of,
    call_of,
    keys_besides_actions,
    outputs_of,
    scan_around,
    traits_of,
)
from taskrun.spec.compiling.entries import Around, conditions, fan_out
from taskrun.spec.compiling.references import BARE, SCRIPT, TEXT, bare, scan
from taskrun.spec.compiling.retries import task_retry
from taskrun.spec.compiling.reverts import NONE, revert_of
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.unit import Entry

BESIDES = keys_besides_actions("Task")
_QUESTION_BESIDES = keys_besides_actions("Probe")
_SIMPLE = frozenset({"name", "revert", "needs", *TRAITS})
_COPIED = ("description", "timeout", "deadline", "on_lost", "cwd", "shell", "env", "lock", "queue")
_FLAGS = ("allow_failure", "pivot")


def task_of(entry: Entry, kind: str | None, name: str, around: Around, index: int) -> dict[str, Any]:
    """The definition's entry of a task; ``kind`` is its action key, None if it has none that is known."""
    task: dict[str, Any] = {"name": name, "flow": around.flow, "kind": kind or "echo", "fields": {}}
    spec = entry.spec
    known = (spec.get("inputs", ()), spec.get("outputs", ()))
    gives_more = entry.tree if kind is not None and traits_of(kind).dynamic else None
    scope = Scope(
        "action", "the action", ("task", index), around.items, around.controllers, *known, gives_more
    )
    if not spec.keys() <= _SIMPLE:
        scope = settings(entry, task, scope)
    if kind is not None:
        task["fields"] = action_of(entry, kind, scope)
        task["revert"] = revert_of(entry, kind, task["fields"], scope)
    else:
        task["revert"] = NONE
    task["line"], task["column"] = entry.tree.mark
    return task


def settings(entry: Entry, task: dict[str, Any], scope: Scope) -> Scope:
    """Every key beside the action and its undo; gives the scope of these."""
    spec = entry.spec
    conditions(entry, task, scope)
    items = fan_out(entry, task, scope)
    if items:
        scope = scope._replace(items=scope.items | items)
    if "pattern" in spec:
        entry.at_key("TR211", "`pattern` goes with `tasks`: a single task has no order inside", "pattern")
    task.update({key: spec[key] for key in _COPIED if key in spec})
    task.update({key: True for key in _FLAGS if spec.get(key)})
    scan_around(entry, scope)
    if "lock" in spec:
        scan(entry.unit, entry.tree, "lock", scope.at("lock", "`lock`"))
    if "tags" in spec:
        task["tags"] = [spec["tags"]] if isinstance(spec["tags"], str) else spec["tags"]
    if "retry" in spec:
        task["retry"] = task_retry(entry)
    if "inputs" in spec:
        scan(entry.unit, entry.tree, "inputs", scope.at("inputs", "`inputs` of a task"), TEXT)
        task["inputs"] = spec["inputs"]
    outputs_of(entry, task, scope)
    for key in ("check", "verify", "probe"):
        if key in spec and (question := _question(entry, key, scope)):
            task[key] = question
    return scope


def _question(entry: Entry, key: str, scope: Scope) -> dict[str, Any] | None:
    """``check``, ``verify`` or ``probe``: a script, or an action with what judges its answer."""
    value, where = entry.spec[key], scope.at(key, f"`{key}`")
    if isinstance(value, str):
        scan(entry.unit, entry.tree, key, where, SCRIPT)
        return {"kind": "run", "fields": {"script": value}}
    return judged_call(entry.inner(key), where)


def judged_call(entry: Entry, scope: Scope) -> dict[str, Any] | None:
    """An action that may have ``done_if`` and ``outputs`` beside it."""
    call = call_of(entry, _QUESTION_BESIDES, scope, scope.where)
    out = {} if call is None else call
    if "done_if" in entry.spec:
        scan(entry.unit, entry.tree, "done_if", scope.at("done_if", "`done_if`"), BARE)
        out["done_if"] = bare(entry.spec["done_if"])
    outputs_of(entry, out, scope)
    return call
