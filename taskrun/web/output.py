"""What the attempts of a task have printed, a window of whole lines at a time.

Where a file lies follows from the journal: the request only chooses among what is there.
"""

import os
import re
import stat
from collections.abc import Iterator

from taskrun.engine.view import Row
from taskrun.errors import NotFoundError
from taskrun.web.doors import Plain
from taskrun.web.safe import Safe

WINDOW = 1 << 18
MARGIN = 1 << 13  # read beyond a window, so that a secret across its end is seen whole
ATTEMPTS = 50  # of a task, the last ones
FOUND, SHOWN = 500, 500  # lines that a search finds, characters of each
BLOCK = 1 << 20
_NAME = re.compile(r"(do|undo|check|probe|verify)-([0-9]{1,9})-(out|err)")
_PARTS = {"do": "", "undo": "revert.", "check": "check.", "probe": "probe.", "verify": "verify."}
_TITLES = {"do": "attempt", "undo": "undo"}


def outputs(directory: str, row: Row) -> list[Plain]:
    """The files there are with anything in them, or that may get something, in the order they are written."""
    found = []
    for part, number, live in _attempts(row):
        for stream in ("out", "err"):
            size = _size(_path(directory, row.name, part, number, stream))
            if size or (live and size is not None and stream == "out"):
                title = f"{_TITLES.get(part, part)} {number}" + (", stderr" if stream == "err" else "")
                found.append({"id": f"{part}-{number}-{stream}", "title": title, "size": size, "live": live})
    return found


def window(
    directory: str, row: Row, name: str, safe: Safe, *, start: int | None, end: int | None = None
) -> Plain:
    """Lines from byte ``start`` on, or those before byte ``end``; without both the last ones.

    ``start`` and ``end`` of the answer are where to go on, backwards and forwards; ``line`` is the number of its first.
    """
    part, number, stream, live = _chosen(row, name)
    fd = _opened(_path(directory, row.name, part, number, stream))
    try:
        size = os.fstat(fd).st_size
        ends = end is not None
        if start is None:
            end = size if end is None else min(end, size)
            start = _line_start(fd, max(0, end - WINDOW), end)
        start = min(start, size)
        data = os.pread(fd, WINDOW + MARGIN, start)
        data = data[: max(0, end - start)] if end is not None and ends else data
        cut = _cut(data, safe, whole=not live or ends)
        rest = data[cut:] if len(data) <= WINDOW else b""
        return {
            "start": start,
            "end": start + cut,
            "line": _newlines(fd, start) + 1,
            "size": size,
            "live": live,
            "text": safe.text(data[:cut]),
            "unfinished": safe.text(rest),  # a line that is still being written
        }
    finally:
        os.close(fd)


def search(directory: str, row: Row, name: str, safe: Safe, text: str) -> Plain:
    """Lines that hold ``text``, small and capital letters alike. It looks at what is shown, never at what is masked."""
    part, number, stream, _ = _chosen(row, name)
    fd = _opened(_path(directory, row.name, part, number, stream))
    found: list[Plain] = []
    wanted = text.casefold()
    try:
        for first, start, lines in _pieces(fd, safe):
            found += [
                {"line": first + i, "text": line[:SHOWN], "at": start}
                for i, line in enumerate(lines)
                if wanted in line.casefold()
            ]
            if len(found) > FOUND:
                break
    finally:
        os.close(fd)
    return {"found": found[:FOUND], "more": len(found) > FOUND}


def _pieces(fd: int, safe: Safe) -> Iterator[tuple[int, int, list[str]]]:
    """The whole file: number of the first line, byte it begins at, lines."""
    start, line = 0, 1
    while data := os.pread(fd, WINDOW + MARGIN, start):
        cut = _cut(data, safe, whole=True)
        lines = safe.text(data[:cut]).split("\n")
        yield line, start, lines
        line += len(lines) - 1
        start += cut


def _attempts(row: Row) -> Iterator[tuple[str, int, bool]]:
    doing, undoing = row.state == "RUNNING", row.state == "REVERTING"
    for number in range(max(1, row.tries - ATTEMPTS + 1), row.tries + 1):
        for part in ("check", "do", "verify", "probe"):
            yield part, number, doing and number == row.tries
    for number in range(max(1, row.undos - ATTEMPTS + 1), row.undos + 1):
        yield "undo", number, undoing and number == row.undos


def _chosen(row: Row, name: str) -> tuple[str, int, str, bool]:
    given = _NAME.fullmatch(name)
    for part, number, live in _attempts(row):
        if given and (given[1], int(given[2])) == (part, number):
            return part, number, given[3], live
    raise NotFoundError(f"task {row.name!r} has no output of that name")


def _path(directory: str, task: str, part: str, number: int, stream: str) -> str:
    return f"{directory}/out/{task}.{_PARTS[part]}{number}.{stream}"


def _size(path: str) -> int | None:
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _opened(path: str) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise NotFoundError("it has printed nothing") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotFoundError("its output is no file")
    return fd


def _cut(data: bytes, safe: Safe, *, whole: bool) -> int:
    """How much of ``data`` is shown: whole lines, if there is one; nothing to hide is cut in two."""
    if len(data) <= WINDOW and whole:
        return len(data)
    newline = data.rfind(b"\n", 0, WINDOW)
    if newline >= 0:
        return newline + 1
    return safe.uncut(data, WINDOW) if len(data) > WINDOW else 0


def _line_start(fd: int, start: int, end: int) -> int:
    """The first line that begins at ``start`` or after it."""
    if start == 0:
        return 0
    at = os.pread(fd, end - start + 1, start - 1).find(b"\n", 0, end - start)
    return start if at < 0 else start + at


def _newlines(fd: int, end: int) -> int:
    count = at = 0
    while at < end and (data := os.pread(fd, min(BLOCK, end - at), at)):
        count += data.count(b"\n")
        at += len(data)
    return count
