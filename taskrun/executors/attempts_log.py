"""The lines of ``attempts.log``, the one thing that outlives both taskrun and its supervisor.

    supervisor PID STARTTIME MACHINE .              a supervisor took over, what follows is its own
    starting KEY MARK TICKS .                       about to start: nothing of it has run yet
    began KEY PID FROM TO .                         its process exists, and started between the two
    ended KEY STATUS CODE FLAGS AT MESSAGE .        FLAGS: t (timed out), s (stopped), n (no output), or -

TICKS, STARTTIME, FROM and TO are clock ticks since boot, as in ``/proc/PID/stat``; MARK is what the attempt's
processes carry in their environment. The parser believes nothing it cannot read in full: a line without its closing
dot was torn by a full disk or a crash, and counts as never written.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from taskrun.executors.protocol import Ended

LOG_NAME = "attempts.log"

RUN_VARIABLE = "TASKRUN_RUN_ID"
KEY_VARIABLE = "TASKRUN_IDEMPOTENCY_KEY"

_QUOTED = {code: f"%{code:02x}" for code in (*range(33), ord("%"), 127)}


def mark_of(environment: Mapping[str, str]) -> str:
    """Return what tells the processes of one attempt from all others; empty if its environment has no mark."""
    run, key = environment.get(RUN_VARIABLE), environment.get(KEY_VARIABLE)
    return f"{run} {key}" if run and key else ""


def quote(text: str) -> str:
    """Return ``text`` without blanks and control characters, so that it is one word of a line."""
    if text.isascii() and text.isprintable() and " " not in text and "%" not in text:
        return text or "%"
    return text.translate(_QUOTED) or "%"


def unquote(word: bytes) -> str:
    """Undo ``quote``. Raises ValueError for what it cannot have written."""
    text = os.fsdecode(word)
    if text == "%":
        return ""
    if "%" not in text:
        return text
    head, *parts = text.split("%")
    return head + "".join(chr(int(part[:2], 16)) + part[2:] for part in parts)


class Keeper(NamedTuple):
    """The supervisor that wrote the lines below its own; ``machine`` tells boots and containers apart."""

    pid: int
    starttime: int
    machine: str


def keeper_line(keeper: Keeper) -> bytes:
    return b"supervisor %d %d %b .\n" % (keeper.pid, keeper.starttime, keeper.machine.encode())


def starting_line(key: str, mark: str, ticks: int) -> bytes:
    return os.fsencode(f"starting {quote(key)} {quote(mark)} {ticks} .\n")


def began_line(key: str, pid: int, earliest: int, latest: int) -> bytes:
    return os.fsencode(f"began {quote(key)} {pid} {earliest} {latest} .\n")


def ended_line(ended: Ended) -> bytes:
    flags = ("t" if ended.timed_out else "") + ("s" if ended.stopped else "") + ("n" if ended.silent else "")
    return os.fsencode(
        f"ended {quote(ended.key)} {ended.status} {ended.code} {flags or '-'} {ended.at:.6f} {quote(ended.message)} .\n"
    )


class Trace:
    """All the log says about one key. ``pid`` is 0 until it began, ``ended`` None until it ended.

    Its leader's start time is from ``earliest`` to ``latest``: a few ticks apart, in which a number
    cannot have come round again.
    """

    __slots__ = ("earliest", "ended", "keeper", "key", "latest", "mark", "pid")

    def __init__(self, key: str, mark: str, ticks: int, keeper: Keeper | None) -> None:
        self.key = key
        self.mark = mark
        self.earliest = ticks
        self.latest = 0
        self.keeper = keeper
        self.pid = 0
        self.ended: Ended | None = None


class AttemptsLog:
    """What the lines read so far amount to."""

    def __init__(self) -> None:
        self.keepers: list[Keeper] = []
        self.traces: dict[str, Trace] = {}
        self._rest = b""

    def feed(self, data: bytes) -> list[Ended]:
        """Take in more of the file; the attempts that ended in it."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        ended = []
        for line in lines:
            words = line.split(b" ")
            if words.pop() == b".":
                try:
                    attempt = self._take(words)
                except (ValueError, IndexError):
                    continue  # damaged, so as good as never written
                if attempt is not None:
                    ended.append(attempt)
        return ended

    def _take(self, words: list[bytes]) -> Ended | None:
        verb = words[0]
        if verb == b"supervisor":
            self.keepers.append(Keeper(int(words[1]), int(words[2]), words[3].decode("ascii")))
            return None
        key = unquote(words[1])
        if verb == b"starting":
            keeper = self.keepers[-1] if self.keepers else None
            self.traces[key] = Trace(key, unquote(words[2]), int(words[3]), keeper)
            return None
        trace = self.traces.get(key)
        if trace is None:
            return None
        if verb == b"began":
            trace.pid, trace.earliest, trace.latest = int(words[2]), int(words[3]), int(words[4])
        elif verb == b"ended":
            flags = words[4]
            trace.ended = Ended(
                key,
                words[2].decode("ascii"),
                int(words[3]),
                b"t" in flags,
                b"s" in flags,
                unquote(words[6]),
                float(words[5]),
                b"n" in flags,
            )
            return trace.ended
        return None


def read_log(run_dir: str) -> AttemptsLog:
    """Read the log of a run; an empty one if no supervisor ever started there."""
    log = AttemptsLog()
    try:
        with open(os.path.join(run_dir, LOG_NAME), "rb") as file:
            log.feed(file.read())
    except FileNotFoundError:
        return log
    return log
