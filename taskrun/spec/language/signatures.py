"""What a function of the language takes, checked before its body runs, so that bodies are one plain line each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from taskrun.errors import ExpressionError
from taskrun.spec.values import Budget, a_kind, is_number


class Function(NamedTuple):
    """``kinds`` are the parameters' kinds: ``string``, ``string?`` (may be left out), ``any*`` (any number)."""

    name: str
    kinds: tuple[str, ...]
    required: int
    most: int | None
    body: Callable[..., Any]

    def call(self, budget: Budget, arguments: list[Any]) -> Any:
        for position, value in enumerate(arguments):
            wanted = self.kinds[min(position, len(self.kinds) - 1)]
            if not _fits(value, wanted):
                raise ExpressionError(
                    f"{self.name}() needs a{'n' if wanted[0] == 'i' else ''} {wanted.rstrip('?*')}"
                    f"{_place(position, len(arguments))}, not {a_kind(value)}",
                    hint=_conversion(value, wanted),
                )
        return self.body(budget, *arguments)

    def count_problem(self, given: int) -> str | None:
        if given >= self.required and (self.most is None or given <= self.most):
            return None
        if self.most is None:
            wanted = f"at least {self.required}"
        elif self.most == self.required:
            wanted = str(self.required)
        else:
            wanted = f"{self.required} to {self.most}"
        plural = "" if wanted.endswith("1") else "s"
        return f"{self.name}() takes {wanted} value{plural}, not {given}"

    def signature(self) -> str:
        return f"{self.name}({', '.join(self.kinds)})"


def _place(position: int, count: int) -> str:
    return "" if count == 1 else f" as value {position + 1}"


def _conversion(value: Any, wanted: str) -> str | None:
    if wanted.startswith("string") and not isinstance(value, list | dict) and value is not None:
        return "str(x) makes a string of it"
    if wanted.startswith(("number", "integer")) and isinstance(value, str):
        return "int(x) or float(x) makes a number of it"
    if wanted.startswith("list") and isinstance(value, str):
        return "lines(x), split(x) or json(x) makes a list of it"
    return None


_TYPES: dict[str, Any] = {"string": str, "list": list, "map": dict, "boolean": bool}


def _fits(value: Any, wanted: str) -> bool:
    word = wanted.rstrip("?*")
    if word == "any":
        return True
    if word == "number":
        return is_number(value)
    if word == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[word])


Table = dict[str, Function]


def pure(table: Table, *kinds: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a body in the table under its own name, a trailing underscore aside."""

    def enter(body: Callable[..., Any]) -> Callable[..., Any]:
        name = body.__name__.rstrip("_")
        required = sum(1 for kind in kinds if kind[-1] not in "?*")
        most = None if kinds[-1].endswith("*") else len(kinds)
        table[name] = Function(name, kinds, required, most, body)
        return body

    return enter
