"""A run as a list of attempts, each with its beginning and its end: what a time line shows, and a tracer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from taskrun.engine.view import EntryLike

DONE = ("SUCCESS", "FAILURE", "UNKNOWN")
UNDONE = ("REVERTED", "REVERT_FAILURE")


class Attempt(NamedTuple):
    """``ended`` and ``state`` are None while it goes on. An undo that failed and is tried again ends in FAILURE."""

    task: str
    undoing: bool
    number: int
    started: float
    ended: float | None = None
    state: str | None = None
    failure: Mapping[str, Any] | None = None


class Attempts:
    """Fold entries in with ``take``; ``open`` are those under way, by task."""

    def __init__(self) -> None:
        self.open: dict[str, Attempt] = {}

    def take(self, entry: EntryLike) -> tuple[Attempt | None, Attempt | None]:
        """The attempt that ended with this entry, and the one that began."""
        if entry.kind == "warning" and entry.state == "REVERTING":
            return self._undo_again(entry)
        if entry.kind != "task":
            return None, None
        if entry.state in ("RUNNING", "REVERTING"):
            undoing = entry.state == "REVERTING"
            return self._end(entry, "UNKNOWN"), self._begin(entry, undoing, entry.attempt)
        if entry.state in DONE or entry.state in UNDONE:
            return self._end(entry, entry.state), None
        return None, None

    def _undo_again(self, entry: EntryLike) -> tuple[Attempt | None, Attempt | None]:
        """First with why it failed, then, when its delay is over, without."""
        if (entry.data or {}).get("failure"):
            return self._end(entry, "FAILURE"), None
        return None, self._begin(entry, True, entry.attempt)

    def _begin(self, entry: EntryLike, undoing: bool, number: int) -> Attempt:
        begun = Attempt(entry.name, undoing, number, entry.time)
        self.open[entry.name] = begun
        return begun

    def _end(self, entry: EntryLike, state: str | None) -> Attempt | None:
        begun = self.open.pop(entry.name, None)
        if begun is None:
            return None
        failure = (entry.data or {}).get("failure")
        return begun._replace(ended=max(entry.time, begun.started), state=state, failure=failure)
