"""When a task was being done and when it was being undone: what its two bars are drawn from."""

from typing import Any

from taskrun.engine.view import EntryLike

KEPT = 12  # pieces of a bar; of a task that was tried more often the last ones
_BEGINS = {"RUNNING": "do", "REVERTING": "undo"}


class Spans:
    """Lists of [from, to, state it ended with]; ``to`` is None while it goes on."""

    def __init__(self) -> None:
        self.do: list[list[Any]] = []
        self.undo: list[list[Any]] = []
        self._open: list[Any] | None = None

    def take(self, entry: EntryLike) -> None:
        state = entry.state
        if state is None or entry.kind not in ("task", "retry"):
            return
        if self._open is not None:
            self._open[1:] = [entry.time, state]
            self._open = None
        lane = _BEGINS.get(state)
        if lane is not None:
            self._open = [entry.time, None, state]
            pieces = self.do if lane == "do" else self.undo
            pieces.append(self._open)
            del pieces[:-KEPT]
