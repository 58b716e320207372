"""Something taken away: moved whole into the run's own trash, or, from another file system, kept there as an image."""

import os
from errno import EINVAL, EXDEV
from typing import Any

from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Work, drifted, place_in
from taskrun.actions.images.inodes import ABSENT, FOLDER, Node, is_same, is_untouched, node_at
from taskrun.actions.images.places import Place, exists, missing_folders, sync_folder
from taskrun.actions.images.taking import packed, take, unpacked
from taskrun.actions.images.walk import remove
from taskrun.errors import ActionError

TRASHED, COPIED = "trashed", "copied"


def plan(place: Place, node: Node) -> Change:
    return {"do": "trash", "folder": place.folder, "name": place.name, "node": list(node)}


def forward(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    with place.parent() as parent:
        way = (work.ledger.facts(key) or {}).get("way") or _take_away(work, key, change, parent)
        if way == COPIED:
            _remove_copied(work, key, change, parent)
        sync_folder(parent, work.durable)


def _remove_copied(work: Work, key: str, change: Change, parent: int) -> None:
    """What an image is kept of: gone at once by a rename, or, where even that cannot be had, piece by piece."""
    place, facts = place_in(change), work.ledger.facts(key) or {}
    gone = work.staging(place, key)
    if facts.get("piecemeal") is False:
        return  # done
    if facts.get("piecemeal"):
        remove(parent, place.name)
    elif is_same(Node(*change["node"]), node_at(parent, place.name)):  # anything else is not ours
        try:
            os.rename(place.name, gone, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError as error:
            if error.errno != EXDEV:  # as layered file systems say of directories in a lower layer
                raise
            facts = {**facts, "piecemeal": True}
            work.ledger.note(key, facts)
            remove(parent, place.name)
        sync_folder(parent, work.durable)
    if facts.get("piecemeal"):
        work.ledger.note(key, {**facts, "piecemeal": False})
    remove(parent, gone)


def _take_away(work: Work, key: str, change: Change, parent: int) -> str:
    place, trash = place_in(change), work.ledger.path(f"trash-{key}")
    if not os.path.lexists(trash):
        now, node = node_at(parent, place.name), Node(*change["node"])
        if not is_same(node, now):
            raise drifted(place.path, "was replaced" if now.kind != ABSENT else "was taken away")
        try:
            os.rename(place.name, trash, src_dir_fd=parent)
        except OSError as error:
            if error.errno == EINVAL:
                message = f"{place.path} holds taskrun's own state"
                raise ActionError("CannotKeep", message) from error
            if error.errno != EXDEV:
                raise
            image = take(place, work.ledger, work.pace)
            _expect(place, image[0], node_at(parent, place.name))
            work.ledger.note(key, {"way": COPIED, "image": packed(image)})
            return COPIED
        work.ledger.sync()
    work.ledger.note(key, {"way": TRASHED})
    return TRASHED


def _expect(place: Place, kept: Node, now: Node) -> None:
    # A directory is touched by reading it, where what is read is first brought into a layer of its own.
    if not (
        is_same(kept, now) and now.mtime == kept.mtime if kept.kind == FOLDER else is_untouched(kept, now)
    ):
        raise drifted(place.path, "was changed")


def look(work: Work, key: str, change: Change) -> Look:
    facts, place = work.ledger.facts(key) or {}, place_in(change)
    is_copied = facts.get("way") == COPIED
    if not is_copied and not os.path.lexists(work.ledger.path(f"trash-{key}")):
        return BEFORE  # never taken away, or put back already
    if missing_folders(place.folder):
        return AFTER
    with place.parent() as parent:
        now = node_at(parent, place.name)
    if now.kind == ABSENT:
        return AFTER
    return (_look_copied(facts, change, now) if is_copied else None) or Look(
        True, f"{place.path} is there again: {now.described}"
    )


def _look_copied(facts: dict[str, Any], change: Change, now: Node) -> Look | None:
    if now.inode == facts.get("put_back"):
        return BEFORE
    if facts.get("piecemeal"):
        return AFTER  # what a cut-short removal has left
    if "piecemeal" not in facts and is_same(Node(*change["node"]), now):
        return BEFORE
    return None


def backward(work: Work, key: str, change: Change) -> None:
    facts, place = work.ledger.facts(key) or {}, place_in(change)
    work.restorer(place, key).remake_folders(place)
    with place.parent() as parent:
        if exists(parent, place.name):
            remove(parent, place.name)
        if facts.get("way") == COPIED:
            _rebuild(work, key, facts, place, parent)
        else:
            os.rename(work.ledger.path(f"trash-{key}"), place.name, dst_dir_fd=parent)
        sync_folder(parent, work.durable)


def _rebuild(work: Work, key: str, facts: dict[str, Any], place: Place, parent: int) -> None:
    unstaging = work.unstaging(place, key)
    remove(parent, unstaging)
    beside = Place(place.folder, unstaging)
    work.restorer(beside, key).restore(beside, unpacked(facts["image"]))
    work.ledger.note(key, {**facts, "put_back": node_at(parent, unstaging).inode})
    os.rename(unstaging, place.name, src_dir_fd=parent, dst_dir_fd=parent)


def tidy(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    if missing_folders(place.folder):
        return
    with place.parent() as parent:
        remove(parent, work.staging(place, key))
        remove(parent, work.unstaging(place, key))
