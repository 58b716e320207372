"""The page's doors to the rest of taskrun: what it may not import is handed to it."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.app.base import RunOptions
from taskrun.app.recalled import node_of, recall
from taskrun.app.resolving import resolve_task
from taskrun.app.shared import masker_of, shared_names
from taskrun.cli.changed import refuse_changed
from taskrun.drivers.planning import Wishes, plan_wishes
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.errors import RefusedError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home
from taskrun.web import possible
from taskrun.web.doors import Doors, Masking, Wish


def doors() -> Doors:
    return Doors(home(), [sys.executable, "-m", "taskrun"], _masking, _plan, resolve_task, _has_changed)


def _masking(definition: Mapping[str, Any]) -> tuple[Masking | None, list[str]]:
    return masker_of(definition)


def _has_changed(row: RunRow) -> bool:
    try:
        refuse_changed(row)
    except RefusedError:
        return True
    return False


def _plan(run_id: str, wish: Wish) -> dict[str, Any]:
    held = recall(home(), run_id, RunOptions())
    shared = shared_names(held.definition, held.row.inputs, run_id, held.row.created, None)
    forward = wish.verb in (possible.RESUME, possible.APPROVE)
    return plan_wishes(held.definition, shared, held.entries, _wishes(run_id, wish), goes_well=forward)


def _wishes(run_id: str, wish: Wish) -> Wishes:
    match wish.verb:
        case possible.CANCEL:
            return [lambda _flow, at: e.CancelRequested(at, {"type": "Cancelled", "message": wish.reason})]
        case possible.RESUME:
            return [_resume]
        case possible.APPROVE:
            return [_resolution(run_id, wish, "done"), _resume]
        case possible.SKIP:
            return [_resolution(run_id, wish, "skip"), _reversal(run_id, wish)]
        case _:
            return [_reversal(run_id, wish)]


def _resolution(run_id: str, wish: Wish, word: str) -> Any:
    return lambda flow, at: e.Resolved(at, node_of(flow, run_id, wish.task), word, {"reason": wish.reason})


def _resume(_flow: Flow, at: float) -> e.Event:
    return e.ResumeRequested(at)


def _reversal(run_id: str, wish: Wish) -> Callable[[Flow, float], e.Event]:
    def event(flow: Flow, at: float) -> e.Event:
        floor = node_of(flow, run_id, wish.savepoint) if wish.savepoint else None
        return e.RevertRequested(at, floor, force=wish.force)

    return event
