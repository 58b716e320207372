"""Disk space kept back, so that a rollback can still be recorded when the disk has become full."""

import contextlib
import os

SIZE = 2 << 20
"""Bytes: some ten thousand entries and the WAL they go through."""


def keep(home: str) -> bool:
    """Make sure the space is set aside; False if there is not that much left."""
    path = _path(home)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return True
    except OSError:
        return False
    try:
        kept = os.write(fd, bytes(SIZE)) == SIZE
    except OSError:
        kept = False
    finally:
        os.close(fd)
    if not kept:
        spend(home)
    return kept


def spend(home: str) -> bool:
    """Give the space free; False if there was none kept."""
    with contextlib.suppress(OSError):
        os.unlink(_path(home))
        return True
    return False


def _path(home: str) -> str:
    return f"{home}/reserve"
