"""The action ``move``: a file, a link or a directory, from one path to another.

One rename on the same file system, so that it keeps being the same file, with its owner, times and links. To another
file system it is copied, put in place and then taken away. ``to`` is the new path itself, not the directory it goes
into. A file there is replaced; a directory there is a failure.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions import deeds
from taskrun.actions.base import Context, Result
from taskrun.actions.changes import moving, trashing
from taskrun.actions.copy import existing, node_of, refuse_merging
from taskrun.actions.images.copying import Copier

KIND = "move"
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
    old = existing(source)
    refuse_merging(old, node_of(target), source, target)
    move = moving.plan(source, target, making.ledger, making.pace)
    # The last two are for another file system; `moving` says whether they are needed.
    copied = {**{k: move[k] for k in ("folder", "name", "image")}, "do": "place"}
    changes = [*making.folders(target), move, copied, trashing.plan(source, old)]
    return deeds.Plan(changes, {"path": target.path, "changed": True})


def do(fields: Mapping[str, Any], context: Context) -> Result:
    def stage(making: deeds.Making, parent: int, name: str) -> None:
        source = making.place("from")
        with source.parent() as holder:
            Copier(making.pace, durable=context.durable, owners=True).copy(holder, source.name, parent, name)

    return deeds.do(fields, context, stage)
