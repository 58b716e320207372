"""What the attempts of a task have printed, a window of whole lines at a time.

Where a file lies follows from the journal: the request only chooses among what is there.
"""

import os
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

from taskrun.errors import NotFoundError
from taskrun.listeners.tail import leads_to
from taskrun.web.doors import Plain
from taskrun.web.safe import Safe

WINDOW, LINES = 1 << 16, 1000  # at most, in one answer
AROUND = 100  # lines before one that is wanted
MARGIN = 1 << 13  # read beyond a window, so that a secret across its end is seen whole
ATTEMPTS = 50  # of a task, the last ones
FOUND, SHOWN = 500, 500  # lines that a search finds, characters of each
BLOCK = 1 << 20
_NAME = re.compile(r"(do|undo|check|probe|verify)-([0-9]{1,9})-(out|err)")
_PARTS = {"do": "", "undo": "revert.", "check": "check.", "probe": "probe.", "verify": "verify."}
_NOTHING = "it has printed nothing"
_TITLES = {"do": "attempt", "undo": "undo"}


class Tried(NamedTuple):
    """What of a task's row says which files there may be; a row itself goes on changing."""

    name: str
    state: str
    tries: int
    undos: int


def outputs(directory: str, row: Tried) -> list[Plain]:
    """The files there are with anything in them, or that may get something, in the order they are written."""
    found = []
    for part, number, live in _attempts(row):
        for stream in ("out", "err"):
            size = _size(_path(directory, row.name, part, number, stream))
            if size or (live and size is not None and stream == "out"):
                title = f"{_TITLES.get(part, part)} {number}" + (", stderr" if stream == "err" else "")
                found.append({"id": f"{part}-{number}-{stream}", "title": title, "size": size, "live": live})
    return found


class Wanted(NamedTuple):
    """From byte ``start`` on, those before byte ``end``, those around a line; without any of it the last ones."""

    start: int | None = None
    end: int | None = None
    line: int | None = None


def window(directory: str, row: Tried, name: str, safe: Safe, wanted: Wanted) -> Plain:
    """Whole lines; ``start`` and ``end`` of the answer are where to go on, ``line`` is the number of its first."""
    part, number, stream, live = _chosen(row, name)
    path = _path(directory, row.name, part, number, stream)
    fd = _opened(path)
    try:
        size = os.fstat(fd).st_size
        wanted = _settled(fd, wanted)
        start, end = _bounds(fd, size, wanted)
        data = os.pread(fd, WINDOW + MARGIN, start)[: None if end is None else end - start]
        cut = _cut(data, safe, whole=not live or end is not None)
        if wanted.start is not None:
            cut = _after(data[:cut], LINES) or cut
        else:
            skipped = _before(data[:cut], LINES)
            start, data, cut = start + skipped, data[skipped:], cut - skipped
        rest = data[cut:] if len(data) <= WINDOW else b""
        _confirm(path, fd)
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


def _settled(fd: int, wanted: Wanted) -> Wanted:
    """A line as the byte to begin at; one there is not means the last ones."""
    if wanted.line is None:
        return wanted
    return Wanted(start=_place_of_line(fd, max(1, wanted.line - AROUND)))


def _bounds(fd: int, size: int, wanted: Wanted) -> tuple[int, int | None]:
    if wanted.start is not None:
        return min(wanted.start, size), None
    end = size if wanted.end is None else min(wanted.end, size)
    return _line_start(fd, max(0, end - WINDOW), end), None if wanted.end is None else end


def search(directory: str, row: Tried, name: str, safe: Safe, text: str) -> Plain:
    """Lines that hold ``text``, small and capital letters alike. It looks at what is shown, never at what is masked."""
    part, number, stream, _ = _chosen(row, name)
    path = _path(directory, row.name, part, number, stream)
    fd = _opened(path)
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
        _confirm(path, fd)
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


def _attempts(row: Tried) -> Iterator[tuple[str, int, bool]]:
    doing, undoing = row.state == "RUNNING", row.state == "REVERTING"
    for number in range(max(1, row.tries - ATTEMPTS + 1), row.tries + 1):
        for part in ("check", "do", "verify", "probe"):
            yield part, number, doing and number == row.tries
    for number in range(max(1, row.undos - ATTEMPTS + 1), row.undos + 1):
        yield "undo", number, undoing and number == row.undos


def _chosen(row: Tried, name: str) -> tuple[str, int, str, bool]:
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
        raise NotFoundError(_NOTHING) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotFoundError("its output is no file")
    return fd


def _confirm(path: str, fd: int) -> None:
    if not leads_to(path, fd):
        raise NotFoundError(_NOTHING)


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


def _after(data: bytes, many: int) -> int:
    """The end of the first ``many`` lines; 0 if there are fewer."""
    position = -1
    for _ in range(many):
        position = data.find(b"\n", position + 1)
        if position < 0:
            return 0
    return position + 1


def _before(data: bytes, many: int) -> int:
    """The beginning of the last ``many`` lines; 0 if there are fewer."""
    position = len(data.removesuffix(b"\n"))
    for _ in range(many):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1


def _place_of_line(fd: int, number: int) -> int | None:
    """The byte at which a line begins; None if there are not so many."""
    line, at = 1, 0
    while data := os.pread(fd, BLOCK, at):
        many = data.count(b"\n")
        if line + many >= number:
            return at + _after(data, number - line)
        line += many
        at += len(data)
    return None


def _newlines(fd: int, end: int) -> int:
    count = at = 0
    while at < end and (data := os.pread(fd, min(BLOCK, end - at), at)):
        count += data.count(b"\n")
        at += len(data)
    return count
