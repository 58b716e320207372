"""Bytes from one file to another: shared where the file system can, copied by the kernel or by hand where not."""

import os
from collections.abc import Iterator
from errno import EBADF, EINVAL, ENOSYS, ENOTSUP, ENOTTY, EOPNOTSUPP, EPERM, EXDEV
from typing import Protocol

from taskrun.actions.images.pace import Pace


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


_FICLONE = 0x40049409
_PIECE = 4 << 20
_CANNOT = frozenset({EBADF, EINVAL, ENOSYS, ENOTSUP, ENOTTY, EOPNOTSUPP, EPERM, EXDEV})

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe slipped in must not hold us up
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def share(source: int, target: int) -> bool:
    """Let two files have the same blocks until one is written to, where the file system can do that."""
    from fcntl import ioctl  # noqa: PLC0415 - not there on every platform

    try:
        ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def copy(source: int, target: int, pace: Pace) -> None:
    """All bytes from the beginning of ``source`` into the empty ``target``."""
    if share(source, target):
        return
    offset = 0
    while True:
        pace.check()
        try:
            count = os.copy_file_range(source, target, _PIECE, offset)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            break
        if not count:
            break  # the end; or a file system like /proc, whose files seem empty to the kernel
        offset += count
    for piece in pieces(source, pace, offset):
        write_all(target, piece)


def pieces(source: int, pace: Pace, offset: int = 0) -> Iterator[bytes]:
    while piece := os.pread(source, _PIECE, offset):
        pace.check()
        yield piece
        offset += len(piece)


def write_all(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def sha256(source: int, pace: Pace) -> str:
    digest = new_sha256()
    for piece in pieces(source, pace):
        digest.update(piece)
    return digest.hexdigest()


def sha256_of(data: bytes) -> str:
    digest = new_sha256()
    digest.update(data)
    return digest.hexdigest()


def new_sha256() -> Digest:
    from hashlib import sha256 as make  # noqa: PLC0415 - most runs need none

    return make()


def are_equal(one: int, other: int, pace: Pace) -> bool:
    """Whether two open files hold the same bytes."""
    if os.fstat(one).st_size != os.fstat(other).st_size:
        return False
    ours = pieces(other, pace)
    return all(piece == next(ours, b"") for piece in pieces(one, pace))
