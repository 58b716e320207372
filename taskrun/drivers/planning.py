"""What a run would do, and undo: computed from the file, or for the revert of a run from its journal. Nothing is done.

A plan is plain data, the same for people and programs:

    run        of a revert: the run's id and its state
    tasks      in the order of `--jobs 1`: what each does, how it is undone, on what condition it depends
    rollback   what is undone after a task has failed, or by a revert; what stays; how the run ends
    warnings   what somebody should know before
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskrun.actions import registry
from taskrun.actions.images.pace import LIMIT_VARIABLE, image_limit
from taskrun.drivers.foresight import Foresight
from taskrun.drivers.missing import missing, not_atomic, not_atomic_undos
from taskrun.engine import events as e
from taskrun.engine.commands import StartAttempt
from taskrun.engine.flow import Flow
from taskrun.engine.view import View
from taskrun.errors import ActionError, NotFoundError
from taskrun.journal.base import Entry
from taskrun.spec.preview import Known, fill, fill_fields, words
from taskrun.spec.spelling import nearest

Plain = dict[str, Any]

# How a task is undone. AFTER_PIVOT: the way back is closed before it begins.
ITSELF, RESTORE, REVERT, NOTHING = "itself", "restore", "revert", "nothing"
IMPOSSIBLE, UNDECLARED, AFTER_PIVOT = "impossible", "undeclared", "after-pivot"
_CLASSES = {"auto": ITSELF, "restore": RESTORE, "action": REVERT, "none": NOTHING}
_CLASSES |= {"impossible": IMPOSSIBLE, "unstated": UNDECLARED}
_STAYS = (IMPOSSIBLE, UNDECLARED)
_EXIT = {"SUCCESS": 0, "REVERTED": 1}


def plan_run(
    definition: Mapping[str, Any], inputs: Mapping[str, Any], shared: Mapping[str, Any], fail_at: str | None
) -> Plain:
    """What `run` would do; with ``fail_at`` also what happens if that task fails. NotFoundError if there is none."""
    foresight = Foresight(definition, shared)
    entries = foresight.look(e.RunRequested(0.0))
    writer = _Writer(foresight)
    order = _starts(foresight, entries)
    tasks = [writer.task(node, number) for number, node in enumerate(order, 1)]
    _mark_pivots(tasks)
    atomic = [*not_atomic(tasks), *not_atomic_undos(tasks)]
    warnings = [*_too_early(tasks), *atomic, *writer.missing(tasks), *writer.problems()]
    rollback = None if fail_at is None else _fail(definition, shared, fail_at, tasks)
    return {
        **_head(definition, inputs),
        "env": writer.env(),
        "tasks": tasks,
        "ignored": _ignored(foresight, entries),
        "controllers": _controllers(definition),
        "rollback": rollback,
        "warnings": warnings,
    }


def plan_revert(
    definition: Mapping[str, Any],
    inputs: Mapping[str, Any],
    shared: Mapping[str, Any],
    history: Sequence[Entry],
    run_id: str,
) -> Plain:
    """What `revert` would do to a run as it stands. RefusedError if it would be refused."""
    foresight = Foresight(definition, shared, history=history)
    entries = foresight.look(e.RevertRequested(history[-1].time if history else 0.0))
    writer = _Writer(foresight)
    rollback = _rollback(foresight, writer, entries)
    undone, now = rollback["undone"], _view(foresight, foresight.entries[: -len(entries) or None])
    for task in undone:
        task["state"] = now.index[task["name"]].state
    if rollback["state"] == "REVERTED" and not rollback["left"]:
        rollback["exit_code"] = 0  # the undoing was what was asked for
    warnings = [*not_atomic_undos(undone), *writer.missing(undone), *writer.problems()]
    head = {**_head(definition, inputs), "run": {"id": run_id, "state": now.state}, "env": writer.env()}
    nothing: Plain = {"tasks": [], "ignored": [], "controllers": []}
    return {**head, **nothing, "rollback": rollback, "warnings": warnings}


Wishes = Sequence[Callable[[Flow, float], e.Event]]


def plan_wishes(
    definition: Mapping[str, Any],
    shared: Mapping[str, Any],
    history: Sequence[Entry],
    wishes: Wishes,
    *,
    goes_well: bool,
) -> Plain:
    """What a run would do if a person asked for this now, one wish after the other; ``ends`` is its state then.

    Raises:
        RefusedError: it would be refused.
    """
    foresight = Foresight(definition, shared, history=history, goes_well=goes_well)
    now, entries = history[-1].time if history else 0.0, list[Entry]()
    under_way = (
        [c.node for c in foresight.machine.pending() if isinstance(c, StartAttempt)] if goes_well else []
    )
    for wish in wishes:
        entries += foresight.look(wish(foresight.machine.flow, now))
    writer = _Writer(foresight)
    order = [*under_way, *_starts(foresight, entries)]
    turned = any(entry.kind == "task" and entry.state == "REVERTING" for entry in entries)
    rollback = _rollback(foresight, writer, entries) if turned or not goes_well else None
    warnings = writer.missing(rollback["undone"]) if rollback else []
    tasks = [writer.task(node, number) for number, node in enumerate(order, 1)]
    for task in tasks[: len(under_way)]:
        task["under_way"] = True
    return {
        "tasks": tasks,
        "rollback": rollback,
        "ends": str(foresight.machine.record.run),
        "warnings": warnings,
    }


def _head(definition: Mapping[str, Any], inputs: Mapping[str, Any]) -> Plain:
    fixed = definition.get("inputs", {})
    shown = {name: value for name, value in inputs.items() if not fixed.get(name, {}).get("fixed")}
    return {"v": 1, "name": definition["name"], "file": definition.get("file", ""), "inputs": shown}


# ---------------------------------------------------------------------- going forward


def _starts(foresight: Foresight, entries: Sequence[Entry]) -> list[int]:
    nodes = foresight.values.nodes
    return [nodes[entry.name] for entry in entries if entry.kind == "task" and entry.state == "RUNNING"]


def _ignored(foresight: Foresight, entries: Sequence[Entry]) -> list[Plain]:
    found = []
    for entry in entries:
        if entry.kind == "task" and entry.state == "IGNORE":
            spec = foresight.values.spec(foresight.values.nodes[entry.name])
            found.append({"name": entry.name, "if": spec.get("if")})
    return found


def _controllers(definition: Mapping[str, Any]) -> list[Plain]:
    """Flows that run again when a task in them fails; ``rounds`` is None where only the run will tell."""
    found = []
    for flow in definition["flows"]:
        if "retry" in flow:
            items = flow["retry"].get("for_each")
            rounds = len(items) if isinstance(items, list) else None if items else flow["retry"]["attempts"]
            found.append({"flow": flow["name"], "rounds": rounds})
    return found


def _mark_pivots(tasks: Sequence[Plain]) -> None:
    """What starts behind the point of no return is never undone by a failure."""
    behind = None
    for task in tasks:
        if behind is not None and task["undo"]["class"] != NOTHING:
            task["undo"]["class"], task["undo"]["pivot"] = AFTER_PIVOT, behind
        if task["pivot"]:
            behind = task["name"]


def _too_early(tasks: Sequence[Plain]) -> list[Plain]:
    """An irreversible task before a reversible one: when the later fails, the earlier stays."""
    found = []
    for position, task in enumerate(tasks):
        later = next(
            (t for t in tasks[position + 1 :] if t["undo"]["class"] in (ITSELF, RESTORE, REVERT)), None
        )
        if task["undo"]["class"] not in _STAYS or task["pivot"] or later is None:
            continue
        what = "cannot be undone" if task["undo"]["class"] == IMPOSSIBLE else "has no undo"
        message = f"{what}, and runs before {later['name']}, which can be: if a later task fails, it stays"
        found.append(
            {"task": task["name"], "message": message, "help": "let it run last, or mark it `pivot: true`"}
        )
    return found


# ---------------------------------------------------------------------- going back


def _fail(
    definition: Mapping[str, Any], shared: Mapping[str, Any], task: str, tasks: Sequence[Plain]
) -> Plain:
    names = [each["name"] for each in tasks]
    found = next((name for name in names if name == task or name.startswith(f"{task}[")), None)
    if found is None:
        near = nearest(task, names)
        raise NotFoundError(
            f"no task {task!r} would run" + (f"; did you mean {near!r}?" if near else ""),
            hint="the tasks that would run: " + ", ".join(names),
        )
    foresight = Foresight(definition, shared, fails=lambda name: name == found)
    entries = foresight.look(e.RunRequested(0.0))
    return {"fail_at": found, **_rollback(foresight, _Writer(foresight), entries)}


def _rollback(foresight: Foresight, writer: "_Writer", entries: Sequence[Entry]) -> Plain:
    """What became of the tasks, the way every report tells it."""
    view = _view(foresight, foresight.entries)
    now = {entry.name for entry in entries if entry.kind == "task" and entry.state == "REVERTED"}
    undone = [name for name in view.undone if name in now]
    nodes = foresight.values.nodes
    left = [writer.left(nodes[name], view.index[name].given_up) for name in view.applied]
    return {
        "undone": [writer.task(nodes[name], number) for number, name in enumerate(undone, 1)],
        "left": [each for each in left if each["undo"]["class"] != NOTHING],
        "unknown": view.unknown,
        "checks": len(foresight.values.definition.get("verify_revert", ())),
        "state": view.state,
        "exit_code": _EXIT.get(view.state, 3),
    }


def _view(foresight: Foresight, entries: Sequence[Entry]) -> View:
    view = View(foresight.values.definition)
    for entry in entries:
        view.apply(entry)
    return view


# ---------------------------------------------------------------------- one task


class _Writer:
    """Tasks as plain data, with what is known of them filled in."""

    def __init__(self, foresight: Foresight) -> None:
        self._foresight = foresight
        self._values = foresight.values
        self._folder = foresight.values.definition.get("dir") or "/"

    def env(self) -> Plain:
        """The variables the file sets for all tasks."""
        filled: Plain = fill(self._values.definition.get("env", {}), self._foresight.known(0))
        return filled

    def task(self, node: int, number: int) -> Plain:
        spec, name = self._values.spec(node), self._values.flow.names[node]
        found: Plain = {"number": number, "name": name, "flow": self._flow_of(node), "action": spec["kind"]}
        found["command"] = self._words(spec["kind"], spec["fields"], self._foresight.known(node))
        found["undo"] = self._undo(node, spec["revert"])
        found["pivot"] = bool(spec.get("pivot"))
        found |= {key: spec[key] for key in ("if", "description") if spec.get(key)}
        if "env" in spec:
            found["env"] = fill(spec["env"], self._foresight.known(node))
        if "check" in spec:
            check = spec["check"]
            found["check"] = self._words(check["kind"], check["fields"], self._foresight.known(node))
        attempts = spec.get("retry", {}).get("attempts", 1)
        if attempts > 1:
            found["attempts"] = attempts
        around = self._foresight.guess_around(node)
        if around is not None:
            found["each_of"] = self._foresight.guessed[around]  # one item stands for all of them
        if name in self._foresight.assumed:
            found["assumed"] = True  # whether its condition holds only the run will tell
        return found

    def left(self, node: int, given_up: str | None) -> Plain:
        found = self.task(node, 0)
        return {"name": found["name"], "undo": found["undo"], "given_up": given_up}

    def _flow_of(self, node: int) -> str:
        return self._values.flow.sections[self._values.flow.section[node]].name

    def _undo(self, node: int, revert: Mapping[str, Any]) -> Plain:
        found: Plain = {"class": _CLASSES[revert["form"]], "action": None, "command": None}
        known = self._foresight.known(node, undoing=True)
        if revert.get("itself"):
            found["class"] = ITSELF
        elif revert["form"] == "action":
            found["action"] = revert["kind"]
            found["command"] = self._words(revert["kind"], revert["fields"], known)
        elif revert["form"] == "restore":
            found["command"] = "\n".join(map(str, fill(revert["paths"], known)))
            found["limit"] = self._limit(node, known)
        elif revert["form"] == "impossible":
            found["reason"] = str(fill(revert["reason"], known))
        return found

    def _limit(self, node: int, known: Known) -> int | None:
        """Bytes its images may take; None when that is known only in the run, or is a mistake it will meet."""
        spec = self._values.spec(node)
        given = {**os.environ, **self._values.definition.get("env", {}), **spec.get("env", {})}
        try:
            return image_limit({k: str(fill(v, known)) for k, v in given.items() if k == LIMIT_VARIABLE})
        except ActionError:
            return None

    def _fields(self, kind: str, fields: Mapping[str, Any], known: Known) -> Plain:
        action = registry.get(kind)
        return fill_fields(fields, known, scripts=action.SCRIPTS, bare=action.EXPRESSIONS)

    def _words(self, kind: str, fields: Mapping[str, Any], known: Known) -> str:
        return words(kind, self._fields(kind, fields, known))

    def missing(self, tasks: Sequence[Plain]) -> list[Plain]:
        """Undos that would fail because a program or a file is not there."""
        own = [task["name"] for task in tasks if task["undo"]["class"] == REVERT]
        found = [(name, self._missing(self._values.nodes[name])) for name in own]
        return [{"task": name, "message": f"its undo cannot work: {what}"} for name, what in found if what]

    def _missing(self, node: int) -> str | None:
        spec, known = self._values.spec(node), self._foresight.known(node, undoing=True)
        revert = spec["revert"]
        folder = os.path.join(spec.get("dir") or self._folder, str(fill(spec.get("cwd") or "", known)))
        fields = self._fields(revert["kind"], revert["fields"], known)
        if "${{" in folder or not os.path.isdir(folder):
            return None  # made by the run, perhaps with what it needs
        return missing(revert["kind"], fields, folder, os.environ.get("PATH", os.defpath))

    def problems(self) -> list[Plain]:
        return [
            {"task": None, "message": f"`{source}` cannot be evaluated: {why}"}
            for source, why in self._foresight.problems.items()
        ]
