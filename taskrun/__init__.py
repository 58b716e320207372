"""taskrun: YAML workflows that run like a database transaction, undone in reverse when a task fails."""

from typing import Any

from taskrun.version import __version__

__all__ = ["Notifier", "Result", "Workflow", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """The Python interface is loaded when it is used: ``taskrun --version`` must not pay for it."""
    if name in ("Notifier", "Result", "Workflow", "load", "run"):
        from taskrun import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module 'taskrun' has no attribute {name!r}")
