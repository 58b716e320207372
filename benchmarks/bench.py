"""One scratch folder, what is measured in it, and the rows that come of it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import NamedTuple

from measure import alternate

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TASKRUN = os.environ.get("TASKRUN") or str(pathlib.Path(sys.executable).with_name("taskrun"))
PEERS = os.environ.get("PEERS") or sys.executable
_beside = pathlib.Path(TASKRUN).with_name("python")
PYTHON = str(_beside) if _beside.exists() else sys.executable  # the one that taskrun runs in


class Row(NamedTuple):
    """``measured`` is held against ``goal``: a ratio to what ``other`` took, or a figure of its own."""

    what: str
    ours: str
    other: str
    theirs: str
    measured: float
    unit: str  # "x" for a ratio
    goal: float | None

    @property
    def verdict(self):
        if self.goal is None:
            return ""
        return "held" if self.measured <= self.goal else "**missed**"


class Bench:
    def __init__(self, folder, rounds):
        self.folder = pathlib.Path(folder)
        self.rounds = rounds
        self.rows = []
        self.curves = {}  # name -> {tasks: value}
        self.floor = str(self.folder / "floor")
        subprocess.run(["cc", "-O2", "-o", self.floor, str(HERE / "floor.c")], check=True)
        self.env = {**os.environ, "TASKRUN_HOME": str(self.folder / "home")}

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)

    def taskrun(self, *args):
        return ([TASKRUN, *map(str, args)], str(self.folder), self.env, None)

    def unseen(self, *args):
        """The same, of a file that was never compiled before."""
        return (*self.taskrun(*args)[:3], self._forget)

    def _forget(self):
        shutil.rmtree(self.folder / "home" / "cache", ignore_errors=True)

    def other(self, *argv, env=None, prepare=None):
        return ([*map(str, argv)], str(self.folder), env or dict(os.environ), prepare)

    def compare(self, what, ours, others, goals=None, rounds=None, without=None):
        """Against each of ``others``; ``goals`` by name. ``without`` is a command whose time is taken off ours."""
        extra = {} if without is None else {"without": without}
        found = alternate({"taskrun": ours, **others, **extra}, rounds or self.rounds)
        mine = found["taskrun"].wall - (found["without"].wall if without is not None else 0.0)
        for name in others:
            theirs = found[name].wall
            goal = (goals or {}).get(name)
            self.add(Row(what, f"{mine:.3f} s", name, f"{theirs:.3f} s", mine / theirs, "x", goal))
        return found

    def note(self, what, value, unit, goal=None):
        self.add(Row(what, f"{value:,.3g} {unit}", "", "", value, unit, goal))

    def add(self, row):
        self.rows.append(row)
        other = f"{row.other:12} {row.theirs:>9}  {row.measured:7.3f} x" if row.other else ""
        print(f"{row.what:52} {row.ours:>16}  {other:34} {said(row)}", flush=True)

    @staticmethod
    def script(name):
        return str(HERE / name)

    def inside(self, script, *args):
        """What a script of this folder prints, run by taskrun's own Python."""
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        argv = [PYTHON, self.script(script), *map(str, args)]
        return json.loads(
            subprocess.run(argv, env=env, capture_output=True, check=True, cwd=self.folder).stdout
        )


def said(row):
    return "" if row.goal is None else f"at most {row.goal:g}: {row.verdict}"


def has_module(name):
    return subprocess.run([PEERS, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def line(count, run="true", revert="none"):
    return {"name": "line", "tasks": [{"name": f"t{i}", "run": run, "revert": revert} for i in range(count)]}


def wide(count, run="true"):
    return {**line(count, run), "pattern": "unordered"}
