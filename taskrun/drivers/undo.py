"""Undoing a task from what was kept of it: by its action itself (`revert: auto`), or from images (`restore`).

Each attempt has a directory of its own, ``images/TASK/ROUND.ATTEMPT``; a round ends when the task is back at PENDING.
The images of a `restore` are those from before the first attempt of a round: ``images/TASK/ROUND.image``. Nothing but
these directories is needed, so a task can be undone whose expressions, files or secrets are gone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from taskrun.actions import registry
from taskrun.actions.base import Action, Context, Result
from taskrun.errors import ActionError

KEPT: Final = frozenset({"auto", "restore"})  # the forms of `revert` that this module is about


def is_kept(task: Mapping[str, Any]) -> bool:
    return task["revert"]["form"] in KEPT


def is_restored(task: Mapping[str, Any]) -> bool:
    return bool(task["revert"]["form"] == "restore")


def folder_of(run_dir: str, name: str, round_: int, which: str) -> str:
    """``which``: the number of an attempt, or ``image``."""
    return f"{run_dir}/images/{name}/{round_}.{which}"


def folders_of(task: Mapping[str, Any], run_dir: str, name: str, round_: int, attempts: int) -> list[str]:
    """What was kept of a round, the last first."""
    which = ["image"] if is_restored(task) else [str(number) for number in range(attempts, 0, -1)]
    folders = [folder_of(run_dir, name, round_, each) for each in which]
    return [folder for folder in folders if os.path.isdir(folder)]


def restoring() -> Action:
    """The action behind `restore`."""
    from taskrun.actions import restore  # noqa: PLC0415 - 3 ms, and few tasks need it

    return restore


def undoing(task: Mapping[str, Any], folders: Sequence[str]) -> Callable[[Context], Result]:
    """The undo of a task, to be called in a thread; it may be called again."""
    action = restoring() if is_restored(task) else registry.get(task["kind"])
    revert: Callable[[Context], Result] | None = getattr(action, "revert", None)

    def call(context: Context) -> Result:
        if revert is None:
            raise ActionError("Irreversible", f"the action {task['kind']!r} cannot undo itself")
        results = [revert(context._replace(images=folder)).values for folder in folders]
        return Result({"changed": any(values.get("changed") for values in results)})

    return call
