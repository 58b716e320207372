"""Something new at a path: made beside it, complete and durable, then put in place by one rename."""

import os
from typing import Any

from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Stage, Work, drifted, place_in
from taskrun.actions.images import content
from taskrun.actions.images.fingerprint import NOTHING, differs, fingerprint
from taskrun.actions.images.inodes import (
    ABSENT,
    FILE,
    FOLDER,
    LINK,
    Node,
    is_untouched,
    node_at,
    put_attributes,
)
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, exists, missing_folders, sync_folder
from taskrun.actions.images.taking import packed, take
from taskrun.actions.images.walk import remove

_SHOWN = 64 << 10  # bytes of a text up to which what was written is kept, to show a difference


def plan(place: Place, ledger: Ledger, pace: Pace) -> Change:
    """The change, with the image of what it takes the place of."""
    image = packed(take(place, ledger, pace))
    return {"do": "place", "folder": place.folder, "name": place.name, "image": image}


def forward(work: Work, key: str, change: Change, stage: Stage) -> dict[str, Any]:
    """The fingerprint of what stands there now."""
    place = place_in(change)
    staging = work.staging(place, key)
    with place.parent() as parent:
        facts = work.ledger.facts(key)
        if facts is None:
            remove(parent, staging)
            stage(parent, staging)
            facts = {"placed": fingerprint(parent, staging, work.pace)}
            _keep_text(work, key, parent, staging, facts["placed"])
            sync_folder(parent, work.durable)
            work.ledger.note(key, facts)
        if exists(parent, staging):
            expect(place, parent, before_of(change))
            os.rename(staging, place.name, src_dir_fd=parent, dst_dir_fd=parent)
            sync_folder(parent, work.durable)
        placed: dict[str, Any] = facts["placed"]
        return placed


def before_of(change: Change) -> Node:
    """What was there, or a node of kind ABSENT."""
    return Node(*change["image"][0])


def expect(place: Place, parent: int, before: Node) -> None:
    """Refuse to go on where something else is there than was looked at."""
    now = node_at(parent, place.name)
    if before.kind == ABSENT and now.kind != ABSENT:
        raise drifted(place.path, "was made by somebody")
    if before.kind != ABSENT and not is_untouched(before, now):
        raise drifted(place.path, "was changed")


def _keep_text(work: Work, key: str, parent: int, name: str, placed: dict[str, Any]) -> None:
    if placed["kind"] != FILE or placed["size"] > _SHOWN:
        return
    source = os.open(name, content.READ, dir_fd=parent)
    try:
        target = os.open(
            work.ledger.path(f"text-{key}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        try:
            if work.context.mask is None:
                content.copy(source, target, work.pace)
            else:  # it is only to be shown
                text = b"".join(content.pieces(source, work.pace))
                content.write_all(target, work.context.mask(text))
        finally:
            os.close(target)
    finally:
        os.close(source)


def look(work: Work, key: str, change: Change) -> Look:
    facts, place = work.ledger.facts(key), place_in(change)
    if facts is None:
        return BEFORE
    before = before_of(change)
    if missing_folders(place.folder):
        return (
            BEFORE if before.kind == ABSENT else Look(True, f"{place.path} is gone, and so is its directory")
        )
    with place.parent() as parent:
        if exists(parent, work.staging(place, key)):
            return BEFORE  # never put in place
        now = fingerprint(parent, place.name, work.pace)
        how = differs(facts["placed"], now)
        if not how:
            return AFTER
        if not differs(_print_of(work, before), now):
            return BEFORE
        return Look(True, f"{place.path} {how}{_difference(work, key, place, parent)}")


def _print_of(work: Work, before: Node) -> dict[str, Any]:
    """What the fingerprint of the image would be."""
    if before.kind == ABSENT:
        return dict(NOTHING)
    facts: dict[str, Any] = {"kind": before.kind, "mode": before.mode, "uid": before.uid, "gid": before.gid}
    if before.kind == LINK:
        return {"kind": LINK, "target": before.target, "uid": before.uid, "gid": before.gid}
    if before.kind == FILE:
        fd = os.open(work.ledger.path(before.blob), content.READ)
        try:
            facts["size"], facts["sha256"] = before.size, content.sha256(fd, work.pace)
        finally:
            os.close(fd)
    return facts


def _difference(work: Work, key: str, place: Place, parent: int) -> str:
    from taskrun.actions.changes.difference import difference  # noqa: PLC0415 - only when something has drifted

    text = work.ledger.path(f"text-{key}")
    if not os.path.exists(text) or node_at(parent, place.name).kind != FILE:
        return ""
    fd = os.open(place.name, content.READ, dir_fd=parent)
    try:
        if os.fstat(fd).st_size > _SHOWN:
            return ""
        now = b"".join(content.pieces(fd, work.pace))
    finally:
        os.close(fd)
    if work.context.mask is not None:
        now = work.context.mask(now)
    with open(text, "rb") as file:
        return difference(file.read(), now)


def backward(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    before = before_of(change)
    unstaging = work.unstaging(place, key)
    restorer = work.restorer(place, key)
    if before.kind == ABSENT and missing_folders(place.folder):
        return
    restorer.remake_folders(place)
    with place.parent() as parent:
        remove(parent, unstaging)
        now = node_at(parent, place.name)
        if now.kind == FOLDER or (before.kind == ABSENT and now.kind != ABSENT):
            os.rename(place.name, unstaging, src_dir_fd=parent, dst_dir_fd=parent)
            remove(parent, unstaging)
        if before.kind != ABSENT:
            if not _take_kept(work, parent, unstaging, before):
                restorer.build(parent, unstaging, before)
            os.rename(unstaging, place.name, src_dir_fd=parent, dst_dir_fd=parent)
        sync_folder(parent, work.durable)


def _take_kept(work: Work, parent: int, name: str, before: Node) -> bool:
    """Make ``name`` one more name of the original inode, if that still has the bytes it had."""
    if not before.kept:
        return False
    kept, blob = work.ledger.path(before.kept), work.ledger.path(before.blob)
    one, other = os.open(kept, content.READ), os.open(blob, content.READ)
    try:
        if not content.are_equal(one, other, work.pace):
            return False
    finally:
        os.close(one)
        os.close(other)
    os.link(kept, name, dst_dir_fd=parent)
    put_attributes(parent, name, before)
    return True


def tidy(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    if missing_folders(place.folder):
        return
    with place.parent() as parent:
        remove(parent, work.staging(place, key))
        remove(parent, work.unstaging(place, key))
