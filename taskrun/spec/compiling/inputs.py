"""Declarations of inputs: their type, their default, and the limits on their value."""

import re
from typing import Any

from taskrun.actions.checks import resolve
from taskrun.spec.compiling.unit import Unit
from taskrun.spec.input_values import InputError, check_value, type_of
from taskrun.spec.marks import Map

TYPES = ("string", "integer", "number", "boolean", "list", "object", "path")


def declared(unit: Unit, tree: Map, name: str, spec: Any, *, types_first: bool = False) -> dict[str, Any]:
    """The definition's entry of an input; a bare value is its default (or a type, where ``types_first``)."""
    if not isinstance(spec, dict) or not isinstance(tree[name], Map):
        if types_first and spec in TYPES and isinstance(spec, str):
            return {"type": spec}
        return _from_default(unit, tree, name, spec)
    inner = tree[name]
    out = {key: value for key, value in spec.items() if key != "default"}
    if "default" in spec:
        out["default"] = _as_typed(inner["default"], spec)
    out.setdefault("type", type_of(out["default"]) if out.get("default") is not None else "string")
    _check_limits(unit, inner, out)
    return out


def _from_default(unit: Unit, tree: Map, name: str, value: Any) -> dict[str, Any]:
    if value is None:
        help_ = f"for a required input write `{name}: {{type: string}}`"
        unit.problems.at_value("TR801", f"input `{name}` is empty", tree, name, help_)
        return {"type": "string"}
    _no_expression(unit, tree, name)
    if value in TYPES and isinstance(value, str):
        message = f"`{value}` is the default of input `{name}` here, not its type"
        mark = tree.value_marks[name]
        unit.problems.warning("TR803", message, mark, len(value), f"for the type write `{{type: {value}}}`")
    return {"type": type_of(value), "default": value}


def _no_expression(unit: Unit, tree: Map, key: str) -> None:
    value = tree[key]
    if isinstance(value, str) and "${{" in value:
        unit.problems.at_value("TR403", "an expression cannot be used in a default", tree, key)


def _as_typed(raw: Any, spec: dict[str, Any]) -> Any:
    """A default as its type has it: text stays what was typed."""
    if spec.get("type") in ("string", "path") and isinstance(raw, str):
        return str(raw)
    return resolve(raw)


def _check_limits(unit: Unit, tree: Map, spec: dict[str, Any]) -> None:
    pattern = spec.get("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            message = f"`pattern` is no regular expression: {error.msg}"
            unit.problems.at_value("TR802", message, tree, "pattern")
            del spec["pattern"]
    for key, types in (
        ("pattern", ("string", "path")),
        ("minimum", ("integer", "number")),
        ("maximum", ("integer", "number")),
    ):
        if key in spec and spec["type"] not in types:
            message = f"`{key}` is for {' and '.join(types)} inputs, and this is a {spec['type']}"
            unit.problems.at_key("TR802", message, tree, key)
    _check_enum(unit, tree, spec)
    if "default" in spec:
        _no_expression(unit, tree, "default")
        try:
            check_value(spec, spec["default"])
        except InputError as error:
            unit.problems.at_value("TR801", f"the default {error.message}", tree, "default", error.help)


def _check_enum(unit: Unit, tree: Map, spec: dict[str, Any]) -> None:
    if "enum" not in spec:
        return
    holder = tree["enum"]
    spec["enum"] = [_as_typed(item, spec) for item in holder]
    for index, item in enumerate(spec["enum"]):
        try:
            check_value({"type": spec["type"]}, item)
        except InputError as error:
            unit.problems.at_value(
                "TR802", f"this value of `enum` {error.message}", holder, index, error.help
            )
    if not spec["enum"]:
        unit.problems.at_value("TR210", "`enum` is an empty list", tree, "enum")
