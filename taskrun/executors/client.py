"""taskrun's end of the supervisor: start it, tell it what to run, hear what ended."""

import _socket
import fcntl
import os
import time
from collections.abc import Iterable, Mapping
from typing import NoReturn, Self

from taskrun import debugging
from taskrun.errors import HeldError
from taskrun.executors.attempts_log import LOG_NAME
from taskrun.executors.protocol import RECEIVE, Ended, Message, Spawn, Unpacker, pack

CRASH_NAME = "supervisor-crash.txt"
_LOCK_PATIENCE = 0.5
_FLUSH_AT = 64
_WITHOUT_SIGNAL = _socket.MSG_NOSIGNAL


class Supervisor:
    """The supervising process of one run, driven from taskrun.

    Messages are gathered and sent by ``flush``; ``receive`` and everything but ``spawn`` flush by
    themselves. ``lost`` tells that the process is gone without having been asked to go: what it was
    running must then be looked up with ``recover``.
    """

    def __init__(self, pid: int, connection: _socket.socket) -> None:
        self.pid = pid
        self.lost = False
        self._connection = connection
        self._outgoing: list[Message] = []
        self._unpacker = Unpacker()
        self._reaped = False

    @classmethod
    def start(cls, run_dir: str) -> Self:
        """Fork the supervisor of the run in ``run_dir``.

        To be called early: before any thread and before the journal is open, both of which a fork breaks.

        Raises:
            HeldError: a supervisor of this run is still alive.

        """
        # The lock is taken before the fork and shared by it: there is no moment in which a supervisor
        # that may yet start something does not hold it.
        log = _open_locked(os.path.join(run_dir, LOG_NAME))
        try:
            ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
            pid = os.fork()
            if pid == 0:
                _supervise(theirs.fileno(), log, run_dir)
        finally:
            os.close(log)
        theirs.close()
        if debugging.listeners:
            debugging.say("supervisor", f"process {pid} for {run_dir}")
        return cls(pid, ours)

    def fileno(self) -> int:
        """A descriptor that is readable when ``receive`` has something to say, or the supervisor is lost."""
        return self._connection.fileno()

    def set_environment(self, environment: Mapping[str, str]) -> None:
        """What later attempts with ``inherit`` build on; at first it is that of taskrun at ``start``."""
        self._outgoing.append(("environment", dict(environment)))
        self.flush()

    def mask(self, forms: Iterable[bytes]) -> None:
        """What is to be masked from now on, in the output of attempts that want it and in what is said of any."""
        self._outgoing.append(("mask", list(forms)))

    def spawn(self, spawn: Spawn) -> None:
        """Have an attempt started, at the latest at the next ``flush``."""
        if debugging.listeners:
            debugging.say("spawn", f"{spawn.key}: {spawn.argv} in {spawn.cwd}, timeout {spawn.timeout}")
        self._outgoing.append(("spawn", spawn.key, spawn.argv, dict(spawn.env), *spawn[3:]))
        if len(self._outgoing) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Send what has been gathered."""
        if self._outgoing:
            datagrams = pack(self._outgoing)
            self._outgoing.clear()
            try:
                for datagram in datagrams:
                    self._connection.send(datagram, _WITHOUT_SIGNAL)
            except (BrokenPipeError, ConnectionResetError):
                self._lose()

    def stop(self, key: str, *, kill: bool = False) -> None:
        """End an attempt: TERM and, after its grace or at once with ``kill``, KILL. Its ``Ended`` will come."""
        if debugging.listeners:
            debugging.say("stop", f"{key} by {'KILL' if kill else 'TERM'}")
        self._tell("stop", key, kill)

    def pause(self) -> None:
        """Halt all attempts, and start none; their timeouts stand still."""
        self._tell("pause")

    def resume(self) -> None:
        """Let all attempts go on."""
        self._tell("resume")

    def receive(self) -> list[Ended]:
        """Some of what has ended since the last time; never waits. If there is more, ``fileno`` stays readable."""
        self.flush()
        try:
            datagram = self._connection.recv(RECEIVE, _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            datagram = b""
        if not datagram:
            self._lose()
            return []
        ended = [Ended(*message) for message in self._unpacker.feed(datagram)]
        if debugging.listeners:
            for one in ended:
                debugging.say("ended", f"{one.key}: {one.status} {one.code} {one.message}".rstrip())
        return ended

    def close(self, *, wait: bool) -> None:
        """Let it go: it leaves once the attempts that have begun are over. ``wait`` for that, or not.

        What was asked for so shortly before that it has not begun is not started any more.
        """
        self.flush()
        self._connection.close()
        self._reap(0 if wait else os.WNOHANG)

    def _tell(self, *message: object) -> None:
        self._outgoing.append(message)
        self.flush()

    def _lose(self) -> None:
        self.lost = True
        self._reap(0)

    def _reap(self, options: int) -> None:
        if not self._reaped:
            try:
                pid, _ = os.waitpid(self.pid, options)
            except ChildProcessError:
                pid = self.pid  # somebody reaps all children of this process
            self._reaped = pid != 0


def _open_locked(path: str) -> int:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    give_up = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Somebody may only be looking whether it is held, which takes an instant.
            if time.monotonic() > give_up:
                os.close(log)
                raise HeldError("the supervisor of this run is still at work") from None
            time.sleep(0.01)
        else:
            return log


def _supervise(connection: int, log: int, run_dir: str) -> NoReturn:
    """Be the supervisor; nothing of taskrun's may run in this process after it, so it always exits here."""
    code = 70
    try:
        from taskrun.executors import supervisor  # noqa: PLC0415 - only the child pays for it

        supervisor.main(connection, log)
        code = 0
    except BaseException:
        _leave_word(run_dir)
    finally:
        os._exit(code)


def _leave_word(run_dir: str) -> None:
    """Say where a later reader will find it what broke: the supervisor has no terminal."""
    import traceback  # noqa: PLC0415 - never needed, one hopes

    path = os.path.join(run_dir, CRASH_NAME)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.write(fd, traceback.format_exc().encode(errors="replace"))
    os.close(fd)
