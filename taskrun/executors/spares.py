"""Output files that nobody has printed into, for the attempts to come.

To make a file can take as long as a short task runs: a file system looks for a free inode among those deleted lately. To give a
file another name is quick and always takes the same time. A file is spare when its attempt is over, nothing of the attempt is
left, and it is empty: then nobody can write to it any more. Who reads an output file must look, after reading, whether the name
still leads to it.
"""

import os
import stat
from collections.abc import Iterable

MOST = 64


class Spares:
    """Names of spare files; one supervisor has made them all, and nobody else uses them."""

    def __init__(self) -> None:
        self._paths: list[str] = []

    def offer(self, paths: Iterable[str]) -> bool:
        """Take files that are all empty, and say so: they may go by other names soon."""
        paths = list(paths)
        if not paths or len(self._paths) >= MOST or not all(map(_is_empty, paths)):
            return False
        self._paths += paths
        return True

    def become(self, path: str) -> None:
        """Let a spare file be ``path``, if there is one; a file that is there already stays."""
        if self._paths and not os.path.lexists(path):
            try:
                os.rename(self._paths.pop(), path)
            except OSError:
                return  # somebody has tidied up: it is made when it is opened


def _is_empty(path: str) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return found.st_size == 0 and stat.S_ISREG(found.st_mode)
