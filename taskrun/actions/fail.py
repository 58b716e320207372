"""The action ``fail``: a failure of type ``Failed`` with a message of one's own."""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from taskrun.actions.base import Context
from taskrun.actions.values import text_of
from taskrun.errors import ActionError

KIND = "fail"
MODE: Literal["inline"] = "inline"
MAIN = "message"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def do(fields: Mapping[str, Any], context: Context) -> NoReturn:
    message = text_of(fields.get("message")) or "failed on purpose"
    context.log(message)
    raise ActionError("Failed", message)
