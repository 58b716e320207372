"""What ``resume`` and ``revert`` share: take a run over, show it, end with its exit code."""

from collections.abc import Callable

from taskrun.app.base import Current, Outcome, RunOptions, Verdict
from taskrun.app.continuing import continue_run
from taskrun.cli.output import STDERR, Output
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.journal.base import RunRow
from taskrun.listeners.outlet import show

Event = Callable[[Flow, float], e.Event]
GoOn = Callable[[Event, str], Outcome]  # an event and the verb for it


def go_on(
    row: RunRow,
    event: Event,
    verb: str,
    shown: Output,
    options: RunOptions,
    verdicts: list[Verdict] | None = None,
    current: Current | None = None,
) -> Outcome:
    outcome = continue_run(
        row.id,
        event,
        options,
        shown.listeners,
        verb=verb,
        verdicts=verdicts or (),
        current=current,
        waiting=_say_waiting,
    )
    shown.finish(outcome)
    return outcome


def resume(_flow: Flow, at: float) -> e.Event:
    """Go on where it stands."""
    return e.ResumeRequested(at)


def revert(_flow: Flow, at: float) -> e.Event:
    """Undo all of it."""
    return e.RevertRequested(at)


def _say_waiting() -> None:
    show("Tasks of the run are still running; waiting for them to end.\n", STDERR)
