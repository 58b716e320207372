"""One JSON object a line, exactly what the journal holds: a head that names the run, its events, a summary."""

from collections.abc import Callable, Mapping, Sequence
from json import JSONEncoder
from typing import Any

from taskrun.engine.view import View
from taskrun.listeners.base import Entry
from taskrun.listeners.outlet import Outlet, show
from taskrun.listeners.sanitize import one_line

STDERR = 2
_RETRY_WRITE = 0.05
_encode = JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_line(value: Mapping[str, Any]) -> str:
    """Pure ASCII, so that no value can steer a terminal or split a line."""
    return _encode(value).replace("\x7f", "\\u007f") + "\n"


def run_head(run_id: str, name: str, file: str) -> dict[str, Any]:
    return {"kind": "run", "v": 1, "run": run_id, "name": name, "file": file}


def summary(view: View, run_id: str, exit_code: int) -> dict[str, Any]:
    """What the run left behind, in the order it happened."""
    return {
        "kind": "summary",
        "exit_code": exit_code,
        "reverted": view.undone,
        "applied": view.applied,
        "unknown": view.unknown,
        "revert_failed": view.revert_failed,
        "residue": [found.message for found in view.residue],
        "run": run_id,
        "state": view.state,
    }


class Ndjson:
    """Writes to file descriptor `fd`. `encode` makes the public event of an entry.

    A reader that stops reading never holds the run up: events wait in memory, and beyond 64 MiB the stream ends without a summary
    (`states --history --output ndjson` has them all).
    """

    def __init__(
        self, fd: int, head: Mapping[str, Any], encode: Callable[[Entry], Mapping[str, Any]]
    ) -> None:
        self._outlet = Outlet(fd)
        self._encode = encode
        self._outlet.write(json_line(head))

    def entries(self, entries: Sequence[Entry]) -> None:
        if self._outlet.open:
            self._outlet.write("".join([json_line(self._encode(entry)) for entry in entries]))

    def tick(self, now: float) -> float | None:  # noqa: ARG002 - nothing here depends on the time
        self._outlet.pump()
        return _RETRY_WRITE if self._outlet.behind else None

    def say(self, text: str) -> None:
        """Not an event of the run, so not in its stream."""
        show(one_line(text) + "\n", STDERR)

    def close(self) -> None:
        self._outlet.leave()

    def finish(self, last: Mapping[str, Any]) -> None:
        """The summary, once the exit code is known; may come after `close`."""
        self._outlet.write(json_line(last))
        self._outlet.leave()
