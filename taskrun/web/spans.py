"""When a task was being done and when it was being undone: what its two bars are drawn from."""

from typing import Any

from taskrun.listeners.attempts import Attempt

KEPT = 12  # pieces of a bar; of a task that was tried more often the last ones


class Spans:
    """Lists of [from, to, state it ended with]; ``to`` is None while it goes on."""

    def __init__(self) -> None:
        self.do: list[list[Any]] = []
        self.undo: list[list[Any]] = []

    def begin(self, attempt: Attempt) -> None:
        pieces = self.undo if attempt.undoing else self.do
        pieces.append([attempt.started, None, "REVERTING" if attempt.undoing else "RUNNING"])
        del pieces[:-KEPT]

    def end(self, attempt: Attempt) -> None:
        pieces = self.undo if attempt.undoing else self.do
        pieces[-1][1:] = [attempt.ended, attempt.state]
