"""Finds and ends what a dead supervisor's attempts left behind, and never anybody else's process.

A process belongs to an attempt if it is its leader by number *and* start time, carries the attempt's mark in
its environment, shares the session of such a one, or descends from one. A number alone proves nothing.
"""

import os
import signal
import time
from collections.abc import Iterable

from taskrun.executors import linux
from taskrun.executors.attempts_log import Trace, mark_of
from taskrun.executors.linux import Process

LOOK_AGAIN = 0.02
LOOKS_IN_VAIN = 2
"""One is not enough: a process can be forked behind the back of a single look."""
KTHREADD = 2
LOADING = 1.0
"""Seconds to wait for a program that is being loaded, and shows neither its words nor its environment yet."""
GIVE_UP = 5.0
"""Seconds past the KILL, after which what is still there cannot be ended."""


class Leftovers:
    """What ``end`` found of one attempt, and what of it could not be ended."""

    __slots__ = ("found", "staying", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.found: dict[int, str] = {}  # number -> how people would call it
        self.staying: list[Process] = []


def end(traces: Iterable[Trace], grace: float) -> list[Leftovers]:
    """End all that is left of some attempts: TERM, and KILL for what is there after ``grace`` seconds."""
    machine = linux.machine()
    leftovers = [
        Leftovers(trace) for trace in traces if trace.keeper and _same_boot(trace.keeper.machine, machine)
    ]
    started = time.monotonic()
    looks_in_vain = 0 if leftovers else LOOKS_IN_VAIN
    while looks_in_vain < LOOKS_IN_VAIN and (passed := time.monotonic() - started) < grace + GIVE_UP:
        asked = {process.pid for one in leftovers for process in one.staying}
        is_sure = _look(leftovers, machine)
        if any(one.staying for one in leftovers):
            looks_in_vain = 0
            _signal(leftovers, asked, is_time_up=passed >= grace)
        elif is_sure or passed > LOADING:
            looks_in_vain += 1
        time.sleep(LOOK_AGAIN)
    return leftovers


def _same_boot(one: str, other: str) -> bool:
    return one.partition("/")[0] == other.partition("/")[0]


def _signal(leftovers: list[Leftovers], asked: set[int], *, is_time_up: bool) -> None:
    """KILL what had its time; ask what was not yet asked."""
    for one in leftovers:
        for process in one.staying:
            if is_time_up:
                linux.send(process.pid, process.starttime, signal.SIGKILL)
            elif process.pid not in asked:
                linux.send(process.pid, process.starttime, signal.SIGTERM)
                linux.send(process.pid, process.starttime, signal.SIGCONT)  # the halted must run to obey


def _look(leftovers: list[Leftovers], machine: str) -> bool:
    """See what is there now of each attempt; False if it cannot yet be told of every process."""
    mine = _lineage()
    present = {found.pid: found for found in linux.processes() if not found.is_gone and found.pid not in mine}
    earliest = min(one.trace.earliest for one in leftovers)
    young = [found for found in present.values() if found.starttime >= earliest]
    marks = {found.pid: mark_of(linux.environment(found.pid)) for found in young}
    for one in leftovers:
        one.staying = _members(one.trace, present, marks, machine)
        for process in one.staying:
            one.found.setdefault(process.pid, linux.describe(process.pid))
    if all(one.trace.pid for one in leftovers):
        return True  # its leader is known by number, loaded or not
    return all(marks[found.pid] or not _is_loading(found) for found in young)


def _is_loading(found: Process) -> bool:
    """A program gives up the log's lock a moment before it can be seen what it is."""
    is_of_the_kernel = KTHREADD in (found.pid, found.parent)
    return not is_of_the_kernel and not linux.read_bytes(f"/proc/{found.pid}/cmdline")


def _lineage() -> set[int]:
    """Tell this process and its ancestors: taskrun may well be called from within what it is to clean up."""
    lineage: set[int] = set()
    pid = os.getpid()
    while pid and pid not in lineage:
        lineage.add(pid)
        found = linux.process(pid)
        pid = found.parent if found is not None else 0
    return lineage


def _members(trace: Trace, present: dict[int, Process], marks: dict[int, str], machine: str) -> list[Process]:
    known = {
        pid
        for pid, found in present.items()
        if found.starttime >= trace.earliest
        and (_is_leader(found, trace, machine) or (trace.mark and marks.get(pid) == trace.mark))
    }
    # Its number stays taken while the session has a member, so one member known proves the others.
    is_numbered_alike = trace.keeper is not None and trace.keeper.machine == machine
    if is_numbered_alike and any(present[pid].session == trace.pid for pid in known):
        known |= {pid for pid, found in present.items() if found.session == trace.pid}
    below = [pid for pid in linux.descendants(known) if pid in present]
    return [present[pid] for pid in known.union(below)]


def _is_leader(found: Process, trace: Trace, machine: str) -> bool:
    return (
        trace.keeper is not None
        and trace.keeper.machine == machine
        and found.pid == trace.pid
        and trace.earliest <= found.starttime <= trace.latest
    )
