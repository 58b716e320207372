"""``revert: {restore: [paths]}``: images of files and trees, taken before a task and put back by its undo.

No action that a file could name: the driver calls it around an action of any kind. What was not there is gone again
afterwards, with the directories on the way to it if nothing else is in them. Nothing is checked for drift: a script
may change the paths as it likes, and so whatever happened to them since is lost.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result
from taskrun.actions.deeds import told
from taskrun.actions.images.inodes import ABSENT
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, missing_folders, place_of, sibling
from taskrun.actions.images.restoring import Restorer
from taskrun.actions.images.taking import packed, take, unpacked
from taskrun.actions.values import path_in
from taskrun.errors import ActionError

KIND = "restore"
MODE: Literal["thread"] = "thread"
MAIN = "paths"
WRITES = False
AUTO = True
EFFECT_FREE = True
IDEMPOTENT = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def prepare(fields: Mapping[str, Any], context: Context) -> None:
    """Take the images, unless an earlier beginning has taken all of them."""
    ledger = Ledger(context.images, durable=context.durable)
    with told({}, context):
        if ledger.is_prepared or ledger.is_undone:
            return
        pace, refuse = Pace(context), [_mark(context.run_dir)]
        with ledger.begun():
            images = []
            for place in _places(fields, context):
                missing = missing_folders(place.folder)
                image = take(place, ledger, pace, refuse=refuse)
                images.append({"path": place.path, "missing": missing, "image": packed(image)})
            ledger.prepared({"kind": KIND, "random": os.urandom(6).hex(), "images": images})


def _mark(folder: str) -> str:
    status = os.stat(folder)
    return f"{status.st_dev}:{status.st_ino}"


def _places(fields: Mapping[str, Any], context: Context) -> list[Place]:
    paths = fields["paths"]
    if not isinstance(paths, list):
        paths = [paths]
    return [place_of(path_in(context.cwd, path)) for path in paths]


def do(fields: Mapping[str, Any], context: Context) -> Result:
    """Taking the images is all."""
    return Result({"paths": [place.path for place in _places(fields, context)]})


def revert(context: Context) -> Result:
    """Put everything back; cut short, it may be done again."""
    ledger = Ledger(context.images, durable=context.durable)
    with told({}, context):
        if ledger.is_undone or not ledger.is_prepared:
            ledger.clear()
            return Result({"changed": False})
        manifest = ledger.manifest()
        restorer = Restorer(ledger, Pace(context), sibling("restored", manifest["random"]))
        for kept in reversed(manifest["images"]):
            _put_back(kept, restorer)
        restorer.relink([(kept["path"], unpacked(kept["image"])) for kept in manifest["images"]])
        ledger.finish()
        return Result({"changed": True})


def _put_back(kept: Mapping[str, Any], restorer: Restorer) -> None:
    folder, _, name = kept["path"].rpartition("/")
    place, image = Place(folder or "/", name), unpacked(kept["image"])
    try:
        if image[0].kind != ABSENT or os.path.isdir(place.folder):
            restorer.restore(place, image)
    except NotADirectoryError as error:
        message = f"{place.folder} is no directory any more, so {place.path} cannot be put back"
        raise ActionError("Drift", message) from error
    if image[0].kind == ABSENT:
        for each in reversed(kept["missing"]):
            _remove_empty(each)


def _remove_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return  # not made after all, or in use by something else
