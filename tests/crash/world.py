"""What the tasks did to the world, read from the files they left, and whether it may be so.

Nothing here asks taskrun's journal: a journal that forgets would forget here as well.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.crash.scenes import Scene


class Line(NamedTuple):
    verb: str
    name: str
    key: str
    pid: int
    at: int


def read(world: str) -> list[Line]:
    """The log of effects. A line that was torn in the middle by a kill counts as not there."""
    try:
        with open(f"{world}/log", encoding="ascii") as file:
            words = [line.split() for line in file]
    except FileNotFoundError:
        return []
    return [
        Line(each[0], each[1], each[2], int(each[3]), int(each[4])) for each in words if each[-1:] == ["."]
    ]


class Oracle:
    """Walks through the log once, then looks at what is left.

    `fragile` says that a task or a supervisor was killed: then nobody can know how an attempt ended, and an undo may
    be done once more, or done for an attempt that had not begun. Killing taskrun excuses nothing. `troubled` says
    that storage failed: then a task may have failed of that.
    """

    def __init__(self, scene: Scene, world: str, *, fragile: bool, troubled: bool = False) -> None:
        self.scene = scene
        self._ends = scene.ends | {1} if troubled else scene.ends
        self.faults: list[str] = []
        self._world = world
        self._fragile = fragile
        self._needed_by: dict[str, list[str]] = {name: [] for name in scene.needs}
        for name, needs in scene.needs.items():
            for each in needs:
                self._needed_by[each].append(name)
        self.begins = dict.fromkeys(scene.needs, 0)
        self._there = dict.fromkeys(
            scene.needs, ""
        )  # what is known of the last attempt that nobody has undone
        self._undos = dict.fromkeys(scene.needs, "")  # what is known of the last undo since then
        self._fragile_names = frozenset(scene.needs) if fragile else scene.remote
        for line in read(world):
            getattr(self, "_" + line.verb.replace("-", "_"))(line.name)

    def check(self, code: int, command: str) -> list[str]:
        """Is an end with this exit code the truth?"""
        scene = self.scene
        if code == 0 and command == "revert":
            code = 1
        if code == 0:
            self._check_done()
            self._check_files(scene.after)
            self._check_rows(scene.rows)
        elif code == 1:
            self._check_undone(scene.needs)
            self._check_files(scene.before)
            self._check_rows(())
        elif code == 3 and (scene.asks or scene.stuck):
            pass  # what is said of each task then is looked at by the caller
        else:
            self._fault(f"it ended with {code}")
        if not self._fragile and command != "revert":
            if code not in self._ends:
                self._fault(f"it ended with {code}, which is not how this workflow ends")
            for name, number in self.begins.items():
                if number > scene.most.get(name, 1) and name not in scene.remote:
                    self._fault(f"{name} was begun {number} times")
        return self.faults

    def check_left(self, applied: Sequence[str], unknown: Sequence[str]) -> list[str]:
        """Exit code 3: everything that may be in the world is named, and nothing else."""
        for name, there in self._there.items():
            if there and name not in applied and name not in unknown:
                self._fault(f"{name} is still there and nobody says so")
            if os.path.exists(f"{self._world}/made.{name}") and name not in applied and name not in unknown:
                self._fault(f"what {name} made is still there and nobody says so")
            if name in applied and not there and not self._fragile:
                self._fault(f"{name} is said to be there and is not")
        return self.faults

    def _fault(self, text: str) -> None:
        self.faults.append(text)

    # ------------------------------------------------------------------ line by line

    def _begin(self, name: str) -> None:
        there = self._there[name]
        if there and not self._may_begin_again(name, there):
            self._fault(f"{name} was begun again while its last attempt was {there}")
        for need in self.scene.needs[name]:
            if self._there[need] != "ended":
                self._fault(
                    f"{name} was begun while {need}, which it needs, was {self._there[need] or 'not there'}"
                )
        self.begins[name] += 1
        self._there[name] = "begun"
        self._undos[name] = ""

    def _may_begin_again(self, name: str, there: str) -> bool:
        """A failed attempt by its `retry`; one that was killed also by its `probe`, or if it has nothing to undo."""
        scene, fragile = self.scene, name in self._fragile_names
        if scene.most.get(name, 1) > 1:
            return there == "failed" or fragile
        return fragile and (name in scene.kept or (name in scene.probed and there == "begun"))

    def _end(self, name: str) -> None:
        self._there[name] = "ended"

    def _failed(self, name: str) -> None:
        self._there[name] = "failed"

    def _undo_begin(self, name: str) -> None:
        if not self._there[name]:
            if self._undos[name] == "ended" and name not in self._fragile_names:
                self._fault(f"{name} was undone twice")
            if not self._undos[name] and name not in self._fragile_names:
                self._fault(f"{name} was undone and had not been started")
        for other in self._needed_by[name]:
            if self._there[other] and other not in self.scene.kept:
                self._fault(f"{name} was undone while {other}, which needs it, was {self._there[other]}")
        self._undos[name] = "begun"

    def _undo_end(self, name: str) -> None:
        self._undos[name] = "ended"
        self._there[name] = ""

    def _undo_failed(self, name: str) -> None:
        self._undos[name] = "failed"

    def _overlap(self, name: str) -> None:
        self._fault(f"two processes were at work on {name} at the same time")

    def _again(self, name: str) -> None:
        if self.scene.most.get(name, 1) == 1 and name not in self.scene.kept:
            self._fault(f"{name} was done while it was done already")

    # ------------------------------------------------------------------ at the end

    def _check_done(self) -> None:
        for name, there in self._there.items():
            if there != "ended" and not (name in self.scene.probed and there and self._fragile):
                self._fault(f"the run is a success, and {name} is {there or 'not there'}")
            if not os.path.exists(f"{self._world}/made.{name}"):
                self._fault(f"the run is a success, and what {name} made is not there")

    def _check_files(self, expected: Mapping[str, str]) -> None:
        found = {}
        for folder, _, names in os.walk(self._world):
            for name in names:
                path = os.path.relpath(f"{folder}/{name}", self._world)
                if path != "log" and not path.startswith(("made.", "pid.", "app.db")):
                    with open(f"{folder}/{name}") as file:
                        found[path] = file.read()
        if found != expected:
            self._fault(f"of files there are {found} and not {dict(expected)}")

    def _check_rows(self, expected: Sequence[str]) -> None:
        path = f"{self._world}/app.db"
        if not os.path.exists(path):
            if expected:
                self._fault("there is no database")
            return
        db = sqlite3.connect(path)
        try:
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
            rows = [value for (value,) in db.execute("SELECT v FROM t ORDER BY v")] if "t" in tables else []
        finally:
            db.close()
        if rows != list(expected):
            self._fault(f"of rows there are {rows} and not {list(expected)}")

    def _check_undone(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.scene.kept:
                continue
            # A task that was killed before it made anything: its probe says so, and there is nothing to undo.
            had_no_effect = self._fragile and name in self.scene.probed and self._there[name] == "begun"
            if self._there[name] and not had_no_effect:
                self._fault(f"the run is reverted, and {name} is {self._there[name]}")
            if os.path.exists(f"{self._world}/made.{name}"):
                self._fault(f"the run is reverted, and what {name} made is there")
