"""A new directory: made beside its place, then put there by a rename, so that it is known which one is ours."""

import os
from contextlib import suppress

from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Work, drifted, place_in
from taskrun.actions.images.inodes import ABSENT, FOLDER, node_at, put_mode
from taskrun.actions.images.places import FOLDER as AS_FOLDER
from taskrun.actions.images.places import Place, exists, missing_folders, sync_folder
from taskrun.actions.images.walk import remove

_LEFT = ".left"  # directories that were still in use when they were to go
_SHOWN = 3


def plan(place: Place, mode: int | None, *, implied: bool) -> Change:
    """``implied``: made on the way to something else; such a one may stay when somebody else needs it."""
    return {"do": "folder", "folder": place.folder, "name": place.name, "mode": mode, "implied": implied}


def forward(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    staging = work.staging(place, key)
    with place.parent() as parent:
        facts = work.ledger.facts(key)
        if facts is None:
            remove(parent, staging)
            os.mkdir(staging, dir_fd=parent)
            if change["mode"] is not None:
                put_mode(parent, staging, change["mode"])
            work.ledger.note(key, {"inode": node_at(parent, staging).inode})
        if exists(parent, staging):
            _put_in_place(place, parent, staging, change)
        sync_folder(parent, work.durable)


def _put_in_place(place: Place, parent: int, staging: str, change: Change) -> None:
    now = node_at(parent, place.name)
    if now.kind == ABSENT:
        os.rename(staging, place.name, src_dir_fd=parent, dst_dir_fd=parent)
    elif now.kind == FOLDER and change["implied"]:
        os.rmdir(staging, dir_fd=parent)  # another task needed it as well, and was faster
    else:
        raise drifted(place.path, "was made by somebody")


def look(work: Work, key: str, change: Change) -> Look:
    facts, place = work.ledger.facts(key), place_in(change)
    if facts is None or missing_folders(place.folder):
        return BEFORE
    with place.parent() as parent:
        now = node_at(parent, place.name)
        if exists(parent, work.staging(place, key)) or now.kind != FOLDER or now.inode != facts["inode"]:
            return BEFORE
        if not change["implied"] and (inside := _entries(parent, place.name)):
            named = ", ".join(inside[:_SHOWN]) + (", ..." if len(inside) > _SHOWN else "")
            return Look(True, f"{place.path} is not empty any more: {named}")
    return AFTER


def _entries(parent: int, name: str) -> list[str]:
    fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    try:
        return sorted(os.listdir(fd))
    finally:
        os.close(fd)


def backward(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    if change["implied"]:
        if not _remove_empty(place):
            _leave(work, place)
        return
    with place.parent() as parent:
        unstaging = work.unstaging(place, key)
        remove(parent, unstaging)
        if exists(parent, place.name):
            os.rename(place.name, unstaging, src_dir_fd=parent, dst_dir_fd=parent)
            remove(parent, unstaging)
        sync_folder(parent, work.durable)


def _remove_empty(place: Place) -> bool:
    try:
        with place.parent() as parent:
            os.rmdir(place.name, dir_fd=parent)
            sync_folder(parent, durable=True)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # in use
    return True


def _leave(work: Work, place: Place) -> None:
    """Somebody else has put something into a directory we made: it goes with the last undo that empties it."""
    try:
        inode = os.stat(place.path, follow_symlinks=False).st_ino
    except FileNotFoundError:
        return
    folder = _left_folder(work.context.run_dir)
    os.makedirs(folder, 0o700, exist_ok=True)
    marker = f"{folder}/{inode}"
    fd = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(os.fsencode(place.path))
    sweep(work.context.run_dir)  # it may have been emptied in the meantime


def sweep(run_dir: str) -> None:
    """After an undo: take away directories of this run that had to be left, where they are empty now."""
    folder = _left_folder(run_dir)
    if not os.path.isdir(folder):
        return
    left = [(path, name) for name in os.listdir(folder) if (path := _read(f"{folder}/{name}"))]
    for path, name in sorted(left, key=lambda each: len(each[0]), reverse=True):
        if _is_gone(path, int(name)):
            with suppress(FileNotFoundError):  # another task's undo was faster
                os.unlink(f"{folder}/{name}")


def _read(marker: str) -> str:
    try:
        with open(marker, "rb") as file:
            return os.fsdecode(file.read())
    except FileNotFoundError:
        return ""


def _is_gone(path: str, inode: int) -> bool:
    try:
        if os.stat(path, follow_symlinks=False).st_ino != inode:
            return True
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # still in use
    return True


def _left_folder(run_dir: str) -> str:
    return f"{run_dir}/images/{_LEFT}"


def tidy(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    if missing_folders(place.folder):
        return
    with place.parent() as parent:
        remove(parent, work.staging(place, key))
        remove(parent, work.unstaging(place, key))
