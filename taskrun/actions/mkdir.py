"""The action ``mkdir``: a directory. One that is there already is as it shall be, apart from its ``mode`` if given.

``parents: true`` makes those above it as well. The undo takes away what was made, if it is empty by then.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds
from taskrun.actions.base import Context, Result
from taskrun.actions.changes import folders, modes
from taskrun.actions.copy import node_of
from taskrun.actions.images.inodes import ABSENT, FOLDER, LINK
from taskrun.actions.images.places import place_of
from taskrun.errors import ActionError

KIND = "mkdir"
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
    place, mode = making.place("path"), making.mode()
    node = node_of(place)
    if node.kind == LINK:
        place = place_of(f"{place.path}/.")  # a link to a directory is one
        node = node_of(place)
    result = {"path": place.path, "changed": True}
    if node.kind == ABSENT:
        return deeds.Plan([*making.folders(place), folders.plan(place, mode, implied=False)], result)
    if node.kind != FOLDER:
        raise ActionError("FileExistsError", f"{place.path} is {node.described}, not a directory")
    if mode in (None, node.mode):
        return deeds.Plan([], {**result, "changed": False})
    assert mode is not None
    return deeds.Plan([modes.plan(place, node, mode)], result)


def do(fields: Mapping[str, Any], context: Context) -> Result:
    return deeds.do(fields, context, deeds.nothing_to_stage)
