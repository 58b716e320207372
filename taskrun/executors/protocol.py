"""What taskrun and its supervisor say to each other: attempts to start, how they ended, and the datagrams between.

Messages are tuples that begin with a verb. A list of them is marshalled and cut into datagrams, the first
byte of each telling whether more follow, so an attempt with a huge environment needs no other way.
"""

import marshal
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

DATAGRAM = 32 * 1024
"""Bytes of payload in one datagram: far below the smallest usual socket buffer."""
RECEIVE = DATAGRAM + 1
DEFAULT_GRACE = 10.0

_LAST, _MORE = b"\0", b"\1"

Message = tuple[Any, ...]


class Spawn(NamedTuple):
    """One attempt to start. Paths are absolute; ``err`` None sends both streams to ``out``.

    ``stdin`` as bytes is what the process reads, and never touches a disk; as text it is the path of a file.
    With ``inherit`` the ``env`` is laid over the supervisor's own environment and a value of None takes a
    name away; without it ``env`` is the whole environment. Two of its names are how a crashed attempt's
    processes are known again: ``TASKRUN_RUN_ID`` and ``TASKRUN_IDEMPOTENCY_KEY``.
    """

    key: str
    argv: list[str]
    env: Mapping[str, str | None]
    cwd: str
    stdin: str | bytes | None
    out: str
    err: str | None
    timeout: float | None = None
    grace: float = DEFAULT_GRACE
    inherit: bool = False
    warm: bool = False  # the program is one that `warm` knows how to fork
    masked: Sequence[str] | None = (
        None  # its output is to be masked, and these files that it may write; None: nothing
    )


def wall_clock() -> float:
    """Unix time as far as the log keeps it, so that an end read back is the one that was reported."""
    return int(time.time() * 1e6) / 1e6


class Ended(NamedTuple):
    """How an attempt ended; ``at`` is Unix time, ``message`` why it could not start or what it left behind."""

    key: str
    status: str  # "exited", "signaled" or "not-started"
    code: int  # exit code, signal number, or the errno of a failed start
    timed_out: bool
    stopped: bool
    message: str
    at: float
    silent: bool = False  # it has printed nothing, and its output files need not be there any more


def pack(messages: list[Message]) -> list[bytes]:
    """Return the datagrams that carry ``messages``, in order."""
    data = marshal.dumps(messages)
    if len(data) <= DATAGRAM:
        return [_LAST + data]
    parts = [data[start : start + DATAGRAM] for start in range(0, len(data), DATAGRAM)]
    return [_MORE + part for part in parts[:-1]] + [_LAST + parts[-1]]


class Unpacker:
    """Puts datagrams together again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, datagram: bytes) -> list[Message]:
        """Take one datagram in; the messages, once their last part is there."""
        part = datagram[1:]
        if datagram[:1] == _MORE:
            self._parts.append(part)
            return []
        if self._parts:
            part = b"".join((*self._parts, part))
            self._parts.clear()
        messages: list[Message] = marshal.loads(part)  # noqa: S302 - from our own child, over a private socket
        return messages
