"""The last lines of a task's output file, read from its end: the cost does not depend on how much a task has written."""

import os
import stat
from collections.abc import Callable
from typing import Self

Hide = Callable[[bytes], bytes]

LINE_WINDOW = 4 * 1024
BLOCK_WINDOW = 64 * 1024
_INNER_BYTES = bytes(range(0x80, 0xC0))  # of a UTF-8 character that the window cuts in two


def as_it_is(data: bytes) -> bytes:
    return data


class Tail:
    """The last line of a file that grows. Reads only when the file has changed. ``hide`` masks what nobody may see."""

    def __init__(self, path: str, hide: Hide = as_it_is) -> None:
        self.path = path
        self._hide = hide
        self._seen: tuple[int, int, int] | None = None
        self._line = b""

    def last_line(self) -> bytes:
        r"""The last line that holds anything; of a line redrawn with `\r`, what it shows last. Empty if there is none."""
        try:
            with _Opened(self.path) as file:
                if file.version != self._seen:
                    found = _lines_of(file, 1, LINE_WINDOW, self._hide)
                    if leads_to(self.path, file.fd):
                        self._seen, self._line = file.version, b"".join(found)
        except OSError:
            pass  # not written yet, or the directory went away: a display has nothing to add
        return self._line


def last_lines(path: str, count: int, *, window: int = BLOCK_WINDOW, hide: Hide = as_it_is) -> list[bytes]:
    """Up to `count` last lines that hold anything, raw, from the last `window` bytes; empty if the file cannot be read."""
    try:
        with _Opened(path) as file:
            found = _lines_of(file, count, window, hide)
            return found if leads_to(path, file.fd) else []
    except OSError:
        return []


def leads_to(path: str, fd: int) -> bool:
    """Whether a file that has been read is still the one of that name. An empty one may have become another attempt's, and what
    was read from it that one's output.
    """
    try:
        now = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    then = os.fstat(fd)
    return (now.st_ino, now.st_dev) == (then.st_ino, then.st_dev)


class _Opened:
    """An output file, open for reading. `version` changes when its content does."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(self.fd)
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        self.version = (status.st_ino, status.st_size, status.st_mtime_ns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _lines_of(file: _Opened, count: int, window: int, hide: Hide) -> list[bytes]:
    start = max(0, file.size - window)
    data = hide(os.pread(file.fd, min(window, file.size), start))
    if start:
        data = data.lstrip(_INNER_BYTES)
    kept = [line for line in map(_as_drawn, data.split(b"\n")) if line.strip()]
    if start and 1 < len(kept) <= count:
        kept = kept[1:]  # its beginning lies outside the window
    return kept[-count:]


def _as_drawn(line: bytes) -> bytes:
    r"""Of `10%\r20%\r` the last part that holds anything: the one a terminal would show."""
    if b"\r" not in line:
        return line
    parts = [part for part in line.split(b"\r") if part.strip()]
    return parts[-1] if parts else b""
