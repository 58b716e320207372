"""Where taskrun keeps its state: one private directory, checked before anything is trusted to it."""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterable

from taskrun.errors import UsageError
from taskrun.journal.ids import is_run_id

DATABASE = "journal.db"
NETWORK = frozenset({
    "9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf",
})  # fmt: skip
_HINT = "set TASKRUN_HOME to a directory of your own on a local disk"


configured: list[
    Callable[[], str | None]
] = []  # who else may know where it is; asked when there is no variable


def home() -> str:
    """``$TASKRUN_HOME``, else what is configured, else the platform's directory for state. It need not exist yet."""
    given = os.environ.get("TASKRUN_HOME") or next(filter(None, (find() for find in configured)), None)
    if given:
        return os.path.abspath(os.path.expanduser(given))
    path = _state_dir()
    if not os.path.isabs(path):
        raise UsageError("there is no home directory to keep the state of runs in", hint=_HINT)
    return path


def _state_dir() -> str:
    """The platform's; on Linux without platformdirs, which takes 17 ms to say the same."""
    if sys.platform == "linux":
        base = os.environ.get("XDG_STATE_HOME", "").strip()
        base = base if os.path.isabs(base) else os.path.expanduser("~/.local/state")
        path = f"{base}/taskrun"
    else:
        from platformdirs import user_state_dir  # noqa: PLC0415 - see above

        path = user_state_dir("taskrun")
    return path


def database(home: str) -> str:
    return f"{home}/{DATABASE}"


def run_dir(home: str, run_id: str) -> str:
    """The directory of one run. An id that is none never becomes part of a path."""
    if not is_run_id(run_id):
        raise UsageError(f"{run_id!r} is not a run id")
    return f"{home}/runs/{run_id}"


def make_run_dir(home: str, run_id: str) -> str:
    path = run_dir(home, run_id)
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(os.path.dirname(path), 0o700)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    return path


def sync_run_dir(path: str) -> None:
    """What the journal is about to say of a run is of no use after a power loss if the run's directory is gone."""
    _sync(path)
    _sync(os.path.dirname(path))


def make_home(path: str) -> None:
    """Create the directory if it is missing and make sure nobody else can write to it."""
    _make(path)
    check_home(path)


def check_home(path: str) -> None:
    """Raise a UsageError unless ``path`` is a directory that only its owner, this user, can write to."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    if not stat.S_ISDIR(status.st_mode):
        raise _refused(path, "it is not a directory")
    check_private(path, status)


def check_private(path: str, status: os.stat_result) -> None:
    """Like ssh with its keys: what others can write cannot be believed."""
    if status.st_uid != os.geteuid():
        raise _refused(path, f"it belongs to user {status.st_uid}, this is user {os.geteuid()}")
    if status.st_mode & 0o022:
        raise UsageError(
            f"the state in {path} could be changed by other users (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"chmod go-w {path}, or {_HINT}",
        )


def network_filesystem(path: str) -> str | None:
    """The type of the network file system ``path`` lies on, if it does: WAL needs a disk of this machine."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return network_mount(os.path.realpath(path), file)
    except FileNotFoundError:
        return None  # not Linux


def network_mount(path: str, mountinfo: Iterable[str]) -> str | None:
    deepest, found = "", ""
    for line in mountinfo:
        point, kind = _mount(line)
        if f"{path}/".startswith(f"{point.rstrip('/')}/") and len(point) >= len(deepest):
            deepest, found = point, kind
    return found if found in NETWORK else None


def _mount(line: str) -> tuple[str, str]:
    """Mount point and type of a line of mountinfo, where blanks in a path are written in octal."""
    before, _, after = line.partition(" - ")
    point = before.split(" ")[4]
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point, after.split(" ", 1)[0]


def _make(path: str) -> None:
    """Create a directory and its missing parents, all private whatever the umask; fsync what names them."""
    path = os.path.abspath(path)
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    if not os.path.isdir(path):
        raise _refused(path, "it is not a directory")
    try:
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.mkdir(each, 0o700)
            _sync(os.path.dirname(each))
    except OSError as error:
        raise _refused(missing[0], error.strerror or str(error)) from error


def _sync(directory: str) -> None:
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # a directory that may be entered but not listed: nothing more can be asked of it
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refused(path: str, reason: str) -> UsageError:
    return UsageError(f"the state of runs cannot be kept in {path}: {reason}", hint=_HINT)
