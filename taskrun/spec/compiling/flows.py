"""Lays the tasks and nested flows of a file out in the two lists of a definition, in file order."""

from typing import Any

from taskrun.actions.kinds import TRAITS
from taskrun.spec.compiling.calls import pick_kind
from taskrun.spec.compiling.entries import Around, Layout, conditions, entry_name, fan_out, place_needs
from taskrun.spec.compiling.includes import include
from taskrun.spec.compiling.retries import flow_retry
from taskrun.spec.compiling.reusable import task_from
from taskrun.spec.compiling.reverts import NONE
from taskrun.spec.compiling.tasks import BESIDES, task_of
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.elsewhere import meant

_SHARED = frozenset(
    {"name", "description", "if", "skip", "for_each", "as", "max_parallel", "needs", "tags", "retry"}
)
_NESTED_KEYS = _SHARED | {"tasks", "pattern"}
_INCLUDED_KEYS = _SHARED | {"workflow", "inputs"}
_SAVEPOINT_KEYS = frozenset({"savepoint", "description", "needs"})


def add_entries(layout: Layout, flow: Entry, around: Around) -> None:
    """All entries of ``tasks``, nested ones right behind their flow."""
    unit = flow.unit
    for spec, tree in zip(flow.spec["tasks"], flow.tree["tasks"], strict=True):
        entry = Entry(unit, spec, tree)
        if "tasks" in spec:
            _nested(layout, entry, around)
        elif "savepoint" in spec:
            _savepoint(layout, entry, around)
        else:
            _task(layout, entry, around)


def _task(layout: Layout, entry: Entry, around: Around) -> None:
    index = len(layout.tasks)
    shown = entry.spec.get("name", "?")
    kind = pick_kind(entry, BESIDES, f"task `{shown}`")
    if kind == "workflow":
        _included(layout, entry, around)
        return
    name = entry_name(entry, "name", ("task", index))
    place_needs(layout, entry, around)
    layout.add_child(around.flow, "task", index)
    action = entry.unit.actions.get(kind or "")
    if action is not None:
        layout.tasks.append(task_from(entry, action, name, around, index))
    else:
        layout.tasks.append(task_of(entry, kind, name, around, index))


def _included(layout: Layout, entry: Entry, around: Around) -> None:
    """Another file as a nested flow."""
    index = len(layout.flows)
    name = entry_name(entry, "name", ("flow", index))
    for key in entry.tree:
        if key not in _INCLUDED_KEYS:
            message = f"a task that runs another workflow has no `{key}`"
            entry.at_key("TR211", message, key, "give it to the tasks of that file")
    place_needs(layout, entry, around)
    layout.add_child(around.flow, "flow", index)
    layout.add_flow(name, around.flow, "linear", entry.tree.mark)
    inside_of(layout, entry, around, index)
    include(layout, entry, around, index)


def _nested(layout: Layout, entry: Entry, around: Around) -> None:
    index = len(layout.flows)
    name = entry_name(entry, "name", ("flow", index))
    for key in entry.tree:
        if key not in _NESTED_KEYS:
            entry.at_key("TR211", f"a nested flow has no `{key}`", key, _nested_help(entry, key))
    place_needs(layout, entry, around)
    layout.add_child(around.flow, "flow", index)
    layout.add_flow(name, around.flow, entry.spec.get("pattern", "linear"), entry.tree.mark)
    add_entries(layout, entry, inside_of(layout, entry, around, index))


def _nested_help(entry: Entry, key: str) -> str | None:
    if key in BESIDES:
        return "give it to the tasks inside"
    if key in TRAITS or key in entry.unit.actions:
        return "an entry has an action or `tasks`, not both"
    guess = meant(key, sorted(_NESTED_KEYS))
    return f"did you mean `{guess}`?" if guess else None


def inside_of(layout: Layout, entry: Entry, around: Around, index: int) -> Around:
    """Settle the keys of a nested flow besides its tasks; gives what encloses these."""
    flow = layout.flows[index]
    scope = around.scope("if", "`if`", ("flow", index))
    conditions(entry, flow, scope)
    items = around.items | fan_out(entry, flow, scope)
    for key in ("description", "tags"):
        if key in entry.spec:
            flow[key] = entry.spec[key]
    controllers = around.controllers
    if "retry" in entry.spec:
        flow["retry"] = flow_retry(entry, scope._replace(items=items))
        controllers = (*controllers, (flow["name"], "for_each" in flow["retry"]))
    return Around(index, items, controllers)


def _savepoint(layout: Layout, entry: Entry, around: Around) -> None:
    index = len(layout.tasks)
    for key in entry.tree:
        if key not in _SAVEPOINT_KEYS:
            help_ = "make it an entry of its own"
            entry.at_key("TR711", f"a savepoint stands alone, without `{key}`", key, help_)
    name = entry_name(entry, "savepoint", ("task", index))
    place_needs(layout, entry, around)
    layout.add_child(around.flow, "task", index)
    task: dict[str, Any] = {"name": name, "flow": around.flow, "kind": "savepoint", "fields": {}}
    task.update(revert=NONE, savepoint=True, line=entry.tree.mark.line, column=entry.tree.mark.column)
    if "description" in entry.spec:
        task["description"] = entry.spec["description"]
    layout.tasks.append(task)
