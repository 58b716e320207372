"""Ends attempts: on time, on request, and what an attempt that ended by itself left behind.

    running --its time is up, or stop--> TERM to all of it --grace--> KILL, until nothing is left
    running --leader exits--> nothing left: over
                              rest of its session: TERM --short grace--> KILL, over when it is gone
                              left its session: named in the report and let be

Clocks are monotonic, and stand still for timeouts while the run is paused.
"""

import heapq
import os
import signal
import time
from collections.abc import Callable, Sequence

from taskrun.executors import linux
from taskrun.executors.family import Attempt, Families

SHORT_GRACE = 0.25
"""For the rest of a session whose leader ended by itself: the attempt is not held up for a forgotten child."""
LOOK_AGAIN, LOOK_AGAIN_MOST = 0.02, 1.0
HALT_ROUNDS = 5
MANY_TIMERS = 100
GIVE_UP = 5.0
"""Past the KILL: what is still there cannot be ended (another user's, or stuck in the kernel)."""

_TERMINATE = (signal.SIGTERM, signal.SIGCONT)  # a halted process must run to act on a request to end


class Endings:
    """``report(attempt, message)`` is called once an attempt is over, after it left ``families``."""

    def __init__(self, families: Families, report: Callable[[Attempt, str], None]) -> None:
        self._families = families
        self._report = report
        self._timers: list[tuple[float, int, Attempt]] = []
        self._count = 0
        self._paused_at: float | None = None
        self._clearing: set[Attempt] = set()  # their leader is gone, something of them is not

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    def next_timer(self) -> float | None:
        """When ``run_timers`` has something to do, if ever."""
        timers = self._timers
        while timers and timers[0][2].wake != timers[0][0]:
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def run_timers(self, now: float) -> None:
        while (due := self.next_timer()) is not None and due <= now:
            attempt = heapq.heappop(self._timers)[2]
            attempt.wake = None
            self._look_at(attempt, now)

    def watch(self, attempt: Attempt) -> None:
        """A new attempt: see that it keeps to its time."""
        if attempt.deadline is not None:
            self._wake_at(attempt, attempt.deadline)

    def stop(self, attempt: Attempt, *, kill: bool) -> None:
        """End an attempt that is running; again, with ``kill``, to cut its grace short."""
        if not attempt.status:
            attempt.stopped = True
            self._begin(attempt, time.monotonic(), 0.0 if kill else attempt.grace)

    def reap(self, told: Sequence[tuple[int, int]] = ()) -> None:
        """Take in every child that ended, and those a helper has ``told`` of; see what is left of their attempts."""
        families = self._families
        exited = [attempt for pid, status in told if (attempt := self._ended(pid, status)) is not None]
        while (child := linux.wait()) is not None:
            attempt = self._ended(*child)
            if attempt is not None:
                exited.append(attempt)
            if families.are_empty:
                break  # asking on would only raise ChildProcessError, which is dear
        families.adopt()
        now = time.monotonic()
        for attempt in (*self._clearing, *exited):
            self._clear(attempt, now)

    def _ended(self, pid: int, status: int) -> Attempt | None:
        attempt = self._families.reaped(pid)
        if attempt is not None:
            if os.WIFSIGNALED(status):
                attempt.status, attempt.code = "signaled", os.WTERMSIG(status)
            else:
                attempt.status, attempt.code = "exited", os.WEXITSTATUS(status)
        return attempt

    def pause(self) -> None:
        """Halt every attempt that runs; those being ended go on ending."""
        if self._paused_at is None:
            self._paused_at = time.monotonic()
            for attempt in self._families.attempts.values():
                if attempt.kill_at is None:
                    self._halt(attempt)
                    attempt.wake = None

    def resume(self) -> None:
        """Go on after ``pause``, with all deadlines as far away as they were then."""
        if self._paused_at is None:
            return
        halted = time.monotonic() - self._paused_at
        self._paused_at = None
        for attempt in self._families.attempts.values():
            if attempt.kill_at is None:
                self._families.signal(attempt, self._families.whole(attempt), signal.SIGCONT)
                if attempt.deadline is not None:
                    attempt.deadline += halted
                    self._wake_at(attempt, attempt.deadline)

    def _halt(self, attempt: Attempt) -> None:
        """Halt all of it. A group is halted as one; outside of it something may be forked before it is reached."""
        halted: set[int] = set()
        for _ in range(HALT_ROUNDS):
            members = self._families.whole(attempt)
            self._families.signal(attempt, members, signal.SIGSTOP)
            pids = {member.pid for member in members}
            if pids <= halted:
                return
            halted |= pids

    def _wake_at(self, attempt: Attempt, when: float) -> None:
        attempt.wake = when
        if len(self._timers) > MANY_TIMERS + 2 * len(self._families.attempts):
            # Attempts that are over before their time would stay here until it comes.
            self._timers = [timer for timer in self._timers if timer[2].wake == timer[0]]
            heapq.heapify(self._timers)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, attempt))

    def _look_at(self, attempt: Attempt, now: float) -> None:
        if attempt.status:
            self._families.adopt()
            self._clear(attempt, now)
        elif attempt.kill_at is None:
            attempt.timed_out = True
            self._begin(attempt, now, attempt.grace)
        else:
            self._kill(attempt, now)

    def _begin(self, attempt: Attempt, now: float, grace: float) -> None:
        if attempt.kill_at is not None and attempt.kill_at <= now + grace:
            return
        first = attempt.kill_at is None
        attempt.kill_at = now + grace
        if first and grace > 0:
            self._families.signal(attempt, self._families.whole(attempt), *_TERMINATE)
            self._wake_at(attempt, attempt.kill_at)
        else:
            self._kill(attempt, now)

    def _kill(self, attempt: Attempt, now: float) -> None:
        """Kill all of it, halted first so that nothing is forked between the look and the kill."""
        self._halt(attempt)
        self._families.signal(attempt, self._families.whole(attempt), signal.SIGKILL)
        self._look_again(attempt, now)

    def _look_again(self, attempt: Attempt, now: float) -> None:
        late = now - (attempt.kill_at or now)
        self._wake_at(attempt, now + min(LOOK_AGAIN + late, LOOK_AGAIN_MOST))

    def _clear(self, attempt: Attempt, now: float) -> None:
        """The leader is gone: end the rest of its session, or everything if the attempt was being ended."""
        rest, escaped = self._families.orphans(attempt), []
        if rest and not attempt.is_ended_by_us:
            escaped = [orphan for orphan in rest if orphan.session != attempt.pid and not orphan.is_gone]
            rest = [orphan for orphan in rest if orphan not in escaped]
        if not rest:
            self._finish(attempt, "left running", escaped)
            return
        self._clearing.add(attempt)
        if attempt.kill_at is None:
            attempt.kill_at = now + SHORT_GRACE
            self._families.signal(attempt, rest, *_TERMINATE)
            self._wake_at(attempt, attempt.kill_at)
        elif now >= attempt.kill_at + GIVE_UP:
            self._finish(attempt, "could not be ended", rest)
        elif now < attempt.kill_at:
            if attempt.wake is None:
                self._wake_at(attempt, attempt.kill_at)
        elif attempt.is_ended_by_us:
            self._kill(attempt, now)
        else:
            self._families.signal(attempt, rest, signal.SIGKILL)
            self._look_again(attempt, now)

    def _finish(self, attempt: Attempt, what: str, left: list[linux.Process]) -> None:
        attempt.wake = None
        self._clearing.discard(attempt)
        self._families.remove(attempt)
        names = ", ".join([linux.describe(process.pid) for process in left])
        self._report(attempt, f"{what}: {names}" if names else "")
