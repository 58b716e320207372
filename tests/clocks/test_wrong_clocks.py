"""A clock that is set while a run goes on, or between two of its commands, ends no wait, prolongs none, and loses nothing.

The real command runs with a library that makes the clock on the wall as wrong as a file says.
"""

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.command import Taskrun
from tests.crash.native import NoCompiler, compile_to, compiler

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="preloading is of Linux")

YEAR = 365 * 24 * 3600
SetClock = Callable[[int], None]

TIMED = """
name: timed
tasks:
  - {name: a, run: 'touch began; until [ -e go ]; do sleep 0.02; done; echo a >> log', timeout: 50s, revert: none}
  - {name: b, run: 'echo b >> log; [ $TASKRUN_ATTEMPT = 2 ]', retry: {attempts: 2, delay: 400ms}, revert: none}
  - {name: c, run: sleep 60, timeout: 200ms, allow_failure: true, revert: none}
"""

PATIENT = """
name: patient
tasks:
  - {name: a, run: 'echo a >> log; [ $TASKRUN_ATTEMPT = 2 ]', retry: {attempts: 2, delay: 2s}, revert: none}
  - {name: b, run: echo b >> log, revert: none}
"""


@pytest.fixture
def wrong_by(taskrun: Taskrun, tmp_path: pathlib.Path) -> SetClock:
    try:
        compiler()
    except NoCompiler as reason:
        pytest.skip(str(reason))
    library, file = tmp_path / "shifted.so", tmp_path / "wrong_by"
    compile_to(pathlib.Path(__file__).with_name("shifted.c"), library, "-shared", "-fPIC", "-ldl")
    taskrun.env |= {"LD_PRELOAD": str(library), "WRONG_BY": str(file)}

    def put(seconds: int) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(file)

    put(0)
    return put


def wait_for(path: pathlib.Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()


def log_of(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().split()


def test_the_library_makes_the_clock_wrong(taskrun: Taskrun, wrong_by: SetClock) -> None:
    wrong_by(YEAR)
    code = "import time; print(time.time())"
    said = [subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout
            for env in (taskrun.env, os.environ)]  # fmt: skip
    assert float(said[0]) - float(said[1]) > YEAR - 100


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])
def test_a_jump_while_tasks_run_ends_no_timeout_and_prolongs_none(
    taskrun: Taskrun, wrong_by: SetClock, jump: int
) -> None:
    process = taskrun.start("run", taskrun.file(TIMED), "-o", "ndjson")
    wait_for(taskrun.folder / "began", process)
    wrong_by(jump)
    (taskrun.folder / "go").touch()
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, out + err
    assert log_of(taskrun) == ["a", "b", "b"]
    assert '"type":"Timeout","message":"no end after 0.2 s"' in out


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])
def test_a_run_that_waits_is_killed_and_goes_on_under_another_clock(
    taskrun: Taskrun, wrong_by: SetClock, jump: int
) -> None:
    process = taskrun.start("run", taskrun.file(PATIENT), "-o", "ndjson")
    assert process.stdout is not None
    while '"RETRYING"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wrong_by(jump)
    done = taskrun("resume", "latest", "-o", "ndjson")
    assert done.code == 0, done.err
    assert log_of(taskrun) == ["a", "a", "b"]
    times = [event["time"] for event in done.events if "time" in event]
    assert times == sorted(times)


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])
def test_a_task_that_outlives_its_taskrun_is_found_again_under_another_clock(
    taskrun: Taskrun, wrong_by: SetClock, jump: int
) -> None:
    process = taskrun.start("run", taskrun.file(TIMED))
    wait_for(taskrun.folder / "began", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wrong_by(jump)
    (taskrun.folder / "go").touch()
    done = taskrun("resume", "latest")
    assert done.code == 0, done.err
    assert log_of(taskrun) == ["a", "b", "b"]


def test_a_taskrun_that_slept_still_has_its_run_and_goes_on_where_it_was(taskrun: Taskrun) -> None:
    process = taskrun.start("run", taskrun.file(TIMED.replace("50s", "60s")))
    wait_for(taskrun.folder / "began", process)
    process.send_signal(signal.SIGSTOP)
    (taskrun.folder / "go").touch()
    refused = taskrun("resume", "latest")
    assert refused.code == 5
    assert "is being driven by process" in refused.err
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    assert log_of(taskrun) == ["a", "b", "b"]
