"""A path, resolved once, then worked on through its open parent directory.

Links on the way to a path are followed, once, when it is resolved: what is undone later is then what was changed,
wherever those links point by that time. The last component is never followed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL, ENOTSUP
from functools import cache
from typing import NamedTuple

from taskrun.errors import ActionError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Place(NamedTuple):
    folder: str  # absolute, without links
    name: str

    @property
    def path(self) -> str:
        return f"{self.folder.rstrip('/')}/{self.name}"

    @contextmanager
    def parent(self) -> Iterator[int]:
        """A descriptor of the parent directory, for calls with ``dir_fd``."""
        fd = os.open(self.folder, FOLDER | os.O_NOFOLLOW)
        try:
            yield fd
        finally:
            os.close(fd)


def place_of(path: str) -> Place:
    """Where a path leads, its last component apart.

    Raises:
        ActionError: it names no entry of a directory (``/``, ``..``).
    """
    bare = path.rstrip("/")
    folder, _, name = bare.rpartition("/")
    if name in ("", ".", ".."):
        bare = os.path.realpath(path)
        folder, _, name = bare.rpartition("/")
    if not name:
        raise ActionError("InvalidField", f"{path} names no file or directory that could be worked on")
    return Place(os.path.realpath(folder or "/"), name)


def exists(parent: int, name: str) -> bool:
    return status_of(parent, name) is not None


def status_of(parent: int, name: str) -> os.stat_result | None:
    """What is there, links not followed; None where nothing is."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def missing_folders(folder: str) -> list[str]:
    """The directories of a path that are not there, the outermost first."""
    missing = []
    while folder != "/" and not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing[::-1]


def sibling(name: str, random: str) -> str:
    """A hidden name beside ``name`` that nobody else uses; short enough for any file system."""
    return f".{os.fsdecode(os.fsencode(name)[:160])}.taskrun-{random}"


# Where one more hard link changes nothing else. Layered file systems copy a file that is linked to, and so part it
# from its other names.
_LINKING = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "f2fs", "bcachefs", "jfs"))


@cache
def may_link(device: int) -> bool:
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = [line.decode("utf-8", "replace").split() for line in file]
    except OSError:
        return False
    # Btrfs shows files under other numbers than its mounts: then nothing is found, and bytes have to do.
    return any(line[2] == wanted and line[line.index("-") + 1] in _LINKING for line in lines)


def sync_folder(parent: int, durable: bool) -> None:
    """Make names in a directory last. Some file systems cannot be asked; then nothing more can be done."""
    if not durable:
        return
    try:
        os.fsync(parent)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP):
            raise
