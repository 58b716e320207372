"""Starts the process of one attempt, and says in words why one could not be started."""

import errno
import os
import signal
from collections.abc import Mapping, Sequence

from taskrun.executors.outlets import Outlets
from taskrun.executors.protocol import Spawn
from taskrun.executors.warm import Nursery

_OUTPUT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY | os.O_NOFOLLOW
_INPUT_FLAGS = os.O_RDONLY | os.O_NOCTTY
_FULL = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY})
"""The system has no room just now, or somebody is still writing the program: worth another try."""

_Opening = tuple[int, int, str, int, int]
_Copying = tuple[int, int, int]

_HOME = "/"
"""Where the supervisor stays between two starts, so that it keeps no file system from being unmounted."""


class CannotStartError(Exception):
    """Trying again would not help. ``code`` is the errno."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class BusyError(Exception):
    """Trying again may help. ``code`` is the errno."""

    def __init__(self, code: int) -> None:
        super().__init__(os.strerror(code))
        self.code = code


def launch(
    spawn: Spawn,
    environment: Mapping[str, str],
    ignored: Sequence[int],
    outlets: Outlets | None = None,
    nursery: Nursery | None = None,
) -> int:
    """Start the process as the leader of a session of its own; its number.

    ``ignored`` are the signals this process ignores, which the new one must not inherit. What it prints goes through
    ``outlets``, if there are any, and otherwise straight into its files.

    Raises:
        CannotStartError: it never ran, and never will in this way.
        BusyError: it did not run for want of room.

    """
    try:
        os.chdir(spawn.cwd)
    except OSError as error:
        raise _no_directory(spawn.cwd, error) from None
    ours: list[int] = []
    try:
        pid = None if nursery is None else _fork(spawn, environment, outlets, nursery)
        if pid is not None:
            return pid
        return os.posix_spawn(
            _program(spawn.argv, environment),
            spawn.argv,
            environment,
            file_actions=[*_input(spawn, ours), *_outputs(spawn, outlets, ours)],
            setsid=True,
            setsigmask=(),
            setsigdef=ignored,
        )
    except OSError as error:
        code = error.errno or 0
        if code in _FULL:
            raise BusyError(code) from None
        raise _explain(spawn, environment, code) from None
    except (ValueError, TypeError) as error:  # a NUL, a "=" in a name, an empty list
        raise CannotStartError(errno.EINVAL, f"cannot start {_name(spawn)}: {error}") from None
    finally:
        for fd in ours:
            os.close(fd)
        os.chdir(_HOME)


def _fork(
    spawn: Spawn, environment: Mapping[str, str], outlets: Outlets | None, nursery: Nursery
) -> int | None:
    """Have it forked, if that can be done. If its files cannot be opened the other way finds words for it."""
    fds: list[int] = []
    try:
        memory = _input(spawn, fds)
        if not fds or not memory:
            return None
        for path in (spawn.out, spawn.err):
            if path is not None and outlets is not None:
                fds.append(outlets.open(spawn.key, path))
            elif path is not None:
                fds.append(os.open(path, _OUTPUT_FLAGS, 0o600))
        pid = nursery.fork(spawn, environment, fds if len(fds) == 3 else [*fds, fds[1]])
    except OSError:
        pid = None
    finally:
        for fd in fds:
            os.close(fd)
    if pid is None and outlets is not None:
        outlets.abandon(spawn.key)
    return pid


def _input(spawn: Spawn, ours: list[int]) -> list[_Opening | _Copying]:
    """What is read. ``ours`` gets the descriptors that are to be closed here."""
    if spawn.stdin is None:
        return []  # the supervisor's own input is /dev/null
    if isinstance(spawn.stdin, str):
        return [(os.POSIX_SPAWN_OPEN, 0, spawn.stdin, _INPUT_FLAGS, 0)]
    memory = os.memfd_create("stdin", os.MFD_CLOEXEC)
    ours.append(memory)
    view = memoryview(spawn.stdin)
    while view:
        view = view[os.write(memory, view) :]
    os.lseek(memory, 0, os.SEEK_SET)
    return [(os.POSIX_SPAWN_DUP2, memory, 0)]


def _outputs(spawn: Spawn, outlets: Outlets | None, ours: list[int]) -> list[_Opening | _Copying]:
    """Where it prints: into files, or into pipes to them."""
    found: list[_Opening | _Copying] = []
    for fd, path in ((1, spawn.out), (2, spawn.err)):
        if path is None:
            found.append((os.POSIX_SPAWN_DUP2, 1, fd))
        elif outlets is None:
            found.append((os.POSIX_SPAWN_OPEN, fd, path, _OUTPUT_FLAGS, 0o600))
        else:
            end = outlets.open(spawn.key, path)
            ours.append(end)
            found.append((os.POSIX_SPAWN_DUP2, end, fd))
    return found


def _program(argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """Find the program in the PATH of the attempt, which need not be the supervisor's."""
    name = argv[0] if argv else ""
    if "/" in name or not name:
        return name
    found = errno.ENOENT
    for directory in environment.get("PATH", os.defpath).split(":"):
        path = f"{directory or '.'}/{name}"
        if os.path.isfile(path):
            if os.access(path, os.X_OK):
                return path
            found = errno.EACCES
    raise OSError(found, os.strerror(found))


def _name(spawn: Spawn) -> str:
    return repr(spawn.argv[0]) if spawn.argv else "an empty command"


def _no_directory(path: str, error: OSError) -> CannotStartError:
    code = error.errno or 0
    if code == errno.ENOENT:
        return CannotStartError(code, f"the working directory {path!r} does not exist")
    return CannotStartError(code, f"cannot enter the working directory {path!r}: {os.strerror(code)}")


def _explain(spawn: Spawn, environment: Mapping[str, str], code: int) -> CannotStartError:
    """Find out which of the files was the trouble: ``posix_spawn`` tells only the errno."""
    for path, flags in ((spawn.stdin, _INPUT_FLAGS), (spawn.out, _OUTPUT_FLAGS), (spawn.err, _OUTPUT_FLAGS)):
        if isinstance(path, str) and (trouble := _trouble(path, flags)):
            verb = "read" if flags == _INPUT_FLAGS else "write"
            return CannotStartError(code, f"cannot start {_name(spawn)}: cannot {verb} {path!r}: {trouble}")
    return CannotStartError(code, f"cannot start {_name(spawn)}: {_exec_trouble(spawn, environment, code)}")


def _trouble(path: str, flags: int) -> str:
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK, 0o600))
    except OSError as error:
        return os.strerror(error.errno or 0)
    return ""


def _exec_trouble(spawn: Spawn, environment: Mapping[str, str], code: int) -> str:
    name = spawn.argv[0]
    if code == errno.E2BIG:
        return "its arguments and environment are too long for the system"
    if code == errno.ENOEXEC:
        return "it is not a program (no '#!' in its first line?)"
    if code == errno.ENOENT:
        if "/" not in name:
            return f"not found in PATH ({environment.get('PATH', os.defpath)})"
        if os.path.exists(name):
            return "the interpreter its first line names does not exist"
    return os.strerror(code)


def ignored_signals() -> list[int]:
    """The signals this process ignores, by inheritance or by its own will."""
    return [number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN]
