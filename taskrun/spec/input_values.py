"""Values of inputs against their declaration. Pure, and without YAML: a run uses it as well as the compiler."""

import re
from collections.abc import Mapping
from typing import Any


class InputError(ValueError):
    """``message`` goes on from the name of the input: "is not an integer"."""

    def __init__(self, message: str, help_: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


def type_of(value: Any) -> str:
    """The type a default implies."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, dict) else "string"


_ARTICLES = {"integer": "an integer", "object": "an object"}


def check_value(spec: Mapping[str, Any], value: Any) -> None:
    """Raise InputError unless a value has the declared type and keeps within the limits."""
    wanted = spec["type"]
    found = type_of(value) if value is not None else "null"
    fits = (
        found == wanted
        or (wanted == "number" and found == "integer")
        or (wanted == "path" and found == "string")
    )
    if not fits:
        raise InputError(
            f"is {_shown(value)}, not {_ARTICLES.get(wanted, 'a ' + wanted)}", _type_help(wanted, value)
        )
    if wanted == "path":
        _check_path(value)
    if "enum" in spec and not any(_same(value, allowed) for allowed in spec["enum"]):
        raise InputError(
            f"cannot be {_shown(value)}", "allowed: " + ", ".join(_shown(v) for v in spec["enum"])
        )
    if "pattern" in spec and found == "string" and not re.search(spec["pattern"], value):
        raise InputError(f"is {_shown(value)}, which does not match `{spec['pattern']}`")
    if "minimum" in spec and found in ("integer", "number") and value < spec["minimum"]:
        raise InputError(f"is {value}, and must be at least {spec['minimum']}")
    if "maximum" in spec and found in ("integer", "number") and value > spec["maximum"]:
        raise InputError(f"is {value}, and must be at most {spec['maximum']}")


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _check_path(value: str) -> None:
    if not value or "\0" in value:
        raise InputError("is no path: it is empty" if not value else "is no path: it holds a NUL character")


def _shown(value: Any) -> str:
    import json  # noqa: PLC0415 - only for messages

    if value is None:
        return "null"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


_HOW = {
    "integer": "write a whole number, such as 3",
    "number": "write a number, such as 1.5",
    "boolean": "write `true` or `false`",
}


def _reads_as(wanted: str, text: str) -> bool:
    """Would this be what is wanted, were it not in quotes?"""
    if wanted == "boolean":
        return text in ("true", "false")
    try:
        (int if wanted == "integer" else float)(text)
    except ValueError:
        return False
    return True


def _type_help(wanted: str, value: Any) -> str | None:
    if wanted in ("string", "path") and isinstance(value, bool | int | float):
        return "put it in quotes"
    if isinstance(value, str) and wanted in ("integer", "number", "boolean"):
        return "leave the quotes out" if _reads_as(wanted, value) else _HOW[wanted]
    return None
