"""The whole tree is killed at moments in which no task runs: whoever comes next misses nothing and repeats nothing that counts."""

import os
import pathlib
import signal
from contextlib import suppress

import pytest

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

# Holds up once, and says so in `began`.
HOLDS = "test -e go || { touch go; touch began; sleep 60; }"
FAILS = "  - {name: a, run: echo a >> log, revert: echo undo a >> log}\n  - {name: b, fail: x}\n"
LOOKS = f"""name: looks
tasks:
{FAILS}verify_revert:
  - {{run: echo look >> log}}
  - {{run: 'echo look again >> log; {HOLDS}'}}
"""
TELLS = f"""name: tells
notify:
  - {{flow: [FAILURE], run: 'echo told >> log; {HOLDS}'}}
tasks:
{FAILS}"""
TELLS_LATE = f"""name: tells
notify:
  - {{flow: [SUCCESS], run: 'echo told >> log; {HOLDS}'}}
tasks:
  - {{name: a, run: echo a >> log, revert: echo undo a >> log}}
"""


def log(folder: pathlib.Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def kill_everything(taskrun: Taskrun) -> None:
    mine = f"TASKRUN_HOME={taskrun.home}\0".encode()

    def left() -> list[int]:
        found = []
        for each in pathlib.Path("/proc").iterdir():
            with suppress(OSError):
                if each.name.isdigit() and mine in (each / "environ").read_bytes():
                    found.append(int(each.name))
        return found

    def ended() -> bool:
        for pid in left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left()

    until(ended)


def killed(taskrun: Taskrun, text: str, *options: str) -> None:
    process = taskrun.start("run", taskrun.file(text), *options)
    until((taskrun.folder / "began").exists)
    kill_everything(taskrun)
    process.communicate()


@pytest.mark.parametrize("command", ["resume", "revert"])
def test_while_it_looked_after_the_rollback_it_is_looked_again(command: str, taskrun: Taskrun) -> None:
    killed(taskrun, LOOKS)
    assert "INTERRUPTED" in taskrun("states").out
    done = taskrun(command)
    assert done.code == (1 if command == "resume" else 0), done.err
    assert "2 checks found nothing left" in done.err
    assert log(taskrun.folder) == ["a", "undo a", "look", "look again", "look", "look again"]
    assert taskrun("resume").code == 1
    assert len(log(taskrun.folder)) == 6


def test_while_somebody_was_told_of_a_failure_the_rollback_is_not_forgotten(taskrun: Taskrun) -> None:
    killed(taskrun, TELLS)
    assert taskrun("resume").code == 1
    assert log(taskrun.folder).count("undo a") == 1
    assert "REVERTED" in taskrun("states").out


def test_while_somebody_was_told_of_the_end_it_is_the_end_all_the_same(taskrun: Taskrun) -> None:
    killed(taskrun, TELLS_LATE)
    assert taskrun("states").code == 0
    assert taskrun("resume").code == 0
    assert log(taskrun.folder) == ["a", "told"]


def test_a_run_in_the_background_goes_on_after_its_kill(taskrun: Taskrun) -> None:
    text = f"name: back\ntasks:\n  - {{name: a, run: 'echo a >> log; {HOLDS}', revert: echo undo a >> log}}\n"
    done = taskrun("run", taskrun.file(text), "--detach")
    run = done.out.strip()
    until((taskrun.folder / "began").exists)
    kill_everything(taskrun)
    assert "INTERRUPTED" in taskrun("states", run).out
    assert taskrun("resume", run).code == 0
    assert log(taskrun.folder) == ["a", "undo a", "a"]


def test_while_it_asks_what_now_the_question_is_open_still(taskrun: Taskrun) -> None:
    text = "name: asks\non_failure: ask\ntasks:\n" + FAILS
    with Terminal(taskrun, "run", taskrun.file(text)) as terminal:
        terminal.wait_for("What now?")
        kill_everything(taskrun)
        terminal.end()
    done = taskrun("states")
    assert done.code == 3
    assert "SUSPENDED" in done.out
    assert "taskrun revert" in done.err
    assert taskrun("revert").code == 0
    assert log(taskrun.folder) == ["a", "undo a"]
