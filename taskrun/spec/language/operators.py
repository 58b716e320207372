"""What the operators of expressions do: JSON values in, JSON values out, sizes known before anything is made."""

import operator
from collections.abc import Callable
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.list_functions import contains
from taskrun.spec.language.numbers import number
from taskrun.spec.values import Budget, a_kind, equal, is_number


def arithmetic(sign: str, left: Any, right: Any, budget: Budget) -> Any:
    if is_number(left) and is_number(right):
        return _numbers(sign, number(left), number(right))
    if sign == "+":
        return _joined(left, right, budget)
    if sign == "*" and isinstance(left, str | list):
        return _repeated(left, right, budget)
    if sign == "*" and isinstance(right, str | list):
        return _repeated(right, left, budget)
    if sign == "%" and isinstance(left, str):
        raise ExpressionError("% does not format texts", hint='join them with +, or "a ${{ x }} b"')
    other = right if is_number(left) else left
    hint = "int(x) or float(x) makes a number of it" if isinstance(other, str) else None
    raise ExpressionError(f"{sign} needs numbers; here is {a_kind(other)}", hint=hint)


def _numbers(sign: str, left: float, right: float) -> float:
    try:
        return number(_ARITHMETIC[sign](left, right))
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except OverflowError:
        raise ExpressionError("the number is too large") from None


def _power(base: float, exponent: float) -> float:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 64 and abs(base) > 1:
        raise ExpressionError("the number is too large: whole numbers end at 2**64")
    if base < 0 and exponent != int(exponent):
        raise ExpressionError("a negative number has no such root")
    if abs(exponent) > 2**53:
        exponent = float(exponent)
    return float(base**exponent) if isinstance(exponent, float) else base**exponent


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _joined(left: Any, right: Any, budget: Budget) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        budget.allow(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        budget.allow(8 * (len(left) + len(right)))
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        other = right if isinstance(left, str) else left
        raise ExpressionError(
            f"+ cannot join a string and {a_kind(other)}", hint="str(x) makes a string of it"
        )
    if isinstance(left, dict) and isinstance(right, dict):
        raise ExpressionError("+ does not join maps", hint="merge(a, b)")
    raise ExpressionError(f"+ cannot add {a_kind(left)} and {a_kind(right)}")


def _repeated(value: Any, times: Any, budget: Budget) -> Any:
    if not isinstance(times, int) or isinstance(times, bool):
        raise ExpressionError(f"a {'string' if isinstance(value, str) else 'list'} times {a_kind(times)}")
    width = 1 if isinstance(value, str) else 8
    budget.allow(max(0, times) * len(value) * width)
    return value * times


def signed(sign: str, value: Any) -> Any:
    if not is_number(value):
        raise ExpressionError(f"{sign} needs a number, not {a_kind(value)}")
    return number(-value if sign == "-" else value)


def compare(sign: str, left: Any, right: Any, budget: Budget) -> bool:
    if sign == "==":
        return equal(left, right, budget)
    if sign == "!=":
        return not equal(left, right, budget)
    if sign == "in":
        return bool(contains(budget, right, left))
    if sign == "not in":
        return not contains(budget, right, left)
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(min(len(left), len(right)) >> 4)
    elif not (is_number(left) and is_number(right)):
        raise ExpressionError(
            f"{sign} compares two numbers or two strings, not {a_kind(left)} and {a_kind(right)}",
            hint="int(x) or float(x) makes a number of a string"
            if is_number(left) or is_number(right)
            else None,
        )
    return _ORDER[sign](left, right)
