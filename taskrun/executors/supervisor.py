"""The supervising process of a run: starts attempts, waits for them, and writes down what happened.

It is forked from taskrun and outlives it: when taskrun goes away it starts nothing more, waits for what runs
(timeouts still hold), and leaves. For its whole life it holds the lock on ``attempts.log``, by which a later
taskrun knows that it is still there. SIGTERM makes it end all its attempts, SIGQUIT without any grace.
"""

# pathlib is left out: its import costs more than this whole module.
# ruff: noqa: PTH208
import fcntl
import os
import select
import signal
import time
from typing import Any, cast

from taskrun.executors import attempts_log, linux
from taskrun.executors.attempts_log import Keeper
from taskrun.executors.ending import Endings
from taskrun.executors.family import MARK, Attempt, Families
from taskrun.executors.launch import BusyError, CannotStartError, ignored_signals, launch
from taskrun.executors.protocol import RECEIVE, Ended, Message, Spawn, Unpacker, pack

RETRY_FIRST, RETRY_MOST, RETRY_FOR = 0.01, 1.0, 60.0
"""Seconds between two tries to start what found no room, and until that is given up."""
REWRITE = 0.5
"""Seconds between two tries to write log lines that did not fit on the disk."""

_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGQUIT)
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGUSR1, signal.SIGUSR2)


