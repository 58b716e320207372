"""An image of a file, a link, a tree, or of nothing.

Bytes are copied, or shared where the file system can; a hard link would change with a file that is edited in place.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from taskrun.actions.images import content
from taskrun.actions.images.inodes import FILE, OTHER, Node, is_untouched, node_at
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, may_link
from taskrun.actions.images.walk import Found, walk
from taskrun.errors import ActionError

Image = Sequence[Node]  # the root first, every directory before what is in it

_TRIES = 5


def take(place: Place, ledger: Ledger, pace: Pace, *, refuse: Iterable[str] = ()) -> list[Node]:
    """What is at a place, whole; its bytes are in the ledger, and durable, when this returns.

    Raises:
        ActionError: it cannot be put back (a device, a socket), it is too large, or ``refuse`` (the state of runs
            itself) lies below it.
    """
    try:
        with place.parent() as parent:
            return [_image(found, place, ledger, pace, refuse) for found in walk(parent, place.name)]
    except (FileNotFoundError, NotADirectoryError):
        if os.path.lexists(place.path):
            raise
        return [node_absent()]


def node_absent() -> Node:
    return Node("", "absent")


def _image(found: Found, place: Place, ledger: Ledger, pace: Pace, refuse: Iterable[str]) -> Node:
    node = found.node
    pace.check()
    if node.kind == OTHER:
        what = f"{_path(place, node)} is {node.described}"
        raise ActionError("CannotKeep", f"{what}: it could not be made again, so no before-image is taken")
    if f"{node.device}:{node.inode}" in refuse:
        raise ActionError("CannotKeep", f"{place.path} holds taskrun's own state, in {_path(place, node)}")
    return _with_bytes(found, place, ledger, pace) if node.kind == FILE else node


def _path(place: Place, node: Node) -> str:
    return f"{place.path}/{node.path}" if node.path else place.path


def _with_bytes(found: Found, place: Place, ledger: Ledger, pace: Pace) -> Node:
    """The node with its blob, both from a moment in which nobody wrote to the file."""
    node = found.node
    for _ in range(_TRIES):
        kept = _keep(found, node, ledger) if node.links > 1 else ""
        if kept:
            node = node_at(found.parent, found.name, node.path)
        blob = _copy(found, place, node, ledger, pace)
        now = node_at(found.parent, found.name, node.path)
        if is_untouched(node, now):
            return node._replace(blob=blob, kept=kept)
        os.unlink(ledger.path(blob))
        node = now
        if node.kind != FILE:
            break
    raise ActionError("Busy", f"{_path(place, node)} is being changed while its before-image is taken")


def _keep(found: Found, node: Node, ledger: Ledger) -> str:
    """A file with other names: the inode is kept too, so that an undo can give it this name back."""
    name = f"kept-{node.inode}"
    if not may_link(node.device):
        return ""
    try:
        if not os.path.lexists(ledger.path(name)):
            os.link(found.name, ledger.path(name), src_dir_fd=found.parent, follow_symlinks=False)
    except OSError:
        return ""  # another file system, or not ours to link: its bytes will do
    return name if os.lstat(ledger.path(name)).st_ino == node.inode else ""


def _copy(found: Found, place: Place, node: Node, ledger: Ledger, pace: Pace) -> str:
    source = os.open(found.name, content.READ, dir_fd=found.parent)
    try:
        blob, target = ledger.new_blob()
        try:
            if not content.share(source, target):
                pace.spend(node.size, _path(place, node))
                content.copy(source, target, pace)
            if ledger.durable:
                os.fsync(target)
        finally:
            os.close(target)
    finally:
        os.close(source)
    return blob


def packed(image: Image) -> list[list[Any]]:
    """As a manifest keeps it."""
    return [list(node) for node in image]


def unpacked(image: Sequence[Sequence[Any]]) -> list[Node]:
    return [Node(*node) for node in image]
