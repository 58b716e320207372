"""Everything below a place, without ever following a link: each directory is opened from the one it is in."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from taskrun.actions.images.inodes import FOLDER, Node, node_at
from taskrun.actions.images.places import FOLDER as AS_FOLDER
from taskrun.errors import ActionError

DEPTH = 200  # each level holds a descriptor open


class Found(NamedTuple):
    """``parent`` is open until the next one is asked for."""

    parent: int
    name: str
    node: Node


def walk(parent: int, name: str) -> Iterator[Found]:
    """What is at a name, then what is below it, in the order of names, directories before what is in them."""
    root = node_at(parent, name)
    yield Found(parent, name, root)
    if root.kind != FOLDER:
        return
    stack: list[tuple[int, str, list[str]]] = []
    try:
        stack.append(_open(parent, name, ""))
        while stack:
            folder, path, names = stack[-1]
            if not names:
                os.close(stack.pop()[0])
                continue
            inner = names.pop()
            node = node_at(folder, inner, f"{path}{inner}")
            yield Found(folder, inner, node)
            if node.kind == FOLDER:
                if len(stack) > DEPTH:
                    raise ActionError(
                        "TooLarge", f"{node.path}: directories are nested more than {DEPTH} deep"
                    )
                stack.append(_open(folder, inner, f"{node.path}/"))
    finally:
        for folder, _, _ in stack:
            os.close(folder)


def _open(parent: int, name: str, path: str) -> tuple[int, str, list[str]]:
    fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    return fd, path, sorted(os.listdir(fd), reverse=True)


def remove(parent: int, name: str) -> None:
    """Take away what is at a name, with all that is below it; nothing there is fine."""
    kind = node_at(parent, name).kind
    if kind == "absent":
        return
    if kind != FOLDER:
        os.unlink(name, dir_fd=parent)
        return
    _empty(parent, name)
    os.rmdir(name, dir_fd=parent)


def _empty(parent: int, name: str) -> None:
    """Iteratively: the way down is kept as open descriptors, the way up removes what was emptied."""
    stack: list[tuple[int, str, list[str]]] = [_open_for_removal(parent, name)]
    try:
        while stack:
            folder, _, names = stack[-1]
            if names:
                inner = names.pop()
                try:
                    os.unlink(inner, dir_fd=folder)
                except (IsADirectoryError, PermissionError):
                    if node_at(folder, inner).kind != FOLDER:
                        raise
                    stack.append(_open_for_removal(folder, inner))
                continue
            _, own, _ = stack.pop()
            os.close(folder)
            if stack:
                os.rmdir(own, dir_fd=stack[-1][0])
    finally:
        for folder, _, _ in stack:
            os.close(folder)


def _open_for_removal(parent: int, name: str) -> tuple[int, str, list[str]]:
    """A directory of ours may have been closed to ourselves: what is in it goes all the same."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if status.st_mode & 0o700 != 0o700 and status.st_uid == os.geteuid():
        from taskrun.actions.images.inodes import put_mode  # noqa: PLC0415 - seldom needed

        put_mode(parent, name, 0o700)
    fd = os.open(name, AS_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    return fd, name, os.listdir(fd)
