"""The supervising process of a run: starts attempts, waits for them, and writes down what happened.

It is forked from taskrun and outlives it: when taskrun goes away it starts nothing more, waits for what runs
(timeouts still hold), and leaves. For its whole life it holds the lock on ``attempts.log``, by which a later
taskrun knows that it is still there. SIGTERM makes it end all its attempts, SIGQUIT without any grace.
"""

import fcntl
import gc
import os
import select
import signal
import time
from typing import Any

from taskrun.executors import linux
from taskrun.executors.attempts_log import Keeper, keeper_line
from taskrun.executors.ending import Endings
from taskrun.executors.family import Attempt, Families
from taskrun.executors.launch import ignored_signals
from taskrun.executors.masking import Matcher
from taskrun.executors.outlets import Outlets
from taskrun.executors.protocol import RECEIVE, Ended, Spawn, Unpacker, wall_clock
from taskrun.executors.reports import Reports
from taskrun.executors.spares import Spares
from taskrun.executors.starting import Starting
from taskrun.executors.warm import Nursery

REWRITE = 0.5
"""Seconds between two tries to write what did not fit on the disk."""

_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGQUIT)
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGUSR1, signal.SIGUSR2)


class Supervision:
    """The supervising process: its loop, and who is told what."""

    def __init__(self, connection: int, log: int) -> None:
        self._alone = False
        self._connection = connection
        self._unpacker = Unpacker()
        self._signals = linux.open_signalfd(_WATCHED)
        self._epoll = select.epoll()
        self._epoll.register(connection, select.EPOLLIN)
        self._epoll.register(self._signals, select.EPOLLIN)
        self._families = Families()
        self._endings = Endings(self._families, self._over)
        self._reports = Reports(log, connection, self._epoll)
        self._outlets = Outlets(self._epoll)
        self._nursery = Nursery(self._families, ignored_signals(), self._epoll)
        self._spares = Spares()
        self._starting = Starting(
            self._families, self._endings, self._reports, self._outlets, self._nursery, self._spares
        )
        # The line before may have been torn when its keeper died.
        self._reports.write(b"\n" + keeper_line(_myself()))

    def serve(self) -> None:
        """Work until taskrun is gone and everything it asked for has ended and is written down."""
        reports = self._reports
        while not (self._alone and not self._families.attempts and not reports.unwritten):
            patience = self._patience()
            for fd, events in self._epoll.poll(patience):
                if fd == self._signals:
                    self._read_signals()
                elif fd == self._connection:
                    self._read_connection(events)
                elif fd == self._nursery.fileno():
                    self._read_nursery()
                else:
                    self._outlets.read(fd)
            if patience is not None:
                now = time.monotonic()
                self._endings.run_timers(now)
                self._starting.retry(now)
            reports.flush()

    def serve_the_rest(self) -> None:
        """Processes that outlived their attempts may still print through here: until the last of them is gone."""
        while self._outlets:
            for fd, _ in self._epoll.poll():
                if fd != self._signals:
                    self._outlets.read(fd)
                elif linux.read_signalfd(fd) & {signal.SIGTERM, signal.SIGQUIT}:
                    return
                else:
                    self._endings.reap()

    def _patience(self) -> float | None:
        """Seconds until there is something to do that nobody calls for; None if there is nothing."""
        due = self._endings.next_timer()
        retry = self._starting.retry_at
        if due is None and retry is None and not self._reports.unwritten:
            return None
        now = time.monotonic()
        times = [when for when in (due, retry) if when is not None]
        if self._reports.unwritten:
            times.append(now + REWRITE)
        return max(0.0, min(times) - now)

    def _read_signals(self) -> None:
        arrived = linux.read_signalfd(self._signals)
        if signal.SIGCHLD in arrived:
            self._endings.reap()
            self._starting.hurry()
        if signal.SIGTERM in arrived or signal.SIGQUIT in arrived:
            self._starting.cancel_all()
            for attempt in list(self._families.attempts.values()):
                self._endings.stop(attempt, kill=signal.SIGQUIT in arrived)

    def _read_nursery(self) -> None:
        self._endings.reap(self._nursery.read())
        self._starting.hurry()

    def _read_connection(self, events: int) -> None:
        """Do what taskrun says, a datagram at a time, so that its death is noticed before the next."""
        self._alone = bool(events & select.EPOLLHUP)
        try:
            while datagram := os.read(self._connection, RECEIVE):
                for message in self._unpacker.feed(datagram):
                    self._obey(*message)
                if not self._alone:
                    return
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass  # it died without reading all of our reports
        self._leave_taskrun()

    def _obey(self, verb: str, *arguments: Any) -> None:
        if verb == "spawn":
            if not self._alone:
                self._starting.start(Spawn(*arguments))
        elif verb == "stop":
            self._stop(*arguments)
        elif verb == "pause":
            self._endings.pause()
        elif verb == "resume":
            self._resume()
        elif verb == "environment":
            self._starting.environment = arguments[0]
        elif verb == "mask":
            self._outlets.matcher = Matcher(arguments[0])
            self._reports.hide = self._hide

    def _stop(self, key: str, kill: bool) -> None:
        self._starting.cancel(key)
        attempt = self._families.attempts.get(key)
        if attempt is not None:
            self._endings.stop(attempt, kill=kill)

    def _resume(self) -> None:
        self._endings.resume()
        self._starting.hurry()

    def _leave_taskrun(self) -> None:
        """It died or left: nothing new from now on, and nothing may stay halted with nobody to wake it."""
        self._alone = True
        self._epoll.unregister(self._connection)
        os.close(self._connection)
        self._connection = -1  # its number may become that of a pipe
        self._reports.forget_taskrun()
        self._starting.cancel_all()
        self._resume()

    def _hide(self, message: str) -> str:
        return os.fsdecode(self._outlets.matcher.mask(os.fsencode(message)))

    def _over(self, attempt: Attempt, message: str) -> None:
        trouble = self._outlets.settle(attempt.key)
        if trouble:
            message = f"{message}; {trouble}" if message else trouble
        silent = not message and self._spares.offer(attempt.files)  # else something of it may be left
        self._reports.tell(
            Ended(
                attempt.key,
                attempt.status,
                attempt.code,
                attempt.timed_out,
                attempt.stopped,
                message,
                wall_clock(),
                silent,
            )
        )


def _myself() -> Keeper:
    me = linux.process(os.getpid())
    if me is None:
        raise FileNotFoundError("/proc is not mounted, and attempts cannot be watched without it")
    return Keeper(me.pid, me.starttime, linux.machine())


def main(connection: int, log: int) -> None:
    """Be the supervisor: called in the forked child, returns when the process may exit."""
    os.setsid()
    _take_signals()
    connection, log = _keep_only(connection, log)
    os.chdir("/")
    linux.become_subreaper("taskrun-keeper")
    os.set_blocking(connection, False)
    gc.freeze()  # what came over with the fork stays shared with taskrun only if nobody walks through it
    supervision = Supervision(connection, log)
    supervision.serve()
    os.close(log)  # and with it the run: whoever comes next need not wait
    supervision.serve_the_rest()


def _take_signals() -> None:
    """Drop what taskrun had set up; a terminal's or a closing session's signals are none of our business."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, _WATCHED)


def _keep_only(*kept: int) -> list[int]:
    """Close every other descriptor, so that no terminal, pipe or lock of the user's is held open from here."""
    # The first three are about to be replaced, so what is kept must be out of their way.
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) if fd < 3 else fd for fd in kept]
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in moved:
            _close(int(name))
    return moved


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return  # the descriptor the listing itself had used
