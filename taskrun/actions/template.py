"""The action ``template``: a file made from the file ``source``, with the values of its ``${{ }}`` put in.

The same names as in the workflow's own expressions. What comes out is text: true and false, nothing for null, JSON for
lists and maps. Put in place as the action ``file`` does it. The undo needs neither the source nor the values.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds, texts
from taskrun.actions.base import Context, Result
from taskrun.actions.images.pace import Pace
from taskrun.actions.values import path_in, text_of
from taskrun.errors import ActionError

KIND = "template"
MODE: Literal["thread"] = "thread"
MAIN = ""
WRITES = False
AUTO = True
EFFECT_FREE = False
IDEMPOTENT = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

revert = deeds.revert

SIZE_LIMIT = 8 << 20  # bytes of a source


def prepare(fields: Mapping[str, Any], context: Context) -> None:
    def plan(making: deeds.Making) -> deeds.Plan:
        new = texts.once(_rendered(fields, context, making.pace))
        return texts.plan_for(making, making.place("path"), new)

    deeds.prepare(KIND, fields, context, plan)


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(making: deeds.Making, parent: int, name: str) -> None:
        new = texts.once(_rendered(fields, context, making.pace))
        texts.stage_for(making.place("path"), making.mode(), new, durable=context.durable)(parent, name)

    return deeds.do(fields, context, stage)


def _rendered(fields: Mapping[str, Any], context: Context, pace: Pace) -> bytes:
    path = path_in(context.cwd, fields["source"])
    pieces, size = [], 0
    for piece in texts.pieces_of(path, pace):
        pieces.append(piece)
        size += len(piece)
        if size > SIZE_LIMIT:
            raise ActionError(
                "TooLarge", f"{path} is larger than {SIZE_LIMIT:,} bytes, too large for a template"
            )
    try:
        source = b"".join(pieces).decode()
    except UnicodeDecodeError as error:
        raise ActionError(
            "InvalidTemplate", f"{path} is not UTF-8: {error.reason} at byte {error.start}"
        ) from error
    return text_of(context.render(source, path)).encode("utf-8", "surrogateescape")
