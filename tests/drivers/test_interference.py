"""What a run does when somebody takes its supervisor or its terminal away, or kills it before its first step."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from taskrun.executors import linux
from tests.command import Taskrun

PATIENCE = 20.0

SLOW = """
name: slow
tasks:
  - {name: first, run: echo first >> log, revert: echo undo first >> log}
  - name: held
    run: |
      echo held >> log
      until [ -e go ]; do sleep 0.02; done
      echo held done >> log
    revert: echo undo held >> log
  - {name: last, run: echo last >> log, revert: echo undo last >> log}
"""


def until(look: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


def log_of(taskrun: Taskrun) -> list[str]:
    path = taskrun.folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def supervisors(taskrun: Taskrun) -> list[tuple[int, int]]:
    """Those of the run, dead ones included, in order: number and start time."""
    logs = list((taskrun.home / "runs").glob("*/attempts.log"))
    lines = logs[0].read_text().splitlines() if logs else []
    words = [line.split() for line in lines if line.startswith("supervisor ") and line.endswith(" .")]
    return [(int(pid), int(started)) for _, pid, started, *_ in words]


def kill_supervisor(taskrun: Taskrun) -> None:
    """The last one, unless it is dead already: its number may be somebody else's by now."""
    for pid, started in supervisors(taskrun)[-1:]:
        linux.send(pid, started, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    found = linux.process(pid)
    return found is not None and not found.is_gone


@pytest.fixture
def running(taskrun: Taskrun) -> Iterator[subprocess.Popen[str]]:
    """A run whose second task waits for the file `go`."""
    process = taskrun.start("run", taskrun.file(SLOW), "--output", "ndjson")
    until(lambda: "held" in log_of(taskrun))
    yield process
    (taskrun.folder / "go").touch()
    process.kill()
    process.communicate()


def test_a_killed_supervisor_is_replaced_and_the_lost_attempt_is_undone_and_made_again(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    kill_supervisor(taskrun)
    until(lambda: log_of(taskrun).count("held") == 2)
    (taskrun.folder / "go").touch()
    out, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, out
    assert log_of(taskrun) == ["first", "held", "undo held", "held", "held done", "last"]
    assert len(supervisors(taskrun)) == 2
    assert "the supervisor was killed; another goes on" in out


def test_what_a_killed_supervisor_had_under_way_is_ended_before_anything_else_begins(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    left = [p for p in linux.processes() if p.parent == supervisors(taskrun)[0][0]]
    assert left
    kill_supervisor(taskrun)
    until(lambda: "undo held" in log_of(taskrun))
    assert not any(is_alive(each.pid) for each in left)


def test_a_supervisor_that_is_killed_again_and_again_ends_the_command_but_not_the_run(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    while running.poll() is None:
        kill_supervisor(taskrun)
        time.sleep(0.001)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 3, (out, err)
    assert "times in a row" in err
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    log = log_of(taskrun)
    assert log.count("first") == log.count("last") == 1
    assert log.count("held") - 1 <= log.count("undo held")
    assert log[-2:] == ["held done", "last"]


def test_a_run_killed_before_its_first_step_is_started_by_resume(taskrun: Taskrun) -> None:
    interrupted(taskrun)
    assert taskrun("resume").code == 0
    assert log_of(taskrun) == ["first"]


def test_a_run_killed_before_its_first_step_has_nothing_to_undo(taskrun: Taskrun) -> None:
    interrupted(taskrun)
    done = taskrun("revert")
    assert done.code == 0
    assert "before it began" in done.err
    assert log_of(taskrun) == []


def interrupted(taskrun: Taskrun) -> None:
    """A run that is in the journal, as far as its first commit."""
    text = "name: early\ntasks:\n  - {name: first, run: echo first >> log, revert: none}\n"
    (taskrun.folder / "w.yaml").write_text(text)
    body = """
import os, signal
from taskrun.journal.sqlite import SqliteJournal
create = SqliteJournal.create_run
def create_and_die(self, *arguments):
    create(self, *arguments)
    os.kill(os.getpid(), signal.SIGKILL)
SqliteJournal.create_run = create_and_die
from taskrun.cli.main import main
main(["run", "w.yaml"])
"""
    killed = subprocess.run(
        [taskrun._argv(())[0], "-c", body],
        cwd=taskrun.folder,
        env=taskrun.env,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.fixture
def on_terminal(taskrun: Taskrun) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The same run with a terminal of its own, and the other end of that."""
    master, slave = pty.openpty()
    env = {**taskrun.env, "TERM": "xterm"}
    process = subprocess.Popen(
        taskrun._argv(("run", taskrun.file(SLOW.replace("echo undo held", UNDO)))),
        cwd=taskrun.folder, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    until(lambda: "held" in log_of(taskrun))
    yield process, master
    (taskrun.folder / "go").touch()
    process.kill()
    process.wait()


UNDO = "echo undoing >> log; until [ -e go ]; do sleep 0.02; done; echo undo held"


def test_hearing_twice_that_the_terminal_is_gone_does_not_cut_the_rollback_short(
    taskrun: Taskrun, on_terminal: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, master = on_terminal
    os.close(master)
    until(lambda: "undoing" in log_of(taskrun))
    process.send_signal(signal.SIGHUP)  # from the shell, after the kernel's
    until(lambda: signal.SIGHUP not in pending(process.pid))
    (taskrun.folder / "go").touch()
    assert process.wait(timeout=PATIENCE) == 129
    assert log_of(taskrun) == ["first", "held", "undoing", "undo held", "undo first"]


def pending(pid: int) -> list[int]:
    """Signals that have been sent to a process and not been taken by it yet."""
    with open(f"/proc/{pid}/status") as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith("ShdPnd:"))
    return [number for number in range(1, 65) if mask >> (number - 1) & 1]


def test_a_journal_that_cannot_be_written_starts_nothing_more_and_waits_for_what_runs(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    (taskrun.home / "journal.db").rename(taskrun.home / "moved.db")
    first = [p for p in linux.processes() if p.parent == supervisors(taskrun)[0][0]]
    time.sleep(0.5)  # it looks for requests meanwhile, and finds the journal gone
    assert running.poll() is None
    assert all(is_alive(each.pid) for each in first)
    (taskrun.folder / "go").touch()
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 3
    assert "deleted or replaced" in err
    assert log_of(taskrun) == ["first", "held", "held done"]
    (taskrun.home / "moved.db").rename(taskrun.home / "journal.db")
    assert taskrun("resume").code == 0
    assert log_of(taskrun) == ["first", "held", "held done", "last"]


def test_a_deed_whose_outputs_cannot_be_told_any_more_is_undone_all_the_same(taskrun: Taskrun) -> None:
    text = """
name: depends
tasks:
  - {name: first, run: echo first >> log, revert: echo undo first >> log}
  - name: held
    run: 'echo held >> log; until [ -e go ]; do sleep 0.02; done; echo ${{ env.WORD }} >> log'
    revert: echo undo held >> log
"""
    process = taskrun.start("run", taskrun.file(text), env={"WORD": "said"})
    until(lambda: "held" in log_of(taskrun))
    process.kill()
    process.communicate()
    (taskrun.folder / "go").touch()
    done = taskrun("resume")  # without the variable
    assert done.code == 1, done.err
    assert log_of(taskrun) == ["first", "held", "said", "undo held", "undo first"]


def test_a_directory_for_runs_that_cannot_be_written_is_no_bug(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file("name: w\ntasks: [{name: first, run: echo first >> log, revert: none}]\n"))
    (taskrun.home / "runs").rename(taskrun.home / "moved")
    (taskrun.home / "runs").write_text("")
    done = taskrun("run", "w.yaml")
    assert done.code == 2, done.err
    assert str(taskrun.home / "runs") in done.err
    assert log_of(taskrun) == ["first"]


def test_a_log_of_attempts_that_is_gone_proves_nothing(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    running.kill()
    running.communicate()
    (taskrun.folder / "go").touch()
    until(lambda: "held done" in log_of(taskrun))
    next((taskrun.home / "runs").glob("*/attempts.log")).unlink()
    assert taskrun("resume").code == 0
    assert log_of(taskrun) == ["first", "held", "held done", "undo held", "held", "held done", "last"]


def test_a_run_whose_directory_is_gone_is_left_alone(
    taskrun: Taskrun, running: subprocess.Popen[str]
) -> None:
    running.kill()
    running.communicate()
    (taskrun.folder / "go").touch()
    until(lambda: "held done" in log_of(taskrun))
    (directory,) = (taskrun.home / "runs").iterdir()
    directory.rename(taskrun.home / "moved")
    for command in (["resume"], ["revert"], ["resolve", "latest", "held", "--done"]):
        done = taskrun(*command)
        assert done.code == 3, done.err
        assert f"is gone: {directory}" in done.err
    (taskrun.home / "moved").rename(directory)
    assert taskrun("resume").code == 0
    assert log_of(taskrun) == ["first", "held", "held done", "last"]
