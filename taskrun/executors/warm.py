"""Starts Python programs without starting Python: by forking a process in which the interpreter is up already.

    supervisor --request, descriptors--> spare: is the attempt's process from now on
        ^                                  ^
        |--ready, ends of its children-- nursery --fork--> the next spare

The nursery is started when a second attempt wants it, and used once it says that it is ready; until then, and whenever
anything about it is in doubt, attempts are started the usual way. A spare says its number, gets ready, and waits for a word before it
does anything of the attempt: no code runs that is not in the log, and none twice. The supervisor hears of the ends of these processes
from the nursery, and inherits them when that is killed.
"""

import _socket
import array
import marshal
import os
import select
import signal
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing

from taskrun.executors import linux
from taskrun.executors.family import Families
from taskrun.executors.protocol import Spawn

WORD = "warm"
"""The argument behind the program's own by which it knows that it is the nursery."""
PATIENCE = 5_000  # milliseconds for a process to be forked
_LARGEST = 100_000  # bytes of an environment that go into one datagram
_READY, _GO = b"r", b"g"
_TIES = ("PYTHON", "LC_", "LANG", "LD_", "GLIBC_", "MALLOC_")
_TIED = frozenset({"HOME", "TZ"})


class Nursery:
    """At most one at a time. ``fork`` gives the number of a process, which waits for ``let_go``.

    Its descriptor is in ``epoll``, and ``read`` is to be called with what comes: it gives processes and how they ended.
    """

    def __init__(self, families: Families, ignored: Sequence[int], epoll: select.epoll) -> None:
        self._families = families
        self.ignored = ignored
        self._epoll = epoll
        self._wanted = 0
        self._pid = 0
        self._socket: _socket.socket | None = None
        self._is_ready = False
        self._ties: tuple[object, ...] = ()
        self._link: _socket.socket | None = None
        self.born: int | None = None  # of what waits to be let go: before it was wanted

    def fileno(self) -> int:
        """-1 while there is none."""
        return -1 if self._socket is None else self._socket.fileno()

    def read(self) -> list[tuple[int, int]]:
        """Processes that have ended, with their status as `wait` has it."""
        ended: list[tuple[int, int]] = []
        while self._socket is not None:
            try:
                message = self._socket.recv(8, _socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                message = b""
            if message == _READY:
                self._is_ready = True
            elif message:
                pid, status = struct.unpack("ii", message)
                ended.append((pid, status))
            else:
                self._forget()
        return ended

    def fork(self, spawn: Spawn, environment: Mapping[str, str], fds: Sequence[int]) -> int | None:
        """A process with ``fds`` as input, output and errors; None if there is none to be had in this way now."""
        ties = _ties(spawn, environment)
        if self._socket is None:
            self._wanted += 1
            if self._wanted > 1:
                self._begin(spawn, environment, ties)
            return None
        if not self._is_ready or ties != self._ties:
            return None
        data = marshal.dumps((dict(environment), spawn.cwd, spawn.argv))
        return self._ask(data, fds) if len(data) <= _LARGEST else None

    def let_go(self) -> None:
        """What was forked last is in the log: it may begin."""
        if self._link is not None:
            link, self._link, self.born = self._link, None, None
            with closing(link):
                try:
                    link.send(_GO)
                except OSError:
                    return  # it was killed meanwhile, and will be reaped like any other

    def _begin(self, spawn: Spawn, environment: Mapping[str, str], ties: tuple[object, ...]) -> None:
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        # Without the marks of the attempt: it is none of its processes.
        env = {name: value for name, value in environment.items() if not name.startswith("TASKRUN_")}
        with closing(theirs):
            try:
                pid = os.posix_spawn(
                    spawn.argv[0],
                    [*spawn.argv, WORD],
                    env,
                    file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 3)],
                    setsid=True,
                    setsigmask=(),
                    setsigdef=self.ignored,
                )
            except OSError:
                ours.close()
                return
        self._families.add_own(pid)
        self._pid, self._socket, self._ties = pid, ours, ties
        self._epoll.register(ours, select.EPOLLIN)

    def _ask(self, data: bytes, fds: Sequence[int]) -> int | None:
        assert self._socket is not None
        link, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        rights = array.array("i", [*fds, theirs.fileno()])
        with closing(theirs):
            try:
                self._socket.sendmsg(
                    [data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)], _socket.MSG_NOSIGNAL
                )
            except OSError:
                link.close()
                self._end()
                return None
        try:
            answered = select.poll()
            answered.register(link, select.POLLIN)
            answer = link.recv(8) if answered.poll(PATIENCE) else b""
        except OSError:
            answer = b""
        if len(answer) != struct.calcsize("i"):
            link.close()  # whoever may still come of it finds nobody who lets it go
            self._end()
            return None
        pid = int(struct.unpack("i", answer)[0])
        found = linux.process(pid)
        if found is None:
            link.close()
            return None  # killed already
        self._link, self.born = link, found.starttime
        self._families.foster(pid)
        return pid

    def _end(self) -> None:
        """It hangs, or its spare was killed: what it has under way is inherited, and another one begun when it is wanted."""
        if self._pid in self._families.own:
            os.kill(self._pid, signal.SIGKILL)  # our child, and not reaped yet: the number is its own

    def _forget(self) -> None:
        assert self._socket is not None
        self._epoll.unregister(self._socket)
        self._socket.close()
        self._socket, self._is_ready, self._wanted = None, False, 0
        self._families.inherit()


def _ties(spawn: Spawn, environment: Mapping[str, str]) -> tuple[object, ...]:
    """What is settled once a Python is up, so that only an attempt with the same can have it."""
    named = [(name, value) for name, value in environment.items() if name.startswith(_TIES) or name in _TIED]
    return (tuple(spawn.argv), *sorted(named))
