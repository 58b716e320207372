"""The functions of expressions that convert values and work on numbers, lists and maps."""

import json as json_text
import math
import re
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.signatures import Table, pure
from taskrun.spec.values import (
    MAX_INTEGER,
    Budget,
    MissingError,
    a_kind,
    all_numbers,
    all_strings,
    dumps,
    equal,
    holds,
    is_number,
    kind,
    text,
)

TABLE: Table = {}
MAX_RANGE = 10_000


def number(value: float) -> int | float:
    """A result of arithmetic, refused when no JSON number of 64 bits can hold it."""
    if isinstance(value, int):
        if -MAX_INTEGER < value < MAX_INTEGER:
            return value
        raise ExpressionError("the number is too large: whole numbers end at 2**64")
    if math.isfinite(value):
        return value
    raise ExpressionError("the number is too large, or none at all")


@pure(TABLE, "any")
def len_(_budget: Budget, value: Any) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"len() needs a string, list or map, not {a_kind(value)}")


_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,5})?")


@pure(TABLE, "any")
def int_(_budget: Budget, value: Any) -> int:
    """Of a text: decimal digits, white space around them aside. Of a number: cut off towards zero."""
    if isinstance(value, str) and len(value) < 1000 and _INTEGER.fullmatch(value.strip()):
        return int(number(int(value)))
    if isinstance(value, int | float):
        return int(number(int(number(value))))
    raise ExpressionError(f"int(): {_shown(value)} is not a whole number")


@pure(TABLE, "any")
def float_(_budget: Budget, value: Any) -> float:
    if isinstance(value, str) and len(value) < 1000 and _NUMBER.fullmatch(value.strip()):
        return float(number(float(value)))
    if isinstance(value, int | float):
        return float(number(float(number(value))))
    raise ExpressionError(f"float(): {_shown(value)} is not a number")


_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0", ""})


@pure(TABLE, "any")
def bool_(_budget: Budget, value: Any) -> bool:
    """Of a text: what it says, so that "false" is false. Of anything else: is it neither null, 0 nor empty?"""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower() if len(value) < 100 else value
    if word in _YES or word in _NO:
        return word in _YES
    raise ExpressionError(f"bool(): {_shown(value)} is neither true nor false")


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return a_kind(value)
    # Whole or not at all: a part of a secret would not be recognised, and so not be masked.
    return json_text.dumps(value, ensure_ascii=False) if len(value) <= 40 else "this long string"


@pure(TABLE, "any")
def str_(budget: Budget, value: Any) -> str:
    """What would stand for the value in the middle of a text."""
    made = text(value, budget)
    budget.allow(len(made))
    return made


@pure(TABLE, "any")
def type_(_budget: Budget, value: Any) -> str:
    return kind(value)


