"""The action sql through the real command: done once and undone once, whatever is killed and when."""

import contextlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from tests.command import Taskrun

UP = "create table t (id integer primary key, note text);\ninsert into t (note) values ('up');\n"
SLOW = (
    "insert into t (note) select 'slow' from (with recursive n(i) as (select 1 union all select i + 1 from n"
    " limit {count}) select max(i) from n);\n"
)
WORKFLOW = """
name: migration
tasks:
  - name: up
    sql: {database: "sqlite:app.db", script: up.sql}
    revert: {sql: {database: "sqlite:app.db", script: down.sql}}
  - name: add
    sql:
      database: sqlite:app.db
      query: insert into t (note) values (:note) returning id
      params: {note: "${{ run.name }}'s"}
    outputs: {id: "result.rows[0].id", already: result.already}
    revert: {sql: {database: "sqlite:app.db", query: "delete from t where note = :note", params: {note: "${{ run.name }}'s"}}}
LAST
"""


def prepare(taskrun: Taskrun, last: str = "", up: str = UP) -> None:
    taskrun.file(WORKFLOW.replace("LAST", last))
    taskrun.file(up, "up.sql")
    taskrun.file("drop table t;\n", "down.sql")


def rows(taskrun: Taskrun, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(taskrun.folder / "app.db")) as database:
        return database.execute(query).fetchall()


def tables(taskrun: Taskrun) -> list[str]:
    return [
        name for (name,) in rows(taskrun, "select name from sqlite_master where type = 'table' order by name")
    ]


def test_a_script_and_a_query_are_done(taskrun: Taskrun) -> None:
    prepare(taskrun)
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert done.code == 0, done.out + done.err
    assert rows(taskrun, "select note from t order by id") == [("up",), ("migration's",)]
    assert [e["outputs"] for e in done.events if e.get("name") == "add" and e.get("outputs")] == [
        {"id": 2, "already": False}
    ]


def test_a_failure_behind_them_undoes_both(taskrun: Taskrun) -> None:
    prepare(taskrun, "  - {name: late, fail: no}")
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert (done.code, done.summary["reverted"]) == (1, ["late", "add", "up"]), done.out + done.err
    assert tables(taskrun) == []


def test_a_script_that_fails_half_way_is_not_undone_by_a_script_that_needs_all_of_it(
    taskrun: Taskrun,
) -> None:
    prepare(taskrun, up=UP + "insert into nowhere values (1);\n")
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.out + done.err
    assert tables(taskrun) == []


def kill_within(taskrun: Taskrun, condition: str) -> None:
    """Start the run, and SIGKILL it once ``condition``, a shell script, is true."""
    process = taskrun.start("run", "w.yaml", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(1000):
        if subprocess.run(["sh", "-c", condition], cwd=taskrun.folder, check=False).returncode == 0:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


LOG = 'cat "$TASKRUN_HOME"/runs/*/out/up.1.out 2>/dev/null | grep -q "insert into t (note) select"'


@pytest.mark.parametrize(("verb", "code", "state"), [("resume", 0, "SUCCESS"), ("revert", 0, "REVERTED")])
def test_killed_in_the_middle_of_a_transaction(taskrun: Taskrun, verb: str, code: int, state: str) -> None:
    """The database rolls back what was under way; then it is done once, or there is nothing to undo."""
    prepare(taskrun, up=UP + SLOW.format(count=2_000_000_000))
    kill_within(taskrun, LOG.replace("$TASKRUN_HOME", str(taskrun.home)))
    assert tables(taskrun) == [], "nothing of it is there"
    # The file is what it was; only so long as the statement takes must not be waited for again.
    run = next((taskrun.home / "runs").iterdir()).name
    taskrun.file(UP, "up.sql")
    done = taskrun(verb, run, "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (code, state), done.out + done.err
    if verb == "resume":
        assert rows(taskrun, "select note from t order by id") == [("up",), ("migration's",)]
        assert rows(taskrun, "select count(*) from taskrun_applied") == [(2,)]
    else:
        assert tables(taskrun) == []


def run_killed(taskrun: Taskrun, call: str, path: pathlib.Path, number: int) -> bool:
    """Run under strace, which sends SIGKILL at the ``number``-th ``call`` on ``path``. False: it came to its end."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:signal=KILL:when={number}", "-P", str(path)]
    command += taskrun._argv(("run", "w.yaml"))
    done = subprocess.run(
        command, cwd=taskrun.folder, env=taskrun.env, capture_output=True, timeout=60, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_killed_right_before_the_commit_it_is_done_once(taskrun: Taskrun) -> None:
    """SQLite commits by removing its rollback journal."""
    prepare(taskrun)
    assert run_killed(taskrun, "unlink", taskrun.folder / "app.db-journal", 1)
    assert (taskrun.folder / "app.db-journal").exists()
    done = taskrun("resume", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (0, "SUCCESS"), done.out + done.err
    assert rows(taskrun, "select id, note from t order by id") == [(1, "up"), (2, "migration's")]
    assert rows(taskrun, "select count(*) from taskrun_applied") == [(2,)]


@pytest.mark.parametrize("verb", ["resume", "revert"])
def test_killed_while_the_run_is_written_down_it_is_done_once_or_undone(taskrun: Taskrun, verb: str) -> None:
    """Among these places are those between a commit in the database and the record that it was made."""
    prepare(taskrun)
    taskrun.file("{name: first, tasks: [{name: a, echo: hi}]}", "first.yaml")
    assert taskrun("run", "first.yaml").code == 0, "so that the journal is there"
    unrecorded, number, killed = 0, 4, True  # the first few make the run
    while killed:
        number += 1
        for path in taskrun.folder.glob("app.db*"):
            path.unlink()
        killed = run_killed(taskrun, "pwrite64", taskrun.home / "journal.db-wal", number)
        states = taskrun("states", "latest", "-o", "json").out
        if not killed or '"migration"' not in states:
            continue
        applied = "taskrun_applied" in tables(taskrun) and len(rows(taskrun, "select * from taskrun_applied"))
        unrecorded += applied > states.count('"state": "SUCCESS"')
        done = taskrun(verb, "-o", "ndjson")
        assert done.code == 0, (number, done.out + done.err)
        if verb == "resume":
            assert rows(taskrun, "select id, note from t order by id") == [(1, "up"), (2, "migration's")]
        else:
            assert set(tables(taskrun)) <= {"taskrun_applied"}
    assert unrecorded, "no kill has hit the place that matters"


def test_waiting_for_a_script_is_part_of_a_workflow(taskrun: Taskrun) -> None:
    taskrun.file(
        """
name: waiting
tasks:
  - {name: start, run: "(sleep 0.3; echo > ready) & wait", revert: rm -f ready}
  - {name: ready, wait_for: {run: 'test -e ${{ "ready" }}', every: 50ms}, outputs: {tries: result.tries}}
  - {name: never, wait_for: {path: never, timeout: 100ms, every: 20ms}}
"""
    )
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.out + done.err
    failed = next(e["failure"] for e in done.events if e["name"] == "never" and e.get("failure"))
    assert failed["type"] == "Timeout"
    assert "No such file or directory" in failed["message"]
    assert not pathlib.Path(taskrun.folder, "ready").exists()
