"""What taskrun needs on a machine, looked at one by one: each finding is good, worth knowing, or in the way."""

import ctypes
import os
import platform
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from taskrun.errors import TaskrunError
from taskrun.executors import linux
from taskrun.journal.home import check_home, database, network_filesystem, run_dir
from taskrun.journal.lock import holder
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.runs import standing
from taskrun.listeners.screen import is_terminal, size, speaks_utf8

GOOD, NOTE, BAD = "good", "note", "bad"
_LITTLE_SPACE = 100 * 1024 * 1024
_OLDEST_SQLITE = (3, 31, 0)
_GET_SUBREAPER = 37


class Finding(NamedTuple):
    """``help`` is what to do about it."""

    what: str
    verdict: str
    message: str
    help: str = ""


def findings(home: str) -> Iterator[Finding]:
    for check in (_system, _home, _file_system, _sqlite, _journal, _runs, _processes, _shell, _terminal):
        try:
            yield check(home)
        except TaskrunError as error:
            yield Finding(_NAMES[check], BAD, error.message, error.hint or "")
        except OSError as error:
            yield Finding(_NAMES[check], BAD, str(error))


def _system(_home: str) -> Finding:
    about = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    if sys.platform != "linux":
        return Finding("system", BAD, about, "taskrun needs Linux")
    return Finding("system", GOOD, about)


def _home(home: str) -> Finding:
    if not os.path.lexists(home):
        return Finding("state", GOOD, f"{home} (made by the first run)")
    check_home(home)
    if not os.access(home, os.W_OK | os.X_OK):
        return Finding(
            "state", BAD, f"{home} cannot be written", "set TASKRUN_HOME to a directory of your own"
        )
    mode = stat.S_IMODE(os.stat(home).st_mode)
    if mode & 0o077:
        return Finding("state", NOTE, f"{home} can be read by others (mode {mode:04o})", f"chmod 700 {home}")
    return Finding("state", GOOD, home)


def _file_system(home: str) -> Finding:
    place = _existing(home)
    kind = network_filesystem(place)
    if kind is not None:
        help_ = "set TASKRUN_HOME to a directory on a local disk: the journal cannot be trusted to a network"
        return Finding("disk", BAD, f"the state is on a network file system ({kind})", help_)
    free = shutil.disk_usage(place).free
    message = f"{free / 1024**3:.1f} GiB free"
    if free < _LITTLE_SPACE:
        return Finding("disk", BAD, message, "free some space: every step of a run has to be recorded")
    return Finding("disk", GOOD, message)


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _sqlite(_home: str) -> Finding:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        return Finding("sqlite", BAD, sqlite3.sqlite_version, f"taskrun needs SQLite {oldest} or later")
    return Finding("sqlite", GOOD, sqlite3.sqlite_version)


def _journal(home: str) -> Finding:
    """Reads all of it."""
    if not os.path.exists(database(home)):
        return Finding("journal", GOOD, "none yet")
    journal = SqliteJournal.open(home, readonly=True)
    try:
        broken = journal.check()
        rows = journal.runs()
        damaged = [row.id for row in rows if journal.verify(row.id) is not None]
    finally:
        journal.close()
    if broken or damaged:
        about = "; ".join([*broken[:3], *(f"run {run_id} is damaged" for run_id in damaged[:3])])
        return Finding(
            "journal", BAD, about, "a damaged run is shown but not gone on with; the disk may be failing"
        )
    size_ = os.path.getsize(database(home)) / 1024**2
    return Finding("journal", GOOD, f"{len(rows)} runs, {size_:.1f} MiB, all as it was written")


def _runs(home: str) -> Finding:
    if not os.path.exists(database(home)):
        return Finding("runs", GOOD, "none yet")
    journal = SqliteJournal.open(home, readonly=True)
    try:
        rows = journal.runs()
    finally:
        journal.close()
    left = [
        row.id
        for row in rows
        if standing(row, lambda i: holder(run_dir(home, i)) is not None) == "INTERRUPTED"
    ]
    waiting = [row.id for row in rows if row.exit_code == 3 and row.state in ("FAILURE", "SUSPENDED")]
    if left:
        help_ = f"taskrun resume {left[0]}, or taskrun revert {left[0]}"
        return Finding("runs", NOTE, f"{len(left)} interrupted", help_)
    if waiting:
        help_ = f"taskrun states {waiting[0]} shows the newest of them"
        return Finding("runs", NOTE, f"{len(waiting)} not fully rolled back, or waiting for a person", help_)
    return Finding("runs", GOOD, "none waits for anybody")


def _processes(_home: str) -> Finding:
    """What supervising rests on."""
    missing = []
    try:
        os.close(linux.open_pidfd(os.getpid()))
    except OSError as error:
        missing.append(f"pidfd ({error.strerror})")
    flag = ctypes.c_int()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_GET_SUBREAPER, ctypes.byref(flag), 0, 0, 0) != 0:
        missing.append("child subreaper")
    if not os.path.exists("/proc/self/stat"):
        missing.append("/proc")
    if missing:
        return Finding(
            "processes", BAD, f"this system has no {', '.join(missing)}", "Linux 5.3 or later has all of it"
        )
    listed = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
    return Finding(
        "processes", GOOD, "pidfd, child subreaper, /proc" + ("" if listed else "; no list of children")
    )


def _shell(_home: str) -> Finding:
    done = subprocess.run(["/bin/sh", "-c", "exit 7"], check=False, stdin=subprocess.DEVNULL, timeout=10)
    if done.returncode != 7:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        return Finding("shell", BAD, f"/bin/sh gave {how}, not 7", "scripts of tasks run in /bin/sh")
    if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        return Finding("shell", BAD, "SIGCHLD is ignored", "whoever starts taskrun has to leave it alone")
    return Finding("shell", GOOD, os.path.realpath("/bin/sh"))


def _terminal(_home: str) -> Finding:
    fd = next((fd for fd in (2, 1) if is_terminal(fd)), None)
    if fd is None:
        return Finding("terminal", GOOD, "none: one line per transition")
    columns, lines = size(fd)
    words = [f"{columns} x {lines}", os.environ.get("TERM", "no TERM")]
    words.append("UTF-8" if speaks_utf8(os.environ) else "ASCII only")
    if os.environ.get("TERM", "dumb") == "dumb":
        return Finding(
            "terminal", NOTE, ", ".join(words), "no live table without a TERM that can move its cursor"
        )
    return Finding("terminal", GOOD, ", ".join(words))


_NAMES: dict[Callable[[str], Finding], str] = {
    _system: "system",
    _home: "state",
    _file_system: "disk",
    _sqlite: "sqlite",
    _journal: "journal",
    _runs: "runs",
    _processes: "processes",
    _shell: "shell",
    _terminal: "terminal",
}
