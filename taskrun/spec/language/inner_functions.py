"""Functions that the compiler writes into expressions. Their names begin with an underscore, and nobody is told of them."""

from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.signatures import Table, pure
from taskrun.spec.values import Budget

TABLE: Table = {}


@pure(TABLE, "any", "string", "map")
def _input(_budget: Budget, value: Any, name: str, limits: dict[str, Any]) -> Any:
    """The value of an input of an included file, if it keeps to what that file declares."""
    from taskrun.spec.input_values import InputError, check_value  # noqa: PLC0415 - few workflows have any

    try:
        check_value(limits, value)
    except InputError as error:
        raise ExpressionError(f"the input {name} {error.message}", hint=error.help) from error
    return value
