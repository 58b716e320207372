"""Gives the inputs of a reusable action or of an included file their values, and checks those that are known."""

from typing import Any

from taskrun.actions.checks import resolve
from taskrun.errors import ExpressionError
from taskrun.spec.compiling.rewording import did_you_mean
from taskrun.spec.compiling.unit import Unit
from taskrun.spec.expressions import parse
from taskrun.spec.input_values import InputError, check_value
from taskrun.spec.marks import Map
from taskrun.spec.templates import split

Declared = dict[str, dict[str, Any]]


def bind(unit: Unit, holder: Map, key: str, declared: Declared, what: str) -> dict[str, Any]:
    """Values by input, defaults included. ``holder[key]`` is what the file gives: a map, or a value for the first."""
    given = holder.get(key)
    values: dict[str, Any] = {}
    if isinstance(given, Map):
        for name in given:
            if name in declared:
                values[name] = _value(unit, given, name, declared[name])
            else:
                help_ = did_you_mean(name, declared) or "it takes none"
                unit.problems.at_key("TR710", f"{what} has no input `{name}`", given, name, help_)
    elif given is not None and declared:
        first = next(iter(declared))
        values[first] = _value(unit, holder, key, declared[first])
    elif given is not None:
        unit.problems.at_value("TR710", f"{what} takes no inputs", holder, key)
    for name, spec in declared.items():
        if name in values:
            continue
        if "default" not in spec and not (isinstance(given, Map) and unit.lost(given, name)):
            help_ = f"add `{name}: ...`"
            unit.problems.at_key("TR710", f"{what} needs the input `{name}`", holder, key, help_)
        values[name] = spec.get("default", "")
    return values


def _value(unit: Unit, holder: Map, key: str, spec: dict[str, Any]) -> Any:
    raw = holder[key]
    if spec["type"] in ("string", "path") and isinstance(raw, str):
        value: Any = str(raw)
    else:
        value = resolve(raw)
    if not has_expressions(value):
        try:
            check_value(spec, value)
        except InputError as error:
            unit.problems.at_value("TR710", f"the value {error.message}", holder, key, error.help)
    return value


def has_expressions(value: Any) -> bool:
    if isinstance(value, str):
        return "${{" in value
    if isinstance(value, dict):
        return any(has_expressions(item) for item in value.values())
    return isinstance(value, list) and any(has_expressions(item) for item in value)


def uses_secrets(value: Any) -> bool:
    if isinstance(value, dict):
        return any(uses_secrets(item) for item in value.values())
    if isinstance(value, list):
        return any(uses_secrets(item) for item in value)
    if not isinstance(value, str) or "secrets" not in value or "${{" not in value:
        return False
    try:
        sources = [piece.text for piece in split(value) if piece.is_expression]
        return any(names[0] == "secrets" for source in sources for names in parse(source).names)
    except ExpressionError:
        return False  # reported where the value stands
