"""The page's doors to the rest of taskrun: what it may not import is handed to it."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.app.base import RunOptions
from taskrun.app.recalled import Recalled, node_of, recall
from taskrun.app.resolving import resolve_task
from taskrun.app.revised import revised
from taskrun.app.shared import masker_of, shared_names
from taskrun.cli.changed import Changes, changes, current_of
from taskrun.cli.continuing import resume
from taskrun.drivers.planning import Wishes, plan_wishes
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.errors import RefusedError, WorkflowError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home
from taskrun.spec.diagnostics import Diagnostic
from taskrun.web import possible
from taskrun.web.doors import CURRENT, Doors, Masking, Wish

MOST_COMPARED = 1 << 20  # bytes of a file whose changes are shown
MOST_MISTAKES = 5


def doors() -> Doors:
    return Doors(home(), [sys.executable, "-m", "taskrun"], _masking, _plan, resolve_task, _changes)


def _masking(definition: Mapping[str, Any]) -> tuple[Masking | None, list[str]]:
    return masker_of(definition)


def _changes(row: RunRow) -> Changes | None:
    return changes(row, most=MOST_COMPARED)


def _plan(run_id: str, wish: Wish) -> dict[str, Any]:
    held = recall(home(), run_id, RunOptions())
    if wish.file == CURRENT:
        held = _with_current(held)
    shared = shared_names(held.definition, held.row.inputs, run_id, held.row.created, None)
    forward = wish.verb in (possible.RESUME, possible.APPROVE)
    plan = plan_wishes(held.definition, shared, held.entries, _wishes(run_id, wish), goes_well=forward)
    return {**plan, "told": held.told}


def _with_current(held: Recalled) -> Recalled:
    """As `resume --use-current` would take it. RefusedError or UsageError if it would not."""
    try:
        current = current_of(held.row, quiet=True)
    except WorkflowError as error:
        found = [
            f"line {each.line}: {each.message}" for each in error.diagnostics if isinstance(each, Diagnostic)
        ]
        words = "\n".join([f"{held.row.file} has mistakes as it is now:", *found[:MOST_MISTAKES]])
        raise RefusedError(words, hint=f"taskrun validate {held.row.file} shows them all") from error
    return held if current is None else revised(held, current, RunOptions())


def _wishes(run_id: str, wish: Wish) -> Wishes:
    match wish.verb:
        case possible.CANCEL:
            return [lambda _flow, at: e.CancelRequested(at, {"type": "Cancelled", "message": wish.reason})]
        case possible.RESUME:
            return [resume]
        case possible.APPROVE:
            return [_resolution(run_id, wish, "done"), resume]
        case possible.SKIP:
            return [_resolution(run_id, wish, "skip"), _reversal(run_id, wish)]
        case _:
            return [_reversal(run_id, wish)]


def _resolution(run_id: str, wish: Wish, word: str) -> Any:
    return lambda flow, at: e.Resolved(at, node_of(flow, run_id, wish.task), word, {"reason": wish.reason})


def _reversal(run_id: str, wish: Wish) -> Callable[[Flow, float], e.Event]:
    def event(flow: Flow, at: float) -> e.Event:
        floor = node_of(flow, run_id, wish.savepoint) if wish.savepoint else None
        return e.RevertRequested(at, floor, force=wish.force, failed_only=wish.retry)

    return event
