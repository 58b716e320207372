"""The identity of a run in a distributed trace (W3C Trace Context): known before an attempt starts, so that it can be told.

Nothing here measures or sends; that is the business of ``taskrun.listeners.telemetry``. Off unless ``begin`` was called.
"""

from taskrun.digest import sha256
from taskrun.regex import lazy

_TRACEPARENT = lazy(r"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
_SAMPLED = 1


class Trace:
    """``parent`` is the span that called us, 0 if none did; ``flags`` are handed on as they came."""

    def __init__(self, run_id: str, traceparent: str | None) -> None:
        self._run_id = run_id
        found = _parsed(traceparent or "")
        self.id, self.parent, self.flags = found or (_number(16, "trace", run_id), 0, _SAMPLED)

    def span_of(self, task: str, undoing: bool, number: int) -> int:
        """The same for everybody who asks: an attempt's number never repeats in a run."""
        return _number(8, self._run_id, task, "revert" if undoing else "do", str(number))

    def traceparent(self, task: str, undoing: bool, number: int) -> str:
        """What the processes of an attempt find in ``TRACEPARENT``."""
        return f"00-{self.id:032x}-{self.span_of(task, undoing, number):016x}-{self.flags:02x}"


current: list[Trace] = []


def begin(run_id: str, traceparent: str | None) -> Trace:
    current[:] = [Trace(run_id, traceparent)]
    return current[0]


def _parsed(text: str) -> tuple[int, int, int] | None:
    """None for what is no trace context; a caller with a broken one has none."""
    found = _TRACEPARENT.match(text.strip())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    trace, parent = int(found[2], 16), int(found[3], 16)
    return (trace, parent, int(found[4], 16)) if trace and parent else None


def _number(size: int, *parts: str) -> int:
    return int.from_bytes(sha256("/".join(parts).encode())[:size], "big") or 1
