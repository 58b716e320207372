"""Reads the bytes of a workflow file: once, never more than the limit, and from nothing but a regular file."""

import errno
import os
import stat
from typing import NoReturn

from taskrun.spec.loading.findings import WHOLE_FILE, Findings
from taskrun.spec.spelling import nearest

MOST_BYTES = 16 * 1024 * 1024
KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(path: str, findings: Findings) -> bytes:
    """The content of the file; raises what ``findings`` raises."""
    try:
        # Non-blocking: the open of a pipe without a writer would wait for ever before anything could be checked.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        _refuse(path, error, findings)
    try:
        return _read(descriptor, findings)
    except OSError as error:
        _refuse(path, error, findings)
    finally:
        os.close(descriptor)


def check_size(data: bytes, findings: Findings) -> None:
    if len(data) > MOST_BYTES:
        findings.fatal(
            "TR104",
            f"the file has more than {MOST_BYTES // 1024**2} MiB",
            WHOLE_FILE,
            "keep data in files of its own",
        )


def _read(descriptor: int, findings: Findings) -> bytes:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in KINDS if is_kind(mode)), "no regular file")
        findings.fatal("TR102", f"this is {kind}, not a workflow file", WHOLE_FILE)
    chunks = []
    left = MOST_BYTES + 1
    while left and (chunk := os.read(descriptor, left)):
        chunks.append(chunk)
        left -= len(chunk)
    data = b"".join(chunks)
    check_size(data, findings)
    return data


def _refuse(path: str, error: OSError | ValueError, findings: Findings) -> NoReturn:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        findings.fatal("TR101", "there is no such file", WHOLE_FILE, _near_file(path))
    if isinstance(error, OSError) and error.errno == errno.ENXIO:  # what opening a socket says
        findings.fatal("TR102", "this is a socket, not a workflow file", WHOLE_FILE)
    reason = error.strerror if isinstance(error, OSError) else str(error)
    findings.fatal("TR103", f"the file cannot be read: {reason}", WHOLE_FILE)


def _near_file(path: str) -> str | None:
    folder, name = os.path.split(path)
    try:
        found = nearest(name, sorted(os.listdir(folder or ".")))
    except OSError:
        return None  # no such directory either: the message says enough
    return found and f"did you mean {os.path.join(folder, found)}?"