@pure(TABLE, "string")
def json(budget: Budget, value: str) -> Any:
    """The value a JSON text stands for."""
    budget.allow(len(value))
    budget.spend(len(value))
    try:
        return json_text.loads(value, parse_constant=_no_constant)
    except json_text.JSONDecodeError as error:
        raise ExpressionError(
            f"json(): not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"json(): {error}") from error


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON value")


@pure(TABLE, "any")
def to_json(budget: Budget, value: Any) -> str:
    made = dumps(value, budget)
    budget.allow(len(made))
    return made


@pure(TABLE, "number")
def abs_(_budget: Budget, value: float) -> float:
    return abs(value)


@pure(TABLE, "number", "integer?")
def round_(_budget: Budget, value: float, digits: int | None = None) -> float:
    """To the nearest whole number (halves to the even one), or to that many digits after the point."""
    number(value)
    if digits is None:
        return number(round(value))
    if not 0 <= digits <= 20:
        raise ExpressionError("round() keeps 0 to 20 digits")
    return round(float(value), digits)


@pure(TABLE, "number")
def floor(_budget: Budget, value: float) -> int:
    return int(number(math.floor(number(value))))


@pure(TABLE, "number")
def ceil(_budget: Budget, value: float) -> int:
    return int(number(math.ceil(number(value))))


def _comparable(name: str, items: list[Any], budget: Budget) -> list[Any]:
    budget.spend(4 * len(items))
    if all_numbers(items) or all_strings(items):
        return items
    other = next((item for item in items if kind(item) != kind(items[0])), items[0])
    raise ExpressionError(f"{name}() needs numbers only or strings only; here is {a_kind(other)}")


def _several(name: str, arguments: tuple[Any, ...], budget: Budget) -> list[Any]:
    items = arguments[0] if len(arguments) == 1 else list(arguments)
    if not isinstance(items, list):
        raise ExpressionError(f"{name}() needs a list, or two values and more; not {a_kind(items)}")
    if not items:
        raise MissingError(f"{name}() of an empty list", hint=f"default({name}(x), 0)")
    return _comparable(name, items, budget)


@pure(TABLE, "any", "any*")
def min_(budget: Budget, *arguments: Any) -> Any:
    return min(_several("min", arguments, budget))


@pure(TABLE, "any", "any*")
def max_(budget: Budget, *arguments: Any) -> Any:
    return max(_several("max", arguments, budget))


@pure(TABLE, "list")
def sum_(budget: Budget, items: list[Any]) -> float:
    budget.spend(4 * len(items))
    if not all_numbers(items):
        other = next(item for item in items if not is_number(item))
        raise ExpressionError(f"sum() adds numbers, not {a_kind(other)}", hint="join(x) for texts")
    try:
        return number(sum(items))
    except OverflowError:
        raise ExpressionError("the sum is too large") from None


@pure(TABLE, "list", "string?")
def sorted_(budget: Budget, items: list[Any], key: str | None = None) -> list[Any]:
    """Numbers or strings in order; a list of maps by one of their keys."""
    by = items if key is None else pluck(budget, items, key)
    _comparable("sorted", by, budget)
    budget.spend(len(items) * max(1, len(items).bit_length()) // 2)
    if key is None:
        return sorted(items)
    budget.spend(8 * len(items))
    return [items[position] for position in sorted(range(len(items)), key=by.__getitem__)]


@pure(TABLE, "any")
def reversed_(budget: Budget, value: Any) -> Any:
    if not isinstance(value, str | list):
        raise ExpressionError(f"reversed() needs a list or string, not {a_kind(value)}")
    budget.spend(len(value))
    return value[::-1]


@pure(TABLE, "integer", "integer?", "integer?")
def range_(budget: Budget, *bounds: int) -> list[int]:
    if len(bounds) == 3 and bounds[2] == 0:
        raise ExpressionError("range() cannot go in steps of 0")
    made = range(*map(int, map(number, bounds)))
    if made and (made[-1] - made[0]) // made.step >= MAX_RANGE:
        raise ExpressionError(f"range() gives at most {MAX_RANGE} numbers")
    budget.spend(4 * len(made))
    return list(made)


@pure(TABLE, "any", "any")
def contains(budget: Budget, container: Any, item: Any) -> bool:
    """Is the item in the list, the text in the text, the key in the map?"""
    if isinstance(container, str):
        if not isinstance(item, str):
            raise ExpressionError(f"only a string can be in a string, not {a_kind(item)}")
        budget.spend(len(container) >> 1)
        return item in container
    if isinstance(container, list):
        return holds(container, item, budget)
    if isinstance(container, dict):
        if not isinstance(item, str):
            raise ExpressionError(f"a map's keys are strings, not {a_kind(item)}")
        return item in container
    raise ExpressionError(f"nothing can be in {a_kind(container)}", hint="it needs a list, string or map")


@pure(TABLE, "map")
def keys(budget: Budget, mapping: dict[str, Any]) -> list[str]:
    budget.spend(len(mapping))
    return list(mapping)


@pure(TABLE, "map")
def values(budget: Budget, mapping: dict[str, Any]) -> list[Any]:
    budget.spend(len(mapping))
    return list(mapping.values())


@pure(TABLE, "map")
def items(budget: Budget, mapping: dict[str, Any]) -> list[Any]:
    """A list of maps with ``key`` and ``value``, to go over a map with ``for_each``."""
    budget.spend(24 * len(mapping))
    return [{"key": key, "value": value} for key, value in mapping.items()]


@pure(TABLE, "any")
def first(_budget: Budget, value: Any) -> Any:
    return _end("first", value, 0)


@pure(TABLE, "any")
def last(_budget: Budget, value: Any) -> Any:
    return _end("last", value, -1)


def _end(name: str, value: Any, position: int) -> Any:
    if not isinstance(value, str | list):
        raise ExpressionError(f"{name}() needs a list or string, not {a_kind(value)}")
    if not value:
        raise MissingError(f"{name}() of an empty {kind(value)}", hint=f"default({name}(x), ...)")
    return value[position]


@pure(TABLE, "list")
def unique(budget: Budget, items: list[Any]) -> list[Any]:
    """Each value once, in the order they first come."""
    budget.spend(16 * len(items))
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(_mark(item, budget), item)
    return list(seen.values())


def _mark(item: Any, budget: Budget) -> Any:
    """Something hashable that is equal for equal values."""
    if isinstance(item, bool):
        return (item,)
    if not isinstance(item, list | dict):
        return item
    budget.spend(300)
    return (dumps(item, budget, sort_keys=True),)


@pure(TABLE, "list")
def flatten(budget: Budget, items: list[Any]) -> list[Any]:
    """The lists in the list opened, one level."""
    flat: list[Any] = []
    for item in items:
        budget.allow(8 * (len(flat) + (len(item) if isinstance(item, list) else 1)))
        if isinstance(item, list):
            flat.extend(item)
        else:
            flat.append(item)
    return flat


@pure(TABLE, "map", "map*")
def merge(budget: Budget, *mappings: dict[str, Any]) -> dict[str, Any]:
    """One map of all; of equal keys the last counts."""
    merged: dict[str, Any] = {}
    for mapping in mappings:
        budget.spend(8 * len(mapping))
        merged.update(mapping)
    return merged


@pure(TABLE, "list", "string")
def pluck(budget: Budget, items: list[Any], key: str) -> list[Any]:
    """The value of that key of each map in the list."""
    budget.spend(12 * len(items))
    return [_field("pluck", item, key) for item in items]


@pure(TABLE, "list", "string", "any")
def where(budget: Budget, items: list[Any], key: str, wanted: Any) -> list[Any]:
    """The maps in the list whose key has that value."""
    budget.spend(12 * len(items))
    return [item for item in items if _has("where", item, key) and equal(item[key], wanted, budget)]


def _has(name: str, item: Any, key: str) -> bool:
    if not isinstance(item, dict):
        raise ExpressionError(f"{name}() needs a list of maps; here is {a_kind(item)}")
    return key in item


def _field(name: str, item: Any, key: str) -> Any:
    if not _has(name, item, key):
        raise MissingError(f"{name}(): a map in the list has no key {key!r}")
    return item[key]


@pure(TABLE, "list")
def all_(budget: Budget, items: list[Any]) -> bool:
    budget.spend(len(items))
    return all(items)


@pure(TABLE, "list")
def any_(budget: Budget, items: list[Any]) -> bool:
    budget.spend(len(items))
    return any(items)


@pure(TABLE, "any", "any?")
def default(_budget: Budget, value: Any, fallback: Any = None) -> Any:
    """The fallback when the value is null or not there. Evaluated lazily: see the compiler of expressions."""
    return fallback if value is None else value
