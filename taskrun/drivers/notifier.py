"""Who is told of state changes: the `notify` rules of a file, carried out one after another, after the commit.

A notification that fails is a warning in the journal; it never changes the run.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.drivers.local import LocalDriver
from taskrun.drivers.values import Values
from taskrun.journal.base import Entry
from taskrun.journal.codec import event_dict

PART = "notify"


class Notifier:
    def __init__(
        self, rules: Sequence[Mapping[str, Any]], driver: LocalDriver, values: Values, run_id: str
    ) -> None:
        self._rules = rules
        self._driver = driver
        self._values = values
        self._run_id = run_id
        self._queue: deque[tuple[Mapping[str, Any], Entry]] = deque()
        self._busy = False

    def entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            kind, state = _told_as(entry)
            for rule in self._rules:
                if rule["kind"] == kind and (rule["states"] == "*" or state in rule["states"]):
                    self._queue.append((rule["action"], entry))
        self._next()

    def _next(self) -> None:
        while self._queue and not self._busy:
            action, entry = self._queue.popleft()
            self._busy = True
            scope = self._values.run_scope(event=event_dict(self._run_id, entry))
            self._driver.carry(entry.name, PART, action, scope, self._told(action, entry))

    def _told(self, action: Mapping[str, Any], entry: Entry) -> Any:
        def then(result: Mapping[str, Any] | None, failure: Mapping[str, Any] | None) -> None:
            self._busy = False
            if failure is not None:
                message = f"the notification of {_told_as(entry)[1]} failed: {failure['message']}"
                self._driver.record("warning", entry.name, {"message": message})
            elif action["kind"] == "echo" and result is not None:
                self._driver.record("log", entry.name, {"message": result["message"]})
            self._next()

        return then


def _told_as(entry: Entry) -> tuple[str, str | None]:
    """Kind and state. A state of a task's own is told like those that taskrun gives."""
    if entry.kind == "custom":
        state = (entry.data or {}).get("state")
        return ("task" if state else "custom"), state
    return entry.kind, entry.state
