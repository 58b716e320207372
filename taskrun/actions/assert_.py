"""The action ``assert``: fails unless an expression is true."""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.values import text_of
from taskrun.errors import ActionError

KIND = "assert"
MODE: Literal["inline"] = "inline"
MAIN = "that"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS = frozenset(("that",))
SCRIPTS: frozenset[str] = frozenset()


def do(fields: Mapping[str, Any], context: Context) -> Result:
    that = fields.get("that")
    if that is True:
        return Result({})
    source = text_of(fields.get("that.source")) or "the assertion"
    if that is not False:
        raise ActionError(
            "AssertionError", f"{source} must be true or false, it is {text_of(that) or 'null'}"
        )
    message = text_of(fields.get("message")) or f"{source} is false"
    context.log(message)
    raise ActionError("AssertionError", message)
