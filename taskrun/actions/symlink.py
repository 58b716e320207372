"""The action ``symlink``: a symbolic link to ``to``, put in place by one rename.

A link that is there is replaced, whatever it pointed to; anything else there is a failure. ``to`` goes into the link
as it is written: a relative one starts at the link's own directory. It need not exist.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds
from taskrun.actions.base import Context, Result
from taskrun.actions.changes import placing
from taskrun.actions.copy import node_of
from taskrun.actions.images.inodes import ABSENT, LINK
from taskrun.actions.values import checked_argument, text_of
from taskrun.errors import ActionError

KIND = "symlink"
MODE: Literal["thread"] = "thread"
MAIN = ""
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
    place, target = making.place("path"), _target(making.fields)
    node = node_of(place)
    result = {"path": place.path, "to": target, "before": node.target or None, "changed": True}
    if node.kind not in (ABSENT, LINK):
        raise ActionError("FileExistsError", f"{place.path} is {node.described}, not a symbolic link")
    if node.kind == LINK and node.target == target:
        return deeds.Plan([], {**result, "changed": False})
    return deeds.Plan([*making.folders(place), placing.plan(place, making.ledger, making.pace)], result)


def _target(fields: Mapping[str, Any]) -> str:
    target = checked_argument(text_of(fields.get("to")), "the target of a link")
    if not target:
        raise ActionError("InvalidField", "the target of the link is empty")
    return target


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(_making: deeds.Making, parent: int, name: str) -> None:
        os.symlink(_target(fields), name, dir_fd=parent)

    return deeds.do(fields, context, stage)
