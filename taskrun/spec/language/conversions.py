"""The functions of expressions that turn one kind of value into another."""

import json as json_text
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.language.numbers import number
from taskrun.spec.language.signatures import Table, pure
from taskrun.spec.values import Budget, a_kind, dumps, kind, text

TABLE: Table = {}


@pure(TABLE, "any")
def len_(_budget: Budget, value: Any) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"len() needs a string, list or map, not {a_kind(value)}")


_INTEGER = lazy(r"[+-]?[0-9]{1,40}")
_NUMBER = lazy(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,5})?")


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


@pure(TABLE, "any", "any?")
def default(_budget: Budget, value: Any, fallback: Any = None) -> Any:
    """The fallback when the value is null or not there. Evaluated lazily: see the compiler of expressions."""
    return fallback if value is None else value
