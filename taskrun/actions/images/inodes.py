"""What there is to an inode beside its bytes: kind, mode, owner, times, links, extended attributes."""

import os
import stat
from binascii import a2b_base64, b2a_base64
from errno import EACCES, ENODATA, ENOTSUP, EPERM
from typing import Final, NamedTuple

from taskrun.actions.images.places import status_of

FILE: Final = "file"
FOLDER: Final = "folder"
LINK: Final = "link"
PIPE: Final = "pipe"
OTHER: Final = "other"  # a socket, a device: can be moved about, never made again
ABSENT: Final = "absent"

_KINDS = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK, stat.S_IFIFO: PIPE}
_WORDS = {
    FILE: "a file",
    FOLDER: "a directory",
    LINK: "a symbolic link",
    PIPE: "a pipe",
    OTHER: "a device or socket",
}


class Node(NamedTuple):
    """Times are nanoseconds; ``xattrs`` are in base64; ``blob`` names the file of an image that has the bytes.

    ``kept`` names one more hard link to a file that has several names, in the image.
    """

    path: str  # below the root of an image; "" is the root
    kind: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    atime: int = 0
    ctime: int = 0
    inode: int = 0
    device: int = 0
    links: int = 0
    xattrs: dict[str, str] | None = None
    target: str = ""
    blob: str = ""
    kept: str = ""

    @property
    def identity(self) -> tuple[int, int]:
        return (self.device, self.inode)

    @property
    def described(self) -> str:
        return _WORDS.get(self.kind, "nothing")


def node_at(parent: int, name: str, path: str = "") -> Node:
    """What is at a name of an open directory; a node of kind ABSENT where nothing is."""
    status = status_of(parent, name)
    if status is None:
        return Node(path, ABSENT)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), OTHER)
    return Node(
        path,
        kind,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_size,
        status.st_mtime_ns,
        status.st_atime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
        status.st_nlink,
        read_xattrs(parent, name),
        os.readlink(name, dir_fd=parent) if kind == LINK else "",
    )


def is_untouched(node: Node, now: Node) -> bool:
    """Whether this is still the inode that was looked at, with nothing done to it since: the kernel keeps ctime."""
    return _facts(node) == _facts(now)


def is_same(node: Node, now: Node) -> bool:
    """Whether this is the thing that was looked at, wherever it is now.

    By its inode; but layered file systems give a file another one when it is first touched, so alike in all else is
    the same as well.
    """
    if node.kind != now.kind or node.kind == ABSENT:
        return False
    alike = node.kind == FILE and _traits(node) == _traits(now)
    return node.inode == now.inode or alike


def _traits(node: Node) -> tuple[object, ...]:
    return (node.mode, node.uid, node.gid, node.size, node.mtime)


def _facts(node: Node) -> tuple[object, ...]:
    # Not the device: its number may be another one after a restart of the machine.
    return (
        node.kind,
        node.mode,
        node.uid,
        node.gid,
        node.size,
        node.mtime,
        node.ctime,
        node.inode,
        node.links,
    )


# Where a name of an open directory has to be a path. Nothing below `fd` can be exchanged for a link on the way.
def _through(parent: int, name: str) -> str:
    return f"/proc/self/fd/{parent}/{name}"


def read_xattrs(parent: int, name: str) -> dict[str, str] | None:
    """The extended attributes, access lists among them; None where there are none, or none can be had."""
    where = _through(parent, name)
    found: dict[str, str] = {}
    try:
        for key in os.listxattr(where, follow_symlinks=False):
            try:
                value = os.getxattr(where, key, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (ENODATA, EPERM, EACCES, ENOTSUP):
                    raise
                continue  # somebody took it away, or it is the system's own
            found[key] = b2a_base64(value, newline=False).decode()
    except OSError as error:
        if error.errno not in (ENOTSUP, EPERM, EACCES):
            raise
    return found or None


def put_attributes(parent: int, name: str, wanted: Node) -> None:
    """Give what is at ``name`` the owner, mode, extended attributes and times of a node."""
    put_owner(parent, name, wanted.uid, wanted.gid)
    put_xattrs(parent, name, wanted.xattrs)
    if wanted.kind != LINK:
        put_mode(parent, name, wanted.mode)
    now = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if (now.st_atime_ns, now.st_mtime_ns) != (wanted.atime, wanted.mtime):
        os.utime(name, ns=(wanted.atime, wanted.mtime), dir_fd=parent, follow_symlinks=False)


def put_owner(parent: int, name: str, uid: int, gid: int) -> None:
    now = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if (now.st_uid, now.st_gid) != (uid, gid):
        os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)


def put_mode(parent: int, name: str, mode: int) -> None:
    """Change the mode of anything but a link. A plain chmod would follow a link that was slipped in."""
    now = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_IMODE(now.st_mode) == mode:
        return
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def put_xattrs(parent: int, name: str, wanted: dict[str, str] | None) -> None:
    now = read_xattrs(parent, name) or {}
    wanted = wanted or {}
    where = _through(parent, name)
    for key in [*wanted, *(key for key in now if key not in wanted)]:
        if now.get(key) == wanted.get(key):
            continue
        try:
            if key in wanted:
                os.setxattr(where, key, a2b_base64(wanted[key]), follow_symlinks=False)
            else:
                os.removexattr(where, key, follow_symlinks=False)
        except OSError as error:
            # What only the system itself may set (labels, capabilities) is its own to look after.
            if key.startswith(("user.", "system.posix_acl")) or error.errno not in (EPERM, EACCES, ENOTSUP):
                raise
