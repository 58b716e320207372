"""Every command that is printed after a run is pasted into a shell, and does what is said behind it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.cli.terminal import until
from tests.command import ROOT, Taskrun

PASTED = 'taskrun() { "$PYTHON" -m taskrun "$@"; }\n'

# Each leaves something for a person; the files `good` and `clean` are what he would have mended.
STOPS = """name: stops
on_failure: stop
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - {name: two, run: echo two >> log; test -e good, revert: echo undo two >> log}
"""
ASKS = """name: asks
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - {name: sure, approve: Really?}
  - {name: two, run: echo two >> log, revert: echo undo two >> log}
"""
STUCK = """name: stuck
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - name: each
    for_each: [a, b c]
    run: echo each >> log
    revert: {run: echo undo each >> log; test -e good, retry: {attempts: 1}}
  - {name: bad, run: echo bad >> log; exit 3, revert: none}
"""
CANNOT = """name: cannot
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - {name: mail, run: echo mail >> log, revert: {impossible: it is sent}}
  - {name: bad, run: exit 3, revert: none}
"""
RESIDUE = """name: residue
tasks:
  - {name: one, run: echo one >> log; touch left, revert: echo undo one >> log}
  - {name: bad, run: exit 3, revert: none}
verify_revert:
  - run: test ! -e left || test -e clean
"""
WAITS = """name: waits
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - name: two
    run: echo two >> log; touch began; while [ ! -e good ]; do sleep 0.02; done
    revert: echo undo two >> log
"""
PIVOT = """name: pivot
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - {name: switch, run: echo switch >> log, pivot: true, revert: none}
  - {name: two, run: echo two >> log; test -e good, revert: none}
"""
CODES = {  # of a command, by what is said of it
    "go on where it stopped": {0},
    "go on, once that is decided": {3},  # pasted first, it asks again
    "undo what is still applied": {0},
    "undo it, behind the point of no return": {0},
    "undo, once that is decided": {3},
    "try again, then undo the rest": {0},
    "or give it up, undo the rest": {3},
    "once undone by hand": {0},
    "look first; or --not-done, --undone": {0},
    "approve": {0},
    "look again, once it is cleaned up": {0},
    "all of its output": {0},
}


def fails(text: str) -> Callable[[Taskrun], str]:
    def left(taskrun: Taskrun) -> str:
        done = taskrun("run", "-j", "1", taskrun.file(text), "-o", "plain")
        assert done.code == 3
        return done.err

    return left


def is_killed(taskrun: Taskrun, text: str = WAITS) -> str:
    process = taskrun.start("run", taskrun.file(text))
    until((taskrun.folder / "began").exists)
    process.kill()
    process.communicate()
    for pid in of(taskrun):
        pid.send_signal(signal.SIGKILL)
    return taskrun("states").err


def nobody_knows(taskrun: Taskrun) -> str:
    is_killed(taskrun, WAITS.replace("    revert", "    on_lost: ask\n    revert"))
    return taskrun("resume").err


def of(taskrun: Taskrun) -> list["Pid"]:
    """What is left of a run: all that has its home in the environment."""
    mine = f"TASKRUN_HOME={taskrun.home}\0".encode()
    return [pid for pid in map(Pid, pathlib.Path("/proc").iterdir()) if mine in pid.environ]


class Pid:
    def __init__(self, path: pathlib.Path) -> None:
        self.name = path.name
        try:
            self.environ = (path / "environ").read_bytes() if path.name.isdigit() else b""
        except OSError:
            self.environ = b""

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(int(self.name), number)


def commands(text: str) -> list[tuple[str, str]]:
    """(the line as it is pasted, what is said of it)."""
    found = re.findall(r"(?:^|  )(taskrun (?!left)[a-z]+ .*?)(?:\s+# (.*)|   (.*))?$", text, re.MULTILINE)
    return [(command, comment or words) for command, comment, words in found]


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        (fails(STOPS), ["resume", "revert", "logs"]),
        (fails(ASKS), ["resolve", "revert"]),
        (fails(STUCK), ["revert", "revert", "revert", "resolve", "resolve", "logs", "logs"]),
        (fails(CANNOT), ["resolve", "logs"]),
        (fails(RESIDUE), ["revert", "logs"]),
        (fails(PIVOT), ["resume", "revert", "logs"]),
        (is_killed, ["resume", "revert"]),
        (nobody_knows, ["resolve", "resume", "revert"]),
    ],
    ids=["stopped", "approval", "undo failed", "irreversible", "residue", "pivot", "interrupted", "unknown"],
)
def test_a_command_that_is_pasted_does_what_is_said_of_it(
    leave: Callable[[Taskrun], str], expected: list[str], taskrun: Taskrun, tmp_path: pathlib.Path
) -> None:
    text = leave(taskrun)
    found = commands(text)
    assert [command.split()[1] for command, _ in found] == expected, text
    for number, (line, purpose) in enumerate(found):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(taskrun.home, copy / "home")
        for name in ("good", "clean"):
            (taskrun.folder / name).touch()
        env = {**taskrun.env, "TASKRUN_HOME": str(copy / "home"), "PYTHON": sys.executable}
        done = subprocess.run(
            ["bash", "-c", f"{PASTED}{line}"],
            cwd=taskrun.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        allowed = {3} if " --skip " in line else CODES.get(purpose, {0})
        assert done.returncode in allowed, (line, purpose, done.returncode, done.stdout, done.stderr)
        assert "bug in taskrun" not in done.stderr
    assert ROOT.exists()


def test_an_approval_is_called_one_wherever_it_is_told(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(ASKS))
    assert done.code == 3
    assert "sure waits for an approval; 1 task still applied" in done.err
    assert "approval   sure  Really?" in done.err
    assert "unknown outcome" not in done.err
    report = taskrun("report", "--format", "markdown").out
    assert "## Waits for an approval\n\n- sure" in report
    assert "## Unknown" not in report
