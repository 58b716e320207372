"""The action ``sleep``: waits, on the driver's own clock, without a process or a thread."""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.values import seconds

KIND = "sleep"
MODE: Literal["timer"] = "timer"
MAIN = "for"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def duration(fields: Mapping[str, Any]) -> float:
    return seconds(fields.get("for"), "sleep")


def do(fields: Mapping[str, Any], context: Context) -> Result:  # noqa: ARG001 - the same for every action
    return Result({"seconds": duration(fields)})
