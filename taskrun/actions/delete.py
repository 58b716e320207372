"""The action ``delete``: a file, a link or a directory with all that is in it shall be gone.

It is moved whole into the run's own trash, by one rename, and stays there until the run is pruned: the undo moves it
back. On another file system than the state of runs an image is kept, within the limit for images, and then it is taken
away. ``missing_ok: true`` makes a path that is not there no failure.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds
from taskrun.actions.base import Context, Result
from taskrun.actions.changes import trashing
from taskrun.actions.copy import node_of
from taskrun.actions.images.inodes import ABSENT
from taskrun.errors import ActionError

KIND = "delete"
MODE: Literal["thread"] = "thread"
MAIN = "path"
WRITES = False
AUTO = True
EFFECT_FREE = False
IDEMPOTENT = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

revert = deeds.revert


def prepare(fields: Mapping[str, Any], context: Context) -> None:
    deeds.prepare(KIND, fields, context, _plan)


def _plan(making: deeds.Making) -> deeds.Plan:
    place = making.place("path")
    node = node_of(place)
    result = {"path": place.path, "changed": True}
    if node.kind != ABSENT:
        return deeds.Plan([trashing.plan(place, node)], result)
    if making.fields.get("missing_ok") is not True:
        raise ActionError("FileNotFoundError", f"{place.path} is not there; `missing_ok: true` allows that")
    return deeds.Plan([], {**result, "changed": False})


def do(fields: Mapping[str, Any], context: Context) -> Result:
    return deeds.do(fields, context, deeds.nothing_to_stage)
