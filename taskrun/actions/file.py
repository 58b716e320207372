"""The action ``file``: a file with this ``content``, or with that of the file ``source``.

Written beside its place and put there by one rename, so that whoever reads the path sees the old file or the new one,
never a part. A file that is replaced hands on its mode (unless ``mode`` is given), owner and extended attributes; a
new one gets what the umask gives. A symbolic link at the path is a failure: it is not clear which file is meant.
Nothing is touched when the content is there already.

Failure types: IsLink, NotAFile, Drift, InvalidField, Timeout, Cancelled, and those of the operating system
(FileNotFoundError, PermissionError, ENOSPC, ...). The same for all actions on files.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds, texts
from taskrun.actions.base import Context, Result
from taskrun.actions.images.pace import Pace
from taskrun.actions.values import path_in, text_of
from taskrun.errors import ActionError

KIND = "file"
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
    def plan(making: deeds.Making) -> deeds.Plan:
        return texts.plan_for(making, making.place("path"), _content(fields, context, making.pace))

    deeds.prepare(KIND, fields, context, plan)


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(making: deeds.Making, parent: int, name: str) -> None:
        new = _content(fields, context, making.pace)
        texts.stage_for(making.place("path"), making.mode(), new, durable=context.durable)(parent, name)

    return deeds.do(fields, context, stage)


def _content(fields: Mapping[str, Any], context: Context, pace: Pace) -> texts.Bytes:
    if ("content" in fields) == ("source" in fields):
        raise ActionError("InvalidField", "file needs either content or source")
    if "content" in fields:
        return texts.once(text_of(fields["content"]).encode("utf-8", "surrogateescape"))
    source = path_in(context.cwd, fields["source"])

    return lambda: texts.pieces_of(source, pace)
