"""``-v`` and ``--log-file``: Python's logging, loaded only for them. The logger is ``taskrun``, with one below it for each part."""

import logging
import os
import sys
from contextlib import suppress

from taskrun import debugging
from taskrun.errors import UsageError
from taskrun.listeners.sanitize import one_line
from taskrun.version import __version__

_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(name)s: %(message)s"


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """What cannot be written is no reason for anything to fail, nor for a traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name logging has for it
        """Nothing can be done."""


def to_stderr() -> None:
    debugging.on_stderr[0] = True
    _turn_on(_Lines(sys.stderr))


def to_file(path: str) -> None:
    """Appends; the file is the user's alone, for it tells what was run.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"the log {path} cannot be written: {error.strerror}") from error
    _turn_on(_Lines(os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace")))


def _turn_on(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(_FORMAT, "%Y-%m-%d %H:%M:%S"))
    logger = logging.getLogger("taskrun")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    if not debugging.listeners:
        debugging.listeners.append(_log)
    python, system = ".".join(map(str, sys.version_info[:3])), os.uname()
    about = f"taskrun {__version__}, Python {python}, {system.sysname} {system.release}"
    handler.handle(logger.makeRecord("taskrun.start", logging.DEBUG, "", 0, about, (), None))


def _log(where: str, text: str) -> None:
    with suppress(ValueError):  # the stream was closed, as at exit
        logging.getLogger(f"taskrun.{where}").debug("%s", one_line(text))
