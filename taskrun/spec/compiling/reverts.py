"""How a task is undone: the forms of ``revert`` and what stands for it when it is left out."""

from typing import Any

from taskrun.actions.kinds import ROW_FORMS
from taskrun.spec.compiling.action_fields import writes
from taskrun.spec.compiling.calls import call_of, keys_besides_actions, traits_of
from taskrun.spec.compiling.references import SCRIPT, scan
from taskrun.spec.compiling.retries import task_retry
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.diagnostics import nearest

AUTO = {"form": "auto"}
NONE = {"form": "none"}
UNSTATED = {"form": "unstated"}
_BESIDES = keys_besides_actions("Revert")


def revert_of(entry: Entry, kind: str, fields: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """The definition's ``revert`` of a task."""
    value = entry.spec.get("revert")
    if value is None:
        return _left_out(entry, kind, fields)
    if not isinstance(value, str):
        return _mapping(entry.inner("revert"), scope.at("revert", "`revert`"))
    if value in ("none", "auto"):
        return NONE if value == "none" else _auto(entry, kind, fields)
    if "{" in value:
        scan(entry.unit, entry.tree, "revert", scope.at("revert", "`revert`"), SCRIPT)
    elif len(value) <= 6 and (guess := nearest(value, ("none", "auto"))):
        mark = entry.tree.value_marks["revert"]
        message = f"`{value}` is run as a shell command here"
        entry.unit.problems.warning("TR709", message, mark, len(value), f"did you mean `{guess}`?")
    return {"form": "action", "kind": "run", "fields": {"script": value}}


def _left_out(entry: Entry, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    model = traits_of(kind)
    if model.auto:
        return AUTO
    if _is_of_rows(kind, fields):
        return _rows_back(fields)
    if entry.lost("revert") or not writes(kind, fields, model):
        return NONE
    if id(entry.tree) not in entry.unit.muddled:
        entry.unit.unstated.append(entry.tree)
    return UNSTATED


def _is_of_rows(kind: str, fields: dict[str, Any]) -> bool:
    return kind == "sql" and any(form in fields for form in ROW_FORMS)


def _rows_back(fields: dict[str, Any]) -> dict[str, Any]:
    """The database has the rows as they were; the action that puts them back is one of the same kind."""
    kept: dict[str, Any] = {name: fields[name] for name in ("database", "timeout") if name in fields}
    undo = {**kept, "undo": fields.get("on_drift", "stop")}
    return {"form": "action", "kind": "sql", "fields": undo, "itself": True}


def _auto(entry: Entry, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    if _is_of_rows(kind, fields):
        return _rows_back(fields)
    if not traits_of(kind).auto:
        help_ = "say how to undo it, or `revert: none`"
        entry.at_value("TR705", f"`{kind}` cannot undo itself", "revert", help_)
    return AUTO


def _mapping(entry: Entry, scope: Scope) -> dict[str, Any]:
    forms = [key for key in ("restore", "impossible") if key in entry.spec]
    if not forms:
        call = call_of(entry, _BESIDES, scope, "`revert`")
        if "retry" in entry.spec:
            retry = task_retry(entry)
            call = call and {**call, "retry": retry}
        return {"form": "action", **call} if call else NONE
    form = forms[0]
    for key in entry.tree:
        if key != form:
            entry.at_key("TR707", f"`{form}` stands alone, without `{key}`", key)
    scan(entry.unit, entry.tree, form, scope)
    value = entry.spec[form]
    if form == "impossible":
        return {"form": "impossible", "reason": value}
    return {"form": "restore", "paths": [value] if isinstance(value, str) else value}
