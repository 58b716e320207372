"""What the operating system says, as the failure of a task."""

from errno import errorcode
from os import fsdecode

from taskrun.errors import ActionError


def failure_of(error: OSError, path: str | None = None) -> ActionError:
    """``type`` is the class that Python has for it (FileNotFoundError), or the name of its number (ENOSPC)."""
    kind = type(error).__name__
    if kind == "OSError":
        kind = errorcode.get(error.errno or 0, "OSError")
    named = error.filename
    text = fsdecode(named) if isinstance(named, str | bytes) else ""
    if not text.startswith("/"):
        text = path or text
    return ActionError(kind, f"{text}: {error.strerror or error}" if text else str(error))
