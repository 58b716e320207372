"""What a driver waits for: descriptors with what to call when they are readable, and times with what to call then."""

import heapq
import select
from collections.abc import Callable
from typing import Protocol

from taskrun.drivers.clock import Clock

Call = Callable[[], None]


class Wakes(Protocol):
    """Something that has a descriptor to watch."""

    def fileno(self) -> int: ...


class Loop:
    """One epoll and a heap of timers; whose turn it is to wait, and until when, the driver says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._epoll = select.epoll()
        self._calls: dict[int, Call] = {}
        self._timers: list[tuple[float, int, Call]] = []
        self._count = 0

    def watch(self, wakes: Wakes, call: Call) -> None:
        fd = wakes.fileno()
        self._calls[fd] = call
        self._epoll.register(fd, select.EPOLLIN)

    def forget(self, wakes: Wakes) -> None:
        fd = wakes.fileno()
        self._epoll.unregister(fd)
        del self._calls[fd]

    def at(self, due: float, call: Call) -> None:
        self._count += 1
        heapq.heappush(self._timers, (due, self._count, call))

    def put_off(self, seconds: float) -> None:
        """All that was to come comes so much later: order stays."""
        self._timers = [(due + seconds, count, call) for due, count, call in self._timers]

    def every(self, seconds: float, call: Call) -> None:
        """Call again and again for as long as the loop is waited in."""

        def again() -> None:
            call()
            self.at(self._clock.now() + seconds, again)

        self.at(self._clock.now() + seconds, again)

    def wait(self, wish: float | None, now: float) -> None:
        """Until something happens, a time has come, or ``wish`` seconds are over; then call whom it concerns."""
        timeout = -1.0 if wish is None else max(wish, 0.0)
        if self._timers:
            until = max(self._timers[0][0] - now, 0.0)
            timeout = until if timeout < 0 else min(timeout, until)
        self.poll(timeout)
        now = self._clock.now()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def poll(self, timeout: float = -1.0) -> None:
        """The same without the times."""
        for fd, _ in self._epoll.poll(timeout):
            self._calls[fd]()

    def close(self) -> None:
        self._epoll.close()
