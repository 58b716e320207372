"""``retry`` of a task and of a flow: the same word, two sets of keys."""

from typing import Any

from taskrun.spec.compiling.references import BARE, TEXT, bare, scan
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.diagnostics import nearest

_WORDS = ("connection", "timeout")
_FLOW_ONLY = ("for_each", "exhausted")


def task_retry(around: Entry) -> dict[str, Any]:
    """The ``retry`` in the map of a task or a revert."""
    entry = around.inner("retry")
    for name in _FLOW_ONLY:
        if name in entry.spec:
            help_ = "put the task into a nested flow with that `retry`"
            entry.at_key("TR211", f"`{name}` is for the retry of a flow", name, help_)
    if "attempts" not in entry.spec and not entry.lost("attempts"):
        around.at_key("TR202", "`retry` needs `attempts`", "retry", "`attempts: 3` means three tries in all")
    retry = {name: value for name, value in entry.spec.items() if name not in _FLOW_ONLY}
    words = retry.get("on")
    if words is not None:
        retry["on"] = words = [words] if isinstance(words, str) else words
        for word in words:
            _check_word(entry, word)
    return retry


def _check_word(entry: Entry, word: str) -> None:
    """Any word may be the type of some failure; one that is nearly ours is probably a slip."""
    if "${{" in word:
        entry.at_value("TR403", "an expression cannot be used in `on`", "on")
    elif word not in _WORDS and (guess := nearest(word, _WORDS)):
        mark = entry.tree.value_marks["on"]
        message = f"`{word}` is taken for the type of a failure"
        entry.unit.problems.warning("TR215", message, mark, help_=f"did you mean `{guess}`?")


def flow_retry(around: Entry, scope: Scope) -> dict[str, Any]:
    """The ``retry`` in the map of a workflow or a nested flow."""
    entry = around.inner("retry")
    if "on" in entry.spec:
        help_ = "a flow is retried whatever failed in it"
        entry.at_key("TR211", "`on` is for the retry of a task", "on", help_)
    retry = {name: value for name, value in entry.spec.items() if name != "on"}
    if "for_each" in retry:
        _values(entry, retry, scope.at("retry", "`for_each` of a retry"))
    elif "attempts" not in retry and not (entry.lost("attempts") or entry.lost("for_each")):
        around.at_key("TR202", "`retry` needs `attempts` or `for_each`", "retry")
    return retry


def _values(entry: Entry, retry: dict[str, Any], scope: Scope) -> None:
    if "attempts" in retry:
        message = "`for_each` says how many attempts there are"
        entry.at_key("TR212", message, "attempts", "leave `attempts` out")
    values = retry["for_each"]
    if isinstance(values, str):
        scan(entry.unit, entry.tree, "for_each", scope, BARE)
        retry["for_each"] = bare(values)
        return
    scan(entry.unit, entry.tree, "for_each", scope, TEXT)
    retry["attempts"] = len(values)
    if not values:
        entry.at_value("TR210", "`for_each` is an empty list", "for_each", "it needs at least one item")
