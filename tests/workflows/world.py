"""A folder tree as it can be compared: every byte, mode, time of files, and link."""

import hashlib
import os
import pathlib


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
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                seen = ("file", oct(status.st_mode), status.st_uid, digest)
            found[str(path.relative_to(root))] = seen
    return found
