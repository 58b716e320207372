"""Ctrl-C and its relatives: the first says what will happen and rolls back, the second leaves at once and loses nothing."""

import json
import os
import pathlib
import signal

import pytest

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

# `one` is done, `two` runs until somebody lets it go, and has a grandchild that must not be left behind.
WAITS = """name: waits
tasks:
  - name: one
    run: echo one >> log
    revert: |
      echo undo one >> log
      while [ -e hold_undo ] && [ ! -e go ]; do sleep 0.02; done
  - name: two
    run: |
      sh -c 'echo $$ > grandchild; while :; do sleep 0.05; done' &
      echo two >> log; touch began
      while [ ! -e go ]; do sleep 0.02; done
      kill $(cat grandchild)
    revert: echo undo two >> log
  - {name: three, run: echo three >> log, revert: echo undo three >> log}
"""


def log(folder: pathlib.Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def is_alive(folder: pathlib.Path) -> bool:
    pid = int((folder / "grandchild").read_text())
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("key", "number", "code"),
    [("\x03", None, 130), (None, signal.SIGTERM, 143), (None, signal.SIGINT, 130)],
    ids=["Ctrl-C", "SIGTERM", "SIGINT"],
)
def test_the_first_time_it_stops_what_runs_and_rolls_back(key, number, code, taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(WAITS)) as terminal:
        until((taskrun.folder / "grandchild").exists)
        terminal.wait_for("RUNNING    two")
        terminal.type(key) if key else terminal.send(number)
        terminal.wait_for("Stopping what runs, then rolling back. Once more to leave at once")
        assert terminal.end() == code
        assert "REVERTED waits" in terminal.text
        assert "the world is as before" in terminal.text
        assert "Interrupted: Ctrl-C" in terminal.text or "Interrupted: told to end (SIGTERM)" in terminal.text
    assert log(taskrun.folder) == ["one", "two", "undo two", "undo one"]
    assert not is_alive(taskrun.folder)
    assert taskrun("states").code == code


def test_the_second_time_it_leaves_at_once_and_resume_goes_on(taskrun: Taskrun) -> None:
    (taskrun.folder / "hold_undo").touch()
    with Terminal(taskrun, "run", taskrun.file(WAITS)) as terminal:
        until((taskrun.folder / "grandchild").exists)
        terminal.type("\x03")
        terminal.wait_for("REVERTING  one")
        terminal.type("\x03")
        assert terminal.end() == 130
        text = terminal.text
    (run,) = os.listdir(taskrun.home / "runs")
    assert "INTERRUPTED waits" in text
    assert f"taskrun resume {run}" in text
    assert f"taskrun revert {run}" in text
    assert "safe in the\n  journal" in text or "safe in the journal" in text
    found = taskrun("states", "-o", "json")
    assert found.code == 3
    assert json.loads(found.out)["interrupted"] is True
    assert "INTERRUPTED" in taskrun("runs").out
    (taskrun.folder / "go").touch()
    done = taskrun("resume", "-o", "ndjson")
    assert done.code == 1, done.err
    assert done.summary["reverted"] == ["two", "one"]
    assert log(taskrun.folder) == ["one", "two", "undo two", "undo one"]


def test_leaving_while_going_forward_lets_the_task_end_and_resume_finishes_the_run(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(WAITS), "--on-interrupt", "suspend") as terminal:
        until((taskrun.folder / "grandchild").exists)
        terminal.type("\x03")
        terminal.wait_for("Suspending: what runs may finish")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "taskrun resume" in terminal.text
    (taskrun.folder / "go").touch()
    done = taskrun("resume", "-o", "ndjson")
    assert done.code == 0, done.err
    assert log(taskrun.folder) == ["one", "two", "three"]


def test_on_interrupt_suspend_waits_for_what_runs_and_can_be_continued(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(WAITS), "--on-interrupt", "suspend") as terminal:
        until((taskrun.folder / "grandchild").exists)
        terminal.type("\x03")
        terminal.wait_for("Suspending: what runs may finish. Once more to leave at once.")
        (taskrun.folder / "go").touch()
        assert terminal.end() == 3
        assert "SUSPENDED waits" in terminal.text
        assert "taskrun resume" in terminal.text
    assert log(taskrun.folder) == ["one", "two"]
    assert taskrun("states").code == 3
    assert taskrun("resume").code == 0
    assert log(taskrun.folder) == ["one", "two", "three"]


def test_without_a_terminal_the_promise_is_a_line_too(taskrun: Taskrun) -> None:
    process = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "grandchild").exists)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "Stopping what runs, then rolling back." in out
    assert "told to end (SIGTERM)" in err


def test_for_programs_it_is_said_beside_the_events(taskrun: Taskrun) -> None:
    (taskrun.folder / "hold_undo").touch()
    process = taskrun.start("run", taskrun.file(WAITS), "-o", "ndjson")
    until((taskrun.folder / "grandchild").exists)
    process.send_signal(signal.SIGTERM)
    until(lambda: "undo one" in (taskrun.folder / "log").read_text())
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert json.loads(out.splitlines()[-1])["exit_code"] == 143
    (run,) = os.listdir(taskrun.home / "runs")
    assert err.splitlines() == [
        "Stopping what runs, then rolling back. Once more to leave at once; the journal stays intact.",
        f"Left; the journal is intact. taskrun resume {run} goes on.",
    ]
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 1


def test_a_window_that_is_closed_ends_the_run_like_ctrl_c(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(WAITS)) as terminal:
        until((taskrun.folder / "grandchild").exists)
        terminal.hang_up()
        assert terminal.end() == 129
    assert log(taskrun.folder) == ["one", "two", "undo two", "undo one"]


@pytest.mark.parametrize("when", ["waiting for a retry", "sleeping"])
def test_a_run_that_only_waits_is_stopped_at_once(when: str, taskrun: Taskrun) -> None:
    task = (
        {
            "name": "two",
            "run": "touch began; exit 1",
            "retry": {"attempts": 3, "delay": "1h"},
            "revert": "none",
        }
        if when == "waiting for a retry"
        else {"name": "two", "sleep": "1h"}
    )
    one = {"name": "one", "run": "touch began", "revert": "rm began"}
    taskrun.file(json.dumps({"name": "w", "tasks": [one, task]}))
    with Terminal(taskrun, "run", "w.yaml") as terminal:
        terminal.wait_for("RETRYING   two" if when == "waiting for a retry" else "RUNNING    two")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert not (taskrun.folder / "began").exists()
