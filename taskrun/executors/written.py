"""Masks what an attempt has itself written into files of the run: ``$TASKRUN_OUTPUT``, its state, its value."""

import os
import stat
from typing import Any

from taskrun.executors.masking import MASK, Matcher

WRITTEN = (".outputs", ".status", ".value")
LIMIT = 8 * 1024 * 1024
"""Bytes. More than that is refused by whoever reads the file, so that nothing is lost with it."""


def mask_file(path: str, matcher: Matcher) -> str:
    """Put a masked file in the place of one that holds something to hide; what went wrong, if anything.

    Whatever the attempt has put there, no link is followed and no FIFO waited for.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""  # nothing is there, or nothing that anybody would read
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return ""
        data = os.read(fd, LIMIT) if status.st_size <= LIMIT else None
    except OSError as error:
        return f"{path} cannot be masked: {error.strerror}"
    finally:
        os.close(fd)
    try:
        if data is None:
            os.unlink(path)
            return f"{path} was larger than {LIMIT:,} bytes and is deleted"
        masked = masked_lines(data, matcher)
        if masked != data:
            _replace(path, masked)
    except OSError as error:
        return f"{path} cannot be masked: {error.strerror}"
    return ""


def mask_folder(folder: str, matcher: Matcher) -> None:
    """Mask what attempts have written into the folder of a run's output and nobody has masked."""
    for name in os.listdir(folder):
        if name.endswith(WRITTEN):
            mask_file(f"{folder}/{name}", matcher)


def masked_lines(data: bytes, matcher: Matcher) -> bytes:
    """The text masked, and lines that are JSON still JSON, where a secret is a number in it."""
    masked = matcher.mask(data)
    if masked == data:
        return data
    lines = data.split(b"\n")
    if any(matcher.mask(line) != line and line.lstrip().startswith(b"{") for line in lines):
        masked = matcher.mask(b"\n".join(_masked_line(line, matcher) for line in lines))
    return masked


def _masked_line(line: bytes, matcher: Matcher) -> bytes:
    masked = matcher.mask(line)
    if masked == line or not line.lstrip().startswith(b"{") or _parsed(masked) is not None:
        return masked
    value = _parsed(line)
    if value is None:
        return masked
    import json  # noqa: PLC0415 - as below

    return json.dumps(_masked_value(value, matcher)).encode()


def _parsed(line: bytes) -> Any:
    import json  # noqa: PLC0415 - few lines have a secret in them

    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _masked_value(value: Any, matcher: Matcher) -> Any:
    if isinstance(value, dict):
        return {_masked_text(key, matcher): _masked_value(item, matcher) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_value(item, matcher) for item in value]
    if isinstance(value, str):
        return _masked_text(value, matcher)
    if isinstance(value, int | float) and MASK in matcher.mask(str(value).encode()):
        return MASK.decode()
    return value


def _masked_text(text: str, matcher: Matcher) -> str:
    return matcher.mask(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _replace(path: str, data: bytes) -> None:
    """At once, so that whoever takes the run over after a crash finds the one or the other."""
    new = f"{path}.masked"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    os.rename(new, path)
