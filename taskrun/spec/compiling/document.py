"""The keys of the whole file: inputs, secrets, environment, defaults, who is notified, what is checked afterwards."""

from typing import Any

from taskrun.engine import states
from taskrun.spec.compiling.calls import call_of, keys_besides_actions, scan_around
from taskrun.spec.compiling.inputs import declared
from taskrun.spec.compiling.references import SCRIPT, scan
from taskrun.spec.compiling.retries import task_retry
from taskrun.spec.compiling.rewording import did_you_mean
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.tasks import judged_call
from taskrun.spec.compiling.unit import Entry, Unit
from taskrun.spec.compiling.variables import check_variables
from taskrun.spec.marks import Map

_NOTIFY_BESIDES = keys_besides_actions("Notify")
_FLOW_STATES = (
    states.PENDING, states.RUNNING, states.SUCCESS, states.FAILURE, states.REVERTING, states.REVERTED,
    states.SUSPENDING, states.SUSPENDED, states.RESUMING,
)  # fmt: skip
_TASK_STATES = (
    states.PENDING, states.RUNNING, states.SUCCESS, states.FAILURE, states.REVERTING, states.REVERTED,
    states.REVERT_FAILURE, states.IGNORE, states.RETRYING, states.UNKNOWN,
)  # fmt: skip
ALIKE = 0.75  # `failed` is meant as FAILURE, `draining` is not meant as RUNNING
_STATES = {"flow": _FLOW_STATES, "task": _TASK_STATES, "retry": _TASK_STATES}


def declarations(unit: Unit) -> None:
    """What expressions refer to: it has to be known before the first of them is looked at."""
    document, tree = unit.document, unit.tree
    for name, spec in document.get("inputs", {}).items():
        unit.inputs[name] = declared(unit, tree["inputs"], name, spec)
    unit.secrets = document.get("secrets", {})
    for name, spec in unit.secrets.items():
        if len(spec) != 1 and not unit.removed.get(id(tree["secrets"][name])):
            message = f"secret `{name}` needs exactly one of `env`, `file` and `command`"
            unit.problems.at_key("TR212", message, tree["secrets"], name)
    if document.get("taskrun", 1) != 1:
        message = f"this taskrun knows version 1 of the language, not {document['taskrun']}"
        unit.problems.at_value("TR214", message, tree, "taskrun")


def settings(unit: Unit) -> dict[str, Any]:
    """The definition's keys of the whole run."""
    document, tree = unit.document, unit.tree
    out: dict[str, Any] = {"inputs": unit.inputs, "secrets": unit.secrets}
    if "env" in document:
        scan(unit, tree, "env", Scope("env", "`env` of a workflow"))
        check_variables(unit.problems, tree["env"])
        out["env"] = document["env"]
    if "lock" in document:
        scan(unit, tree, "lock", Scope("flow lock", "`lock` of a workflow"))
        out["lock"] = document["lock"]
    if "env_file" in document:
        out["env_file"] = _env_files(unit, tree, document["env_file"])
    for key in ("description", "timeout", "on_failure"):
        if key in document:
            out[key] = document[key]
    if "notify" in document:
        entries = zip(document["notify"], tree["notify"], strict=True)
        told = [_notification(Entry(unit, spec, inner)) for spec, inner in entries]
        out["notify"] = [entry for entry in told if entry is not None]
    if "verify_revert" in document:
        out["verify_revert"] = _verifications(unit)
    return out


def _env_files(unit: Unit, tree: Map, value: Any) -> list[str]:
    paths = [value] if isinstance(value, str) else value
    if any("${{" in path for path in paths):
        unit.problems.at_value("TR403", "an expression cannot be used in `env_file`", tree, "env_file")
    return list(paths)


def _notification(entry: Entry) -> dict[str, Any] | None:
    kinds = [kind for kind in _STATES if kind in entry.spec]
    call = call_of(entry, _NOTIFY_BESIDES, Scope("notify", "`notify`"), "a notification")
    if len(kinds) != 1:
        message = "a notification needs one of `flow`, `task` and `retry`, with the states to be told of"
        if kinds:
            entry.at_key("TR212", message, kinds[1], "make it two notifications")
        elif not any(entry.lost(kind) for kind in _STATES):
            entry.at_start("TR212", message, 'for example `flow: "*"`')
        return None
    told = _states(entry, kinds[0])
    return None if call is None else {"kind": kinds[0], "states": told, "action": call}


def _states(entry: Entry, kind: str) -> Any:
    value, known = entry.spec[kind], _STATES[kind]
    if value == "*":
        return value
    words = [value] if isinstance(value, str) else value
    for index, word in enumerate(words):
        if word not in known and not (kind == "task" and _is_custom(word)):
            help_ = did_you_mean(word.upper(), known) or "the states: " + ", ".join(known)
            holder, key = (entry.tree, kind) if isinstance(value, str) else (entry.tree[kind], index)
            entry.unit.problems.at_value("TR314", f"a {kind} has no state `{word}`", holder, key, help_)
    return words


def _is_custom(word: str) -> bool:
    """A state that tasks give themselves through $TASKRUN_STATUS; one that is nearly ours is a slip."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a word that is no state of ours

    return word == word.lower() and not get_close_matches(word.upper(), _TASK_STATES, cutoff=ALIKE)


def _verifications(unit: Unit) -> list[dict[str, Any]]:
    scope = Scope("verify_revert", "`verify_revert`")
    values, tree = unit.document["verify_revert"], unit.tree["verify_revert"]
    calls: list[dict[str, Any] | None] = []
    for index, value in enumerate(values):
        if isinstance(value, str):
            scan(unit, tree, index, scope, SCRIPT)
            calls.append({"kind": "run", "fields": {"script": value}})
        else:
            calls.append(judged_call(Entry(unit, value, tree[index]), scope))
    return [call for call in calls if call is not None]


def defaults_of(whole: Entry) -> dict[str, Any]:
    """``defaults``, checked: what tasks get that have no such key of their own."""
    if "defaults" not in whole.spec:
        return {}
    entry = whole.inner("defaults")
    scan_around(entry, Scope("defaults", "`defaults`"))
    out = dict(entry.spec)
    if "retry" in out:
        out["retry"] = task_retry(entry)
    return out