class Supervision:
    """The state of the supervising process, and its loop."""

    def __init__(self, connection: int, log: int) -> None:
        self._connection = connection
        self._log = log
        self._families = Families()
        self._endings = Endings(self._families, self._over)
        self._waiting: dict[str, tuple[Spawn, float]] = {}  # no room to start it; when it was first tried
        self._retry_delay = RETRY_FIRST
        self._retry_at: float | None = None
        self._environment = dict(os.environ)
        self._ignored = ignored_signals()
        self._unpacker = Unpacker()
        self._ended: list[Message] = []
        self._unsent: list[bytes] = []
        self._is_stuck = False  # taskrun does not read
        self._unwritten = b""
        self._alone = False
        self._signals = linux.open_signalfd(_WATCHED)
        self._epoll = select.epoll()
        self._epoll.register(connection, select.EPOLLIN)
        self._epoll.register(self._signals, select.EPOLLIN)
        self._introduce()

    def serve(self) -> None:
        """Work until taskrun is gone and everything it asked for has ended and is written down."""
        while not (self._alone and not self._families.attempts and not self._unwritten):
            for fd, events in self._epoll.poll(self._patience()):
                if fd == self._signals:
                    self._read_signals()
                else:
                    self._read_connection(events)
            self._endings.run_timers(time.monotonic())
            if self._waiting:
                self._retry(time.monotonic())
            if self._unwritten:
                self._record(b"")
            if self._ended or self._unsent:
                self._send()

    def _introduce(self) -> None:
        """Say in the log who keeps it now; the line before may have been torn when its keeper died."""
        me = linux.process(os.getpid())
        if me is None:
            raise FileNotFoundError("/proc is not mounted, and attempts cannot be watched without it")
        self._record(b"\n" + attempts_log.keeper_line(Keeper(me.pid, me.starttime, linux.machine())))

    def _patience(self) -> float | None:
        due = [when for when in (self._endings.next_timer(), self._retry_at) if when is not None]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        if self._unwritten:
            return REWRITE if patience is None else min(patience, REWRITE)
        return patience

    def _read_signals(self) -> None:
        arrived = linux.read_signalfd(self._signals)
        if signal.SIGCHLD in arrived:
            self._endings.reap()
        if signal.SIGTERM in arrived or signal.SIGQUIT in arrived:
            for key in (*self._families.attempts, *self._waiting):
                self._stop(key, signal.SIGQUIT in arrived)

    def _read_connection(self, events: int) -> None:
        self._alone = bool(events & select.EPOLLHUP)  # then what is still in the pipe is not started any more
        try:
            while datagram := os.read(self._connection, RECEIVE):
                for message in self._unpacker.feed(datagram):
                    self._obey(*message)
        except BlockingIOError:
            if not self._alone:
                return
        except ConnectionResetError:
            pass  # it died without reading all of our reports
        self._leave_taskrun()

    def _obey(self, verb: str, *arguments: Any) -> None:
        if verb == "spawn":
            self._start(Spawn(*arguments))
        elif verb == "stop":
            self._stop(*arguments)
        elif verb == "pause":
            self._endings.pause()
        elif verb == "resume":
            self._resume()
        elif verb == "environment":
            self._environment = arguments[0]

    def _leave_taskrun(self) -> None:
        """It died or left: nothing new from now on, and nothing may stay halted with nobody to wake it."""
        self._alone = True
        self._epoll.unregister(self._connection)
        os.close(self._connection)
        for key in list(self._waiting):
            self._stop(key, kill=False)
        self._resume()

    def _start(self, spawn: Spawn) -> None:
        key = spawn.key
        if self._alone or key in self._families.attempts or key in self._waiting:
            return  # too late, or asked for twice: one attempt runs once
        if not self._record(attempts_log.starting_line(key, spawn.env.get(MARK) or "", linux.ticks())):
            self._not_started(key, 0, "the log of attempts cannot be written; is the disk full?")
        elif self._endings.is_paused or not self._launch(spawn):
            self._waiting[key] = (spawn, time.monotonic())

    def _launch(self, spawn: Spawn) -> bool:
        """Start it, or report that this cannot be done; False if there is no room for it now."""
        before = linux.ticks()
        try:
            pid = launch(spawn, self._environment_of(spawn), self._ignored)
        except CannotStartError as error:
            self._not_started(spawn.key, error.code, str(error))
            return True
        except BusyError:
            self._retry_at = time.monotonic() + self._retry_delay
            self._retry_delay = min(2 * self._retry_delay, RETRY_MOST)
            return False
        # Reading the start time itself costs as much as all the rest of this.
        self._record(attempts_log.began_line(spawn.key, pid, before, linux.ticks()))
        deadline = None if spawn.timeout is None else time.monotonic() + spawn.timeout
        attempt = Attempt(spawn.key, spawn.env.get(MARK) or "", pid, deadline, spawn.grace)
        self._families.add(attempt)
        self._endings.watch(attempt)
        return True

    def _environment_of(self, spawn: Spawn) -> dict[str, str]:
        base = self._environment if spawn.inherit else {}
        if None not in spawn.env.values():
            return {**base, **cast("dict[str, str]", spawn.env)}
        merged: dict[str, str | None] = {**base, **spawn.env}
        return {name: value for name, value in merged.items() if value is not None}

    def _retry(self, now: float) -> None:
        """Try again what found no room. It is hopeless only if not even an empty house has any."""
        if self._endings.is_paused or (self._retry_at is not None and now < self._retry_at):
            return
        self._retry_at = None
        for key, (spawn, since) in list(self._waiting.items()):
            if self._launch(spawn):
                del self._waiting[key]
                self._retry_delay = RETRY_FIRST
            elif now - since > RETRY_FOR and not self._families.attempts:
                self._not_started(key, 0, f"the system had no room for another process for {RETRY_FOR:.0f} s")
                del self._waiting[key]
            else:
                return

    def _resume(self) -> None:
        self._endings.resume()
        self._retry_at = None

    def _stop(self, key: str, kill: bool) -> None:
        if key in self._families.attempts:
            self._endings.stop(self._families.attempts[key], kill=kill)
        elif self._waiting.pop(key, None) is not None:
            self._not_started(key, 0, "stopped before there was room to start it", stopped=True)

    def _over(self, attempt: Attempt, message: str) -> None:
        self._report(
            Ended(
                attempt.key,
                attempt.status,
                attempt.code,
                attempt.timed_out,
                attempt.stopped,
                message,
                time.time(),
            )
        )

    def _not_started(self, key: str, code: int, message: str, *, stopped: bool = False) -> None:
        self._report(Ended(key, "not-started", code, False, stopped, message, time.time()))

    def _report(self, ended: Ended) -> None:
        self._record(attempts_log.ended_line(ended))
        self._ended.append(tuple(ended))

    def _record(self, line: bytes) -> bool:
        """Append to the log; what the disk has no room for is kept, in order, for the next time."""
        data = self._unwritten + line
        try:
            written = os.write(self._log, data)
        except OSError:
            written = 0
        self._unwritten = data[written:]
        return not self._unwritten

    def _send(self) -> None:
        """Tell taskrun what ended, without ever waiting for it to listen."""
        if self._alone:
            self._ended.clear()
            self._unsent.clear()
            return
        if self._ended:
            self._unsent += pack(self._ended)
            self._ended.clear()
        try:
            while self._unsent:
                os.write(self._connection, self._unsent[0])
                del self._unsent[0]
        except BlockingIOError:
            self._epoll.modify(self._connection, select.EPOLLIN | select.EPOLLOUT)
            self._is_stuck = True
        except (BrokenPipeError, ConnectionResetError):
            self._unsent.clear()  # the end of the connection is about to be read
        else:
            if self._is_stuck:
                self._epoll.modify(self._connection, select.EPOLLIN)
                self._is_stuck = False


def main(connection: int, log: int) -> None:
    """Be the supervisor: called in the forked child, returns when the process may exit."""
    os.setsid()
    _take_signals()
    connection, log = _keep_only(connection, log)
    os.chdir("/")
    linux.become_subreaper("taskrun-keeper")
    os.set_blocking(connection, False)
    Supervision(connection, log).serve()


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
