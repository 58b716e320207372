"""Ctrl-Z halts taskrun and all that it runs, and no limit runs out meanwhile; a terminal that goes away ends nothing badly."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from tests.cli.terminal import Shell, until
from tests.command import Taskrun

FG = "fg; echo it ended with $?\r"
HALT = 1.5  # seconds; more than each limit below would have left

COUNTS = """name: counts
tasks:
  - name: counts
    timeout: 1200ms
    run: |
      echo $$ > pid
      touch began
      while [ ! -e go ]; do echo >> ticks; sleep 0.02; done
    revert: none
  - {name: last, run: 'echo last >> log', revert: none}
"""


def typed(taskrun: Taskrun, *args: str) -> str:
    return f"{sys.executable} -m taskrun {' '.join(args)}\r"


def state(pid: int) -> str:
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def ticks(folder: pathlib.Path) -> int:
    path = folder / "ticks"
    return path.stat().st_size if path.exists() else 0


def halt(shell: Shell) -> None:
    """Until the shell has the terminal again: what is typed before that is lost."""
    before = shell.raw.count(b"Stopped")

    def told() -> bool:
        shell.read(0.05)
        return shell.raw.count(b"Stopped") > before

    shell.type("\x1a")
    until(told, "the shell tells of nothing")


def test_what_runs_is_halted_with_its_limit_and_goes_on_where_it_was(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(COUNTS)))
        until((taskrun.folder / "began").exists)
        shell.wait_for("RUNNING    counts")
        halt(shell)
        pid = int((taskrun.folder / "pid").read_text())
        until(lambda: state(pid) == "T", "the task goes on")
        before = ticks(taskrun.folder)
        time.sleep(HALT)
        assert ticks(taskrun.folder) == before
        shell.type(FG)
        until(lambda: ticks(taskrun.folder) > before, "the task does not go on")
        (taskrun.folder / "go").touch()
        shell.wait_for("it ended with 0")
        assert "SUCCESS counts" in shell.text
    assert (taskrun.folder / "log").read_text() == "last\n"


def test_a_halted_task_still_times_out_afterwards(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(COUNTS)))
        until((taskrun.folder / "began").exists)
        halt(shell)
        shell.type(FG)
        shell.wait_for("it ended with 1")
        assert "no end after 1.2 s" in shell.text


WAITS = """name: waits
timeout: 1200ms
tasks:
  - {name: sleeps, sleep: 700ms}
  - {name: looks, wait_for: {path: go, timeout: 1s, every: 20ms}}
  - {name: tries, run: 'echo try >> tries; test -e again', retry: {attempts: 3, delay: 300ms}, revert: none}
"""


def test_sleeps_and_waits_and_the_limit_of_the_run_stand_still(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        (taskrun.folder / "again").touch()
        shell.type(typed(taskrun, "run", taskrun.file(WAITS)))
        shell.wait_for("RUNNING    sleeps")
        halt(shell)
        time.sleep(HALT)
        shell.type(FG)
        shell.wait_for("RUNNING    looks")
        halt(shell)
        time.sleep(HALT)
        (taskrun.folder / "go").touch()
        shell.type(FG)
        shell.wait_for("it ended with 0")


def test_in_the_background_it_goes_on_and_the_frame_is_drawn_anew(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(COUNTS.replace("1200ms", "60s"))))
        until((taskrun.folder / "began").exists)
        halt(shell)
        before = ticks(taskrun.folder)
        shell.type("bg\r")
        until(lambda: ticks(taskrun.folder) > before)
        shell.type(FG)
        (taskrun.folder / "go").touch()
        shell.wait_for("SUCCESS counts")


def test_a_second_ctrl_z_halts_again(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(COUNTS.replace("1200ms", "60s"))))
        until((taskrun.folder / "began").exists)
        pid = int((taskrun.folder / "pid").read_text())
        for _ in range(3):
            halt(shell)
            until(lambda: state(pid) == "T")
            shell.type(FG)
            until(lambda: state(pid) != "T")
        (taskrun.folder / "go").touch()
        shell.wait_for("it ended with 0")


def test_where_no_shell_would_let_it_go_on_it_is_not_halted(taskrun: Taskrun) -> None:
    """A session of its own, as under a service manager: the kernel drops the signal, and the tasks go on."""
    file = taskrun.file(COUNTS.replace("1200ms", "60s"))
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = taskrun.start("run", file, start_new_session=True, **nowhere)
    until((taskrun.folder / "began").exists)
    process.send_signal(signal.SIGTSTP)
    before = ticks(taskrun.folder)
    until(lambda: ticks(taskrun.folder) > before)
    (taskrun.folder / "go").touch()
    assert process.wait(timeout=30) == 0


def test_killed_while_halted_its_tasks_go_on_and_are_taken_over(taskrun: Taskrun) -> None:
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(COUNTS.replace("1200ms", "60s"))))
        until((taskrun.folder / "began").exists)
        halt(shell)
        shell.type("kill -9 %1\r")
        before = ticks(taskrun.folder)
        until(lambda: ticks(taskrun.folder) > before, "the task stays halted for ever")
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    assert (taskrun.folder / "log").read_text() == "last\n"


def test_a_halted_run_that_is_told_to_end_rolls_back(taskrun: Taskrun) -> None:
    text = COUNTS.replace("revert: none\n  -", "revert: echo undone >> log\n  -")
    with Shell(taskrun) as shell:
        shell.type(typed(taskrun, "run", taskrun.file(text)))
        until((taskrun.folder / "began").exists)
        halt(shell)
        shell.type("kill %1; " + FG)
        shell.wait_for("it ended with 143")
    assert (taskrun.folder / "log").read_text() == "undone\n"
    assert len(os.listdir(taskrun.home / "runs")) == 1
