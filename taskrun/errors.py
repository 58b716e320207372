"""Every exception of taskrun.

TaskrunError                 what the command line turns into one message and an exit code
├── UsageError          (2)  wrong options or values, nothing ran
├── WorkflowError       (2)  the file has mistakes; carries all its diagnostics
├── NotFoundError       (4)  no such run or task
├── HeldError           (5)  another process holds the run or the lock
├── RefusedError        (6)  drift, a changed file, a precondition that does not hold
├── JournalError        (3)  the journal cannot be written or read
│   ├── JournalTooNewError (2)  written by a newer taskrun; nothing was touched
│   └── JournalCorruptError (3) damaged; reported, never guessed
├── ExpressionError     (2)  an expression that cannot be parsed or evaluated
├── ActionError         (1)  an attempt that failed, with the type a user can match on
└── InvalidTransition  (70)  an event no table of the machine knows: a bug in taskrun
"""

from collections.abc import Mapping, Sequence


class TaskrunError(Exception):
    """Base of all: ``exit_code`` is what the command ends with, ``hint`` the next thing to type."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TaskrunError):
    exit_code = 2


class WorkflowError(TaskrunError):
    """A file that cannot be run. ``diagnostics`` are all its mistakes, in file order."""

    exit_code = 2

    def __init__(self, message: str, diagnostics: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class NotFoundError(TaskrunError):
    exit_code = 4


class HeldError(TaskrunError):
    """``holder`` says who: ``pid``, ``host``, ``since`` where known."""

    exit_code = 5

    def __init__(
        self, message: str, *, hint: str | None = None, holder: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.holder = dict(holder or {})


class RefusedError(TaskrunError):
    exit_code = 6


class JournalError(TaskrunError):
    exit_code = 3


class JournalTooNewError(JournalError):
    exit_code = 2


class JournalCorruptError(JournalError):
    exit_code = 3


class SupervisorError(TaskrunError):
    exit_code = 3


class ExpressionError(TaskrunError):
    """``offset`` is the character in the expression's source where the trouble starts, if known."""

    exit_code = 2

    def __init__(self, message: str, *, offset: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


class ActionError(TaskrunError):
    """A failed attempt: ``type`` is a stable word (``ExitCode``, ``Timeout``, ``ConnectionError``)."""

    exit_code = 1

    def __init__(self, type_: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.type = type_
        self.details = details

    def as_failure(self) -> dict[str, object]:
        """The ``failure`` field of an event."""
        return {"type": self.type, "message": self.message, **self.details}


class InvalidTransition(TaskrunError):  # noqa: N818 - named after what it is, as h11 names its own
    exit_code = 70
