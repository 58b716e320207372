"""The few things of Linux the supervisor needs that Python does not offer, or only in some builds.

A process is known by its number *and* its start time: numbers come back, the pair does not within a boot.
``ctypes`` is loaded only when one of the functions that need it is called.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_SIGINFO_SIZE = 128
_SIGNAL_BYTE = 0 if sys.byteorder == "little" else 3  # the low byte of a 32-bit number
_SIGSET_BYTES = 128
_PIDFD_SEND_SIGNAL = 424
_PIDFD_OPEN = 434
_PAGE = 4096
_TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One line of ``/proc/PID/stat``, as far as it is of use here."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    starttime: int

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it can run any more, even if nobody has reaped it."""
        return self.state in "ZX"


def process(pid: int) -> Process | None:
    """Look a process up; None if there is none of that number."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        data = os.read(fd, 1024)
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
    # The name in parentheses may itself hold blanks and parentheses.
    words = data[data.rindex(b")") + 2 :].split()
    return Process(pid, words[0].decode(), int(words[1]), int(words[2]), int(words[3]), int(words[19]))


def ticks() -> int:
    """Now, in the unit and from the origin of ``starttime``."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * _TICKS // 1_000_000_000


def processes() -> Iterator[Process]:
    """Every process that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdecimal() and (found := process(int(name))) is not None:
            yield found


def read_bytes(path: str) -> bytes:
    """Read a file of ``/proc``; empty if its process is gone or somebody else's."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def environment(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty if it may not be read."""
    items = (os.fsdecode(item).partition("=") for item in read_bytes(f"/proc/{pid}/environ").split(b"\0"))
    return {name: value for name, _, value in items if name}


def command(pid: int, limit: int = 80) -> str:
    """The command line of a process, for people to read."""
    words = read_bytes(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
    text = (words or read_bytes(f"/proc/{pid}/comm").strip()).decode(errors="replace")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def describe(pid: int) -> str:
    """Name a process to people: its number, and its command if it still has one."""
    text = command(pid)
    return f"{pid} ({text})" if text else str(pid)


def open_children(pid: int) -> int | None:
    """A descriptor for ``read_children``; None where the kernel offers no list of children."""
    try:
        return os.open(f"/proc/{pid}/task/{pid}/children", os.O_RDONLY)
    except FileNotFoundError:
        return None


def read_children(fd: int | None, pid: int) -> list[int]:
    """The direct children of the single-threaded process ``pid``, dead but unreaped ones included."""
    if fd is None:
        return [found.pid for found in processes() if found.parent == pid]
    data = part = os.pread(fd, _PAGE, 0)
    while len(part) > _PAGE // 2:  # a shorter part than that was not cut by the kernel's own buffer
        part = os.pread(fd, _PAGE, len(data))
        data += part
    return [int(word) for word in data.split()]


def wait(pid: int = -1) -> tuple[int, int] | None:
    """Reap a child that has ended, or the given one: its number and status. None if there is none to reap."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return (ended, status) if ended else None


def descendants(roots: Iterable[int]) -> dict[int, Process]:
    """Every process below ``roots``, these not included."""
    below: dict[int, list[Process]] = {}
    for found in processes():
        below.setdefault(found.parent, []).append(found)
    tree: dict[int, Process] = {}
    waiting = list(roots)
    while waiting:
        for child in below.get(waiting.pop(), ()):
            if child.pid not in tree:
                tree[child.pid] = child
                waiting.append(child.pid)
    return tree


def send(pid: int, starttime: int, number: int) -> bool:
    """Signal a process if it still is the one meant; False if it is gone, a stranger, or not ours to signal."""
    try:
        fd = open_pidfd(pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor pins the process, so what is checked after opening it stays true.
        found = process(pid)
        if found is None or found.starttime != starttime or found.is_gone:
            return False
        _signal_pidfd(fd, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(fd)
    return True


def open_pidfd(pid: int) -> int:
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    return _syscall(_PIDFD_OPEN, pid, 0)


def _signal_pidfd(fd: int, number: int) -> None:
    if hasattr(signal, "pidfd_send_signal"):
        signal.pidfd_send_signal(fd, number)
    else:
        _syscall(_PIDFD_SEND_SIGNAL, fd, number, None, 0)


def boot_id() -> str:
    """Names the time since the machine was last started."""
    return read_bytes("/proc/sys/kernel/random/boot_id").decode("ascii").strip()


def machine() -> str:
    """Names the boot and the PID namespace within which process numbers and start times mean something."""
    return f"{boot_id()}/{os.stat('/proc/self/ns/pid').st_ino}"


def become_subreaper(name: str) -> None:
    """Inherit the orphans of all descendants instead of init, and be shown as ``name`` by ps."""
    libc = _libc()
    _checked(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    _checked(libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0))


def open_signalfd(numbers: Iterable[int]) -> int:
    """A descriptor that is readable when one of the signals, all blocked before, has arrived."""
    import ctypes  # noqa: PLC0415 - 2 ms that taskrun itself never pays

    bits = sum(1 << (number - 1) for number in numbers)
    sigset = ctypes.create_string_buffer(bits.to_bytes(8, sys.byteorder), _SIGSET_BYTES)
    fd: int = _checked(_libc().signalfd(-1, sigset, os.O_CLOEXEC | os.O_NONBLOCK))
    return fd


def read_signalfd(fd: int) -> set[int]:
    """The signals that arrived since the last call."""
    try:
        data = os.read(fd, 32 * _SIGINFO_SIZE)
    except BlockingIOError:
        return set()
    return set(data[_SIGNAL_BYTE::_SIGINFO_SIZE])


def _libc() -> Any:
    import ctypes  # noqa: PLC0415 - 2 ms that taskrun itself never pays

    return ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: int | None) -> int:
    return _checked(_libc().syscall(number, *arguments))


def _checked(result: int) -> int:
    if result < 0:
        import ctypes  # noqa: PLC0415 - loaded already when a call has failed

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
