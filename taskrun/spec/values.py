"""JSON values as expressions see them: their kinds, text and equality, and the limits on size and work.

An expression has no loops, so its work is bounded by the sizes of the values it touches. Every operation
that is not constant spends fuel for those sizes; a unit is about 20 ns, so a full tank is some 40 ms.
"""

import json
from collections.abc import Mapping
from typing import Any

from taskrun.errors import ExpressionError

MAX_RESULT = 1024 * 1024
"""Characters of text (list elements count as eight) an expression may make or give."""
MAX_DEPTH = 200
MAX_INTEGER = 2**64
"""Arithmetic stays below it, sign aside: enough for every 64-bit id."""
FUEL = 2_000_000

_ELEMENT = 8
_KINDS = (
    (type(None), "null"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "list"),
    (Mapping, "map"),
)
_FLAT = frozenset({int, float, bool, type(None)})


class MissingError(ExpressionError):
    """A name, key or index that is not there: the one mistake ``default`` forgives."""


class Budget:
    """What one evaluation may still spend."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = FUEL

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise ExpressionError("the expression takes too much work", hint="do this in a task")

    def allow(self, size: int) -> None:
        """Refuse a value of this size before it is made, and pay for making it."""
        if size > MAX_RESULT:
            raise too_large(size)
        self.spend(size >> 4)


def too_large(size: int) -> ExpressionError:
    shown = f"{size / MAX_RESULT:.1f} MiB" if size < 2**40 else "far more than that"
    return ExpressionError(
        f"the value is too large: at most 1 MiB, this is {shown}", hint="pass the path of a file instead"
    )


def kind(value: Any) -> str:
    """The word messages use for the type of a value."""
    for python_type, word in _KINDS:
        if isinstance(value, python_type):
            return word
    return type(value).__name__


def a_kind(value: Any) -> str:
    word = kind(value)
    if word == "null":
        return word
    return f"{'an' if word == 'integer' else 'a'} {word}"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def measure(value: Any) -> int:
    """The size of a JSON value; refuses what is too large, too deep, or not JSON."""
    size = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            size += _ELEMENT
            if isinstance(item, str):
                size += len(item)
            elif isinstance(item, list):
                size += _ELEMENT * len(item)
                deeper += item if size <= MAX_RESULT else ()
                size -= _ELEMENT * len(item)
            elif isinstance(item, dict):
                size += _keys(item)
                deeper += item.values() if size <= MAX_RESULT else ()
            elif type(item) not in _FLAT:
                raise ExpressionError(f"a {type(item).__name__} is not a JSON value")
            if size > MAX_RESULT or _ELEMENT * len(deeper) > MAX_RESULT:
                raise too_large(max(size, _ELEMENT * len(deeper)))
        if not deeper:
            return size
        level = deeper
    raise ExpressionError(f"the value is nested deeper than {MAX_DEPTH} levels")


def _keys(mapping: dict[Any, Any]) -> int:
    if len(mapping) * _ELEMENT > MAX_RESULT:
        return len(mapping) * _ELEMENT
    size = 0
    for key in mapping:
        if not isinstance(key, str):
            raise ExpressionError(f"a map's keys are strings, not {a_kind(key)}")
        size += len(key)
    return size


def dumps(value: Any) -> str:
    """A value as JSON text, Unicode kept as it is."""
    measure(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ExpressionError(f"the value has no JSON text: {error}") from error


def text(value: Any) -> str:
    """What stands for a value inside a longer text: null is empty, lists and maps are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return dumps(value)


def equal(left: Any, right: Any, budget: Budget) -> bool:
    """JSON equality: 1 equals 1.0, but true is not 1 and "1" is not 1."""
    pairs = [(left, right)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            budget.spend(4 * len(a))
            pairs.extend(zip(a, b, strict=True))
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            budget.spend(8 * len(a))
            pairs.extend((a[key], b[key]) for key in a)
        elif isinstance(a, bool) != isinstance(b, bool) or a != b:
            return False
    return True
