"""Something taken away: moved whole into the run's own trash, or, from another file system, kept there as an image."""

import os
from errno import EINVAL, EXDEV
from typing import Any

from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Work, drifted, place_in
from taskrun.actions.images.inodes import ABSENT, Node, is_untouched, node_at
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
            gone = work.staging(place, key)
            now, node = node_at(parent, place.name), Node(*change["node"])
            if now.inode == node.inode:  # anything else was put there since, and is not ours
                os.rename(place.name, gone, src_dir_fd=parent, dst_dir_fd=parent)
                sync_folder(parent, work.durable)
            remove(parent, gone)
        sync_folder(parent, work.durable)


def _take_away(work: Work, key: str, change: Change, parent: int) -> str:
    place, trash = place_in(change), work.ledger.path(f"trash-{key}")
    if not os.path.lexists(trash):
        now, node = node_at(parent, place.name), Node(*change["node"])
        if now.inode != node.inode:
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
            work.ledger.note(key, {"way": COPIED, "image": packed(image)})
            _expect(place, image[0], node_at(parent, place.name))
            return COPIED
        work.ledger.sync()
    work.ledger.note(key, {"way": TRASHED})
    return TRASHED


def _expect(place: Place, kept: Node, now: Node) -> None:
    if not is_untouched(kept, now):
        raise drifted(place.path, "was changed")


def look(work: Work, key: str, change: Change) -> Look:
    facts, place = work.ledger.facts(key) or {}, place_in(change)
    trash = work.ledger.path(f"trash-{key}")
    if facts.get("way") != COPIED and not os.path.lexists(trash):
        return BEFORE  # never taken away, or put back already
    if missing_folders(place.folder):
        return AFTER
    with place.parent() as parent:
        now = node_at(parent, place.name)
        if now.kind == ABSENT:
            return AFTER
        known = (Node(*change["node"]).inode, facts.get("put_back"))
        if facts.get("way") == COPIED and now.inode in known:
            return BEFORE
    return Look(True, f"{place.path} is there again: {now.described}")


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
