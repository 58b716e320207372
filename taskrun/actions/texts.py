"""What ``file``, ``template`` and ``edit`` share: one file shall have these bytes, and perhaps this mode."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from taskrun.actions.changes import modes, placing
from taskrun.actions.changes.work import Stage
from taskrun.actions.deeds import Making, Plan
from taskrun.actions.images import content
from taskrun.actions.images.inodes import ABSENT, FILE, LINK, Node, node_at, put_mode, put_owner, put_xattrs
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, missing_folders, sync_folder
from taskrun.errors import ActionError

Bytes = Callable[[], Iterator[bytes]]  # the new content, piece by piece; may be asked for more than once


def plan_for(making: Making, place: Place, new: Bytes) -> Plan:
    """Nothing for a file that is as it shall be; its mode alone where only that differs; else a new file."""
    node = file_at(place)
    mode = making.mode()
    digest = content.new_sha256()
    for piece in new():
        digest.update(piece)
    result: dict[str, Any] = {"path": place.path, "sha256": digest.hexdigest(), "changed": True}
    if node.kind == FILE and _has(place, digest.hexdigest(), making.pace):
        if mode in (None, node.mode):
            return Plan([], {**result, "changed": False})
        assert mode is not None
        return Plan([modes.plan(place, node, mode)], result)
    return Plan([*making.folders(place), placing.plan(place, making.ledger, making.pace)], result)


def file_at(place: Place) -> Node:
    """The file at a place, or a node of kind ABSENT; anything else there is a failure."""
    if missing_folders(place.folder):
        return Node("", ABSENT)
    with place.parent() as parent:
        node = node_at(parent, place.name)
    if node.kind == LINK:
        raise ActionError("IsLink", f"{place.path} is a symbolic link to {node.target}: name the file itself")
    if node.kind not in (FILE, ABSENT):
        raise ActionError("NotAFile", f"{place.path} is {node.described}, not a file")
    return node


def _has(place: Place, sha256: str, pace: Pace) -> bool:
    with reading(place) as fd:
        return content.sha256(fd, pace) == sha256


@contextmanager
def reading(place: Place) -> Iterator[int]:
    with place.parent() as parent:
        fd = os.open(place.name, content.READ, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


def stage_for(place: Place, mode: int | None, new: Bytes, *, durable: bool) -> Stage:
    """A file with the new content, and with the owner, mode and attributes of the one it takes the place of."""

    def stage(parent: int, name: str) -> None:
        old = node_at(parent, place.name)
        is_new = old.kind != FILE
        # Only a new file without a mode of its own is open to whom the umask lets in, from the beginning.
        fd = os.open(name, content.CREATE, 0o666 if is_new and mode is None else 0o600, dir_fd=parent)
        try:
            for piece in new():
                content.write_all(fd, piece)
            if not is_new:
                _inherit(parent, name, place, old)
            if mode is not None or not is_new:
                put_mode(parent, name, old.mode if mode is None else mode)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(parent, durable)

    return stage


def _inherit(parent: int, name: str, place: Place, old: Node) -> None:
    try:
        put_owner(parent, name, old.uid, old.gid)
    except PermissionError as error:
        who = f"user {old.uid} and group {old.gid}"
        message = (
            f"{place.path} belongs to {who}: replacing it would change that, which only root may put back"
        )
        raise ActionError("PermissionError", message) from error
    put_xattrs(parent, name, old.xattrs)


def once(data: bytes) -> Bytes:
    return lambda: iter((data,))


def pieces_of(path: str, pace: Pace) -> Iterator[bytes]:
    """The bytes of a file that is only read; links to it are followed."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ActionError("NotAFile", f"{path} is not a file")
        yield from content.pieces(fd, pace)
    finally:
        os.close(fd)
