"""The language as a JSON Schema, for editors: completion, descriptions, and the plainest mistakes while typing."""

from typing import Any

from taskrun.actions.kinds import TRAITS

# What a reader of the reference and of completions looks for first.
_FIRST = (
    "name", "description", *TRAITS, "tasks", "pattern", "revert", "inputs", "outputs", "needs", "if", "skip",
    "for_each", "as", "max_parallel", "retry", "timeout",
)  # fmt: skip
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """A JSON Schema of workflow files. What it cannot say (names, order, references) `taskrun validate` checks."""
    from taskrun.spec.schema import adapter  # noqa: PLC0415 - loads pydantic

    schema = _tidy(adapter().json_schema())
    task = schema["$defs"]["Task"]
    task["properties"] = {key: task["properties"][key] for key in (*_FIRST, *task["properties"])}
    task["anyOf"] = [{"required": ["name"]}, {"required": ["savepoint"]}]
    return {"$schema": DRAFT, "title": "taskrun workflow", **schema}


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
