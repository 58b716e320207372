"""Every kind of action keeps one of the promises below, and says where it is held to it. A new kind has to join them.

itself    done and undone the world is as it was; done twice it acts once; killed at every call that changes something
          and undone it is as it was: `test_undoing` (each case at each call), and whole runs killed in `tests/crash`
revert    undone by what the file says: runs killed in `tests/crash`, which look at what is left
nothing   has no effect on the world that an undo could be about
"""

import itertools
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from taskrun.actions import registry, sql
from taskrun.actions.kinds import ROW_FORMS, TRAITS
from taskrun.actions.reference import reference
from tests.actions.attempts import context
from tests.actions.test_undoing import CASES
from tests.command import ROOT
from tests.crash.scenes import SCENES

NOTHING = {"wait_for", "approve", "echo", "fail", "sleep", "assert", "workflow"}
BUILT_IN = sorted(set(TRAITS) - NOTHING)


def scenes_with(kind: str) -> list[str]:
    """The runs that are killed at every call in which a task has this action."""
    found = re.compile(rf"(?:^|[{{,] *){kind}:", re.MULTILINE)
    return [
        name for name, scene in SCENES.items() if found.search(re.sub(r"^ +", "", scene.text, flags=re.M))
    ]


def test_every_kind_has_its_contract() -> None:
    unnamed = [kind for kind in TRAITS if kind not in NOTHING and not scenes_with(kind)]
    assert not unnamed, (
        f"no run in tests/crash has a task with {unnamed}: add a scene, or say that nothing is done"
    )
    itself = [kind for kind, traits in TRAITS.items() if traits.auto]
    assert {kind for kind, _ in CASES.values()} == set(itself)


def test_what_has_no_effect_says_so() -> None:
    for kind in NOTHING - {"workflow"}:
        assert not TRAITS[kind].writes
        assert not TRAITS[kind].auto
        assert next(each for each in reference() if each["name"] == kind)["undo"] == "nothing"
        assert registry.get(kind).EFFECT_FREE or registry.get(kind).MODE == "person"


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_the_compiler_knows_is_what_the_action_says(kind: str) -> None:
    action, traits = registry.get(kind), TRAITS[kind]
    assert (traits.auto, traits.writes, traits.main) == (action.AUTO, action.WRITES, action.MAIN)
    assert traits.scripts == action.SCRIPTS
    assert traits.expressions == action.EXPRESSIONS
    if action.AUTO:
        assert getattr(action, "IDEMPOTENT", False)
        assert callable(getattr(action, "revert", None))


FORMS: dict[str, dict[str, Any]] = {
    "insert": {"insert": "t", "rows": [{"v": "new"}, {"v": None}]},
    "update": {"update": "t", "set": {"v": "other"}, "where": {"v": ["one", "two"]}},
    "delete": {"delete": "t", "where": {"v": "one"}},
}
UNDO = {"database": "sqlite:app.db", "undo": "stop"}
CHILD = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from taskrun.actions import sql, sql_sqlite
from tests.actions.attempts import context
here = context(pathlib.Path(sys.argv[2]))._replace(**json.loads(sys.argv[4]))
import os; os.access("/begin", 0)
sql.do(json.loads(sys.argv[3]), here)
"""
DOING, UNDOING = {"idempotency_key": "k"}, {"idempotency_key": "k/revert", "undoes": "k", "reverting": True}


class Rows:
    """A database with rows in it, changed in one of the forms."""

    def __init__(self, folder: pathlib.Path, form: str) -> None:
        self.fields = {"database": "sqlite:app.db", **FORMS[form]}
        self._folder = folder
        (folder / "app.db").unlink(missing_ok=True)
        (folder / "app.db-journal").unlink(missing_ok=True)
        with closing(sqlite3.connect(folder / "app.db")) as made:
            made.executescript("create table t (v); insert into t values ('one'), ('two'), (x'00')")
        self._here = context(folder)

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self._folder / "app.db")) as opened:
            return list(opened.iterdump())

    def do(self) -> None:
        sql.do(self.fields, self._here._replace(**DOING))

    def undo(self) -> None:
        sql.do(UNDO, self._here._replace(**UNDOING))

    def killed(self, fields: dict[str, Any], more: dict[str, Any], call: str, number: int) -> bool:
        """In a process that the kernel ends at its n-th such call; False if it made fewer."""
        argv = [
            "strace",
            "-f",
            "-qq",
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:signal=KILL:when={number}",
        ]
        argv += [
            sys.executable,
            "-c",
            CHILD,
            str(ROOT),
            str(self._folder),
            json.dumps(fields),
            json.dumps(more),
        ]
        return subprocess.run(argv, capture_output=True, timeout=60).returncode < 0


@pytest.mark.parametrize("form", ROW_FORMS)
def test_rows_done_twice_act_once_and_undone_twice_are_as_they_were(
    form: str, tmp_path: pathlib.Path
) -> None:
    rows = Rows(tmp_path, form)
    before = rows.dump()
    rows.do()
    after = rows.dump()
    assert after != before
    rows.do()
    assert rows.dump() == after
    rows.undo()
    assert rows.dump() == before
    rows.undo()
    assert rows.dump() == before


@pytest.mark.parametrize("form", ROW_FORMS)
def test_rows_whose_doing_or_undo_is_killed_at_any_call_are_as_they_were_once_undone(
    form: str, tmp_path: pathlib.Path
) -> None:
    if subprocess.run(["sh", "-c", "command -v strace && strace -qq true"], capture_output=True).returncode:
        pytest.skip("processes cannot be traced here")
    killed = 0
    for call in ("pwrite64", "fdatasync", "unlink"):
        for number in itertools.count(1):
            rows = Rows(tmp_path, form)
            before = rows.dump()
            if not rows.killed(rows.fields, DOING, call, number):
                break
            rows.undo()
            assert rows.dump() == before, f"killed at {call} {number}"
            rows.do()
            after = rows.dump()
            if rows.killed(UNDO, UNDOING, call, number):
                assert rows.dump() in (before, after)
            rows.undo()
            assert rows.dump() == before, f"its undo killed at {call} {number}"
            killed += 1
    assert killed > 5
