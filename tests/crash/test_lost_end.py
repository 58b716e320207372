"""A journal that lost its end, in a way that cannot be seen in it, is found out by what the supervisor wrote down.

taskrun is killed, so that the last of its transactions are only in the WAL; then a bit of the WAL flips. SQLite takes
everything from there on for never written.
"""

import random
import shutil
import signal
from pathlib import Path

import pytest

from tests.command import Taskrun

TASKS = 8
STEPS = "".join(
    f"  - {{name: t{n}, run: echo t{n} >> log, revert: echo undo t{n} >> log}}\n" for n in range(TASKS)
)
TEXT = f"""
name: long
tasks:
{STEPS}  - {{name: last, run: 'touch began; until [ -e go ]; do sleep 0.02; done; echo last >> log', revert: none}}
"""


@pytest.fixture
def killed(taskrun: Taskrun) -> Taskrun:
    """A run whose taskrun was killed in its last task; that task is over. The journal is older: it is not all in the WAL."""
    assert taskrun("run", taskrun.file("name: first\ntasks: [{name: a, echo: hi}]\n", "first.yaml")).code == 0
    process = taskrun.start("run", taskrun.file(TEXT))
    while not (taskrun.folder / "began").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (taskrun.folder / "go").touch()
    while not log_of(taskrun)[TASKS:]:
        pass
    return taskrun


def log_of(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().split("\n")[:-1]


def flip(path: Path, at: int, bit: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


@pytest.mark.parametrize("command", ["resume", "revert"])
def test_what_is_done_and_not_recorded_any_more_is_not_done_again(killed: Taskrun, command: str) -> None:
    kept = killed.home.with_name("kept")
    shutil.copytree(killed.home, kept)
    size = (kept / "journal.db-wal").stat().st_size
    chance = random.Random(command)
    for _ in range(8):
        shutil.rmtree(killed.home)
        shutil.copytree(kept, killed.home)
        flip(killed.home / "journal.db-wal", chance.randrange(size // 2, size), chance.randrange(8))
        done = killed(command, "latest")
        assert done.code == 3
        assert "lost its end" in done.err
        assert "attempt 1 of last" in done.err or " more, and the journal does not" in done.err
        assert log_of(killed) == [*(f"t{n}" for n in range(TASKS)), "last"]


def test_without_the_log_a_person_may_go_on_with_what_is_left(killed: Taskrun) -> None:
    wal = killed.home / "journal.db-wal"
    flip(wal, wal.stat().st_size - 5000, 3)
    assert killed("resume", "latest").code == 3
    next((killed.home / "runs").glob("*/attempts.log")).unlink()
    assert killed("resume", "latest").code == 0


def test_a_journal_that_is_whole_is_not_spoken_against(killed: Taskrun) -> None:
    assert killed("resume", "latest").code == 0
    assert log_of(killed) == [*(f"t{n}" for n in range(TASKS)), "last"]
    assert killed("revert", "latest").code == 0
    assert log_of(killed)[TASKS + 1 :] == [f"undo t{n}" for n in reversed(range(TASKS))]
