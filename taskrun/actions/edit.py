"""The action ``edit``: a part of a text file as it shall be; the rest of it stays, byte for byte.

``line`` (in place of the last line that ``match`` finds, else at the end, unless it is there already), ``block``
(between two marker lines that ``marker`` names; an empty one takes them away), or ``set`` (values by dotted key in
INI, JSON, YAML, TOML or .env, by the suffix or ``format``). ``create: true`` begins with an empty file where there is
none. The new file is put in place as the action ``file`` does it.

Further failure types: CannotEdit (the value cannot be changed and the rest kept), InvalidFile.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds, texts
from taskrun.actions.base import Context, Result
from taskrun.actions.editing.blocks import put_block
from taskrun.actions.editing.lines import put_line
from taskrun.actions.images import content
from taskrun.actions.images.inodes import ABSENT
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place
from taskrun.actions.values import text_of
from taskrun.errors import ActionError

KIND = "edit"
MODE: Literal["thread"] = "thread"
MAIN = ""
WRITES = False
AUTO = True
EFFECT_FREE = False
IDEMPOTENT = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

SIZE_LIMIT = 64 << 20  # bytes of a file that is edited

revert = deeds.revert


def prepare(fields: Mapping[str, Any], context: Context) -> None:
    def plan(making: deeds.Making) -> deeds.Plan:
        place = making.place("path")
        return texts.plan_for(making, place, texts.once(_edited(fields, place, making.pace)))

    deeds.prepare(KIND, fields, context, plan)


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(making: deeds.Making, parent: int, name: str) -> None:
        place = making.place("path")
        new = texts.once(_edited(fields, place, making.pace))
        texts.stage_for(place, None, new, durable=context.durable)(parent, name)

    return deeds.do(fields, context, stage)


def _edited(fields: Mapping[str, Any], place: Place, pace: Pace) -> bytes:
    if sum(name in fields for name in ("line", "block", "set")) != 1:
        raise ActionError("InvalidField", "edit needs one of line, block and set")
    text = _read(fields, place, pace).decode("utf-8", "surrogateescape")
    try:
        return _changed(fields, text, place).encode("utf-8", "surrogateescape")
    except ActionError as error:
        raise ActionError(error.type, f"{place.path}: {error.message}") from error


def _read(fields: Mapping[str, Any], place: Place, pace: Pace) -> bytes:
    node = texts.file_at(place)
    if node.kind == ABSENT:
        if fields.get("create") is True:
            return b""
        raise ActionError(
            "FileNotFoundError", f"{place.path} is not there; `create: true` begins with an empty file"
        )
    if node.size > SIZE_LIMIT:
        raise ActionError(
            "TooLarge", f"{place.path} is larger than {SIZE_LIMIT:,} bytes, too large to be edited"
        )
    with texts.reading(place) as fd:
        return b"".join(content.pieces(fd, pace))


def _changed(fields: Mapping[str, Any], text: str, place: Place) -> str:
    if "line" in fields:
        match = fields.get("match")
        # A block of YAML brings a line feed at its end.
        return put_line(text, text_of(fields["line"]).rstrip("\n"), None if match is None else text_of(match))
    if "block" in fields:
        return put_block(text, text_of(fields["block"]), text_of(fields.get("marker")) or None)
    from taskrun.actions.editing.documents import format_of, put_values  # noqa: PLC0415 - only for `set`

    values = fields["set"]
    if not isinstance(values, dict) or not values:
        raise ActionError("InvalidField", "set: a map of dotted keys to values is needed")
    return put_values(text, format_of(place.path, text_of(fields.get("format")) or None), values)
