"""A world made equal to its image, touching only what differs.

What is the same stays the inode it is, with its links and with whoever has it open. A file that differs is replaced
at once, by a rename; one with further hard links is written in place, so that its other names get their bytes back
too. Every call may be cut short and repeated.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from taskrun.actions.images import content
from taskrun.actions.images.inodes import (
    ABSENT,
    FILE,
    FOLDER,
    LINK,
    PIPE,
    Node,
    is_untouched,
    node_at,
    put_attributes,
    put_mode,
)
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import FOLDER as AS_FOLDER
from taskrun.actions.images.places import Place, missing_folders, sync_folder
from taskrun.actions.images.walk import remove
from taskrun.errors import ActionError


class Restorer:
    """Puts images back from one ledger. ``temporary`` is a name nobody else uses, in any directory."""

    def __init__(self, ledger: Ledger, pace: Pace, temporary: str) -> None:
        self._ledger = ledger
        self._pace = pace
        self._temporary = temporary

    def restore(self, place: Place, image: Sequence[Node]) -> None:
        """Make what is at a place what the image says, whatever is there now."""
        root = image[0]
        if root.kind != ABSENT:
            self.remake_folders(place)
        elif missing_folders(place.folder):
            return
        with place.parent() as parent:
            if root.kind != FOLDER:
                self._put(parent, place.name, root)
            else:
                self._put_tree(parent, place.name, image)
            sync_folder(parent, self._ledger.durable)

    @staticmethod
    def remake_folders(place: Place) -> None:
        for folder in missing_folders(place.folder):
            os.mkdir(folder)

    # ------------------------------------------------------------------ one thing

    def _put(self, parent: int, name: str, wanted: Node) -> None:
        """Anything but a directory."""
        now = node_at(parent, name, wanted.path)
        if wanted.kind == ABSENT or now.kind != wanted.kind:
            self._pace.check()
            remove(parent, name)
            now = Node(wanted.path, ABSENT)
        if wanted.kind != ABSENT and not is_untouched(wanted, now):
            self._make(parent, name, wanted, now)

    def _make(self, parent: int, name: str, wanted: Node, now: Node) -> None:
        if wanted.kind == FILE:
            self._put_file(parent, name, wanted, now)
            return
        if now.kind == ABSENT or (wanted.kind == LINK and now.target != wanted.target):
            self.build(parent, self._temporary, wanted)
            os.rename(self._temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            put_attributes(parent, name, wanted)

    def _put_file(self, parent: int, name: str, wanted: Node, now: Node) -> None:
        if wanted.kept and now.inode != wanted.inode:
            self._link_to(self._ledger.path(wanted.kept), parent, name)
            now = node_at(parent, name, wanted.path)
        if now.kind == FILE and self._is_same_content(parent, name, wanted):
            put_attributes(parent, name, wanted)
        elif now.kind == FILE and wanted.links > 1 and now.inode == wanted.inode:
            self._rewrite(parent, name, wanted)
        else:
            self.build(parent, self._temporary, wanted)
            os.rename(self._temporary, name, src_dir_fd=parent, dst_dir_fd=parent)

    def _is_same_content(self, parent: int, name: str, wanted: Node) -> bool:
        with self._blob(wanted) as blob, _opened(parent, name, content.READ) as fd:
            return content.are_equal(fd, blob, self._pace)

    def _rewrite(self, parent: int, name: str, wanted: Node) -> None:
        put_mode(parent, name, wanted.mode | 0o200)
        with (
            self._blob(wanted) as blob,
            _opened(parent, name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC) as fd,
        ):
            os.ftruncate(fd, 0)
            content.copy(blob, fd, self._pace)
            if self._ledger.durable:
                os.fsync(fd)
        put_attributes(parent, name, wanted)

    def build(self, parent: int, name: str, wanted: Node) -> None:
        """Make a file, link or pipe from an image under a name that is free, or holds a half-made one."""
        remove(parent, name)
        if wanted.kind == LINK:
            os.symlink(wanted.target, name, dir_fd=parent)
        elif wanted.kind == PIPE:
            os.mkfifo(name, 0o600, dir_fd=parent)
        elif wanted.kind == FILE:
            with self._blob(wanted) as blob, _opened(parent, name, content.CREATE) as fd:
                content.copy(blob, fd, self._pace)
                if self._ledger.durable:
                    os.fsync(fd)
        else:
            raise ActionError("CannotKeep", f"{wanted.path}: {wanted.described} cannot be made again")
        put_attributes(parent, name, wanted)

    @contextmanager
    def _blob(self, node: Node) -> Iterator[int]:
        fd = os.open(self._ledger.path(node.blob), content.READ)
        try:
            yield fd
        finally:
            os.close(fd)

    def relink(self, images: Sequence[tuple[str, Sequence[Node]]]) -> None:
        """Names of one file that are in several images get to be names of one file again."""
        found: dict[tuple[int, int], dict[str, Node]] = {}
        for root, image in images:
            for node in image:
                if _has_twins(node):
                    path = f"{root}/{node.path}" if node.path else root
                    found.setdefault(node.identity, {})[path] = node
        for twins in found.values():
            source = next((path for path, node in twins.items() if os.lstat(path).st_ino == node.inode), None)
            for path in twins:
                self._link(source or next(iter(twins)), path)

    def _link(self, source: str, path: str) -> None:
        if os.path.samestat(os.lstat(source), os.lstat(path)):
            return
        folder, _, name = path.rpartition("/")
        place = Place(folder or "/", name)
        with place.parent() as parent:
            times = os.fstat(parent)
            self._link_to(source, parent, name)
            os.utime(parent, ns=(times.st_atime_ns, times.st_mtime_ns))
            sync_folder(parent, self._ledger.durable)

    def _link_to(self, source: str, parent: int, name: str) -> None:
        remove(parent, self._temporary)
        os.link(source, self._temporary, dst_dir_fd=parent, follow_symlinks=False)
        os.rename(self._temporary, name, src_dir_fd=parent, dst_dir_fd=parent)

    # ------------------------------------------------------------------ trees

    def _put_tree(self, parent: int, name: str, image: Sequence[Node]) -> None:
        names = _names(image)
        self._open_up(parent, name, names[""])
        top = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        descent = Descent(top)
        try:
            for node in image[1:]:
                folder, own = descent.to(node.path)
                if node.kind == FOLDER:
                    self._open_up(folder, own, names[node.path])
                elif not _has_twins(node):
                    self._put(folder, own, node)
            for twins in _twins(image):
                self._put_twins(descent, twins)
            for node in reversed(image[1:]):
                if node.kind == FOLDER:
                    self._close(*descent.to(node.path), node)
        finally:
            descent.close()
            os.close(top)
        self._close(parent, name, image[0])

    def _open_up(self, parent: int, name: str, names: Collection[str]) -> None:
        """A directory that can be worked in, with nothing in it but what the image has there."""
        now = node_at(parent, name)
        if now.kind != FOLDER:
            remove(parent, name)
            os.mkdir(name, 0o700, dir_fd=parent)
        elif now.mode & 0o700 != 0o700:
            put_mode(parent, name, now.mode | 0o700)
        fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        try:
            for other in os.listdir(fd):
                if other not in names:
                    self._pace.check()
                    remove(fd, other)
        finally:
            os.close(fd)

    def _close(self, parent: int, name: str, wanted: Node) -> None:
        """All that is in a directory is as it was: now its own time and mode."""
        if self._ledger.durable:
            fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
            try:
                sync_folder(fd, durable=True)
            finally:
                os.close(fd)
        put_attributes(parent, name, wanted)

    def _put_twins(self, descent: "Descent", twins: Sequence[Node]) -> None:
        """Names of one file. The one that still is that file, if any is, keeps it; the others are linked to it."""
        source = next((t for t in twins if node_at(*descent.to(t.path)).inode == t.inode), twins[0])
        folder, name = descent.to(source.path)
        self._put(folder, name, source)
        with _opened(folder, name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) as file:
            inode = node_at(folder, name).inode
            for twin in twins:
                folder, name = descent.to(twin.path)
                if node_at(folder, name).inode != inode:
                    remove(folder, self._temporary)
                    os.link(f"/proc/self/fd/{file}", self._temporary, dst_dir_fd=folder)
                    if node_at(folder, name).kind == FOLDER:
                        remove(folder, name)
                    os.rename(self._temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


class Descent:
    """Directories below an open one, by path; the last is kept open, since neighbours come one after another."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._path = ""
        self._fd = top

    def to(self, path: str) -> tuple[int, str]:
        """The open directory that holds a path, and the path's last component."""
        folder, _, name = path.rpartition("/")
        if folder != self._path:
            self.close()
            if folder:
                fd = self._top
                for each in folder.split("/"):
                    inner = os.open(each, AS_FOLDER | os.O_NOFOLLOW, dir_fd=fd)
                    if fd != self._top:
                        os.close(fd)
                    fd = inner
                self._fd = fd
            self._path = folder
        return self._fd, name

    def close(self) -> None:
        if self._fd != self._top:
            os.close(self._fd)
        self._fd, self._path = self._top, ""


@contextmanager
def _opened(parent: int, name: str, flags: int) -> Iterator[int]:
    fd = os.open(name, flags, 0o600, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


def _names(image: Sequence[Node]) -> dict[str, set[str]]:
    """What is in each directory."""
    names: dict[str, set[str]] = {node.path: set() for node in image if node.kind == FOLDER}
    for node in image[1:]:
        folder, _, own = node.path.rpartition("/")
        names[folder].add(own)
    return names


def _has_twins(node: Node) -> bool:
    return node.kind == FILE and node.links > 1


def _twins(image: Sequence[Node]) -> Iterator[Sequence[Node]]:
    """Names of the same file, together."""
    found: dict[tuple[int, int], list[Node]] = {}
    for node in image:
        if _has_twins(node):
            found.setdefault(node.identity, []).append(node)
    yield from found.values()
