"""How long a part of an attempt may take: its own limit, and the deadline of all attempts of its task together."""

from collections.abc import Callable, Mapping

from taskrun.drivers.attempt import REVERT, Attempt
from taskrun.drivers.clock import Clock
from taskrun.drivers.values import Values

ASIDE_TIMEOUT = 60.0


class Limits:
    """``began`` notes when the first attempt of a task started; ``forgotten`` when the task is to be done anew."""

    def __init__(self, values: Values, clock: Clock) -> None:
        self._values = values
        self._clock = clock
        self._first: dict[int, float] = {}

    def began(self, node: int, at: float) -> None:
        self._first.setdefault(node, at)

    def forgotten(self, node: int) -> None:
        self._first.pop(node, None)

    def put_off(self, seconds: float) -> None:
        """So long nothing went on."""
        self._first = {node: at + seconds for node, at in self._first.items()}

    def renumber(self, names: Callable[[int], str], nodes: Mapping[str, int]) -> None:
        """The tasks are the same, their numbers are not."""
        self._first = {nodes[names(node)]: at for node, at in self._first.items()}

    def left(self, attempt: Attempt) -> float | None:
        """Seconds from now; None if nothing limits it."""
        limit = attempt.context.timeout
        if attempt.then is not None:
            return ASIDE_TIMEOUT if limit is None else limit
        deadline = self._values.spec(attempt.node).get("deadline")
        if deadline is None or attempt.part == REVERT:
            return limit
        now = self._clock.now()
        left = self._first.get(attempt.node, now) + deadline - now
        return max(float(left if limit is None else min(limit, left)), 0.001)

    def whole(self, attempt: Attempt) -> float | None:
        """What was allowed from the start, to be named in a message."""
        limit: float | None = attempt.context.timeout
        if attempt.then is not None:
            return ASIDE_TIMEOUT if limit is None else limit
        return self._values.spec(attempt.node).get("deadline") if limit is None else limit

    def is_past_deadline(self, node: int, now: float) -> bool:
        deadline = self._values.spec(node).get("deadline")
        return deadline is not None and now >= self._first.get(node, now) + deadline
