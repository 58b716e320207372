"""Plays the cases of a rehearsal: each in a scratch copy, with the real command in processes of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from taskrun.drivers.rehearsal.cases import (
    KILL,
    KILL_UNDO,
    MESSAGE,
    RESUME,
    WORKS,
    Case,
    Result,
    definition_for,
)
from taskrun.drivers.rehearsal.scratch import Picture, Scratch, differences
from taskrun.engine.view import View
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.verdict import mendable, still_applied

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_RUN = "import sys; sys.path.insert(0, {root!r}); from taskrun.cli.rehearsed import main; sys.exit(main(sys.argv[1]))"
_COMMAND = "import sys; sys.path.insert(0, {root!r}); from taskrun.cli.main import main; sys.exit(main(sys.argv[1:]))"
_UNDER_WAY = ("RUNNING", "REVERTING")
_OVER = ("SUCCESS", "REVERTED")
DURING = 0.01  # seconds after the start of an attempt: long enough for a process to have begun


class Stage:
    """Where the cases are played. The copy is laid anew only when the last case has left something in it."""

    def __init__(
        self, scratch: Scratch, definition: Mapping[str, Any], text: str, inputs: Mapping[str, Any]
    ) -> None:
        self._scratch = scratch
        self._definition = definition
        self._text = text
        self._inputs = inputs
        self._before: Picture | None = None
        self._env = {**os.environ, "TASKRUN_HOME": scratch.home}

    def play(self, case: Case) -> Result:
        begun = time.monotonic()
        if self._before is None:
            self._scratch.lay()
            self._before = self._scratch.picture()
        view = self._start(case, DURING)
        if case.kind in (KILL, KILL_UNDO) and view is not None and view.state in _OVER:
            self._finish(case, view)
            view = self._start(case, 0.0)  # it is quicker than that: kill right before it
        skipped = _not_played(case, view)
        self._finish(case, view)
        view = self._look()
        problem = "" if skipped else _problem(case, view)
        found = differences(self._before, self._scratch.picture())
        if found or problem:
            self._before = None
        return Result(case, time.monotonic() - begun, found, problem, skipped, _impossible(view))

    def _start(self, case: Case, delay: float) -> View | None:
        kill = {KILL: "RUNNING", KILL_UNDO: "REVERTING"}.get(case.kind)
        given = {
            "definition": definition_for(case, self._definition),
            "text": self._text,
            "inputs": self._inputs,
            "kill": {"task": case.task, "state": kill, "delay": delay} if kill else None,
        }
        path = f"{self._scratch.home}/rehearsal.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(given, file)
        self._call([_RUN, path])
        return self._look()

    def _finish(self, case: Case, view: View | None) -> None:
        """Go on as somebody would, until everything is undone."""
        if view is None:
            return
        if case.kind in (KILL, KILL_UNDO) and case.then == RESUME:
            self._call([_COMMAND, "resume", "latest", "--use-original", "-j", "1"])
        self._call([_COMMAND, "revert", "latest", "--force", "-j", "1"])

    def _call(self, argv: list[str]) -> int:
        source, *rest = argv
        done = subprocess.run(
            [sys.executable, "-c", source.format(root=ROOT), *rest],
            check=False,
            cwd=self._scratch.world,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return done.returncode

    def _look(self) -> View | None:
        """The last run, as its journal has it."""
        if not os.path.exists(f"{self._scratch.home}/journal.db"):
            return None
        journal = SqliteJournal.open(self._scratch.home, readonly=True)
        try:
            rows = journal.runs(1)
            if not rows:
                return None
            view = View(journal.definition(rows[0].id))
            for entry in journal.entries(rows[0].id):
                view.apply(entry)
        finally:
            journal.close()
        return view


def _not_played(case: Case, view: View | None) -> str:
    """Why the case did not come to what it is about; empty if it did."""
    if view is None:
        return "the run did not start"
    if case.kind == WORKS:
        return ""
    rows = [row for row in view.index.values() if row.name.split("[")[0] == case.task]
    if case.kind in (KILL, KILL_UNDO):
        return "" if view.state in _UNDER_WAY else f"it is not reached: the run is {view.state}"
    if any(MESSAGE in str((row.failure or {}).get("message")) for row in rows):
        return ""
    if all(row.state == "IGNORE" for row in rows):
        return "its condition does not hold"
    failed = next(iter(view.failed), "")
    return f"it is not reached: {failed} fails before" if failed else "it was done already"


def _impossible(view: View | None) -> list[str]:
    return [] if view is None else [n for n in view.revert_failed if view.index[n].revert == "impossible"]


def _problem(case: Case, view: View | None) -> str:
    if view is None:
        return "the run did not start"
    if view.residue:
        return view.residue[0].message
    stuck = [*mendable(view), *view.unknown, *still_applied(view)]
    if view.state != "REVERTED" and stuck:
        return f"the run is {view.state}: {', '.join(stuck[:5])} not undone"
    if case.kind == WORKS and view.failed:
        row = view.index[view.failed[0]]
        return f"it does not work here: {row.name}: {(row.failure or {}).get('message')}"
    return ""
