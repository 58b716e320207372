"""One process per run, one run per named lock: flock on a file, which the kernel frees even after kill -9.

The descriptor is close-on-exec, so commands that tasks start never keep a lock. A plain ``fork`` does inherit
it: fork first, lock afterwards.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from taskrun.errors import HeldError, JournalError
from taskrun.journal.codec import timestamp

TRIES = 500
"""A reader that asks who holds a lock shares it for microseconds: that is worth waiting for, up to a second."""

READS = 8

INFO_LIMIT = 65536


def this_process(command: str) -> dict[str, Any]:
    """What a holder writes into its lock."""
    return {"pid": os.getpid(), "host": os.uname().nodename, "since": time.time(), "command": command}


class FileLock:
    """A lock file and whether this object holds it. ``what`` names it in messages."""

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        self.what = what
        self._fd: int | None = None

    def acquire(self, info: Mapping[str, Any]) -> Self:
        """Take the lock and write ``info`` (pid, host, since, command) into it.

        Raises:
            HeldError: another process has it; ``holder`` is what that process wrote.
            JournalError: the file cannot be opened or written.

        """
        try:
            fd = self._locked()
        except OSError as error:
            raise JournalError(f"{self.what}: cannot lock {self.path}: {error.strerror}") from error
        if fd is None:
            raise self._held()
        self._fd = fd
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, json.dumps(dict(info)).encode(), 0)
        except OSError as error:
            # The lock holds without the note; only the message to a second process has less to say.
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                self.release()
                raise JournalError(f"{self.what}: cannot write {self.path}: {error.strerror}") from error
        return self

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _locked(self) -> int | None:
        """A descriptor that holds the lock of the file now at ``path``, or None if somebody else does."""
        for _ in range(TRIES):
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            if _try(fd, fcntl.LOCK_EX):
                if _is_at(fd, self.path):
                    return fd
            elif not _try(fd, fcntl.LOCK_SH):
                os.close(fd)
                return None
            os.close(fd)
            _pause()
        return None

    def _held(self) -> HeldError:
        info = _read(self.path)
        since = info.get("since")
        who = f"process {info['pid']} on {info.get('host')}" if info.get("pid") else "another process"
        when = f" since {timestamp(since)}" if isinstance(since, int | float) else ""
        command = f" ({info['command']})" if info.get("command") else ""
        return HeldError(f"{self.what} is held by {who}{when}{command}", holder=info)


class RunLock(FileLock):
    """Only its holder drives the run."""

    def __init__(self, run_dir: str) -> None:
        super().__init__(f"{run_dir}/lock", f"run {os.path.basename(run_dir)}")


class NamedLock(FileLock):
    """A workflow's ``lock:``. Any text can be a name, so the file is called by its hash."""

    def __init__(self, home: str, name: str) -> None:
        import hashlib  # noqa: PLC0415 - 2.5 ms, and few workflows have a lock

        os.makedirs(f"{home}/locks", mode=0o700, exist_ok=True)
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
        super().__init__(f"{home}/locks/{digest}", f"lock {name!r}")


def holder(run_dir: str) -> dict[str, Any] | None:
    """Who drives the run now: what they wrote ({} if unreadable), or None if nobody does.

    The note of a process that died stays in the file; it counts only while the lock is taken.
    """
    path = f"{run_dir}/lock"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from error
    try:
        return None if _try(fd, fcntl.LOCK_SH) else _read(path)
    finally:
        os.close(fd)


def _try(fd: int, mode: int) -> bool:
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(fd: int, path: str) -> bool:
    """Whether the file was not removed and made anew between opening and locking it."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def _pause() -> None:
    """Between 1 and 3 ms, so that two that wait for each other don't keep step."""
    time.sleep(0.001 + os.urandom(1)[0] / 128_000)


def _read(path: str) -> dict[str, Any]:
    """The holder's note. It is written just after locking: an empty one is worth a second look."""
    for _ in range(READS):
        try:
            with open(path, "rb") as file:
                info = json.loads(file.read(INFO_LIMIT))
        except OSError:
            return {}
        except (ValueError, RecursionError):
            _pause()
            continue
        return info if isinstance(info, dict) else {}
    return {}
