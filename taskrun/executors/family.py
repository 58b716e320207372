"""Which processes belong to which attempt: its session, and the orphans the supervisor inherits.

The supervisor is a subreaper, so whatever an attempt leaves behind becomes the supervisor's own child the
moment its parent dies. An orphan is told apart by its session, else by the mark in its environment, else by it
or its session's leader having been seen below the attempt's leader before.
"""

import os
from collections.abc import Iterable, Sequence

from taskrun.executors import linux
from taskrun.executors.attempts_log import mark_of
from taskrun.executors.linux import Process


class Attempt:
    """One process that was started and everything that came of it."""

    __slots__ = (
        "code", "deadline", "files", "grace", "key", "kill_at", "mark", "pid", "seen", "status", "stopped", "timed_out", "wake",
    )  # fmt: skip

    def __init__(
        self, key: str, mark: str, pid: int, deadline: float | None, grace: float, files: Sequence[str] = ()
    ) -> None:
        self.key = key
        self.mark = mark
        self.pid = pid
        self.deadline = deadline
        self.grace = grace
        self.files = files  # that it prints into, and nobody else
        self.status = ""  # until the leader is gone
        self.code = 0
        self.timed_out = False
        self.stopped = False
        self.kill_at: float | None = None  # set once it is being ended
        self.wake: float | None = None  # the one entry of the timer queue that counts
        self.seen: set[int] = set()  # what was once found below the leader

    @property
    def is_ended_by_us(self) -> bool:
        """Then nothing of it may stay, not even what left its session."""
        return self.timed_out or self.stopped


class Families:
    """The supervisor's children: leaders of attempts, and orphans with the attempt each belongs to."""

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self._me = os.getpid()
        self._children = linux.open_children(self._me)
        self._leaders: dict[int, Attempt] = {}  # not reaped yet
        self._sessions: dict[int, Attempt] = {}
        self._orphans: dict[int, Attempt | None] = {}
        self.own: set[int] = set()  # helpers of the supervisor itself, by number and by session
        self._fostered: set[int] = set()  # leaders that are a helper's children
        self._own_sessions: set[int] = set()

    def add(self, attempt: Attempt) -> None:
        self.attempts[attempt.key] = attempt
        self._leaders[attempt.pid] = self._sessions[attempt.pid] = attempt

    def add_own(self, pid: int) -> None:
        """A helper of the supervisor itself: the leader of a session in which nothing belongs to any attempt."""
        self.own.add(pid)
        self._own_sessions.add(pid)

    def foster(self, pid: int) -> None:
        """Know of a leader that is the child of a helper, which will tell how it ends."""
        self._fostered.add(pid)

    def inherit(self) -> None:
        """The helper is dead: its children are the supervisor's."""
        self._fostered.clear()

    def remove(self, attempt: Attempt) -> None:
        """Let go of an attempt that is over; what it leaks is nobody's from now on."""
        del self.attempts[attempt.key]
        if self._sessions.get(attempt.pid) is attempt:  # its number may have come round to another leader
            del self._sessions[attempt.pid]
        for pid, owner in self._orphans.items():
            if owner is attempt:
                self._orphans[pid] = None

    def reaped(self, pid: int) -> Attempt | None:
        """Take note that a child is no more; the attempt it led, if it was a leader."""
        attempt = self._leaders.pop(pid, None)
        self._fostered.discard(pid)
        if attempt is None:
            self._orphans.pop(pid, None)
            self.own.discard(pid)
            if not self.own:
                self._own_sessions.clear()
        return attempt

    @property
    def are_empty(self) -> bool:
        """Whether no child is known of; ``adopt`` finds those that are not known yet."""
        return not self._leaders and not self._orphans and not self.own

    def adopt(self) -> None:
        """Find the owners of orphans that have come in since the last time, and reap those that are dead."""
        leaders, orphans, own = self._leaders, self._orphans, self.own
        while True:
            children = linux.read_children(self._children, self._me)
            if len(children) == len(leaders) - len(self._fostered) + len(orphans) + len(own):
                return
            has_reaped = False
            for pid in children:
                if pid not in leaders and pid not in orphans and pid not in own:
                    orphan = linux.process(pid)
                    if orphan is not None and not orphan.is_gone and orphan.session in self._own_sessions:
                        own.add(pid)
                    elif orphan is not None and not orphan.is_gone:
                        orphans[pid] = self._owner(orphan)
                    elif linux.wait(pid) is not None:
                        has_reaped = True
            if not has_reaped:
                return  # else look again: who died has left us its own children

    def _owner(self, orphan: Process) -> Attempt | None:
        attempt = self._sessions.get(orphan.session)
        if attempt is not None:
            return attempt
        mark = mark_of(linux.environment(orphan.pid))
        for attempt in self.attempts.values():
            if (
                (mark and mark == attempt.mark)
                or orphan.pid in attempt.seen
                or orphan.session in attempt.seen
            ):
                return attempt
        if not mark and len(self.attempts) == 1 and None not in self._orphans.values():
            return next(iter(self.attempts.values()))  # nobody else it could be of
        return None

    def orphans(self, attempt: Attempt) -> list[Process]:
        """What is left of an attempt among the supervisor's own children.

        The dead are among it until they are reaped: they may have left children that are not adopted yet.
        """
        if not self._orphans:
            return []
        found = (linux.process(pid) for pid, owner in self._orphans.items() if owner is attempt)
        return [orphan for orphan in found if orphan is not None]

    def whole(self, attempt: Attempt) -> list[Process]:
        """Everything alive that is known to be of an attempt, however far down, its leader left out."""
        self.adopt()
        orphans = self.orphans(attempt)
        roots = [orphan.pid for orphan in orphans]
        if not attempt.status:
            roots.append(attempt.pid)
        below = linux.descendants(roots)
        attempt.seen.update(below)
        return orphans + [found for found in below.values() if not found.is_gone]

    def signal(self, attempt: Attempt, members: Iterable[Process], *numbers: int) -> None:
        """Send signals to the leader's process group, and to those of ``members`` that are outside of it."""
        inside = [member for member in members if member.group == attempt.pid]
        outside = [member for member in members if member.group != attempt.pid]
        for number in numbers:
            # A dead leader's number is not given out again while its group has a member, so the group
            # may be signalled as long as one was seen.
            if inside or not attempt.status:
                _signal_group(attempt.pid, number)
            for member in outside:
                linux.send(member.pid, member.starttime, number)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # gone already, or run as another user: the caller looks again and says what is left
