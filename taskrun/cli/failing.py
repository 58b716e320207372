"""Every error as one message and an exit code."""

import errno
import os
import sys

from taskrun.errors import TaskrunError, WorkflowError
from taskrun.version import __version__

BUG = 70
_NO_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG)


def explain(error: BaseException) -> int:
    """Say what is wrong, and with which exit code that ends the command."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, WorkflowError):
        return _report_workflow(error)
    if isinstance(error, TaskrunError):
        report(f"error: {error.message}", error.hint)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # Whoever read our results has gone; the command itself did what it had to.
        _silence(sys.stdout)
        return 0
    return _explain_exception(error)


def _explain_exception(bug: BaseException) -> int:
    if isinstance(bug, OSError) and bug.errno in _NO_OUTPUT and bug.filename is None:
        _silence(sys.stdout)
        report(f"error: the output cannot be written: {bug.strerror}")
        return 2
    if isinstance(bug, FileNotFoundError) and _is_nowhere():
        report("error: the current directory is not there any more")
        return 2
    return _report_bug(bug)


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def report(message: str, hint: str | None = None) -> None:
    from taskrun.listeners.sanitize import one_line  # noqa: PLC0415 - only for errors

    lines = [one_line(line) for line in message.splitlines()]
    if hint:
        lines.append(f"hint: {one_line(hint)}")
    write("\n".join(lines) + "\n")


def _report_workflow(error: WorkflowError) -> int:
    from taskrun.cli.validate import show_problems  # noqa: PLC0415 - only for errors

    if error.diagnostics:
        show_problems(error.diagnostics, getattr(error, "sources", {}))
    else:
        report(f"error: {error.message}", error.hint)
    return error.exit_code


def _report_bug(bug: BaseException) -> int:
    """Never a traceback on the terminal: it goes to a file that can be sent."""
    import tempfile  # noqa: PLC0415 - only for bugs
    import traceback  # noqa: PLC0415

    text = f"taskrun {__version__}, Python {sys.version}\n{''.join(traceback.format_exception(bug))}"
    try:
        fd, path = tempfile.mkstemp(prefix="taskrun-crash-", suffix=".txt")
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        where = f"the details are in {path}"
    except OSError:
        where = text
    report(f"error: this is a bug in taskrun: {type(bug).__name__}: {bug}", where)
    return BUG


def write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _silence(stream: object) -> None:
    """Python flushes its streams once more at exit; into nothing, now that nobody listens."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
    os.close(nowhere)
