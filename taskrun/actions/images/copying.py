"""A copy of a file, a link or a tree, as ``cp -a`` makes it."""

import os

from taskrun.actions.images import content
from taskrun.actions.images.inodes import FILE, FOLDER, LINK, PIPE, Node, put_attributes
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import FOLDER as AS_FOLDER
from taskrun.actions.images.places import sync_folder
from taskrun.actions.images.restoring import Descent
from taskrun.actions.images.walk import Found, walk
from taskrun.errors import ActionError

_SET_ID = 0o6000


class Copier:
    """``owners``: keep them; otherwise the copy belongs to whoever makes it, and no set-id bit is kept."""

    def __init__(self, pace: Pace, *, durable: bool, owners: bool) -> None:
        self._pace = pace
        self._durable = durable
        self._owners = owners

    def copy(self, source: int, source_name: str, target: int, target_name: str) -> None:
        """To a name that is free."""
        folders: list[Node] = []
        tree = walk(source, source_name)
        root = next(tree)
        self._make(root, target, target_name)
        if root.node.kind != FOLDER:
            self._attribute(target, target_name, root.node)
            return
        top = os.open(target_name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=target)
        descent = Descent(top)
        try:
            for found in tree:
                self._pace.check()
                folder, name = descent.to(found.node.path)
                self._make(found, folder, name)
                if found.node.kind == FOLDER:
                    folders.append(found.node)
                else:
                    self._attribute(folder, name, found.node)
            for node in reversed(folders):
                self._close(*descent.to(node.path), node)
        finally:
            descent.close()
            os.close(top)
        self._close(target, target_name, root.node)

    def _make(self, found: Found, folder: int, name: str) -> None:
        node = found.node
        if node.kind == FILE:
            self._copy_file(found, folder, name)
        elif node.kind == FOLDER:
            os.mkdir(name, 0o700, dir_fd=folder)
        elif node.kind == LINK:
            os.symlink(node.target, name, dir_fd=folder)
        elif node.kind == PIPE:
            os.mkfifo(name, 0o600, dir_fd=folder)
        else:
            raise ActionError("CannotCopy", f"{node.path or found.name} is {node.described}")

    def _copy_file(self, found: Found, folder: int, name: str) -> None:
        source = os.open(found.name, content.READ, dir_fd=found.parent)
        try:
            target = os.open(name, content.CREATE, 0o600, dir_fd=folder)
            try:
                content.copy(source, target, self._pace)
                if self._durable:
                    os.fsync(target)
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _attribute(self, folder: int, name: str, node: Node) -> None:
        if not self._owners:
            mine = os.stat(name, dir_fd=folder, follow_symlinks=False)
            mode = node.mode if (mine.st_uid, mine.st_gid) == (node.uid, node.gid) else node.mode & ~_SET_ID
            node = node._replace(uid=mine.st_uid, gid=mine.st_gid, mode=mode)
        put_attributes(folder, name, node)

    def _close(self, folder: int, name: str, node: Node) -> None:
        if self._durable:
            fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            try:
                sync_folder(fd, durable=True)
            finally:
                os.close(fd)
        self._attribute(folder, name, node)
