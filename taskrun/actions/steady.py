"""A clock for limits: it stands still while taskrun is halted (Ctrl-Z), for whoever looks at it from any thread."""

import time


class Steady:
    """``halt`` before the process stops and ``go_on`` after: in between nobody's time runs out."""

    def __init__(self) -> None:
        self._halted = 0.0
        self._since: float | None = None

    def now(self) -> float:
        since = self._since
        return (time.monotonic() if since is None else since) - self._halted

    def halt(self) -> None:
        self._since = time.monotonic()

    def go_on(self) -> float:
        """How long it stood still."""
        assert self._since is not None
        seconds = time.monotonic() - self._since
        self._halted += seconds
        self._since = None
        return seconds


CLOCK = Steady()
"""The process's own: what halts it halts all that it does."""


def steady() -> float:
    return CLOCK.now()
