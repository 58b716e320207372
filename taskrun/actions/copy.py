"""The action ``copy``: a copy of a file, a link or a directory with all that is in it.

``to`` is the new path itself, not the directory it goes into. A file there is replaced by one rename; a directory
there is a failure, and so is anything there when a directory is copied: nothing is merged. Modes, times and extended
attributes are kept, ``mode`` overrides that of a file; the copy belongs to whoever runs taskrun. Links are copied as
links.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds
from taskrun.actions.base import Context, Result
from taskrun.actions.changes import placing
from taskrun.actions.images import content
from taskrun.actions.images.copying import Copier
from taskrun.actions.images.inodes import ABSENT, FILE, FOLDER, LINK, Node, node_at, put_mode
from taskrun.actions.images.places import Place, missing_folders
from taskrun.actions.texts import reading
from taskrun.errors import ActionError

KIND = "copy"
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
    source, target = making.place("from"), making.place("to")
    old, new = existing(source), node_of(target)
    refuse_merging(old, new, source, target)
    result: dict[str, Any] = {"path": target.path, "changed": True}
    if old.kind == FILE:
        result["sha256"] = None
    mode = making.mode()
    if mode is not None and old.kind != FILE:
        raise ActionError("InvalidField", f"mode is for a file, and {source.path} is {old.described}")
    if _is_copied(making, source, old, target, new, mode):
        with_sum = {"sha256": _sha256(making, source)} if old.kind == FILE else {}
        return deeds.Plan([], {**result, **with_sum, "changed": False})
    return deeds.Plan([*making.folders(target), placing.plan(target, making.ledger, making.pace)], result)


def existing(source: Place) -> Node:
    node = node_of(source)
    if node.kind == ABSENT:
        raise ActionError("FileNotFoundError", f"{source.path} is not there")
    return node


def node_of(place: Place) -> Node:
    if missing_folders(place.folder):
        return Node("", ABSENT)
    with place.parent() as parent:
        return node_at(parent, place.name)


def refuse_merging(old: Node, new: Node, source: Place, target: Place) -> None:
    """A directory, or something in the way of one, is nobody's to overwrite."""
    if new.kind == ABSENT:
        if old.kind == FOLDER and f"{target.path}/".startswith(f"{source.path}/"):
            raise ActionError("InvalidField", f"{target.path} is inside {source.path}")
        return
    if old.identity == new.identity:
        raise ActionError("InvalidField", f"{source.path} and {target.path} are the same file")
    if FOLDER in (old.kind, new.kind) or new.kind not in (FILE, LINK):
        help_ = "take it away in a task of its own, with `delete`"
        raise ActionError("FileExistsError", f"{target.path} is there already ({new.described}): {help_}")


def _is_copied(
    making: deeds.Making, source: Place, old: Node, target: Place, new: Node, mode: int | None
) -> bool:
    if old.kind == LINK:
        return new.kind == LINK and new.target == old.target
    if old.kind != FILE or new.kind != FILE or new.size != old.size:
        return False
    if new.mode != (old.mode if mode is None else mode):
        return False
    with reading(source) as one, reading(target) as other:
        return content.are_equal(one, other, making.pace)


def _sha256(making: deeds.Making, source: Place) -> str:
    with reading(source) as fd:
        return content.sha256(fd, making.pace)


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(making: deeds.Making, parent: int, name: str) -> None:
        source, mode = making.place("from"), making.mode()
        with source.parent() as holder:
            Copier(making.pace, durable=context.durable, owners=False).copy(holder, source.name, parent, name)
        if mode is not None:
            put_mode(parent, name, mode)

    return deeds.do(fields, context, stage)
