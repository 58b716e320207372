"""The functions of expressions that compute."""

import math
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
    is_number,
    kind,
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


def comparable(name: str, items: list[Any], budget: Budget) -> list[Any]:
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
    return comparable(name, items, budget)


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


@pure(TABLE, "integer", "integer?", "integer?")
def range_(budget: Budget, *bounds: int) -> list[int]:
    if len(bounds) == 3 and bounds[2] == 0:
        raise ExpressionError("range() cannot go in steps of 0")
    made = range(*map(int, map(number, bounds)))
    if made and (made[-1] - made[0]) // made.step >= MAX_RANGE:
        raise ExpressionError(f"range() gives at most {MAX_RANGE} numbers")
    budget.spend(4 * len(made))
    return list(made)
