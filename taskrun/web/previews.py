"""What a wish comes to, before it is one: what will run in which order, how it ends, and the equal command line."""

import shlex
from collections.abc import Sequence
from typing import Any

from taskrun.journal.base import RunRow
from taskrun.listeners.plan import how_undone
from taskrun.listeners.verdict import is_past_pivot
from taskrun.web import possible
from taskrun.web.doors import CURRENT, ORIGINAL, Changes, Doors, Plain, Wish
from taskrun.web.shown import Shown, question
from taskrun.web.wishes import (
    DONE,
    FORWARD,
    NOT_DONE,
    UNDONE,
    can_retry,
    check,
    choices,
    commands,
    savepoints,
)

_WORDS = {
    DONE: "It has happened: the task is SUCCESS",
    NOT_DONE: "It has not happened: the task is PENDING again",
    UNDONE: "It is undone, by hand: the task is REVERTED",
}
_TITLES = {
    possible.SUSPEND: "Suspend the run",
    possible.CANCEL: "Cancel the run and roll it back",
    possible.RESUME: "Resume the run",
    possible.REVERT: "Revert the run",
    possible.RESOLVE: "Decide about {task}",
    possible.APPROVE: "Approve {task}",
    possible.DECLINE: "Decline {task} and roll back",
    possible.SKIP: "Give up the undo of {task}",
}
_ENDS = {
    "SUCCESS": "Then the run ends with SUCCESS, if all goes well.",
    "REVERTED": "Then the run is REVERTED: the world is as before.",
    "FAILURE": "Then the run ends with FAILURE: it is not fully rolled back.",
    "SUSPENDED": "Then the run is SUSPENDED: somebody has to decide how it goes on.",
}
MOST_STEPS = 300  # in one list
MOST_LINES = 400  # of what has changed in a file
_BACK = (possible.REVERT, possible.DECLINE)


def preview(
    doors: Doors, row: RunRow, definition: Plain, shown: Shown, wish: Wish, standing: str, *, driven: bool
) -> Plain:
    check(row, definition, shown, wish, standing, driven=driven)
    changes = doors.changes(row) if wish.verb in FORWARD else None
    found: Plain = {
        "verb": wish.verb,
        "task": wish.task,
        "title": _TITLES[wish.verb].format(task=wish.task),
        "seq": shown.seq,
        "live": driven,
        "commands": [_line(argv) for argv in commands(row, wish, changed=changes is not None)],
        "choices": [],
        "savepoints": [],
        "can_retry": wish.verb == possible.REVERT and can_retry(shown),
        "files": [],
        "steps": [],
        "more_steps": 0,
        "left": [],
        "warnings": [],
        "reason": _reason(wish.verb),
        "behind_pivot": wish.verb in _BACK and not shown.view.rolling and is_past_pivot(shown.view),
        "question": question(shown.view.index[wish.task]) if wish.task in shown.view.index else None,
    }
    if wish.verb == possible.SUSPEND:
        return {**found, **_suspension(shown)}
    if wish.verb == possible.RESOLVE:
        told = [[word, _WORDS[word]] for word in choices(shown, wish.task)]
        words = "Nothing runs for that. The run stays as it is until it is resumed or reverted."
        return {**found, "words": words, "then": "", "choices": told}
    if wish.verb == possible.REVERT:
        found["savepoints"] = savepoints(definition, shown)
    if found["behind_pivot"] and not (wish.force or wish.savepoint):
        words = (
            "The run is past its point of no return: what came before it was not meant to be undone any more."
        )
        return {**found, "words": words, "then": ""}
    if changes is not None:
        found |= _files(row, changes, wish)
    return {**found, **_planned(doors.plan(row.id, wish), wish, found["warnings"])}


def _files(row: RunRow, changes: Changes, wish: Wish) -> Plain:
    """A file that has changed since: both are offered, and what is other in it."""
    which = "is now" if wish.file == CURRENT else "was"
    lines = list(changes.lines)
    more = [f"... {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return {
        "files": [
            [ORIGINAL, "as it was when the run was started"],
            [CURRENT, "as it is now; what is done has to be the same in it"],
        ],
        "difference": [*lines[:MOST_LINES], *more],
        "seen": changes.digest,
        "warnings": [f"{row.file} has changed since: the run goes on with the file as it {which}."],
    }


