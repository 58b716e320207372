"""Failures of attempts in the form in which they are recorded."""

from typing import TYPE_CHECKING, Any

from taskrun.errors import ActionError, TaskrunError

if TYPE_CHECKING:
    from taskrun.executors.recovery import Alive, Lost, NotStarted

CANCELLED = {"type": "Cancelled", "message": "stopped because the run was cancelled"}


def failure_of(error: TaskrunError) -> dict[str, Any]:
    if isinstance(error, ActionError):
        return error.as_failure()
    return {"type": "ExpressionError", "message": error.message}


def of_system(error: OSError) -> ActionError:
    """A full disk, a file that is gone: the attempt's failure, and no bug."""
    where = f"{error.filename}: " if error.filename else ""
    return ActionError(type(error).__name__, f"{where}{error.strerror or error}")


def lost(outcome: "Alive | Lost | NotStarted") -> dict[str, Any]:
    from taskrun.executors.recovery import Lost  # noqa: PLC0415 - it has been loaded to find that out

    message = (
        outcome.message if isinstance(outcome, Lost) else "its supervisor was killed before it was started"
    )
    return {"type": "Lost", "message": message}


def timeout(limit: float | None) -> ActionError:
    return ActionError("Timeout", f"no end after {limit:g} s" if limit is not None else "out of time")


def cancelled(stopping: dict[str, Any]) -> ActionError:
    return ActionError("Cancelled", stopping["message"])
