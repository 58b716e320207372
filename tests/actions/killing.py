"""Ends a process just before its n-th call that changes anything, or in the middle of a write.

The call runs in a fork of this process, in which the functions of ``os`` that change files count: what has happened is
then exactly what the first n - 1 of them did. ``test_undoing_strace`` checks that none is missed.
"""

import errno
import os
import signal

CALLS = (
    "chmod",
    "chown",
    "copy_file_range",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "mkfifo",
    "open",
    "removexattr",
    "rename",
    "rmdir",
    "setxattr",
    "symlink",
    "unlink",
    "utime",
    "write",
)


class Counter:
    """``end_at``: the number of the call that is not made; 0 counts only. ``torn``: half of it, if it is a write.

    ``full``: from that call on the disk is full instead.
    """

    def __init__(self, end_at=0, *, torn=False, full=False):
        self.count = 0
        self.names = []
        self._end_at = end_at
        self._torn = torn
        self._full = full

    def install(self):
        for name in CALLS:
            setattr(os, name, self._counting(name, getattr(os, name)))

    def _counting(self, name, real):
        def call(*args, **options):
            if name == "open" and not args[1] & (os.O_CREAT | os.O_TRUNC):
                return real(*args, **options)
            self.count += 1
            self.names.append(name)
            if (
                self._full
                and self.count >= self._end_at
                and name in ("write", "open", "mkdir", "copy_file_range")
            ):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self.count == self._end_at and not self._full:
                if self._torn and name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            # A killed process, unlike a lost machine, leaves all it has written: the wait for the disk is spared.
            return None if name == "fsync" else real(*args, **options)

        return call


def in_a_fork(call, end_at=0, *, torn=False, full=False):
    """Make the call in a process of its own. Its counted calls; None if it was killed, or failed on a full disk."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            tell = os.write
            counter = Counter(end_at, torn=torn, full=full)
            counter.install()
            try:
                call()
                answer = ",".join(counter.names)
            except Exception as error:
                answer = f"!{type(error).__name__}: {error}"
            tell(write, answer.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    if full and answer.startswith("!ActionError") and "No space left on device" in answer:
        return None
    assert not answer.startswith("!"), answer
    return answer.split(",") if answer else []
