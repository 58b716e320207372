"""The language as the compiler uses it: which keys each map may have, and the validator of whole documents.

All of it comes from ``schema``, through a stored extract (``vocabulary.json``): pydantic itself, 0.1 s to load, is
needed only to make that extract, for the JSON Schema, and where another version of pydantic refuses it.

    python -m taskrun.spec.vocabulary        make the extract anew, after a change of the schema
"""

import json
import os
from functools import cache
from typing import Any

from taskrun.actions.checks import CHECKS
from taskrun.actions.validators import SchemaError, SchemaValidator

NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"
KEY = r"^[A-Za-z_][A-Za-z0-9_]*$"
WORKFLOW_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"

STORED = f"{os.path.dirname(__file__)}/vocabulary.json"
_CHECK = "check:"


@cache
def _core() -> dict[str, Any]:
    with open(STORED, encoding="utf-8") as file:
        core: dict[str, Any] = json.load(file)
    return core


@cache
def validator() -> SchemaValidator:
    try:
        return SchemaValidator(_with_checks(_core()))
    except SchemaError:
        return SchemaValidator(_built())


@cache
def _maps() -> dict[str, dict[str, Any]]:
    """The fields of every map of the schema by its name."""
    maps: dict[str, dict[str, Any]] = {}
    stack: list[Any] = [_core()]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack += node.values()
            if node.get("type") == "typed-dict":
                maps[node["config"]["title"]] = node["fields"]
        elif isinstance(node, list):
            stack += node
    return maps


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of a map of the schema: ``Document``, ``Task``, ``Retry``, ..."""
    return tuple(_maps()[name])


def _fields(kind: str) -> dict[str, Any]:
    return _maps()[kind.title().replace("_", "")]


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields of a built-in action."""
    return tuple(_fields(kind))


def required_of(kind: str) -> list[str]:
    """The fields a built-in action cannot do without, by name."""
    return sorted(name for name, field in _fields(kind).items() if field.get("required"))


def _with_checks(node: Any) -> Any:
    """The stored schema with the functions that stand in it by name."""
    if isinstance(node, dict):
        return {key: _with_checks(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_checks(item) for item in node]
    return CHECKS[node.removeprefix(_CHECK)] if isinstance(node, str) and node.startswith(_CHECK) else node


def _built() -> Any:
    from taskrun.spec.schema import adapter  # noqa: PLC0415 - loads pydantic

    return adapter().core_schema


def extract() -> str:
    """What is stored: the core schema without what only pydantic itself needs, functions by their names."""
    return json.dumps(_without_functions(_built()), ensure_ascii=False, indent=0) + "\n"


_ONLY_PYDANTIC = frozenset(
    {"metadata", "cls", "serialization", "json_schema_input_schema", "computed_fields"}
)
_REFERENCES = frozenset({"ref", "schema_ref"})


def _without_functions(node: Any, *, are_fields: bool = False) -> Any:
    if isinstance(node, dict):
        kept = (
            node if are_fields else {key: value for key, value in node.items() if key not in _ONLY_PYDANTIC}
        )
        return {
            # A reference ends with an address, which would be another one each time.
            key: value.partition(":")[0]
            if key in _REFERENCES and isinstance(value, str)
            else _without_functions(value, are_fields=key == "fields")
            for key, value in kept.items()
        }
    if isinstance(node, list | tuple):
        return [_without_functions(item) for item in node]
    if callable(node):
        assert CHECKS[node.__name__] is node
        return _CHECK + node.__name__
    return node


if __name__ == "__main__":
    with open(STORED, "w", encoding="utf-8") as stored:
        stored.write(extract())
