"""The action ``echo``: a message in the task's log, and nothing else."""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.values import text_of

KIND = "echo"
MODE: Literal["inline"] = "inline"
MAIN = "message"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def do(fields: Mapping[str, Any], context: Context) -> Result:
    message = text_of(fields.get("message"))
    context.log(message)
    return Result({"message": message})
