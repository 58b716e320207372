"""The action ``approve``: a person says whether the run may go on.

Nothing is done and nothing is waited for: the run suspends, and goes on when somebody has resolved the task. At a
terminal the command asks right away.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.values import text_of

KIND = "approve"
MODE: Literal["person"] = "person"
MAIN = "message"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def question(fields: Mapping[str, Any]) -> str:
    """What the person is asked."""
    return text_of(fields.get("message")) or "May the run go on?"


def do(fields: Mapping[str, Any], context: Context) -> Result:  # noqa: ARG001 - the same for every action
    return Result({"message": question(fields)})
