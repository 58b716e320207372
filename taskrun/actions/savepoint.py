"""A savepoint: nothing is done; it marks the place that ``revert --to`` goes back to."""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result

KIND = "savepoint"
MODE: Literal["inline"] = "inline"
MAIN = ""
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def do(fields: Mapping[str, Any], context: Context) -> Result:  # noqa: ARG001 - the same for every action
    return Result({})
