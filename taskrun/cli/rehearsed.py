"""One run of a rehearsal, in a process of its own that may kill itself: ``main(path)`` with what `rehearse` wrote there."""

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from taskrun.app.base import RunOptions
from taskrun.app.starting import start_run
from taskrun.listeners.base import Entry, Listener


class _Killer:
    """Kills this process while a task is under way, or at the latest when that attempt has ended."""

    def __init__(self, task: str, state: str, delay: float) -> None:
        self._task = task
        self._state = state
        self._delay = delay
        self._armed = False

    def entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.kind != "task" or entry.name.split("[")[0] != self._task:
                continue
            if entry.state == self._state:
                if not self._delay:
                    _die()
                self._armed = True
                threading.Timer(self._delay, _die).start()
            elif self._armed:
                _die()

    def tick(self, _now: float) -> float | None:
        return None

    def say(self, text: str) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing is open."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        given: dict[str, Any] = json.load(file)
    listeners: list[Listener] = []
    if given["kill"]:
        listeners.append(_Killer(**given["kill"]))
    outcome = start_run(
        given["definition"],
        given["text"],
        given["inputs"],
        RunOptions(1, "process"),
        lambda _displayed: listeners,
    )
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
