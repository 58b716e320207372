"""How an action on files is carried out and undone: changes from a table, one after another, by the ledger.

    prepare   before-images of all that will change, durable before anything does
    do        the changes, in order; repeated after a crash it acts once
    revert    a look at all of them, then backwards; from the ledger alone

What has drifted (is not what was put there) stops an undo before it begins, unless the task's ``on_drift`` says
``skip`` (leave it as it is) or ``force`` (put the old back all the same).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from os import urandom
from typing import Any, NamedTuple

from taskrun.actions.base import Context, Result
from taskrun.actions.changes import folders, modes, moving, placing, trashing
from taskrun.actions.changes.work import Change, Look, Work
from taskrun.actions.images.failures import failure_of
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, missing_folders, place_of
from taskrun.actions.values import path_in, text_of
from taskrun.errors import ActionError

DRIFT = "Drift"
_CHANGES: Mapping[str, Any] = {
    "folder": folders,
    "mode": modes,
    "move": moving,
    "place": placing,
    "trash": trashing,
}


Stage = Callable[["Making", int, str], None]  # makes the new thing, complete and durable, at a free name


class Plan(NamedTuple):
    """What an action will change. ``result`` holds what is known of it already."""

    changes: Sequence[Change]
    result: Mapping[str, Any]


class Making:
    """What a plan is made with."""

    def __init__(self, fields: Mapping[str, Any], context: Context, ledger: Ledger, pace: Pace) -> None:
        self.fields = fields
        self.context = context
        self.ledger = ledger
        self.pace = pace

    def place(self, field: str) -> Place:
        return place_of(path_in(self.context.cwd, self.fields[field]))

    def folders(self, place: Place) -> list[Change]:
        """The parents of a place that are to be made, if ``parents`` allows it."""
        missing = missing_folders(place.folder)
        if missing and self.fields.get("parents") is not True:
            raise ActionError(
                "FileNotFoundError",
                f"the directory {missing[0]} is not there; make it with `mkdir`, or with `parents: true`",
            )
        return [folders.plan(place_of(each), None, implied=True) for each in missing]

    def mode(self) -> int | None:
        """The field ``mode``, in octal."""
        text = text_of(self.fields.get("mode"))
        if not text:
            return None
        try:
            mode = int(text.removeprefix("0o"), 8)
        except ValueError:
            mode = -1
        if not 0 <= mode <= 0o7777:
            raise ActionError(
                "InvalidField", f'mode: {text!r} is not a file mode; write it in octal, as "0644"'
            )
        return mode


def prepare(kind: str, fields: Mapping[str, Any], context: Context, plan: Callable[[Making], Plan]) -> None:
    """Take the images, unless an earlier beginning of this very attempt has taken them."""
    ledger = Ledger(context.images, durable=context.durable)
    with told(fields, context):
        policy = on_drift(fields)
        if ledger.is_prepared or ledger.is_undone:
            return
        with ledger.begun():
            planned = plan(Making(fields, context, ledger, Pace(context)))
            manifest = {"kind": kind, "random": urandom(6).hex(), "on_drift": policy}
            ledger.prepared({**manifest, "changes": planned.changes, "result": planned.result})


def on_drift(fields: Mapping[str, Any]) -> str:
    policy = text_of(fields.get("on_drift")) or "stop"
    if policy not in ("stop", "skip", "force"):
        raise ActionError("InvalidField", f"on_drift: {policy!r} is none of stop, skip, force")
    return policy


def do(fields: Mapping[str, Any], context: Context, stage: Stage) -> Result:
    """``stage`` is asked only for what was not made before a crash."""
    ledger = Ledger(context.images, durable=context.durable)
    with told(fields, context):
        manifest = ledger.manifest()
        work = Work(ledger, context, manifest["random"])
        making = Making(fields, context, ledger, work.pace)
        result = dict(manifest["result"])
        is_moved = False
        for number, change in enumerate(manifest["changes"]):
            key = str(number)
            if change["do"] == "place" and not is_moved:
                placed = placing.forward(work, key, change, partial(stage, making))
                if "sha256" in placed and "sha256" in result:
                    result["sha256"] = placed["sha256"]
            elif change["do"] == "move":
                is_moved = moving.forward(work, key, change) == moving.RENAMED
            elif not is_moved:
                _CHANGES[change["do"]].forward(work, key, change)
        return Result(result)


def nothing_to_stage(_making: Making, _parent: int, name: str) -> None:
    """For actions that put nothing new anywhere."""
    raise AssertionError(name)


def revert(context: Context) -> Result:
    """Undo what the ledger of an attempt says. Nothing there, or undone before: nothing to do."""
    ledger = Ledger(context.images, durable=context.durable)
    with told({}, context):
        if ledger.is_undone or not ledger.is_prepared:
            ledger.clear()
            folders.sweep(context.run_dir)
            return Result({"changed": False})
        manifest = ledger.manifest()
        work = Work(ledger, context, manifest["random"])
        changes = [(str(n), change) for n, change in enumerate(manifest["changes"])][::-1]
        looks = [_CHANGES[change["do"]].look(work, key, change) for key, change in changes]
        is_left = _is_left(looks, manifest["on_drift"], context)
        for key, change in changes:
            _CHANGES[change["do"]].tidy(work, key, change)
        if not is_left:
            for (key, change), look in zip(changes, looks, strict=True):
                if look.is_ours:
                    _CHANGES[change["do"]].backward(work, key, change)
        for key, change in changes:
            _CHANGES[change["do"]].tidy(work, key, change)
        ledger.finish()
        folders.sweep(context.run_dir)
        return Result({"changed": any(look.is_ours for look in looks)})


def _is_left(looks: Sequence[Look], policy: str, context: Context) -> bool:
    """Whether what has drifted is to stay as it is."""
    drifts = [look.drift for look in looks if look.drift]
    if not drifts:
        return False
    if policy == "stop":
        help_ = "put that right and say `taskrun revert`, or settle it with `taskrun resolve`"
        raise ActionError(DRIFT, f"not undone, for it was changed since: {'; '.join(drifts)}\n{help_}")
    what = "left as it is" if policy == "skip" else "undone all the same"
    context.log(f"{what}, though it was changed since: {'; '.join(drifts)}")
    return policy == "skip"


@contextmanager
def told(fields: Mapping[str, Any], context: Context) -> Iterator[None]:
    """What the operating system says becomes the task's failure."""
    try:
        yield
    except OSError as error:
        named = fields.get("path", fields.get("to"))
        raise failure_of(error, path_in(context.cwd, named) if named else None) from error
