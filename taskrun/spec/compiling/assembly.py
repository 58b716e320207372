"""Puts the flows, tasks and settings of one checked document together."""

from typing import Any

from taskrun.spec.compiling.document import declarations, defaults_of, settings
from taskrun.spec.compiling.entries import Around, Layout
from taskrun.spec.compiling.flows import add_entries
from taskrun.spec.compiling.graph import order
from taskrun.spec.compiling.includes import Fragment, Includes
from taskrun.spec.compiling.pivots import check_pivots
from taskrun.spec.compiling.problems import Problems
from taskrun.spec.compiling.retries import flow_retry
from taskrun.spec.compiling.reusable import define_actions
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.unit import Entry, Unit
from taskrun.spec.compiling.validation import validate
from taskrun.spec.marks import Map

_MOST_UNSTATED = 100
_HOW_TO_UNDO = "add `revert: ...`, or `revert: none` when there is nothing to undo"


def assemble(root: Any, problems: Problems, includes: Includes) -> Fragment | None:
    """Compile a loaded document; None if not even its outline can be read."""
    valid = validate(root, problems)
    if valid.document is None:
        return None
    unit, layout = Unit(valid, problems, includes), Layout()
    whole = Entry(unit, unit.document, unit.tree)
    declarations(unit)
    define_actions(unit)
    defaults = defaults_of(whole)
    add_entries(layout, whole, _root(layout, whole))
    _merge_defaults(layout, defaults)
    order(layout, unit)
    check_pivots(layout, unit)
    _warn_unstated(unit)
    return Fragment(layout, settings(unit), problems.path)


def _root(layout: Layout, whole: Entry) -> Around:
    spec = whole.spec
    layout.add_flow(spec["name"], -1, spec.get("pattern", "linear"), whole.tree.mark)
    if "retry" not in spec:
        return Around(0)
    layout.flows[0]["retry"] = retry = flow_retry(whole, Scope("flow lock", "`retry`"))
    return Around(0, controllers=((spec["name"], "for_each" in retry),))


def _merge_defaults(layout: Layout, defaults: dict[str, Any]) -> None:
    """Give tasks what ``defaults`` has and they have not; a question to a person is never cut short."""
    for task in layout.tasks if defaults else ():
        if task["kind"] == "savepoint" or task["flow"] in layout.foreign:
            continue
        for key, value in defaults.items():
            if key == "env" and "env" in task:
                task["env"] = {**value, **task["env"]}
            elif key not in task and not (task["kind"] == "approve" and key in ("timeout", "retry")):
                task[key] = value


def _warn_of_action(unit: Unit, tree: Map) -> None:
    """Of a task without a name nothing is said: that it needs one has been, and comes first."""
    actions = unit.tree.get("actions")
    if not isinstance(actions, Map):
        return
    for name in actions:
        if actions[name] is tree:
            message, mark = f"action `{name}` does not say how to undo it", actions.key_marks[name]
            unit.problems.warning("TR704", message, mark, len(name), _HOW_TO_UNDO)


def _warn_unstated(unit: Unit) -> None:
    limit = len(unit.unstated) if unit.problems.strict else _MOST_UNSTATED
    for tree in unit.unstated[:limit]:
        name = tree.get("name")
        if not isinstance(name, str):
            _warn_of_action(unit, tree)
            continue
        mark = tree.value_marks.get("name", tree.mark)
        message = f"task `{name}` does not say how to undo it"
        unit.problems.warning("TR704", message, mark, len(name), _HOW_TO_UNDO)
    if len(unit.unstated) > limit:
        tree, more = unit.unstated[limit], len(unit.unstated) - limit
        message = f"{more} more tasks do not say how to undo them"
        unit.problems.warning("TR704", message, tree.value_marks.get("name", tree.mark))
