"""The scratch copy that a rehearsal works on, and how it is compared with what it was.

Compared are names, kinds, permissions, owners, contents and targets of links; not times.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.errors import UsageError

MOST_BYTES = 1024 * 1024 * 1024
_HINT = "name what the workflow works on: --path PATH, repeatable"

Picture = dict[str, tuple[Any, ...]]


class Scratch:
    """``world`` is the copy of the workflow's ``folder``; what lies outside of it is copied to ``elsewhere``."""

    def __init__(self, root: str, folder: str, file: str, paths: Sequence[str]) -> None:
        self.home = f"{root}/home"
        self.world = f"{root}/world"
        self._elsewhere = f"{root}/elsewhere"
        self._folder = folder
        self._file = file
        self._paths = [os.path.abspath(path) for path in paths]
        self._outside: dict[str, str] = {}

    @property
    def file(self) -> str:
        """The workflow file in the copy."""
        return os.path.join(self.world, os.path.relpath(self._file, self._folder))

    def redirect(self, path: str) -> str:
        """Where something is in the copy. What lies outside of the folder gets a copy of its own."""
        if not os.path.isabs(path):
            return path
        path = os.path.normpath(path)
        if _is_within(path, self._folder):
            return os.path.normpath(os.path.join(self.world, os.path.relpath(path, self._folder)))
        if path not in self._outside:
            number = len(self._outside) + 1
            self._outside[path] = f"{self._elsewhere}/{number}/{os.path.basename(path)}"
        return self._outside[path]

    def lay(self) -> None:
        """Make the copy anew."""
        for path in (self.world, self._elsewhere, self.home):
            shutil.rmtree(path, ignore_errors=True)
        os.mkdir(self.home, 0o700)
        if self._paths:
            os.mkdir(self.world)
            for path in dict.fromkeys([*self._paths, self._file]):
                _copy(path, self.redirect(path))
        else:
            _refuse_large(self._folder)
            _copy(self._folder, self.world)
        for path, copy in self._outside.items():
            _copy(path, copy)

    def picture(self) -> Picture:
        found = {f"{path}": seen for path, seen in _picture(self.world).items()}
        originals = {os.path.dirname(copy): os.path.dirname(path) for path, copy in self._outside.items()}
        for copy, original in originals.items():
            found |= {os.path.join(original, path): seen for path, seen in _picture(copy).items()}
        return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """``+ path`` is new, ``- path`` is gone, ``~ path`` has changed."""
    found = [f"- {path}" for path in before if path not in after]
    found += [f"+ {path}" for path in after if path not in before]
    found += [f"~ {path}" for path in before if path in after and before[path] != after[path]]
    return sorted(found, key=lambda line: line[2:])


def _picture(root: str) -> Picture:
    found: Picture = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = _seen(path)
    return found


def _seen(path: str) -> tuple[Any, ...]:
    status = os.lstat(path)
    about = (stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return (*about, os.readlink(path))
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            return (*about, hashlib.file_digest(file, "sha256").hexdigest())
    return about


def _copy(path: str, to: str) -> None:
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(to), exist_ok=True)
        return
    os.makedirs(os.path.dirname(to), exist_ok=True)
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(path, to, follow_symlinks=False)


def _refuse_large(folder: str) -> None:
    size = 0
    for where, _, files in os.walk(folder):
        size += sum(os.lstat(os.path.join(where, name)).st_size for name in files)
        if size > MOST_BYTES:
            raise UsageError(
                f"{folder} holds more than 1 GiB: too much to copy for each rehearsal", hint=_HINT
            )


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
