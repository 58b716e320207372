"""The live table: keeps a frame of the run at the foot of the terminal and redraws the lines of it that changed.

It draws in the normal screen, so the last frame stays in the scrollback. It draws when something changed or a clock that is seen
ticks, at most 8 times a second. It leaves no terminal mode behind, not even when taskrun is killed: what a frame switches
off (line wrap, the cursor) is on again at its end.
"""

import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from taskrun.engine.view import View
from taskrun.listeners.base import Entry, OutputOf
from taskrun.listeners.cells import width_of, wrap
from taskrun.listeners.frame import Frame
from taskrun.listeners.outlet import Outlet
from taskrun.listeners.sanitize import clean
from taskrun.listeners.screen import Style, size
from taskrun.listeners.tail import Hide, as_it_is

Handler = Callable[[int, FrameType | None], Any] | int | None
SHORTEST = 1 / 8
_LAST_WORDS = 1.0  # seconds that a terminal which takes nothing is waited for at the end
_BEGIN, _END = "\x1b[?25l\x1b[?7l\r", "\x1b[?7h\x1b[?25h"


class Table:
    """A listener on the terminal at `fd`."""

    def __init__(
        self,
        fd: int,
        view: View,
        run_id: str,
        style: Style,
        output_of: OutputOf,
        *,
        hide: Hide = as_it_is,
    ) -> None:
        self._fd = fd
        self._view = view
        self._style = style
        self._outlet = Outlet(fd)
        self._frame = Frame(view, run_id, style, output_of, hide)
        self._shown: list[str] = []
        self._said: list[str] = []
        self._size = (0, 0)
        self._drawn_at: float | None = None
        self._drawn = (-1, -1)
        self._before = self._hear_of_continuing()

    def _hear_of_continuing(self) -> Handler:
        """After Ctrl-Z and `fg` the shell has written below the frame."""
        try:
            return signal.signal(signal.SIGCONT, lambda *_: self.restart())
        except ValueError:  # not in the main thread: the frames will overlap once
            return None

    def entries(self, entries: Sequence[Entry]) -> None:
        """Nothing is drawn here: a thousand commits a second must not cost a thousand frames."""

    def say(self, text: str) -> None:
        """Printed above the table, where it stays."""
        self._said += clean(text, ascii_only=not self._style.unicode).split("\n")

    def tick(self, now: float) -> float | None:
        self._outlet.pump()
        if not self._outlet.open:
            return None
        if self._drawn_at is None:  # a run shorter than a frame needs only the last one
            self._drawn_at = now
        since = now - self._drawn_at
        if not self._is_stale(now):
            return self._until_clock(now)
        if 0 <= since < SHORTEST:  # below 0 the clock was set back
            return SHORTEST - since
        if self._outlet.behind:
            return SHORTEST
        self._draw(now)
        return self._until_clock(now) if self._outlet.open else None

    def restart(self) -> None:
        """Others have written to the terminal: draw a new frame below, leave the old one where it is."""
        self._shown = []
        self._drawn = (-1, -1)

    def close(self) -> None:
        """The last frame stays, with an empty line between it and what is printed next."""
        if self._outlet.open:
            self._draw(time.time())
            self._outlet.write("\r\n")
        self._outlet.close(wait=_LAST_WORDS)
        if self._before is not None:
            signal.signal(signal.SIGCONT, self._before)

    def _is_stale(self, now: float) -> bool:
        return bool(
            self._said
            or self._drawn != (self._view.changed, self._second(now))
            or (self._size[0] and size(self._fd) != self._size)
        )

    def _second(self, now: float) -> int:
        begun = self._begun()
        return -1 if begun is None else int(now - begun)

    def _until_clock(self, now: float) -> float | None:
        begun = self._begun()
        return None if begun is None else 1.0 - (now - begun) % 1.0

    def _begun(self) -> float | None:
        """Since when the clock in the header runs; None when it stands still."""
        return None if self._view.ended else self._view.resumed or self._view.started

    def _draw(self, now: float) -> None:
        columns, height = size(self._fd)
        lines = self._frame.lines(now, columns, height - 1)  # the cursor waits on a line of its own
        if self._said or self._size not in ((0, 0), (columns, height)):
            text = self._erase(columns) + self._fresh(lines, columns)
        else:
            text = self._changes(lines)
        self._shown, self._said = lines, []
        self._size = (columns, height)
        self._drawn, self._drawn_at = (self._view.changed, self._second(now)), now
        self._outlet.write(_BEGIN + text + _END)

    def _changes(self, lines: Sequence[str]) -> str:
        old = self._shown
        text = f"\x1b[{len(old)}A" if old else ""
        for position, line in enumerate(lines):
            same = position < len(old) and old[position] == line
            text += "\r\n" if same else f"{line}\x1b[K\r\n"
        return text + "\x1b[J" if len(lines) < len(old) else text

    def _fresh(self, lines: Sequence[str], columns: int) -> str:
        said = [line for text in self._said for line in wrap(text, columns - 1)]
        return "".join(f"{line}\x1b[K\r\n" for line in (*said, *lines))

    def _erase(self, columns: int) -> str:
        """Go up over the old frame and clear. Most terminals fold lines that have become too long: count them as they stand now."""
        tall = sum(max(1, -(-_seen_width(line) // columns)) for line in self._shown)
        return (f"\x1b[{tall}A" if tall else "") + "\r\x1b[J"


def _seen_width(line: str) -> int:
    """Cells that a line of ours takes; its only control sequences are colours."""
    width, position = 0, 0
    while True:
        start = line.find("\x1b[", position)
        if start < 0:
            return width + width_of(line[position:].rstrip())
        width += width_of(line[position:start])
        position = line.index("m", start) + 1
