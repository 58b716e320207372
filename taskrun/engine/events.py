"""What can happen to a run, in the past tense: the only things the machine takes in.

``at`` is the time in seconds (the driver's clock), ``node`` a node of the flow, ``attempt`` the number of the attempt
that the event speaks of: results may come late or twice, and one that speaks of an attempt which is over is ignored.
``data`` goes unread into the transition it causes (outputs and the like).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

Data = Mapping[str, Any]


class RunRequested(NamedTuple):
    at: float


class ConditionDecided(NamedTuple):
    """The ``if`` of a task or nested flow gave ``holds``; ``failure`` when it could not be evaluated.

    ``asked`` is the command's: an answer to an earlier question is ignored. None when answers cannot be late.
    """

    at: float
    node: int
    holds: bool
    failure: Data | None = None
    asked: int | None = None


class ItemsEvaluated(NamedTuple):
    """The ``for_each`` of a retry controller gave ``size`` values (``failure`` when it could not)."""

    at: float
    node: int
    size: int
    data: Data | None = None
    failure: Data | None = None
    asked: int | None = None


class AttemptSucceeded(NamedTuple):
    """``already``: a ``check`` found it done before, so there is nothing of ours to undo."""

    at: float
    node: int
    attempt: int
    data: Data | None = None
    already: bool = False


class AttemptFailed(NamedTuple):
    """``started`` is False when the action never began; ``retryable`` when the task's ``retry.on`` lets it try again."""

    at: float
    node: int
    attempt: int
    failure: Data
    data: Data | None = None
    started: bool = True
    retryable: bool = True


class AttemptLost(NamedTuple):
    """The attempt is over and nobody knows how it ended (crash, lost reply)."""

    at: float
    node: int
    attempt: int
    failure: Data | None = None


class ProbeAnswered(NamedTuple):
    """``done`` is None when the probe could not tell."""

    at: float
    node: int
    attempt: int
    done: bool | None
    data: Data | None = None
    asked: int | None = None


class RevertSucceeded(NamedTuple):
    at: float
    node: int
    attempt: int
    data: Data | None = None


class RevertFailed(NamedTuple):
    """``final``: trying again would not help (drift, refused)."""

    at: float
    node: int
    attempt: int
    failure: Data
    final: bool = False


class RevertLost(NamedTuple):
    """A crash took the outcome of an undo: it is done again, with the same idempotency key."""

    at: float
    node: int
    attempt: int


class TimerFired(NamedTuple):
    """The wait of ``node`` that was to end at ``due`` is over."""

    at: float
    node: int
    due: float


class SuspendRequested(NamedTuple):
    at: float
    reason: str = ""


class CancelRequested(NamedTuple):
    """Stop what runs and roll back."""

    at: float
    failure: Data


class ResumeRequested(NamedTuple):
    at: float


class RevertRequested(NamedTuple):
    """Undo what is applied; with ``floor`` only what started after that node (a savepoint).

    ``failed_only``: try the undos again that failed, and nothing else; what they hold back stays.
    Refused behind a pivot, unless ``force``; for a savepoint that was not reached; and if there is nothing to try again.
    """

    at: float
    floor: int | None = None
    force: bool = False
    failed_only: bool = False


class Resolved(NamedTuple):
    """A person decides an UNKNOWN or settles a REVERT_FAILURE: ``verdict`` is ``done``, ``not-done`` or ``undone``.

    ``skip`` gives a REVERT_FAILURE up: it stays applied, and what it depended on may be undone.
    """

    at: float
    node: int
    verdict: str
    data: Data | None = None


Event = (
    RunRequested
    | ConditionDecided
    | ItemsEvaluated
    | AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | ProbeAnswered
    | RevertSucceeded
    | RevertFailed
    | RevertLost
    | TimerFired
    | SuspendRequested
    | CancelRequested
    | ResumeRequested
    | RevertRequested
    | Resolved
)
