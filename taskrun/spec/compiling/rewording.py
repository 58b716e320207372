"""Says a validator's finding in the words of the person who wrote the file."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from taskrun.actions.checks import describe
from taskrun.actions.kinds import TRAITS
from taskrun.spec.compiling.problems import Problems, value_mark
from taskrun.spec.diagnostics import nearest
from taskrun.spec.elsewhere import meant
from taskrun.spec.marks import Map, Seq
from taskrun.spec.vocabulary import KEY, NAME, WORKFLOW_NAME, fields_of, keys_of, required_of


class Finding(NamedTuple):
    """One error of the validator; ``path`` has no words of its own in it, ``is_key``: it is about the key itself."""

    error: Any
    path: tuple[str | int, ...]
    holder: Map | Seq
    key: str | int
    is_key: bool


_MAP_AT = {"retry": "Retry", "defaults": "Defaults", "auth": "Auth"}
_MAP_OF_ITEMS = {"inputs": "InputFields", "secrets": "Secret", "actions": "Action"}
_NAME_HELP = {
    NAME: "letters, digits, `_` and `-`, with a letter or `_` in front",
    KEY: "letters, digits and `_`, with a letter or `_` in front",
    WORKFLOW_NAME: "letters, digits, `_`, `.` and `-`, with a letter or `_` in front",
}
_LISTS = frozenset({"exec", "argv"})
_LISTS_OR_TEXT = frozenset({"needs", "on", "tags", "restore", "env_file", "flow", "task"})
_IDS = {
    "taskrun_duration": "TR205",
    "taskrun_number": "TR206",
    "taskrun_flag": "TR207",
    "taskrun_range": "TR213",
}


def reword(finding: Finding, problems: Problems) -> None:
    kind = finding.error["type"]
    if kind == "missing":
        _missing(finding, problems)
    elif kind == "extra_forbidden":
        _unknown_key(finding, problems)
    elif kind == "string_pattern_mismatch":
        _bad_name(finding, problems)
    elif kind in ("dict_type", "list_type", "string_type", "taskrun_shape"):
        _wrong_shape(finding, problems)
    else:
        id_, message, help_ = _value_message(finding)
        problems.at_value(id_, message, finding.holder, finding.key, help_)


def _subject(finding: Finding) -> str:
    """The field as it is named in a sentence."""
    if isinstance(finding.key, int):
        over = next((part for part in reversed(finding.path[:-1]) if isinstance(part, str)), None)
        return f"item {finding.key + 1} of `{over}`" if over else f"item {finding.key + 1}"
    return f"`{finding.key}`"


def _around(path: tuple[str | int, ...]) -> str:
    """The map that holds the last part of a path, as it is named in a sentence."""
    parent = path[-2] if len(path) > 1 else None
    if parent is None:
        return "a workflow"
    return f"`{parent}`" if isinstance(parent, str) else "this item"


def keys_at(path: tuple[str | int, ...]) -> Iterable[str]:
    """The keys that the map around the last part of a path may have."""
    parent = path[-2] if len(path) > 1 else None
    if parent is None:
        return keys_of("Document")
    over = path[-3] if len(path) > 2 else None
    if over in _MAP_OF_ITEMS and isinstance(parent, str):
        return keys_of(_MAP_OF_ITEMS[str(over)])
    if parent in TRAITS:
        return fields_of(str(parent))
    return keys_of(_MAP_AT[str(parent)]) if parent in _MAP_AT else ()


def did_you_mean(word: str, candidates: Iterable[str], *, list_all: int = 12) -> str | None:
    """A guess, else all there are when they are few."""
    candidates = list(candidates)
    guess = meant(word, candidates)
    if guess is not None:
        return f"did you mean `{guess}`?"
    if 0 < len(candidates) <= list_all:
        return (
            "there " + ("is " if len(candidates) == 1 else "are ") + ", ".join(f"`{c}`" for c in candidates)
        )
    return None


def _unknown_key(finding: Finding, problems: Problems) -> None:
    key, around = str(finding.key), _around(finding.path)
    candidates = list(keys_at(finding.path))
    help_ = did_you_mean(key, candidates, list_all=16)
    if len(finding.path) == 1 and nearest(key, candidates) is None and key in keys_of("Task"):
        help_ = "this is a key of a task"
    problems.at_key("TR201", f"{around} has no key `{key}`", _map(finding.holder), key, help_)


def _map(holder: Map | Seq) -> Map:
    assert isinstance(holder, Map)
    return holder


def _missing(finding: Finding, problems: Problems) -> None:
    holder = _map(finding.holder)
    example = {"name": "name: my_workflow", "tasks": "tasks:\n  - name: make_dir\n    run: mkdir demo"}
    help_ = (
        f"add `{finding.key}: ...`" if len(finding.path) > 1 else f"add: {example.get(str(finding.key), '')}"
    )
    problems.error(
        "TR202",
        f"{_around(finding.path)} needs `{finding.key}`",
        holder.mark,
        problems.length_at(holder.mark),
        help_,
    )


def _bad_name(finding: Finding, problems: Problems) -> None:
    pattern = finding.error.get("ctx", {}).get("pattern", "")
    message, help_ = f"`{finding.error['input']}` is not a valid name", _NAME_HELP.get(pattern)
    if finding.is_key:
        problems.at_key("TR209", message, _map(finding.holder), str(finding.key), help_)
    else:
        problems.at_value("TR209", message, finding.holder, finding.key, help_)


def _wrong_shape(finding: Finding, problems: Problems) -> None:
    value, subject = finding.error["input"], _subject(finding)
    wanted = _wanted(finding)
    if wanted.startswith("text") and (value is None or isinstance(value, bool)):
        _needs_quotes(finding, problems)
        return
    message = f"{subject} takes {wanted}, not {describe(value)}"
    if value is None:
        message = f"{subject} is empty: {wanted} is needed"
    problems.at_value("TR203", message, finding.holder, finding.key, _shape_help(finding, wanted))


def _needs_quotes(finding: Finding, problems: Problems) -> None:
    subject, mark = _subject(finding), value_mark(finding.holder, finding.key)
    if finding.error["input"] is None:
        message, help_ = f"{subject} is empty", 'write its text, or `""` for an empty one'
    else:
        typed = problems.typed_at(mark)
        message = f"{subject} takes text, and `{typed}` without quotes is a boolean"
        help_ = f'put it in quotes: "{typed}"'
    problems.at_value("TR204", message, finding.holder, finding.key, help_)


def _wanted(finding: Finding) -> str:
    kind, key = finding.error["type"], str(finding.key)
    if kind == "string_type":
        return "text"
    if kind == "list_type":
        return "a list"
    if kind == "dict_type":
        return "a map"
    if key in _LISTS:
        return "a list or a map"
    return "text or a list" if key in _LISTS_OR_TEXT else "text or a map"


def _shape_help(finding: Finding, wanted: str) -> str | None:
    key, value = str(finding.key), finding.error["input"]
    if key == "retry" and wanted == "a map" and isinstance(value, str):
        return f"write `retry: {{attempts: {value}}}`"
    if key == "tasks" or (isinstance(finding.key, int) and finding.path[-2] == "tasks"):
        return "a task is `- name: ...` with an action below it"
    if wanted == "a map" and key in TRAITS:
        required = required_of(key)
        given = "{" + ", ".join(f"{name}: ..." for name in required) + "}"
        return f"write its fields: `{key}: {given}`"
    if key == "exec" and isinstance(value, str):
        return "write program and arguments as a list, or use `run` for a shell script"
    if wanted == "a map":
        where = f"say where it is: `{key}: {{env: {value}}}`, or `file`, or `command`"
        named = "give each a name: `outputs: {text: result.stdout}`" if key == "outputs" else None
        return where if finding.path[0] == "secrets" else named or "write `key: value` lines below it"
    return "write `- item` lines below it" if wanted == "a list" else None


def _value_message(finding: Finding) -> tuple[str, str, str | None]:
    error, subject = finding.error, _subject(finding)
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith("taskrun"):
        colon = "" if kind == "taskrun_range" else ":"
        return _IDS.get(kind, "TR203"), f"{subject}{colon} {context['text']}", context.get("help")
    if kind == "literal_error":
        allowed = [word.strip().strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        value = error["input"]
        shown = f"`{value}`" if isinstance(value, str) else describe(value)
        return "TR208", f"{subject} cannot be {shown}", did_you_mean(str(value), allowed)
    if kind == "too_short":
        return "TR210", f"{subject} is an empty list", "it needs at least one item"
    if kind == "recursion_loop":
        return "TR203", f"{subject} is nested too deep", "use fewer levels of flows"
    return "TR203", f"{subject} is not valid here", None
