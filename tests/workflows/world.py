"""A folder tree as it can be compared: every byte, mode, time of files, and link."""

import contextlib
import hashlib
import os
import pathlib
import sqlite3


def picture(root: pathlib.Path) -> dict[str, tuple]:
    """Path below ``root`` -> what is there. The time of a directory changes with what is put in and taken out."""
    found: dict[str, tuple] = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = pathlib.Path(folder, name)
            status = path.lstat()
            if path.is_symlink():
                seen: tuple = ("link", os.readlink(path))
            elif path.is_dir():
                seen = ("folder", oct(status.st_mode))
            else:
                digest = hashlib.sha256(content(path)).hexdigest()
                seen = ("file", oct(status.st_mode), status.st_uid, digest)
            found[str(path.relative_to(root))] = seen
    return found


def content(path: pathlib.Path) -> bytes:
    """Of a SQLite database what it holds: the pages of it may lie in any order, and what was applied stays listed."""
    data = path.read_bytes()
    if not data.startswith(b"SQLite format 3\0"):
        return data
    with contextlib.closing(sqlite3.connect(path)) as database:
        return "\n".join(line for line in database.iterdump() if "taskrun_applied" not in line).encode()
