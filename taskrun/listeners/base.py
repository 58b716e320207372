"""What a listener is, and `Listeners`: the one place where a broken listener is kept away from the run.

A listener hears of every commit and may ask to be called again after some time. It never decides anything, never holds a run up and
never ends it: on an `OSError` of its stream it falls silent for the rest of the run, and so does one with a bug in it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from taskrun.engine.view import EntryLike, Row, View

# The file that the last attempt of a row at doing (False) or at undoing (True) writes its output to; None if there is none.
OutputOf = Callable[[Row, bool], str | None]


class RunLike(Protocol):
    """What is told of any run."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def created(self) -> float: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def exit_code(self) -> int | None: ...


class Entry(EntryLike, Protocol):
    """A journal entry as listeners see it."""

    @property
    def seq(self) -> int: ...


class Listener(Protocol):
    def entries(self, entries: Sequence[Entry]) -> None:
        """These were just committed, in journal order."""

    def tick(self, now: float) -> float | None:
        """Called by the driver's loop with the unix time; returns the seconds until it wants to be called again, None for never."""

    def say(self, text: str) -> None:
        """A sentence for the person at the terminal, not part of the journal (what a Ctrl-C will do)."""

    def close(self) -> None:
        """The run is over or leaves: show the last state, give the terminal back."""


class Listeners:
    """Keeps the view up to date and tells each listener in turn; is a listener itself.

    `broken` holds what went wrong in a listener, for one warning after the run; a closed stream is not in it.
    """

    def __init__(self, view: View, listeners: Sequence[Listener]) -> None:
        self.view = view
        self.broken: list[Exception] = []
        self._listeners = list(listeners)

    def entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.view.apply(entry)
        for listener in tuple(self._listeners):
            try:
                listener.entries(entries)
            except Exception as problem:
                self._drop(listener, problem)

    def tick(self, now: float) -> float | None:
        soonest: float | None = None
        for listener in tuple(self._listeners):
            try:
                wish = listener.tick(now)
            except Exception as problem:
                self._drop(listener, problem)
                continue
            if wish is not None and (soonest is None or wish < soonest):
                soonest = wish
        return soonest

    def say(self, text: str) -> None:
        for listener in tuple(self._listeners):
            try:
                listener.say(text)
            except Exception as problem:
                self._drop(listener, problem)

    def close(self) -> None:
        for listener in tuple(self._listeners):
            try:
                listener.close()
            except Exception as problem:
                self._drop(listener, problem)

    def _drop(self, listener: Listener, problem: Exception) -> None:
        """A listener that fails is not asked again. The run is worth more than its display."""
        self._listeners.remove(listener)
        if not isinstance(problem, OSError):
            self.broken.append(problem)
