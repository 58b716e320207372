"""A run made of entries, fed to a view and to listeners the way a driver does it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from taskrun.engine.view import View
from taskrun.journal.base import Entry
from taskrun.listeners.base import Listener, Listeners

START = 1_769_851_800.0  # 2026-01-31 09:30:00 UTC


class Run:
    """Entries one second apart. `listen` attaches listeners; every `add` is a commit."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.view = View(definition)
        self.now = START
        self.history: list[Entry] = []
        self._listeners = Listeners(self.view, [])

    def listen(self, *listeners: Listener) -> Listeners:
        self._listeners = Listeners(self.view, listeners)
        return self._listeners

    def entry(self, kind: str, name: str, state: str | None, attempt: int = 1, **data: Any) -> Entry:
        row = self.view.row(kind, name)
        old = (self.view.state if kind == "flow" else row.state if row else "PENDING") if state else None
        return Entry(len(self.history) + 1, self.now, kind, name, old, state, attempt, data or None)

    def add(
        self, kind: str, name: str, *states: str, attempt: int = 1, after: float = 1.0, **data: Any
    ) -> None:
        for state in states:
            self.commit(self.entry(kind, name, state, attempt, **data))
            self.now += after

    def commit(self, *entries: Entry) -> None:
        self.history += entries
        self._listeners.entries(entries)

    def flow(self, *states: str, **data: Any) -> None:
        self.add("flow", self.view.name, *states, **data)

    def task(self, name: str, *states: str, attempt: int = 1, **data: Any) -> None:
        self.add("task", name, *states, attempt=attempt, **data)

    def note(self, kind: str, name: str, **data: Any) -> None:
        self.commit(self.entry(kind, name, None, **data))


def _definition(names: Sequence[str], name: str = "release", **of_each: Any) -> dict[str, Any]:
    common = {"flow": 0, "kind": "run", "fields": {}, "revert": {"form": "action"}} | of_each
    children = [["task", i] for i in range(len(names))]
    return {
        "name": name,
        "flows": [{"name": name, "parent": -1, "pattern": "linear", "children": children}],
        "tasks": [{"name": task} | common for task in names],
    }


@pytest.fixture
def definition() -> Callable[..., dict[str, Any]]:
    return _definition


@pytest.fixture
def run() -> Callable[..., Run]:
    """A run of a linear flow with these tasks, or of a whole definition."""

    def make(*names: str, definition: dict[str, Any] | None = None, **of_each: Any) -> Run:
        return Run(definition or _definition(names, **of_each))

    return make
