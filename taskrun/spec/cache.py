"""Compiled definitions of files seen before, so that a second run of a file loads neither YAML nor pydantic.

One file per workflow in the private state directory, keyed by the path and by what compiled it, and believed only if
the workflow's bytes, and those of everything it includes, are still the same. A cache that cannot be read or written
is no cache: nothing depends on it.
"""

import marshal
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from taskrun.actions.registry import MODULES
from taskrun.digest import sha256, sha256_hex
from taskrun.version import __version__

SIZE_LIMIT = 16 * 1024 * 1024
KEPT = 200  # files in the cache; the oldest go
MAGIC = f"taskrun {__version__} python {sys.hexversion:x} marshal {marshal.version}"


def find(folder: str, path: str) -> tuple[dict[str, Any], str] | None:
    """The definition and the text of the file at ``path`` if it was compiled before, as it is now."""
    data = _read(path)
    if data is None:
        return None
    kept = _read(_place(folder, path))
    if kept is None:
        return None
    try:
        magic, digest, definition = marshal.loads(kept)  # noqa: S302 - our own file in a private directory
    except (ValueError, EOFError, TypeError):
        return None
    if magic != MAGIC or digest != sha256(data) or not _same(definition.get("includes", {})):
        return None
    return definition, data.decode("utf-8-sig", "replace")


def keep(folder: str, path: str, text: str, definition: Mapping[str, Any]) -> None:
    """Remember a definition that compiled without a warning and needs no plug-in."""
    if any(task["kind"] not in MODULES and task["kind"] != "savepoint" for task in definition["tasks"]):
        return
    data = _read(path)
    if data is None or data.decode("utf-8-sig", "replace") != text:
        return  # it has changed meanwhile
    with suppress(OSError, ValueError):
        os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)  # `mode` is only that of the last
        os.makedirs(folder, mode=0o700, exist_ok=True)
        place = _place(folder, path)
        own = f"{place}.{os.getpid()}"
        fd = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(marshal.dumps((MAGIC, sha256(data), dict(definition))))
        os.replace(own, place)
        _drop_oldest(folder)


def _place(folder: str, path: str) -> str:
    return f"{folder}/{sha256_hex(os.fsencode(os.path.abspath(path)))[:32]}"


def _read(path: str) -> bytes | None:
    """The bytes of a regular file of reasonable size; everything else is for the loader to explain."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size > 4 * SIZE_LIMIT:
        os.close(fd)
        return None
    with os.fdopen(fd, "rb", buffering=0) as file:
        return file.read()


def _same(hashes: Mapping[str, str]) -> bool:
    for path, digest in hashes.items():
        data = _read(path)
        if data is None or sha256_hex(data) != digest:
            return False
    return True


def _drop_oldest(folder: str) -> None:
    names = os.listdir(folder)
    if len(names) <= KEPT:
        return
    by_age = sorted(names, key=lambda name: os.stat(f"{folder}/{name}").st_mtime)
    for name in by_age[: len(names) - KEPT]:
        os.unlink(f"{folder}/{name}")
