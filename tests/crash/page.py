"""What `faults.c` is told and what it found: one page of shared memory for each process that is to be watched."""

import ctypes
import mmap
import os
from typing import NamedTuple

ROLES = ("taskrun", "supervisor", "task", "any")
PHASES = ("before", "after", "torn")
MODES = ("kill", "fail", "full")
VICTIMS = ("itself", "taskrun", "supervisor", "everything")
WRITE, SYNC, NAME, SEND, START = 1, 2, 4, 8, 16
ALL = WRITE | SYNC | NAME | SEND | START
REMEMBERED = 4096


class Fault(NamedTuple):
    """At call `nth` of `role`: kill the `victim` before, after or in the middle of it; or let it fail.

    Mode `fail` lets that one call fail with `error`, `full` that call and every one after it.
    """

    role: str
    nth: int
    phase: str = "before"
    victim: str = "itself"
    mode: str = "kill"
    error: int = 0
    kinds: int = ALL

    def __str__(self) -> str:
        text = f"{self.role}:{self.nth}:{self.phase}:{self.victim}"
        return text if self.mode == "kill" else f"{text}:{self.mode}:{self.error}:{self.kinds}"

    @classmethod
    def parse(cls, text: str) -> "Fault":
        role, nth, phase, victim, *rest = text.split(":")
        mode, error, kinds = rest or ("kill", "0", str(ALL))
        return cls(role, int(nth), phase, victim, mode, int(error), int(kinds))


NEVER = Fault("taskrun", 0)


class _Layout(ctypes.Structure):
    _fields_ = [
        ("armed", ctypes.c_int32),
        ("role", ctypes.c_int32),
        ("phase", ctypes.c_int32),
        ("victim", ctypes.c_int32),
        ("mode", ctypes.c_int32),
        ("error", ctypes.c_int32),
        ("kinds", ctypes.c_int32),
        ("fired", ctypes.c_int32),
        ("nth", ctypes.c_int64),
        ("count", ctypes.c_int64 * len(ROLES)),
        ("pid", ctypes.c_int32 * 2),
        ("tasks", ctypes.c_int32),
        ("task", ctypes.c_int32 * 500),
        ("call", ctypes.c_char * 32),
        ("boot", ctypes.c_char * 256),
        ("kind", (ctypes.c_uint8 * REMEMBERED) * len(ROLES)),
    ]


class Page:
    """The page of one command: written before it starts, read when it is over."""

    def __init__(self, path: str, fault: Fault = NEVER, boot: str = "") -> None:
        self.path = path
        size = ctypes.sizeof(_Layout)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(fd, size)
        self._memory = mmap.mmap(fd, size)
        os.close(fd)
        self._layout = layout = _Layout.from_buffer(self._memory)
        layout.role, layout.phase = ROLES.index(fault.role), PHASES.index(fault.phase)
        layout.victim, layout.mode = VICTIMS.index(fault.victim), MODES.index(fault.mode)
        layout.nth, layout.error, layout.kinds = fault.nth, fault.error, fault.kinds
        layout.boot = boot.encode()

    @property
    def fired(self) -> str:
        """The call it happened at; empty if it was never reached."""
        return self._layout.call.decode() if self._layout.fired else ""

    def kinds(self, role: str) -> list[int]:
        """The calls that were counted, by kind."""
        number = ROLES.index(role)
        return list(self._layout.kind[number][: min(self._layout.count[number], REMEMBERED)])

    def arm(self) -> None:
        """For a program that is started with the library preloaded and this page in its environment."""
        self._layout.armed = 1

    def disarm(self) -> None:
        """Whoever still has it mapped goes on undisturbed."""
        self._layout.armed = 0


def arm(library: str, page: Page) -> None:
    """This process is taskrun from here on."""
    if ctypes.CDLL(library).faults_arm(page.path.encode()) != 0:
        raise OSError(f"cannot map {page.path}")