def _line(argv: Sequence[str]) -> str:
    return shlex.join(["taskrun", *argv])


def _reason(verb: str) -> str:
    if verb == possible.SKIP:
        return "needed"
    return "" if verb in (possible.RESUME, possible.REVERT, possible.DECLINE) else "welcome"


def _suspension(shown: Shown) -> Plain:
    lane = "REVERTING" if shown.view.rolling else "RUNNING"
    rows = [row for row in shown.view.rows if row.kind == "task" and row.state == lane]
    steps = [
        {"number": number, "name": row.name, "what": "wait", "action": row.action, "command": ""}
        for number, row in enumerate(rows, 1)
    ]
    words = "What runs now goes on to its end. Nothing more is started, and nothing is undone."
    return {"words": words, "steps": steps, "then": "Then the run is SUSPENDED. Resume or revert it later."}


def _planned(plan: Plain, wish: Wish, warnings: Sequence[str]) -> Plain:
    rollback = plan["rollback"]
    doing, undoing = plan["tasks"], rollback["undone"] if rollback else []
    steps = [_step(task, "do", task["action"], task["command"], "") for task in doing[:MOST_STEPS]]
    steps += [_undo_step(task) for task in undoing[: MOST_STEPS - len(steps)]]
    for number, step in enumerate(steps, 1):
        step["number"] = number
    said = [
        f"{each['task']}: {each['message']}" if each["task"] else each["message"] for each in plan["warnings"]
    ]
    stays = rollback["left"] if rollback else []
    left = [[each["name"], _why_left(each)] for each in stays[:MOST_STEPS]]
    if len(stays) > MOST_STEPS:
        left.append([f"{len(stays) - MOST_STEPS:,} more", ""])
    return {
        "words": _words(wish.verb, doing, undoing),
        "steps": steps,
        "more_steps": len(doing) + len(undoing) - len(steps),
        "left": left,
        "then": _then(plan["ends"], rollback, left),
        "warnings": [*warnings, *([plan["told"]] if plan.get("told") else []), *said],
    }


def _step(task: Plain, what: str, action: str | None, command: str | None, note: str) -> Plain:
    found: Plain = {"name": task["name"], "what": what, "action": action, "command": command, "note": note}
    if task.get("if") and what == "do":
        found["note"] = f"if {task['if']}" if task.get("assumed") else ""
    if task.get("under_way"):
        found["note"] = "was under way: what became of it is looked at first"
    if task.get("each_of"):
        found["note"] = f"for each of {task['each_of']}, known only in the run"
    return found


def _undo_step(task: Plain) -> Plain:
    undo = task["undo"]
    note = "" if undo["class"] in ("revert", "restore") else how_undone(undo)
    action = undo["action"] or ("restore" if undo["class"] == "restore" else None)
    return _step(task, "undo", action, undo["command"], note)


def _why_left(task: Plain) -> str:
    if task["given_up"]:
        return f"its undo was given up: {task['given_up']}"
    return how_undone(task["undo"]) if task["undo"]["class"] == "impossible" else "stays applied"


def _words(verb: str, doing: Sequence[Plain], undoing: Sequence[Plain]) -> str:
    if not doing and not undoing:
        return "Nothing is run for that."
    if verb == possible.CANCEL:
        return "What runs is stopped. Then this is undone, in this order, as it stands now:"
    if doing:
        return "This runs, in this order" + (", and is undone again:" if undoing else ":")
    return "This is undone, in this order:"


def _then(state: str, rollback: Plain | None, left: Sequence[Any]) -> str:
    if state == "REVERTED" and rollback and (rollback["checks"] or left):
        checks = ", if its checks find nothing left" if rollback["checks"] else ""
        return f"Then the run is REVERTED{checks}."
    return _ENDS.get(state, f"Then the run is {state}.")
