"""Several processes at the same journal, and two that want the same run."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from taskrun.journal.sqlite import SqliteJournal
from tests.command import Taskrun

RUNS = 20

MANY = f"""
import sys
from taskrun.cli.main import main
codes = [main(["run", sys.argv[1], "-o", "ndjson"]) for _ in range({RUNS})]
sys.exit(0 if codes == [int(sys.argv[2])] * {RUNS} else f"ended with {{codes}}")
"""

GOOD = "name: good\ntasks:\n  - {name: a, run: 'true', revert: 'true'}\n  - {name: b, exec: ['true'], revert: none}\n"
BAD = "name: bad\ntasks:\n  - {name: a, run: 'true', revert: 'true'}\n  - {name: b, run: 'false', revert: none}\n"


def test_two_processes_drive_twenty_runs_each_in_one_journal(taskrun: Taskrun) -> None:
    taskrun.file(GOOD, "good.yaml")
    taskrun.file(BAD, "bad.yaml")
    python = taskrun._argv(())[0]
    both = [
        subprocess.Popen(
            [python, "-c", MANY, file, code],
            cwd=taskrun.folder, env=taskrun.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for file, code in (("good.yaml", "0"), ("bad.yaml", "1"))
    ]  # fmt: skip
    for each in both:
        _, err = each.communicate(timeout=120)
        assert each.returncode == 0, err
    journal = SqliteJournal.open(str(taskrun.home), readonly=True)
    try:
        rows = journal.runs()
        assert (
            sorted((row.name, row.state) for row in rows)
            == [("bad", "REVERTED")] * RUNS + [("good", "SUCCESS")] * RUNS
        )
        assert [damage for row in rows if (damage := journal.verify(row.id))] == []
    finally:
        journal.close()


@pytest.fixture
def held(taskrun: Taskrun) -> Iterator[str]:
    """The id of a run that another process drives, until the file `go` is there."""
    text = "name: held\ntasks:\n  - {name: a, run: 'echo $TASKRUN_RUN_ID; until [ -e go ]; do sleep 0.02; done', revert: none}\n"
    process = taskrun.start("run", taskrun.file(text), "-o", "ndjson")
    assert process.stdout is not None
    yield process.stdout.readline().split('"run":"')[1].split('"')[0]
    (taskrun.folder / "go").touch()
    process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("command", ["resume", "revert"])
def test_a_second_taskrun_is_refused_and_told_who_has_the_run(
    taskrun: Taskrun, held: str, command: str
) -> None:
    before = sorted(os.listdir(taskrun.home / "runs" / held))
    done = taskrun(command, held)
    assert done.code == 5
    assert "is being driven by process" in done.err
    assert sorted(os.listdir(taskrun.home / "runs" / held)) == before


def test_of_many_that_take_over_a_killed_run_one_gets_it(taskrun: Taskrun) -> None:
    text = """
name: raced
tasks:
  - {name: a, run: 'echo a >> log; touch began; until [ -e go ]; do sleep 0.02; done', revert: echo undo a >> log}
  - {name: b, run: echo b >> log, revert: echo undo b >> log}
"""
    process = taskrun.start("run", taskrun.file(text))
    while not (taskrun.folder / "began").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    many = [taskrun.start("resume") for _ in range(6)]
    (taskrun.folder / "go").touch()
    codes = []
    for each in many:
        each.communicate(timeout=60)
        codes.append(each.returncode)
    assert set(codes) <= {0, 5}
    assert 0 in codes
    assert (taskrun.folder / "log").read_text().split() == ["a", "b"]
