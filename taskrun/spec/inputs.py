"""The inputs of a run: what was given, read by its declared type, with defaults and limits. Needs no YAML.

A value comes from ``-i name=value`` (text), from an inputs file (already typed), from the environment variable the
declaration names, or from the default, in this order.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.errors import UsageError
from taskrun.regex import lazy
from taskrun.spec.input_values import InputError, check_value
from taskrun.spec.spelling import nearest

_INTEGER = lazy(r"[-+]?\d+", re.ASCII)
_NUMBER = lazy(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def resolve_inputs(
    definition: Mapping[str, Any], given: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    """The value of every input.

    Args:
        definition: the compiled workflow.
        given: values by name; text is read by the declared type, anything else must have it.
        environ: where ``env`` of a declaration looks.

    Raises:
        UsageError: names every input that is wrong or missing, and every name that is no input.

    """
    every: Mapping[str, Mapping[str, Any]] = definition.get("inputs", {})
    declared = {name: spec for name, spec in every.items() if not spec.get("fixed")}
    problems = [_unknown(name, declared) for name in given if name not in declared]
    values: dict[str, Any] = {name: spec["default"] for name, spec in every.items() if spec.get("fixed")}
    for name, spec in declared.items():
        try:
            values[name] = _value(name, spec, given, environ)
        except InputError as error:
            problems.append(f"input `{name}` {error.message}" + (f" ({error.help})" if error.help else ""))
    if problems:
        raise UsageError("\n".join(problems), hint=_hint(declared))
    return values


def _unknown(name: str, declared: Mapping[str, Any]) -> str:
    guess = nearest(name, declared)
    return f"there is no input `{name}`" + (f" (did you mean `{guess}`?)" if guess else "")


def _hint(declared: Mapping[str, Any]) -> str:
    if not declared:
        return "this workflow has no inputs"
    return "its inputs: " + ", ".join(
        f"{name} ({spec['type']}{'' if 'default' in spec else ', required'})"
        for name, spec in declared.items()
    )


def _value(name: str, spec: Mapping[str, Any], given: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    if name in given:
        value, source = given[name], ""
    elif "env" in spec and spec["env"] in environ:
        value, source = environ[spec["env"]], f" (from ${spec['env']})"
    elif "default" in spec:
        return spec["default"]
    else:
        raise InputError("is required", _how_to_give(name, spec))
    try:
        if isinstance(value, str):
            value = parse_text(value, spec["type"])
        check_value(spec, value)
    except InputError as error:
        raise InputError(error.message + source, error.help) from None
    return value


def _how_to_give(name: str, spec: Mapping[str, Any]) -> str:
    examples = {"list": """'["a", "b"]'""", "object": """'{"key": "value"}'""", "boolean": "true"}
    way = f"give it with -i {name}={examples.get(spec['type'], 'VALUE')}"
    return f"{way} or ${spec['env']}" if "env" in spec else way


def parse_text(text: str, type_: str) -> Any:
    """A value typed on a command line, read as its declared type has it."""
    if type_ in ("string", "path"):
        return text
    return _READERS.get(type_, _json)(text, type_)


def _integer(text: str, type_: str) -> int:
    stripped = text.strip()
    if not _INTEGER.fullmatch(stripped) or len(stripped) > 4000:
        raise InputError(f"is {text!r}, not an {type_}")
    return int(stripped)


def _number(text: str, type_: str) -> float | int:
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped):
        return _integer(stripped, type_)
    if not _NUMBER.fullmatch(stripped):
        raise InputError(f"is {text!r}, not a {type_}")
    value = float(stripped)
    if value in (float("inf"), float("-inf")):
        raise InputError(f"is {text!r}, which is too large")
    return value


def _boolean(text: str, type_: str) -> bool:
    value = _WORDS.get(text.strip().lower())
    if value is None:
        raise InputError(f"is {text!r}, not a {type_}", "write true or false")
    return value


def _json(text: str, type_: str) -> Any:
    from json import loads  # noqa: PLC0415 - most inputs are text

    shape, example = (list, '["a", "b"]') if type_ == "list" else (dict, '{"key": "value"}')
    try:
        value = loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, shape):
        article = "an" if type_ == "object" else "a"
        raise InputError(f"is {text[:60]!r}, not {article} {type_}", f"write it as JSON: '{example}'")
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(word)


_READERS: dict[str, Callable[[str, str], Any]] = {"integer": _integer, "number": _number, "boolean": _boolean}
