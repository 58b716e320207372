"""JSON values as expressions see them: their kinds, text and equality, and the limits on size and work.

An expression has no loops, so its work is bounded by the sizes of the values it touches. Every operation
that is not constant spends fuel for those sizes; a unit is about 20 ns, so a full tank is some 40 ms.
"""

import json
from collections.abc import Iterable, Mapping
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
_NUMERIC = (int, float)
_NUMBERS = frozenset(_NUMERIC)
_SIMPLE = frozenset({int, float, str, type(None)})
_FLAT = frozenset({int, float, bool, type(None)})


class MissingError(ExpressionError):
    """A name, key or index that is not there: the one mistake ``default`` forgives.

    ``wanted`` and ``known`` are for the hint, which is looked for only if nothing forgave it.
    """

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        hint: str | None = None,
        wanted: str = "",
        known: Iterable[str] = (),
    ) -> None:
        super().__init__(message, offset=offset, hint=hint)
        self.wanted = wanted
        self.known = known


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
    return type(value) in _NUMBERS or (isinstance(value, _NUMERIC) and not isinstance(value, bool))


def all_numbers(items: list[Any]) -> bool:
    return set(map(type, items)) <= _NUMBERS or all(map(is_number, items))


def all_strings(items: list[Any]) -> bool:
    return set(map(type, items)) <= {str} or all(isinstance(item, str) for item in items)


def measure(value: Any) -> int:
    """The size of a JSON value; refuses what is too large, too deep, or not JSON."""
    size = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        size += _ELEMENT * len(level)
        if size <= MAX_RESULT and not set(map(type, level)) <= _FLAT:
            size += sum(len(item) for item in level if isinstance(item, str))
            level, keys = _inside(level)
            size += keys
        else:
            level = []
        if size > MAX_RESULT:
            raise too_large(size)
        if not level:
            return size
    raise ExpressionError(f"the value is nested deeper than {MAX_DEPTH} levels")


def _inside(level: list[Any]) -> tuple[list[Any], int]:
    """What the lists and maps of one level hold, and how long the keys are; stops when there is too much."""
    deeper: list[Any] = []
    keys = 0
    for item in level:
        if isinstance(item, list):
            deeper += item
        elif isinstance(item, dict):
            deeper += item.values()
            keys += _length(item)
        elif not isinstance(item, str) and type(item) not in _FLAT:
            raise ExpressionError(f"{a_kind(item)} cannot be a value: only JSON values can")
        if _ELEMENT * len(deeper) > MAX_RESULT:
            break
    return deeper, keys


def _length(keys: Iterable[Any]) -> int:
    size = 0
    for key in keys:
        if not isinstance(key, str):
            raise ExpressionError(f"a map's keys are strings, not {a_kind(key)}")
        size += len(key)
    return size


def dumps(value: Any, budget: Budget | None = None, *, sort_keys: bool = False) -> str:
    """A value as JSON text, Unicode kept as it is."""
    size = measure(value)
    if budget is not None:
        budget.spend(size)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    except ValueError as error:
        raise ExpressionError(f"the value has no JSON text: {error}") from error


def text(value: Any, budget: Budget | None = None) -> str:
    """What stands for a value inside a longer text: null is empty, lists and maps are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return dumps(value, budget)


def equal(left: Any, right: Any, budget: Budget) -> bool:
    """JSON equality: 1 equals 1.0, but true is not 1 and "1" is not 1."""
    pairs = [(left, right)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, list) and isinstance(b, list):
            if not _open_lists(a, b, pairs, budget):
                return False
        elif isinstance(a, dict) and isinstance(b, dict):
            budget.spend(8 * len(a))
            if len(a) != len(b) or set(a) != set(b):
                return False
            budget.spend(32 * len(a))
            pairs.extend((a[key], b[key]) for key in a)
        elif isinstance(a, bool) != isinstance(b, bool) or a != b:
            return False
    return True


def _open_lists(a: list[Any], b: list[Any], pairs: list[tuple[Any, Any]], budget: Budget) -> bool:
    """Compare two lists, or leave their elements to be compared in ``pairs``."""
    if len(a) != len(b):
        return False
    budget.spend(8 * len(a))
    if set(map(type, a)) | set(map(type, b)) <= _SIMPLE:  # Python's equality is JSON's for these
        return a == b
    budget.spend(32 * len(a))
    pairs.extend(zip(a, b, strict=True))
    return True


def holds(items: list[Any], wanted: Any, budget: Budget) -> bool:
    """Is an equal value in the list?"""
    budget.spend(4 * len(items))
    if not isinstance(wanted, list | dict):
        if wanted not in items:  # Python's equality goes further than JSON's, never less far
            return False
        if isinstance(wanted, str) or wanted is None:
            return True
    for item in items:
        budget.spend(16)
        if equal(item, wanted, budget):
            return True
    return False
