"""The language as a JSON Schema, for editors: completion, descriptions, and the plainest mistakes while typing.

    python -m taskrun.spec.json_schema       write the file that is in the package, after a change of the language

What a schema cannot say (names, order, references) ``taskrun validate`` checks.
"""

import json
import os
from typing import Any

from taskrun.actions.kinds import TRAITS
from taskrun.regex import lazy

# What a reader of the reference and of completions looks for first.
_FIRST = (
    "name", "description", *TRAITS, "tasks", "pattern", "revert", "inputs", "outputs", "needs", "if", "skip",
    "for_each", "as", "max_parallel", "retry", "timeout",
)  # fmt: skip
DRAFT = "https://json-schema.org/draft/2020-12/schema"
STORED = f"{os.path.dirname(__file__)}/workflow.schema.json"
# Maps whose further keys may be actions of the file's own `actions`, or of plug-ins.
_OPEN = ("Task", "Revert", "Probe", "Notify", "Action")
_DEFAULT = lazy(r"Default: (\S+?)\.$|(\w+) \((?:the )?default\)")
_NO_VALUE = ("nothing", "none", "all")
_DEFAULTS = {"pattern": "linear", "exhausted": "revert"}


def json_schema(plugins: tuple[str, ...] = ()) -> dict[str, Any]:
    """A JSON Schema of workflow files, in which actions of ``plugins`` may stand, too."""
    from taskrun.spec.schema import adapter  # noqa: PLC0415 - loads pydantic

    schema = _tidy(adapter().json_schema())
    definitions = schema["$defs"]
    task = definitions["Task"]
    task["properties"] = {key: task["properties"][key] for key in (*_FIRST, *task["properties"])}
    task["anyOf"] = [{"required": ["name"]}, {"required": ["savepoint"]}]
    task["allOf"] = [*_one_action(task["properties"]), _some_action(task["properties"])]
    for name in plugins:
        task["properties"].setdefault(name, {"description": "An action of a plug-in."})
    for definition in (schema, *definitions.values()):
        for key, about in definition.get("properties", {}).items():
            _describe(key, about)
    for name in _OPEN:
        definitions[f"Closed{name}"] = _closed(definitions[name]["properties"], name)
    return {
        "$schema": DRAFT,
        "title": "taskrun workflow",
        **schema,
        # Without actions of its own a file has only the keys that are known here.
        "if": {"required": ["actions"]},
        "else": _closed_tasks("tasks"),
    }


def _one_action(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the actions that are known here at most one stands in a task. Said so that editors mark the second one."""
    kinds = [key for key in (*TRAITS, "tasks", "savepoint") if key in properties]
    return [
        {
            "if": {"required": [kind]},
            "then": {
                "properties": dict.fromkeys(kinds[place + 1 :], False),
                "errorMessage": f"a task has one action, and this one has `{kind}` already",
            },
        }
        for place, kind in enumerate(kinds[:-1])
    ]


def _some_action(properties: dict[str, Any]) -> dict[str, Any]:
    """One key says what is done; a key that is not known here may be the one."""
    others = [key for key in properties if key not in (*TRAITS, "tasks", "savepoint")]
    return {
        "if": {"propertyNames": {"enum": others}},
        "then": {"properties": {"name": False}, "errorMessage": "it does nothing: an action is missing"},
    }


def _closed(properties: dict[str, Any], name: str) -> dict[str, Any]:
    closed: dict[str, Any] = {
        "description": "No other keys than these.",
        "propertyNames": {"enum": list(properties)},
    }
    if name == "Task":
        inner = {"revert": "ClosedRevert", "probe": "ClosedProbe"}
        closed["properties"] = {
            **_closed_tasks("tasks")["properties"],
            **{key: _if_map(target) for key, target in inner.items()},
        }
    return closed


def _closed_tasks(key: str) -> dict[str, Any]:
    return {"properties": {key: {"description": "Tasks.", "items": _if_map("ClosedTask")}}}


def _if_map(target: str) -> dict[str, Any]:
    return {
        "description": "Only known keys.",
        "if": {"type": "object"},
        "then": {"$ref": f"#/$defs/{target}"},
    }


def _describe(key: str, about: dict[str, Any]) -> None:
    """A default that editors insert, and the examples as they are written."""
    default = _default_of(key, about)
    if default is not None:
        about["default"] = default
    examples = about.get("examples")
    if examples and about.get("description"):
        written = "\n".join(f"{key}: {in_yaml(each)}" for each in examples)
        about["markdownDescription"] = f"{about['description']}\n\n```yaml\n{written}\n```"


def _default_of(key: str, about: dict[str, Any]) -> Any:
    allowed = about.get("enum")
    if allowed and _DEFAULTS.get(key) in allowed:
        return _DEFAULTS[key]
    found = _DEFAULT.search(about.get("description", ""))
    said = (found[1] or found[2]) if found else ""
    if not said or said in _NO_VALUE:
        return None
    value = {"true": True, "false": False}.get(said, int(said) if said.isdecimal() else said)
    return None if allowed and value not in allowed else value


def in_yaml(value: Any) -> str:
    """Flow style, which is JSON with fewer quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_yaml, value)) + "]"
    if isinstance(value, str) and value and "\n" not in value and not set(value) & set("{}[],:#'\"&*!|>%@`"):
        return value
    return json.dumps(value, ensure_ascii=False)


def _tidy(node: Any) -> Any:
    """Say what a YAML editor needs to hear: it reads ``1.10`` as a number, and our text fields take it as text."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _tidy_key(key, value) for key, value in node.items() if not _is_made_up_title(key, value)}
    if "oneOf" in out:
        # Two alternatives may both fit a value; which one is meant is ours to find out.
        out["anyOf"] = [part or {"not": {"type": "object"}} for part in out.pop("oneOf")]
    if "patternProperties" in out:
        out["additionalProperties"] = False
    if out.get("type") == "string" and "pattern" not in out and "enum" not in out:
        out["type"] = ["string", "number"]
    return out


def _tidy_key(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties", "$defs"):
        return {name: _tidy(inner) for name, inner in value.items()}
    return value if key in ("examples", "enum", "default", "required") else _tidy(value)


def _is_made_up_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)


def text(plugins: tuple[str, ...] = ()) -> str:
    """As it is written into a file."""
    return json.dumps(json_schema(plugins), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with open(STORED, "w", encoding="utf-8") as stored:
        stored.write(text())
