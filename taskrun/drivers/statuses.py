"""What tasks tell of themselves while they run, in the file ``$TASKRUN_STATUS``: how far they are, and states of their own.

    progress=0.4        a part from 0 to 1, or 40%
    state=draining      shown and notified beside the state that taskrun gives

Looked at a few times a second while tasks run, and once more when one has ended. Every state is recorded, of several
figures between two looks only the last.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import Any

from taskrun.drivers.attempt import DO, REVERT, Attempt
from taskrun.engine.states import TASK_MOVES

LOOK_EVERY = 0.2  # seconds
MOST = 1 << 16  # bytes that are read at a look; the next look goes on behind them
LONGEST = 200  # bytes of a line that are quoted
STATES = 100  # that one attempt may have

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PROGRESS = re.compile(r"(\d{1,3}(?:\.\d+)?)%|([01]?\.\d+|[01](?:\.0*)?)")
_BUILT_IN = frozenset(state for move in TASK_MOVES for state in move)

Record = Callable[[str, str, dict[str, Any]], None]


class Reader:
    """How far the file of one attempt has been read, and what was said in it last."""

    __slots__ = ("offset", "progress", "states", "warned")

    def __init__(self) -> None:
        self.offset = 0
        self.progress: float | None = None
        self.states = 0
        self.warned = False


class Statuses:
    """``record(kind, name, data)`` journals what is new."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._readers: dict[str, Reader] = {}

    def look(self, running: Iterable[Attempt]) -> None:
        for attempt in running:
            self._read(attempt)

    def ended(self, attempt: Attempt) -> None:
        """The last words, which need no end of line."""
        self._read(attempt, whole=True)
        self._readers.pop(attempt.key, None)

    def _read(self, attempt: Attempt, *, whole: bool = False) -> None:
        if attempt.part not in (DO, REVERT) or attempt.then is not None:
            return
        path = attempt.context.env["TASKRUN_STATUS"]
        if not os.access(path, os.F_OK):
            return  # most tasks have nothing to say: to ask costs half of what failing to open costs
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return  # what is no file of ours is not read
        reader = self._readers.setdefault(attempt.key, Reader())
        try:
            found = os.fstat(fd)
            data = os.pread(fd, MOST, reader.offset) if stat.S_ISREG(found.st_mode) else b""
        finally:
            os.close(fd)
        if not whole and len(data) < MOST:
            data = data[: data.rfind(b"\n") + 1]  # the rest of the line is still to come
        reader.offset += len(data)
        if data:
            self._heed(attempt, reader, data.decode("utf-8", "replace"))

    def _heed(self, attempt: Attempt, reader: Reader, text: str) -> None:
        progress = reader.progress
        for line in filter(None, map(str.strip, text.splitlines())):
            key, _, value = line.partition("=")
            part = _part(value) if key == "progress" else None
            if part is not None:
                progress = part
            elif (
                key == "state"
                and _NAME.fullmatch(value)
                and value not in _BUILT_IN
                and reader.states < STATES
            ):
                reader.states += 1
                self._record("custom", attempt.name, {"state": value, "attempt": attempt.number})
            elif not reader.warned:
                reader.warned = True
                said = f"$TASKRUN_STATUS: {line[:LONGEST]!r} is neither progress=0.4 nor state=NAME"
                self._record("warning", attempt.name, {"message": said})
        if progress != reader.progress:
            reader.progress = progress
            self._record("progress", attempt.name, {"progress": progress, "attempt": attempt.number})


def _part(text: str) -> float | None:
    found = _PROGRESS.fullmatch(text)
    if found is None:
        return None
    part = float(found[1]) / 100 if found[1] else float(found[2])
    return part if part <= 1 else None
