"""What tasks leave behind when they are over: nothing hangs, the rest of a session is ended, a daemon is named."""

import os
import signal

from tests.command import Taskrun


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_child_that_holds_the_output_holds_nothing_up(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: 'sleep 600 & echo $! > pid; echo hi', revert: none}\n"
    done = taskrun("run", taskrun.file(text))  # which is given up long before that child would end
    assert done.code == 0, done.err
    assert not is_alive(int((taskrun.folder / "pid").read_text()))


def test_a_daemon_is_let_be_and_named_with_the_task_it_came_from(taskrun: Taskrun) -> None:
    text = """
name: w
tasks:
  - {name: a, run: 'setsid sh waiter > /dev/null 2>&1 & until [ -s pid ]; do sleep 0.02; done', revert: none}
"""
    os.mkfifo(taskrun.folder / "never")
    (taskrun.folder / "waiter").write_text("echo $$ > pid\nread x < never\n")
    done = taskrun("run", taskrun.file(text))
    pid = int((taskrun.folder / "pid").read_text())
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert done.code == 0, done.err
    assert f"left running: {pid} (sh waiter)" in done.out + done.err


def test_who_is_deaf_to_term_is_killed_after_its_grace_with_all_that_is_its_own(taskrun: Taskrun) -> None:
    text = """
name: w
tasks:
  - name: a
    run: |
      trap '' TERM
      setsid sh -c 'trap "" TERM; echo $$ > far; while :; do sleep 0.1; done' &
      echo $$ > near
      while :; do sleep 0.1; done
    timeout: 500ms
    revert: echo undone > undone
"""
    done = taskrun("run", taskrun.file(text))
    assert done.code == 1, done.err
    assert "no end after 0.5 s" in done.out + done.err
    assert (taskrun.folder / "undone").exists()
    for name in ("near", "far"):
        assert not is_alive(int((taskrun.folder / name).read_text()))
